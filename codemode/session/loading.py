"""Load rows that the host brings (an import) into a table: one transaction, constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any

from codemode.database import schema
from codemode.database.batch import insert_chunk, insert_for
from codemode.database.connection import MOST_COLUMNS
from codemode.database.names import quoted
from codemode.database.onepass import Contradicted
from codemode.errors import AlreadyExists, RequestInvalid, StatementLimit
from codemode.session.statements import Statements

_IF_EXISTS = ("error", "append", "replace")
_VALUES = 1_000  # bound to one statement: what it keeps for them then stays in the processor's cache


def load(
    statements: Statements,
    table: str,
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Any]],
    *,
    if_exists: str,
    progress: Callable[[int], None] | None,
) -> int:
    """Insert `rows` into `table` of `columns` (name, type) and return how many; all or nothing.

    Raises AlreadyExists where `if_exists` is "error" and the table is there, StatementLimit for too many columns.
    """
    if if_exists not in _IF_EXISTS:
        raise RequestInvalid(f"if_exists is {if_exists!r}", available=_IF_EXISTS)
    if not columns:
        raise RequestInvalid(f"{table}: a table needs at least one column")
    if len(columns) > MOST_COLUMNS:
        raise StatementLimit(
            f"{table}: {len(columns):,} columns, and a table has {MOST_COLUMNS} at most",
            hint="bring fewer columns, or one row for each of their values (name, value)",
        )
    entries = statements.tally.entries
    before = len(entries)
    try:
        with statements.transaction.unit():
            _prepare(statements, table, columns, if_exists)
            return _insert(statements, table, [name for name, _ in columns], rows, progress)
    except Contradicted:
        while len(entries) > before:
            entries.pop()  # undone and soon begun anew: the log tells of what counts
        raise


def _prepare(statements: Statements, table: str, columns: Sequence[tuple[str, str]], if_exists: str) -> None:
    with statements.as_engine():
        existing = {name.lower(): name for name in schema.tables(statements.opened.connection)}.get(table.lower())
    if existing is not None and if_exists == "error":
        raise AlreadyExists(
            f"table {existing} exists already",
            hint="append to it, replace it, or choose another name (--if-exists, --table)",
        )
    if existing is not None and if_exists == "append":
        return
    if existing is not None:
        statements.exec(f"DROP TABLE {quoted(existing)}")
    listed = ", ".join(f"{quoted(name)} {kind}".rstrip() for name, kind in columns)
    statements.exec(f"CREATE TABLE {quoted(table)} ({listed})")


def _insert(
    statements: Statements,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None,
) -> int:
    insert = insert_for(table, columns, "error", ())
    limits = statements.opened.limits
    chunk_rows = insert.chunk_rows(limits.chunk_rows, limits.sql_bytes)
    connection, width, done, source = statements.opened.connection, len(columns), 0, iter(rows)
    at_once = min(chunk_rows, max(1, _VALUES // width))
    sql = insert.sql(at_once)
    total = connection.total_changes()
    with statements.logged("import", insert.sql(1)) as entry:
        statement = statements.checked(insert.sql(1))
        while chunk := list(islice(source, chunk_rows)):
            with statements.stepping(statement):
                for first in range(0, len(chunk), at_once):
                    some = chunk[first : first + at_once]
                    text = sql if len(some) == at_once else insert.sql(len(some))
                    values = list(chain.from_iterable(some))
                    entry.rows_written += insert_chunk(connection, text, values, done + first, width)
            done += len(chunk)
            if progress is not None:
                progress(done)
    statements.tally.rows_written += entry.rows_written
    statements.changed(statement)
    touched = connection.total_changes() - total
    statements.transaction.provenance.note(statement, entry.rows_written, touched)
    return done
