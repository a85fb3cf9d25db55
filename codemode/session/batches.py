"""batch_insert of one execution: a unit of the transaction that takes chunk after chunk while records stream in.

Batches nest, because a generator of records may insert records elsewhere. They end last in, first out; a child
that says otherwise is refused, since a mark of the transaction cannot be kept once an outer one was undone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from codemode.database import rules, schema
from codemode.database.batch import Insert, create_sql, insert_chunk, insert_for
from codemode.database.journal import Entry
from codemode.database.names import quoted
from codemode.errors import CodemodeError, ConstraintFailed, NoSuchTable, RequestInvalid
from codemode.guard import Statement
from codemode.session.statements import Statements

if TYPE_CHECKING:
    from codemode.session.blame import Refused

_NESTED = 8


class _Batch(msgspec.Struct):
    number: int
    mark: int
    insert: Insert
    declared: list[dict[str, Any]]  # the columns that can be inserted into
    statement: Statement
    entry: Entry
    started: float
    chunk_rows: int  # the most that one statement takes
    rows: int = 0  # records taken so far
    written: int = 0
    touched: int = 0  # what triggers and foreign keys did among them
    chunks: int = 0
    failure: CodemodeError | None = None
    sql: tuple[int, str] = (0, "")  # the last statement: how many records it takes, and its text


class Batches:
    """The open batches of one execution, innermost last."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._open: list[_Batch] = []
        self._last = 0

    def begin(self, table: str, columns: Sequence[str] | None, options: dict[str, Any]) -> dict[str, Any]:
        """Open a batch into `table`; everything until `end` is one unit."""
        if len(self._open) >= _NESTED:
            raise RequestInvalid(f"{_NESTED} batches are open inside one another")
        entry, started = self._statements.entry("batch_insert", f"INSERT INTO {quoted(table)}"), time.monotonic()
        try:
            mark = self._statements.transaction.mark()
            try:
                batch = self._begun(mark, table, columns, options, entry, started)
            except BaseException:
                self._statements.transaction.undo(mark)
                raise
        except CodemodeError as error:
            entry.error_code = error.code
            self._statements.log(entry, started)
            raise
        self._open.append(batch)
        types = {column["name"]: column["type"] for column in batch.declared}
        return {
            "batch": batch.number,
            "columns": list(batch.insert.columns),
            "chunk_rows": batch.chunk_rows,
            "types": [types[name] for name in batch.insert.columns] if options.get("create") else [],
            "defaults": [column["name"] for column in batch.declared if column["default_value"] is not None],
        }

    def _begun(
        self,
        mark: int,
        table: str,
        columns: Sequence[str] | None,
        options: dict[str, Any],
        entry: Entry,
        started: float,
    ) -> _Batch:
        if options.get("create"):
            self._create(table, columns, options.get("types") or {})
        declared = [column for column in self._columns(table) if not column["generated"]]
        insertable = _names(declared)
        chosen = schema.real_columns(table, insertable, columns if columns is not None else insertable)
        key = schema.real_columns(table, insertable, options.get("key") or ())
        held = self._read(rules.key_of, table, tuple(key)) if key else None
        insert = insert_for(table, chosen, options.get("on_conflict", "error"), key, held.where if held else "")
        limits = self._statements.opened.limits
        chunk_rows = insert.chunk_rows(limits.chunk_rows, limits.sql_bytes)
        self._last += 1
        checked = self._statements.checked(insert.sql(1))
        return _Batch(self._last, mark, insert, declared, checked, entry, started, chunk_rows)

    def _columns(self, table: str) -> list[dict[str, Any]]:
        try:
            return list(self._read(schema.columns, table))
        except NoSuchTable as error:
            if not error.did_you_mean:
                error.hint = "create=True makes it of the records, where there are any; else use create_table first"
            raise

    def _create(self, table: str, columns: Sequence[str] | None, types: dict[str, str]) -> None:
        wanted = {column: types.get(column, "") for column in (columns or types)}
        if not wanted:
            raise RequestInvalid("create=True needs records, or columns=, to know the table's columns")
        bad = [kind for kind in wanted.values() if kind not in {"", "INTEGER", "REAL", "TEXT", "BLOB"}]
        if bad:
            raise RequestInvalid(f"{bad[0]!r} is not a type for create=True")
        self._statements.exec(create_sql(table, wanted))

    def _read(self, function: Any, *args: Any) -> Any:
        with self._statements.as_engine():
            return function(self._statements.opened.connection, *args)

    def rows(self, number: int, chunks: list[Any], columns: Sequence[str] | None = None) -> None:
        """Insert chunks of records, each a flat list of values; from here on with `columns` where given."""
        batch = self._top(number)
        # A call among the records may have ended the transaction: what is inserted after that would stay.
        self._statements.transaction.check_alive()
        if columns is not None:
            self._reshape(batch, columns)
        for values in chunks:
            try:
                self._chunk(batch, values)
            except CodemodeError as error:
                batch.failure, batch.entry.error_code = error, error.code
                raise

    def _chunk(self, batch: _Batch, values: Any) -> None:
        width = len(batch.insert.columns)
        count, over = divmod(len(values) if type(values) is list else 0, width)
        if over or not 0 < count <= batch.chunk_rows:
            raise RequestInvalid(f"a chunk is the values of 1 to {batch.chunk_rows} records of {width} columns")
        if batch.sql[0] != count:
            batch.sql = count, batch.insert.sql(count)
            self._statements.opened.guard.prepared = True
        written = self._insert(batch, batch.sql[1], values, width)
        batch.written += written
        self._statements.tally.rows_written += written  # what was changed, kept or not: as of single statements
        batch.rows += count
        batch.chunks += 1
        self._statements.tally.progressed(batch.insert.table, batch.rows)

    def _insert(self, batch: _Batch, sql: str, values: list[Any], width: int) -> int:
        connection = self._statements.opened.connection
        total = connection.total_changes()
        try:
            with self._statements.stepping(batch.statement):
                written = insert_chunk(connection, sql, values, batch.rows, width)
        except ConstraintFailed as error:
            if connection.total_changes() != total:  # FAIL keeps the records before the bad one: they would be blamed
                raise
            raise self._blamed(batch, error, values, width) from None
        batch.touched += connection.total_changes() - total
        return written

    def _blamed(self, batch: _Batch, error: ConstraintFailed, values: list[Any], width: int) -> ConstraintFailed:
        """`error` with the record that caused it: the chunk again, record by record, then undone."""
        from codemode.session.blame import refused_record  # only where something fails

        transaction = self._statements.transaction
        if not self._statements.opened.connection.in_transaction:  # a trigger ended it, and said why
            return error
        mark = transaction.mark()
        try:
            refused = refused_record(self._statements, batch.statement, values, width, batch.rows)
            return error if refused is None else self._told(batch, refused)
        finally:
            transaction.undo(mark)

    def _told(self, batch: _Batch, refused: Refused) -> ConstraintFailed:
        from codemode.session.blame import with_values

        record = dict(zip(batch.insert.columns, refused.values, strict=True))
        with self._statements.as_engine():
            told = with_values(
                refused.error, self._statements.opened.connection, batch.statement.tables_written, record
            )
        hint = told.hint
        if told.message.startswith("UNIQUE"):
            hint = 'a row with this key exists: say on_conflict="update" and key=, or on_conflict="ignore"'
        if told.message.startswith("NOT NULL"):
            hint = "give each record a value: what one lacks is NULL here, not the column's default"
        return ConstraintFailed(
            f"record {batch.rows + refused.place}: {told.message}", hint=hint, sql=batch.statement.sql,
            did_you_mean=told.did_you_mean, available=told.available,
        )  # fmt: skip

    def _reshape(self, batch: _Batch, columns: Sequence[str]) -> None:
        chosen = schema.real_columns(batch.insert.table, _names(batch.declared), columns)
        batch.insert = msgspec.structs.replace(batch.insert, columns=tuple(chosen))
        batch.statement = self._statements.checked(batch.insert.sql(1))
        batch.sql = (0, "")

    def end(self, number: int) -> dict[str, Any]:
        """Keep what the batch inserted; raises when one of its chunks failed.

        A chunk's failure is told at the child's next call, which may be one of the records' own generator: what
        catches it there must not turn a batch with missing rows into a good one.
        """
        batch = self._top(number)
        if batch.failure is not None:
            raise batch.failure
        self._open.pop()
        batch.entry.rows_written = batch.written
        transaction = self._statements.transaction
        transaction.provenance.note(batch.statement, batch.written, batch.touched)
        if batch.touched:
            transaction.note(batch.statement.changed(batch.written, batch.touched))
        try:
            transaction.keep(batch.mark)
        except CodemodeError as error:
            batch.entry.error_code = error.code
            raise
        finally:
            self._statements.log(batch.entry, batch.started)
        columns = list(batch.insert.columns)
        return {"success": True, "rows_written": batch.written, "chunks": batch.chunks, "columns": columns}

    def abort(self, number: int) -> None:
        """Undo what the batch inserted."""
        batch = self._top(number)
        self._open.pop()
        batch.entry.error_code = batch.entry.error_code or "code.runtime"
        batch.entry.rows_written = batch.written
        self._statements.log(batch.entry, batch.started)
        self._statements.transaction.undo(batch.mark)

    def _top(self, number: int) -> _Batch:
        if not self._open or self._open[-1].number != number:
            raise RequestInvalid("this batch is not open, or another one inside it still is")
        return self._open[-1]


def _names(declared: Sequence[dict[str, Any]]) -> list[str]:
    return [column["name"] for column in declared]
