"""Page iterators of one execution: the whole result of a query in constant memory, as of its start.

A cursor that is still open when something is written would see the new rows (an UPDATE that moves rows ahead of
its own reader never ends) and would lock DROP and ROLLBACK TO out. So before the first write after its start,
what is left of a cursor is drained into a temporary file, bounded like the database itself, and read from there.
"""

from __future__ import annotations

import marshal
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, Any

from codemode.asked import page_size
from codemode.database.clock import in_ms
from codemode.database.execute import Cursor, open_cursor, unique_names
from codemode.database.journal import Entry
from codemode.database.taking import in_steps, take_columns
from codemode.database.values import parameters
from codemode.errors import CodemodeError, RequestInvalid, StatementLimit, StatementRefused
from codemode.guard import Statement
from codemode.session.statements import Statements

_OPEN_AT_ONCE = 16  # each holds a cursor; a snippet that needs more has forgotten to close some
_LENGTH = struct.Struct(">I")
_SPOOLED_ROWS = 256  # rows in one record of the temporary file, and bytes: it is made in memory
_SPOOLED_BYTES = 1024 * 1024
_IN_MEMORY = 1024 * 1024  # a spool smaller than this never becomes a file


class _Page:
    """One open iterator."""

    def __init__(self, statement: Statement, cursor: Cursor, size: int, entry: Entry) -> None:
        self.statement, self.size, self.entry = statement, size, entry
        self.cursor: Cursor | None = cursor
        self.rows: Iterator[Any] = cursor
        self.taken: list[Any] = []  # rows that the last page had no room for
        self.spool: IO[bytes] | None = None
        self.spooled = 0  # bytes in it


class Pages:
    """The open page iterators of one execution."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._pages: dict[int, _Page] = {}
        self._last = 0

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._pages)

    def start(self, sql: str, params: Any, size: int) -> dict[str, Any]:
        """Begin to read `sql` in pages of `size` rows."""
        limits = self._statements.opened.limits
        size = page_size(size, limits.rows)
        if len(self._pages) >= _OPEN_AT_ONCE:
            raise RequestInvalid(f"{_OPEN_AT_ONCE} page iterators are open", hint="finish or close() some first")
        with self._statements.logged("pages", sql) as entry:
            statement = self._statements.checked(sql)
            if not (statement.reads_only and statement.returns_rows):
                kind = statement.kind.replace("_", " ").upper()
                raise StatementRefused(
                    f"all rows of a statement are read, in pages and for an export, and {kind} writes",
                    hint="use helpers.db.exec(...) for it",
                    sql=sql[:2000],
                )
            bound = parameters(params)
            self._statements.check_parameters(statement, bound)
            with self._statements.stepping(statement):
                cursor, columns = open_cursor(self._statements.opened.connection, statement.sql, bound)
        # Not from 1: a kept child may still hold the number of an iterator of an earlier execution.
        self._last = self._last + 1 if self._last else int.from_bytes(os.urandom(5)) + 1
        self._pages[self._last] = _Page(statement, cursor, size, entry)
        return {"cursor": self._last, "columns": list(unique_names(columns))}

    def next(self, number: int) -> dict[str, Any]:
        """The next page, as the values of each column; `done` when nothing follows.

        Cut by bytes like any answer, and then continued.
        """
        page = self._page(number)
        room = self._statements.opened.limits.result_set_bytes
        rows, page.taken = chain(page.taken, page.rows), []
        with self._logged(page), self._statements.stepping(page.statement):
            values, page.taken = take_columns(rows, page.size, room, at_least_one=True)
        count = len(values[0]) if values else 0
        page.entry.rows_read += count
        self._statements.tally.rows_read += count
        done = not page.taken
        if done:
            self.close(number)
        return {"values": values, "done": done}

    @contextmanager
    def _logged(self, page: _Page) -> Iterator[None]:
        """The iterator's one entry of the log tells what each of its pages took."""
        entry, started = page.entry, time.monotonic()
        try:
            yield
        except CodemodeError as error:
            entry.error_code = error.code
            raise
        finally:
            entry.duration_ms = round(entry.duration_ms + in_ms(time.monotonic() - started), 3)

    def close(self, number: int) -> None:
        """Give up an iterator; closing one twice is fine."""
        page = self._pages.pop(number, None)
        if page is not None:
            with self._statements.opened.meter.counting():  # SQLite tells a statement's cost when it ends
                _release(page)

    def close_all(self) -> None:
        """Give up every iterator: before the execution's transaction ends."""
        for number in list(self._pages):
            self.close(number)

    def drain(self) -> None:
        """Move what is left of every cursor into temporary files, so that a write can begin."""
        for page in self._pages.values():
            if page.cursor is not None:
                self._spool(page)

    def _spool(self, page: _Page) -> None:
        # Together: sixteen iterators of database_bytes each would be sixteen databases of disk.
        most = self._statements.opened.limits.database_bytes - sum(other.spooled for other in self._pages.values())
        import tempfile

        spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - lives with the page
        with self._statements.stepping(page.statement):
            for columns in in_steps(chain(page.taken, page.rows), _SPOOLED_ROWS, _SPOOLED_BYTES):
                record = marshal.dumps(columns)
                page.spooled += len(record)
                if page.spooled > most:
                    spool.close()
                    page.spooled = 0
                    raise StatementLimit(
                        "a write met open page iterators whose remaining rows are larger than database_bytes",
                        hint="finish or close() them before writing",
                    )
                spool.write(_LENGTH.pack(len(record)) + record)
        _release(page)
        spool.seek(0)
        page.cursor, page.spool, page.rows, page.taken = None, spool, _unspooled(spool), []

    def _page(self, number: int) -> _Page:
        page = self._pages.get(number)
        if page is None:
            raise RequestInvalid("this page iterator is closed", hint="start again with helpers.db.pages(...)")
        return page


def _unspooled(spool: IO[bytes]) -> Iterator[Any]:
    # marshal reads only what this process wrote, into an unlinked file that nobody else can open.
    while header := spool.read(_LENGTH.size):
        yield from zip(*marshal.loads(spool.read(_LENGTH.unpack(header)[0])), strict=True)  # noqa: S302


def _release(page: _Page) -> None:
    if page.cursor is not None:
        page.cursor.close(True)
    if page.spool is not None:
        page.spool.close()
