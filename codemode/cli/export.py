"""`codemode export`: a table or the rows of a statement into a file, all of them, in constant memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO, cast

import click

from codemode.cli.app import App, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import note, size, stream, warn
from codemode.cli.query import param_option, parse_params
from codemode.counts import plural

SQLITE = "sqlite"
_DATABASES = (".db", ".sqlite", ".sqlite3")
FORMATS = ["csv", "tsv", "json", "ndjson", "markdown"]


@command("export", short_help="Write a table or a query's rows to a file.")
@click.argument("sql", metavar="[SQL|TABLE]", required=False)
@click.option("-s", "--session", "session_id", required=True, metavar="SESSION", help="The session to read from.")
@click.option("--to", "target", required=True, metavar="FILE", help="The file; .gz compresses; - is standard output.")
@param_option
@click.option("--format", "kind", type=click.Choice([*FORMATS, SQLITE]), help="Instead of the extension's.")
@click.option("--null", default="", metavar="TEXT", help="What NULL is written as in CSV and TSV; empty by default.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@tenant_option
def export(
    app: App,
    sql: str | None,
    session_id: str,
    target: str,
    params: tuple[str, ...],
    kind: str | None,
    null: str,
    force: bool,
    tenant: str,
) -> None:
    """Write all rows of SQL or TABLE to a file (.csv .tsv .json .ndjson .jsonl .md, plain or .gz).

    Without SQL or TABLE, and into .db, .sqlite or .sqlite3: the whole session as one SQLite file. The file appears
    whole or not at all. Blobs are written as base64, in JSON as {"$bytes": base64}.
    """
    if kind == SQLITE or (kind is None and target.lower().endswith(_DATABASES)):
        _export_database(app, sql, session_id, Path(target), force, tenant)
        return
    if sql is None:
        raise click.UsageError("name a table, give a SELECT, or export the session: --to FILE.db")
    from codemode.database import transfer

    to_stdout = target == "-"
    if to_stdout and app.as_json:
        raise click.UsageError("--json and --to - would both write to standard output")
    kind = kind or ("csv" if to_stdout else transfer.format_of(target, transfer.EXPORT_FORMATS))
    if not to_stdout:
        transfer.check_target(Path(target), force)
    with app.worker() as worker:
        session = app.session(worker, session_id, tenant)
        tables = session.get_tables() if transfer.may_be_table(sql) else ()
        columns, rows = session.stream(transfer.statement_of(sql, tables), parse_params(params))
        sink = cast(BinaryIO, _Output()) if to_stdout else Path(target)
        done = transfer.export_rows(columns, rows, sink, kind, null=null, force=force)
    if app.as_json:
        result = {"file": target, "format": kind, "rows": done.rows, "bytes": done.bytes}
        app.answer(result, session_id=session_id, warnings=done.notes)
        return
    for remark in done.notes:
        warn(remark)
    note(f"{plural(done.rows, 'row')}, {size(done.bytes)}" + ("" if to_stdout else f" to {target}"))


class _Output:
    """Standard output for texts in UTF-8, each of which is written whole."""

    def write(self, text: bytes) -> int:
        sys.stdout.buffer.write(stream(text.decode()).encode())
        return len(text)


def _export_database(app: App, sql: str | None, session_id: str, target: Path, force: bool, tenant: str) -> None:
    if sql is not None:
        raise click.UsageError("a database file holds the whole session: leave SQL or TABLE out")
    if str(target) == "-":
        raise click.UsageError("a database is not written to standard output: name a file")
    with app.worker() as worker:
        written = app.session(worker, session_id, tenant).export_file(target, force=force)
    if app.as_json:
        app.answer({"file": str(target), "format": SQLITE, "bytes": written}, session_id=session_id)
    else:
        note(f"session {session_id}, {size(written)} to {target}")
