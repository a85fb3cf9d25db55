"""`codemode import`: files into tables, one transaction a file, and a profile of what came in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command, renew_option
from codemode.cli.fields import tenant_option
from codemode.cli.output import note, printable, standard_input
from codemode.cli.progress import bar
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from codemode.database.sources import Source
    from codemode.database.transfer import Profile


@command("import", short_help="Load CSV, TSV, JSON or NDJSON files into tables.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-s", "--session", "session_id", required=True, metavar="SESSION", help="The session; made if it is new.")
@click.option(
    "--table", metavar="NAME", help="The table; by default it has the file's name. Several files go into one."
)
@click.option(
    "--null", "nulls", multiple=True, metavar="TEXT", help="What stands for NULL, instead of the empty field."
)
@click.option(
    "--if-exists", type=click.Choice(["error", "append", "replace"]), default="error", help="If the table exists."
)
@click.option(
    "--format", "kind", type=click.Choice(["csv", "tsv", "json", "ndjson"]), help="Instead of the extension's."
)
@click.option("--delimiter", metavar="CHARACTER", help="Between the fields, instead of the comma or tab.")
@renew_option
@click.option("--encoding", default="utf-8", metavar="NAME", help="Of the text; UTF-8 by default.")
@tenant_option
def import_files(
    app: App, files: tuple[str, ...], session_id: str, table: str | None, nulls: tuple[str, ...], **options: Any
) -> None:
    """Load each FILE (plain or .gz; - is standard input) into a table of its own.

    Types are inferred over the whole file, so nothing is lost: leading zeros stay text, whole numbers with gaps stay
    whole. A blank field of a number column is always NULL. Each file is kept whole or not at all.
    """
    if files.count("-") > 1:
        raise click.UsageError("standard input can be read once")
    if "-" in files and table is None:
        raise click.UsageError("standard input has no name: say --table NAME (and --format)")
    plans = [_Plan(file, table, nulls, options) for file in files]
    profiles = []
    with app.worker(makes=True) as worker:
        session = app.session(worker, session_id, options["tenant"], create=True, renew=options["renew"])
        for number, plan in enumerate(plans):
            # Several files for one table: the first finds it as --if-exists says, the others add to it.
            if_exists = "append" if table and number else options["if_exists"]
            with plan.open() as source, bar(Path(source.name).name, quiet=app.as_json) as told:
                progress = partial(_passed, told, max(1, 2 * source.size))
                profiles.append(session.import_source(source, plan.reader(), plan.table, if_exists, progress))
            if not app.as_json:
                show_profile(profiles[-1])
    if app.as_json:
        app.answer(profiles, session_id=session_id)


class _Plan:
    """How one file is read, decided before any of them is."""

    def __init__(self, file: str, table: str | None, nulls: Sequence[str], options: dict[str, Any]) -> None:
        from codemode.database.sources import check_readable
        from codemode.database.transfer import IMPORT_FORMATS, format_of, table_of

        self.file = file
        if not file:
            raise RequestInvalid("the name of a file is empty", hint="is a variable of the shell not set?")
        if file != "-":
            check_readable(Path(file))
        self.table = table_of(file) if table is None else table
        if not self.table.strip():
            raise RequestInvalid("--table is empty")
        if file == "-" and options["kind"] is None:
            raise click.UsageError(f"standard input has no extension: say --format, one of {', '.join(IMPORT_FORMATS)}")
        self._kind = format_of(file, IMPORT_FORMATS, options["kind"])
        self._nulls, self._delimiter, self._encoding = nulls, options["delimiter"], options["encoding"]
        self.reader()

    def open(self) -> Source:
        """The file, or a copy of standard input."""
        from codemode.database.sources import Source, spooled

        file = spooled(standard_input().buffer, "standard input") if self.file == "-" else Path(self.file)
        return Source(file, encoding=self._encoding)

    def reader(self) -> Any:
        """The reader of its format."""
        from codemode.database.transfer import reader_for

        return reader_for(self._kind, self._nulls, self._delimiter)


def show_profile(profile: Profile) -> None:
    """What came in, as a table, with remarks on standard error."""
    click.echo(f"{printable(profile.table)}: {plural(profile.rows, 'row')}, {plural(len(profile.columns), 'column')}")
    show(["column", "type", "nulls"], [[column.name, column.type, column.nulls] for column in profile.columns])
    click.echo()
    for remark in profile.notes:
        note(f"{profile.file}: {remark}")


def _passed(told: Callable[[int, int], None], total: int, consumed: int) -> None:
    """Tell the bar how far the reading is."""
    told(consumed, total)
