"""`codemode db export`, `import` and `copy`: all of the catalogue in one file, or in another store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from codemode.cli.app import App, command
from codemode.cli.forms import catalogue
from codemode.cli.progress import bar
from codemode.counts import plural
from codemode.errors import RequestInvalid

_replace = click.option("--replace", is_flag=True, help="Delete all that is there now.")


@command("export", short_help="Write all of the catalogue to one file.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def export(app: App, file: Path) -> None:
    """Write all of the catalogue, as of one moment, to the new file FILE, while it is in use.

    It holds hashes of tokens and what is said in sessions, but not the data of sessions: `codemode backup` has both.
    """
    from codemode.catalog import moving

    with catalogue(app) as store, bar(file.name, quiet=app.as_json) as progress:
        rows = moving.export(store, file, progress=progress)
    app.say({"file": str(file), "rows": rows, "bytes": file.stat().st_size}, f"{file}: {plural(rows, 'row')}")


@command("import", short_help="Fill the catalogue with what an export holds.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@_replace
def bring_in(app: App, file: Path, replace: bool) -> None:
    """Fill the catalogue with what FILE holds, compare both row by row, and keep it only where they are the same.

    A catalogue that is in use is refused, unless it is to be replaced. End every service that uses it first.
    """
    from codemode.catalog import moving
    from codemode.catalog.migrating import make_ready

    with catalogue(app, makes=True) as store, bar(file.name, quiet=app.as_json) as progress:
        make_ready(store, "all")
        rows = moving.bring_in(store, file, replace=replace, progress=progress)
        where = store.where
    app.say({"file": str(file), "rows": rows, "where": where}, f"{plural(rows, 'row')} in {where}, compared")


@command("copy", short_help="Copy all of the catalogue to another store.")
@click.option("--to", "to", metavar="CATALOGUE", required=True, help="postgresql://…, or a directory for a file.")
@_replace
def copy(app: App, to: str, replace: bool) -> None:
    """Copy all of the catalogue to another store, compare both row by row, and keep it only where they are the same.

    CATALOGUE is an address of PostgreSQL, or a data directory whose catalog.db it becomes. It must not be in use,
    unless it is to be replaced. End every service that uses one of both first, and set `catalog` afterwards.
    """
    from codemode.catalog import moving
    from codemode.catalog.migrating import make_ready
    from codemode.catalog.opening import MEMORY, POSTGRES, connect
    from codemode.session.data_dir import prepared

    if to == MEMORY:
        raise RequestInvalid("a copy in memory is gone with this command", hint="name a directory or postgresql://…")
    server = to.startswith(POSTGRES)
    with (
        catalogue(app) as source,
        closing(connect(to, Path()) if server else connect("", prepared(to))) as target,
        bar("copying", quiet=app.as_json) as progress,
    ):
        if source.where == target.where:
            raise RequestInvalid(
                "this is the catalogue itself",
                hint="name another one; what is copied is that of the setting catalog, or else catalog.db",
            )
        make_ready(source, "all")
        make_ready(target, "all")
        rows, where = moving.copy(source, target, replace=replace, progress=progress), target.where
    app.say({"rows": rows, "where": where}, f"{plural(rows, 'row')} in {where}, compared")
