"""The result of one execution that is too large to be answered, on its way into a table of the session.

The child hands it over in pieces once the snippet has ended (see `sandbox.spilling`), and is no more trusted with this
than with anything else: what comes out of turn, of a wrong type or too large is a ProtocolViolation, which ends it.

The table is written inside the execution's transaction, below a mark of its own: it is committed with the data, and
where it cannot be kept (the quota) it is undone alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Literal

import msgspec

from codemode.database import spill
from codemode.database.execute import Cursor, Parameters, open_cursor
from codemode.database.spill import ResultTable
from codemode.database.taking import row_bytes
from codemode.database.values import parameters
from codemode.errors import CodemodeError, DiskQuotaExceeded, StatementTimeout
from codemode.guard import Statement
from codemode.session.confining import PIECE_BYTES, SPILL_BYTES
from codemode.session.statements import Statements
from sandbox.errors import ProtocolViolation
from sandbox.pieces import MOST_COLUMNS, PIECE_ROWS, digest, folded

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_JSON = (("part", "INTEGER PRIMARY KEY"), ("json", "TEXT"))


class Kept(msgspec.Struct, frozen=True):
    """A result that is kept: its table, how many rows it has, and the bytes that it takes in the session's file."""

    table: ResultTable
    rows: int
    bytes: int


class _OtherRows(Exception):
    """The query, run again, does not begin with the rows that the snippet returned."""


class _OtherTypes(Exception):
    """A later row holds a value that the type of its column would change."""


class Spill:
    """At most one result of one execution; `kept` says where it is, `lost` that there was no room for it."""

    def __init__(self, statements: Statements, close_pages: Callable[[], None]) -> None:
        self._statements, self._close_pages = statements, close_pages
        self._connection, self._transaction = statements.opened.connection, statements.transaction
        self._state: Literal["idle", "compared", "open", "over"] = "idle"
        self._mark = 0
        self._table = ResultTable(0, "rows", ())
        self._rows = self._bytes = self._pages_before = 0
        self.kept: Kept | None = None
        self.lost = False

    @property
    def begun(self) -> bool:
        """Whether the child began to hand its result over: the snippet has ended, and nothing else may be called."""
        return self._state != "idle"

    def begin(self, kind: str, columns: list[Any], types: list[Any]) -> dict[str, Any]:
        """Make the table for a value that will come in pieces; `kept` False where nothing is kept."""
        self._expect(self._state in ("idle", "compared"))
        shape = _JSON if kind == "json" else tuple(zip(columns, types, strict=False))
        self._expect(kind == "json" or (kind == "rows" and _are_columns(columns, types)))
        self._state = "over"
        if self._may_keep():
            self._start()
            with self._giving_up():
                self._make("json" if kind == "json" else "rows", shape)
                self._state = "open"
        return {"kept": self._state == "open"}

    def rows(self, count: int, values: list[Any]) -> None:
        """Take some of the rows, as one flat list."""
        self._expect(self._state == "open")  # before it the table has no columns, and no row could be cut out
        width = len(self._table.columns)
        self._expect(self._table.kind == "rows" and 1 <= count <= PIECE_ROWS and count * width == len(values))
        self._expect(set(map(type, values)) <= _PLAIN)
        self._take([values[at : at + width] for at in range(0, len(values), width)], row_bytes(tuple(values)))

    def json(self, text: str) -> None:
        """Take the next piece of the JSON text."""
        self._expect(self._table.kind == "json" and text != "")
        self._take([(None, text)], len(text.encode()))

    def end(self) -> dict[str, Any]:
        """The value is whole: keep its table, and drop the oldest ones."""
        self._expect(self._state == "open" and (self._rows > 0 or self.lost))
        self._state = "over"
        if not self.lost:
            with self._giving_up():
                self._finish()
        return {"kept": self.kept is not None}

    def query(self, sql: str, params: Any, held: int, mark: int) -> dict[str, Any]:
        """Run a query whose rows were cut again, into a table that holds all of them.

        `same` is False where that would not be what the snippet returned: the statement writes, it cannot be run any
        more, or its first `held` rows are not those with the checksum `mark`.
        """
        self._expect(self._state == "idle" and held >= 0)
        self._state = "compared"
        try:
            statement = self._statements.checked(sql)
            bound = parameters(params)
        except StatementTimeout:
            raise
        except CodemodeError:
            return {"same": False}
        if not (statement.reads_only and statement.returns_rows):
            return {"same": False}
        if self._may_keep() and not self._ran_again(statement, bound, held, mark):
            return {"same": False}
        self._state = "over"
        return {"same": True}

    def _ran_again(self, statement: Statement, params: Parameters, held: int, mark: int) -> bool:
        """Whether the query answered the same rows; its table is kept then, unless it does not fit."""
        try:
            try:
                self._copy(statement, params, held, mark, typed=True)
            except _OtherTypes:
                self._copy(statement, params, held, mark, typed=False)
        except _OtherRows:
            return False
        return True

    def _copy(self, statement: Statement, params: Parameters, held: int, mark: int, *, typed: bool) -> None:
        """The rows of a query into a new table; raises _OtherRows and _OtherTypes, with nothing written."""
        self._start()
        seen = checksum = 0
        with self._giving_up(), closing(self._answered(statement, params)) as pieces:
            for names, rows, size in pieces:
                if not self._table.number:
                    self._make("rows", spill.columns_for(names, rows if typed else ()))
                checksum = digest(rows[: max(0, held - seen)], checksum)
                seen += len(rows)
                if seen >= held > seen - len(rows) and checksum != mark:
                    raise _OtherRows
                if typed and not spill.fit(rows, self._table.columns):
                    raise _OtherTypes
                self._insert(rows, size)
            if seen < max(held, 1):
                raise _OtherRows
            self._finish()
            self._statements.tally.whole_after_all()

    def _answered(
        self, statement: Statement, params: Parameters
    ) -> Generator[tuple[tuple[str, ...], list[tuple[Any, ...]], int]]:
        """The rows of a query in pieces, with its columns and their size; the user's SQL has the user's rights."""
        statements = self._statements
        statements.check_parameters(statement, params)
        with statements.stepping(statement):
            cursor, names = open_cursor(self._connection, statement.sql, params)
        try:
            while True:
                with statements.stepping(statement):
                    rows, size = _some(cursor)
                if not rows:
                    return
                yield names, rows, size
        finally:
            cursor.close(True)  # before anything is undone or dropped: an open reader would stand in the way

    def _may_keep(self) -> bool:
        """Whether tables may be made; where not, a warning says how the rest is to be had."""
        mode = self._transaction.mode
        if mode in ("atomic", "each"):
            return True
        how = "dry_run" if mode == "dry_run" else "read_only"
        self._statements.tally.warn(
            f"the result is cut: nothing is kept of it with {how}; run the snippet without it to read the rest",
            "result",
        )
        return False

    def _start(self) -> None:
        """Set a mark, to which a result that cannot be kept is undone."""
        self._close_pages()
        self._expect(self._transaction.depth == 0)  # only a child that lies leaves a batch open
        self._mark = self._transaction.mark()
        self._rows = self._bytes = 0
        self._table = ResultTable(0, "rows", ())

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Undo the table when it cannot be kept: for want of room the data is kept without it, with a warning."""
        try:
            yield
        except CodemodeError as error:
            if isinstance(error, StatementTimeout) and time.monotonic() >= self._statements.ends_at:
                raise  # the execution's time is over, and all of it is undone
            self._undo()
            self.lost = True
            self._statements.tally.warn(
                f"the result was too large to be answered and is not kept ({error.message}), so it is null; "
                "the data is: return less, or write what is to stay into a table",
                "result",
            )
        except (_OtherRows, _OtherTypes):
            self._undo()
            raise

    def _undo(self) -> None:
        rolled_back = self._transaction.rolled_back
        self._transaction.undo(self._mark)
        self._transaction.rolled_back = rolled_back or self._transaction.doomed is not None  # none of it was the data

    def _make(self, kind: spill.Kind, columns: spill.Columns) -> None:
        with self._statements.as_engine():
            self._pages_before = spill.used_pages(self._connection)
            self._table = ResultTable(spill.next_number(self._connection), kind, columns)
            self._room(0)
            spill.create(self._connection, self._table)

    def _take(self, rows: Sequence[Sequence[Any]], size: int) -> None:
        """A piece from the child, which has to keep to sizes even where there was no room for an earlier one."""
        self._bytes += size
        self._expect(self._state == "open" and size <= PIECE_BYTES and self._bytes <= SPILL_BYTES)
        if not self.lost:
            with self._giving_up():
                try:
                    self._insert(rows, size)
                except OverflowError:  # an integer above 64 bits
                    raise ProtocolViolation("a result's value that nobody can store") from None

    def _insert(self, rows: Sequence[Sequence[Any]], size: int) -> None:
        with self._statements.as_engine():
            self._room(size)
            spill.insert(self._connection, self._table, rows)
        self._rows += len(rows)

    def _room(self, size: int) -> None:
        if not spill.has_room(self._connection, size):
            raise DiskQuotaExceeded("it does not fit into what is left of database_bytes")

    def _finish(self) -> None:
        with self._statements.logged("spill", self._table.name), self._statements.as_engine():
            pages = spill.used_pages(self._connection) - self._pages_before
            size = pages * int(self._connection.pragma("page_size"))
            spill.enlist(self._connection, self._table, self._statements.execution_id, self._rows, size)
        self._transaction.keep(self._mark)
        self.kept = Kept(self._table, self._rows, size)

    def _expect(self, expected: bool) -> None:
        if not expected:
            raise ProtocolViolation("a result was handed over out of turn, or in a wrong form")


def _are_columns(columns: list[Any], types: list[Any]) -> bool:
    return (
        0 < len(columns) == len(types) <= MOST_COLUMNS
        and all(type(name) is str and name.isprintable() for name in columns)
        and len(set(map(folded, columns))) == len(columns)
        and all(type(kind) is str and kind in spill.TYPES for kind in types)
    )


def _some(cursor: Cursor) -> tuple[list[tuple[Any, ...]], int]:
    """The next rows, as many as one piece takes, and their size."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += row_bytes(row)
        if size >= PIECE_BYTES or len(rows) == PIECE_ROWS:
            break
    return rows, size
