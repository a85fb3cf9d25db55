"""`codemode restore`: sessions out of a backup, or a look into one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.output import note, printable, relative, size, warn
from codemode.cli.progress import bar
from codemode.cli.table import show
from codemode.counts import plural

if TYPE_CHECKING:
    from codemode.session.archive import Manifest, SessionCopy

_WORDS = {"recorded": "data left as it is, its record is back"}


@command("restore", short_help="Restore sessions from a backup.")
@click.argument("file", metavar="FILE")
@click.option("-s", "--session", "session_id", metavar="SESSION", help="This session alone.")
@click.option("--as", "new_id", metavar="NEW", help="Restore the session under another id.")
@click.option("--tenant", metavar="TENANT", help="The sessions of this tenant alone.")
@click.option("--force", is_flag=True, help="Put the data of sessions that exist back to what the backup has.")
@click.option("--skip-existing", is_flag=True, help="Leave sessions that exist as they are.")
@click.option("--list", "listing", is_flag=True, help="Only list what is in it.")
@click.option("--verify", is_flag=True, help="Only read it through: every byte, and every page of every database.")
def restore(
    app: App,
    file: str,
    session_id: str | None,
    new_id: str | None,
    tenant: str | None,
    force: bool,
    skip_existing: bool,
    listing: bool,
    verify: bool,
) -> None:
    """Restore everything that a backup holds, what it holds of a tenant, or one session.

    All of it is checked before anything is changed. A session that exists is an error, unless --force puts its data
    back (`codemode sessions undo` takes that back) or --skip-existing leaves it; that brings back what a catalogue
    knew that was lost. Each session is restored wholly or not at all, also beside a running service.
    """
    if force and skip_existing:
        raise click.UsageError("--force and --skip-existing exclude each other")
    if listing or verify:
        _look(app, Path(file), session_id, tenant, verify)
        return
    from codemode.session.archive import ArchiveReader

    ArchiveReader(Path(file)).close()  # a name that is none must not leave a data directory behind
    with app.worker(makes=True) as worker, bar(Path(file).name, quiet=app.as_json) as progress:
        done = worker.restore(
            file, session_id, tenant=tenant, new_id=new_id, progress=progress,
            existing="replace" if force else "skip" if skip_existing else "error",
        )  # fmt: skip
    if app.as_json:
        app.answer(done)
        return
    counts = Counter(each.done for each in done.sessions)
    for each in done.sessions[:20]:
        click.echo(f"{each.id}: {_WORDS.get(each.done, each.done)}, as of {relative(each.as_of)}")
    if len(done.sessions) > 20:
        click.echo(
            f"… {plural(len(done.sessions), 'session')} in all: {', '.join(f'{n} {w}' for w, n in counts.items())}"
        )
    if done.catalog:
        note("tokens, tenants and the audit log are back too: revoke again what was revoked since the backup")


def _look(app: App, path: Path, session_id: str | None, tenant: str | None, verify: bool) -> None:
    import tempfile

    from codemode.session.archive import ArchiveReader
    from codemode.session.offers import check_databases, selected

    with ArchiveReader(path) as reader:
        found = selected(reader, tenant, session_id)
        if verify:
            with bar(path.name, quiet=app.as_json) as progress, tempfile.TemporaryDirectory() as place:
                check_databases(reader, Path(place), progress)
        manifest = reader.manifest
    if app.as_json:
        listed = [_plain(each) for each in found]
        app.answer(
            {"created_at": _made_at(manifest), "sessions": listed, "left_out": manifest.left_out, "verified": verify}
        )
        return
    columns = ["session", "tenant", "as of", "size", "checkpoints"]
    rows = [
        [each["id"], each["tenant"], relative(each["as_of"]), size(each["size_bytes"]), each["checkpoints"]]
        for each in map(_plain, found)
    ]
    if rows:
        show(columns, rows)
    for left in manifest.left_out:
        warn(f"not in the backup: session {left.id} of tenant {left.tenant}: {left.message} [{left.code}]")
    verified = ", verified" if verify else ""
    note(f"made {relative(_made_at(manifest))} by codemode {printable(manifest.codemode)}{verified}")


def _plain(copy: SessionCopy) -> dict[str, Any]:
    from codemode.database.clock import iso

    return {
        "id": copy.id,
        "tenant": copy.tenant,
        "as_of": iso(copy.taken_at),
        "between_executions": copy.between_executions,
        "size_bytes": sum(member.size_bytes for member in copy.members()),
        "checkpoints": len(copy.checkpoints),
        "notes": copy.notes,
    }


def _made_at(manifest: Manifest) -> str:
    """When the backup was made."""
    from codemode.database.clock import iso

    return iso(manifest.created_at)
