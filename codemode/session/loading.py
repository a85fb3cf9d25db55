"""Load rows that the host brings (an import) into a table: one transaction, constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from operator import ne
from typing import Any

from codemode.asked import IF_EXISTS, one_of
from codemode.counts import plural
from codemode.database import schema
from codemode.database.batch import insert_chunk, insert_for
from codemode.database.connection import MOST_COLUMNS
from codemode.database.names import folded, quoted
from codemode.database.onepass import Contradicted
from codemode.database.typed import rows_at_once
from codemode.errors import AlreadyExists, ConstraintFailed, RequestInvalid, StatementLimit
from codemode.guard import Statement
from codemode.session.statements import Statements

_TOGETHER = 8_000  # values: what is around a statement is around all that bind so many


def load(
    statements: Statements,
    table: str,
    columns: Sequence[tuple[str, str]],
    chunks: Iterable[Sequence[Any]],
    *,
    if_exists: str,
    progress: Callable[[int], None] | None,
) -> int:
    """Insert `chunks` into `table` of `columns` (name, type) and return how many rows; all or nothing.

    A chunk is the values of some rows, one after another.

    Raises AlreadyExists where `if_exists` is "error" and the table is there, StatementLimit for too many columns.
    """
    one_of("if_exists", if_exists, IF_EXISTS)
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
            return _insert(statements, table, [name for name, _ in columns], chunks, progress)
    except Contradicted:
        while len(entries) > before:
            entries.pop()  # undone and soon begun anew: the log tells of what counts
        raise


def _prepare(statements: Statements, table: str, columns: Sequence[tuple[str, str]], if_exists: str) -> None:
    with statements.as_engine():
        existing = {folded(name): name for name in schema.tables(statements.opened.connection)}.get(folded(table))
    if existing is not None and if_exists == "error":
        raise AlreadyExists(
            f"table {existing} exists already",
            hint="append to it or replace it (if_exists, --if-exists), or choose another name (table, --table)",
        )
    if existing is not None and if_exists == "append":
        with statements.as_engine():
            insertable = schema.insertable(statements.opened.connection, existing)
        schema.real_columns(existing, insertable, [name for name, _ in columns])
        return
    if existing is not None:
        _expect_unreferred(statements, existing)
        statements.exec(f"DROP TABLE {quoted(existing)}")
    listed = ", ".join(f"{quoted(name)} {kind}".rstrip() for name, kind in columns)
    statements.exec(f"CREATE TABLE {quoted(table)} ({listed})")


def _expect_unreferred(statements: Statements, table: str) -> None:
    """Raise where rows of others would go with the table: it comes back without the key that they refer to."""
    with statements.as_engine():
        referring = schema.referring(statements.opened.connection, table)
    if referring:
        raise ConstraintFailed(
            f"table {table} cannot be replaced: a foreign key of {', '.join(referring[:5])} refers to it",
            hint=f"delete the rows of {table} that are to go, and append (--if-exists append)",
        )


def _insert(
    statements: Statements,
    table: str,
    columns: Sequence[str],
    chunks: Iterable[Sequence[Any]],
    progress: Callable[[int], None] | None,
) -> int:
    insert, width, done = insert_for(table, columns, "error", ()), len(columns), 0
    limits, connection = statements.opened.limits, statements.opened.connection
    most = width * min(insert.chunk_rows(limits.chunk_rows, limits.sql_bytes), rows_at_once(width))
    text = lru_cache(maxsize=2)(insert.sql)  # the usual one, and the last
    total = connection.total_changes()
    with statements.logged("import", insert.sql(1)) as entry:
        statement = statements.checked(insert.sql(1))
        for some in _together(chunks, most):
            try:
                with statements.stepping(statement):
                    for values in some:
                        before = connection.total_changes()
                        written = insert_chunk(connection, text(len(values) // width), values, done, width)
                        entry.rows_written += written
                        statements.tally.rows_written += written
                        done += len(values) // width
            except ConstraintFailed as error:
                if connection.total_changes() != before:  # FAIL keeps the rows before the bad one: they would be blamed
                    raise
                raise _with_its_row(error, statements, statement, columns, values) from None
            if progress is not None:
                progress(done)
    statements.transaction.note(statement.tables_written)
    touched = connection.total_changes() - total
    statements.transaction.provenance.note(statement, entry.rows_written, touched)
    return done


def _with_its_row(
    error: ConstraintFailed, statements: Statements, statement: Statement, columns: Sequence[str], values: Sequence[Any]
) -> ConstraintFailed:
    """`error` with the values of the row that it is about; what is inserted to find it is undone with all the rest."""
    from codemode.session.blame import refused_record, with_values  # only where something fails

    connection = statements.opened.connection
    if not connection.in_transaction:  # the row ended it: each one that is inserted now would stay
        return error
    refused = refused_record(statements, statement, values, len(columns), 0)
    if refused is None:
        return error
    with statements.as_engine():
        record = dict(zip(columns, refused.values, strict=True))
        return with_values(refused.error, connection, statement.tables_written, record)


def _together(chunks: Iterable[Sequence[Any]], most: int) -> Iterator[list[Sequence[Any]]]:
    """The chunks, in pieces of at most so many values, and so many of them together that few are around them."""
    some: list[Sequence[Any]] = []
    count = 0
    for chunk in chunks:
        some += (chunk[at : at + most] for at in range(0, len(chunk), most))
        count += len(chunk)
        if count >= _TOGETHER:
            yield some
            some, count = [], 0
    if some:
        yield some


def in_chunks(
    rows: Iterable[Sequence[Any]], columns: Sequence[str], warn: Callable[[str], None]
) -> Iterator[list[Any]]:
    """The values of `rows`, some rows together; raises RequestInvalid for one that has not a value for each column.

    `warn` is told of the columns in which SQLite makes NULL of a NaN.
    """
    source, first, width, at_once = iter(rows), 0, len(columns), rows_at_once(len(columns))
    lossless = dict(enumerate(columns))
    while some := list(islice(source, at_once)):
        if set(map(len, some)) != {width}:
            number, row = next(found for found in enumerate(some, first) if len(found[1]) != width)
            raise RequestInvalid(
                f"row {number} has {plural(len(row), 'value')}, and there {'is' if width == 1 else 'are'} "
                f"{plural(width, 'column')}",
                hint="give each row a value for every column, None where there is none",
            )
        values = list(chain.from_iterable(some))
        if _differ_from_themselves(values):
            for place in [place for place in lossless if _has_nan(values[place::width])]:
                warn(f"column {lossless.pop(place)!r}: NaN is stored as NULL")
        yield values
        first += len(some)


def _differ_from_themselves(values: list[Any]) -> bool:
    """Whether a NaN may be among them, in half the time of looking at each one's type."""
    try:
        return any(map(ne, values, values))
    except Exception:  # noqa: BLE001 - of a type that cannot be compared: it is refused when it is bound
        return True


def _has_nan(values: Iterable[Any]) -> bool:
    floats = [value for value in values if type(value) is float]
    return any(map(ne, floats, floats))
