"""Run one statement on an open connection: under a deadline, a row cap and a byte cap, and count what it cost.

Whether a statement may run is decided above this layer; here is only how.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from operator import le, sub
from typing import Any, Protocol

import apsw
import msgspec

from codemode.database.taking import take_columns
from codemode.database.watchdog import watchdog

DatabaseError = apsw.Error  # what layers above catch, without importing apsw
DAMAGE = (apsw.CorruptError, apsw.NotADBError)  # of the session's file, or of the log that is attached to it
InterruptError = apsw.InterruptError
Connection = apsw.Connection
Cursor = apsw.Cursor
Parameters = Sequence[Any] | Mapping[str, Any]
UNBOUND: Any = apsw._null_bindings  # type: ignore[attr-defined]  # every parameter NULL: to explain, not to run

_WATCHDOG_SECONDS = 0.2  # later than the progress handler: its interrupt also ends page iterators that are open
_PROGRESS_STEPS = 10_000  # about 0.1 ms between two looks at the clock, with no cost that can be measured


def prepared_bytes(connection: Connection) -> int:
    """The memory of all statements that stay prepared on `connection`; takes as long as they have operations."""
    return int(connection.status(apsw.SQLITE_DBSTATUS_STMT_USED)[0])


class Cancellable(Protocol):
    """What may be cancelled from another thread."""

    @property
    def cancelled(self) -> bool:
        """Whether it was."""
        ...

    def cancel(self) -> bool:
        """Cancel it; whether it ends by that."""
        ...


class Deadline:
    """The connection's progress handler: ends a running statement when its time is over or it was cancelled.

    It looks every 10,000 operations, and an operation on a long value may take a millisecond or a second: what is still
    running a moment after its time is interrupted by the watchdog, which is heard at the end of each row. It is over
    too when the deadline `also` is.
    """

    def __init__(self, connection: apsw.Connection, also: Deadline | None = None) -> None:
        self._connection, self._also = connection, also
        self._at = float("inf")
        self._lock = threading.Lock()
        self._cancel: Cancellable | None = None
        connection.set_progress_handler(self.is_over, _PROGRESS_STEPS, id="deadline")

    def is_over(self) -> bool:
        """Whether the time of what runs is over, or it was cancelled."""
        if time.monotonic() > self._at or (self._cancel is not None and self._cancel.cancelled):
            return True
        return self._also is not None and self._also.is_over()

    def obey(self, cancel: Cancellable | None) -> None:
        """From now on `cancel_running` ends what runs, by `cancel`; with None nothing does any more."""
        with self._lock:
            self._cancel = cancel

    def cancel_running(self) -> bool:
        """Cancel what runs, if anything does, and say whether it ends by that; from any thread.

        Under the lock: an interrupt that came after the end of the run it was meant for would end a statement of
        the next one.
        """
        with self._lock:
            if self._cancel is None or not self._cancel.cancel():
                return False
            self._connection.interrupt()
            return True

    def interrupt(self) -> None:
        """End the statement that runs, if one does; from any thread, also while the connection is being closed."""
        with suppress(apsw.ConnectionClosedError):
            self._connection.interrupt()

    @contextmanager
    def until(self, at: float) -> Iterator[None]:
        """Statements stepped inside end at `at` (a time of time.monotonic)."""
        begun = self.begin(at)
        try:
            yield
        finally:
            self.end(begun)

    def begin(self, at: float) -> tuple[float, int]:
        """Begin what `until` is, for every single statement; answers what `end` needs, which must follow."""
        before = self._at
        sooner = min(before, at)
        number = watchdog.watch(self._connection, sooner + _WATCHDOG_SECONDS)
        self._at = sooner
        return before, number

    def end(self, begun: tuple[float, int]) -> None:
        """What ran since `begin` is over: it cannot be interrupted any more."""
        before, number = begun
        watchdog.forget(number)
        self._at = before


class Cost(msgspec.Struct, gc=False):
    """What statements cost, as SQLite's own counters tell."""

    scan_steps: int = 0
    vm_steps: int = 0
    sorts: int = 0
    auto_indexes: int = 0

    def copy(self) -> Cost:
        """These figures, as they are now."""
        return Cost(self.scan_steps, self.vm_steps, self.sorts, self.auto_indexes)

    def minus(self, before: Cost) -> Cost:
        """What came after `before`."""
        return Cost(
            self.scan_steps - before.scan_steps,
            self.vm_steps - before.vm_steps,
            self.sorts - before.sorts,
            self.auto_indexes - before.auto_indexes,
        )


_MARK = "-- "
_COUNTERS = tuple(f"SQLITE_STMTSTATUS_{name}" for name in ("FULLSCAN_STEP", "VM_STEP", "SORT", "AUTOINDEX"))
_KEPT = "'main'.", '"main".'  # how FTS5 and rtree name the schema in the statements that they keep
_NONE = 0, 0, 0, 0
_MOST_SEEN = 1_000


class Meter:
    """Adds up SQLite's statement counters while it is switched on; the engine's own statements run with it off."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.cost = Cost()
        self.on = False
        self._connection = connection
        self._seen: dict[int, tuple[int, tuple[int, ...]]] = {}  # by kept statement: its runs, its counters
        self.heed_length()

    def heed_length(self) -> None:
        """Listen to SQLite unless values may be no longer than statements; to be called when that limit was changed.

        SQLite tells of a statement that FTS5 or rtree runs inside another one by its text with a mark before it. Where
        that is longer than a value may be it tells a null pointer instead, and apsw reads there: a table with a name of
        31,950 characters and a statement that may handle 32,000 ended the process (test_nested_statements.py).
        """
        limit = self._connection.limit
        if limit(apsw.SQLITE_LIMIT_LENGTH) > limit(apsw.SQLITE_LIMIT_SQL_LENGTH) + len(_MARK):
            self._connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._profile, id="meter")
        else:
            self._connection.trace_v2(0, None, id="meter")

    def _profile(self, event: dict[str, Any]) -> None:
        counters, sql = event["stmt_status"], event["sql"] or ""
        found = tuple(map(counters.__getitem__, _COUNTERS))
        before: tuple[int, ...] = _NONE
        if _KEPT[0] in sql or _KEPT[1] in sql:
            before = self._before(event["id"], counters["SQLITE_STMTSTATUS_RUN"], found)
        if self.on:
            scan_steps, vm_steps, sorts, auto_indexes = map(sub, found, before)
            cost = self.cost
            cost.scan_steps += scan_steps
            cost.vm_steps += vm_steps
            cost.sorts += sorts
            cost.auto_indexes += auto_indexes

    def _before(self, number: int, runs: int, found: tuple[int, ...]) -> tuple[int, ...]:
        """The counters before this run of a statement that FTS5 or rtree keeps: they count on from run to run.

        apsw sets back those of a user's statement, which may look like one of theirs, and take the number of one that
        is gone. Its triggers count as runs, too.
        """
        ran, before = self._seen.get(number, (0, _NONE))
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[number] = runs, found
        return before if runs == ran + 1 and all(map(le, before, found)) else _NONE

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the statements that run inside."""
        before, self.on = self.on, True
        try:
            yield
        finally:
            self.on = before

    def take(self) -> Cost:
        """What was counted since the last take."""
        cost, self.cost = self.cost, Cost()
        return cost


class Result(msgspec.Struct):
    """What one statement answered."""

    count: int  # of rows
    columns: tuple[str, ...] = ()
    values: Sequence[Sequence[Any]] = ()  # of each column; none where there is no row
    truncated: bool = False
    changes: int = 0
    last_row_id: int = 0
    warnings: Sequence[str] = ()  # what the statement can hardly mean

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows, one by one."""
        return list(zip(*self.values, strict=True))


def open_cursor(connection: apsw.Connection, sql: str, params: Parameters) -> tuple[apsw.Cursor, tuple[str, ...]]:
    """Start `sql` and return its cursor and column names; an empty tuple when it answers no rows.

    The names are read before the first step: afterwards a statement without rows has none (apsw). And after it, where
    there is a row: SQLite may have prepared a kept statement anew, because the schema is another.
    """
    columns: tuple[str, ...] = ()

    def see(cursor: apsw.Cursor, _sql: str, _bindings: object) -> bool:
        nonlocal columns  # kept from the statement: a comment behind its semicolon is one more to apsw, without any
        columns = columns or tuple(column[0] for column in cursor.get_description())
        return True

    cursor = connection.cursor()
    cursor.exec_trace = see
    try:
        cursor.execute(sql, params)
    except BaseException:
        cursor.close(True)
        raise
    if columns:
        with suppress(apsw.ExecutionCompleteError):
            columns = tuple(column[0] for column in cursor.description)
    return cursor, columns


def run(connection: apsw.Connection, sql: str, params: Parameters, *, rows: int, result_bytes: int) -> Result:
    """Run one statement to its end and keep at most `rows` rows and about `result_bytes` bytes of them.

    A cut answer never cuts the change: SQLite makes all changes of a RETURNING statement before its first row.
    `changes` is SQLite's own count, and 0 for a statement that changed none.
    """
    total = connection.total_changes()
    cursor, columns = open_cursor(connection, sql, params)
    try:
        values, rest = take_columns(cursor, rows, result_bytes)
    finally:
        # Always closed: an open reader holds back the WAL's checkpoint, which would let it grow past the quota.
        cursor.close(True)
    count = len(values[0]) if values else 0
    return Result(count, unique_names(columns), values, bool(rest), *_changes(connection, total))


def run_for_first(connection: apsw.Connection, sql: str, params: Parameters) -> Result:
    """Run one statement as `run` does, and keep its first row alone, without names: what `value` needs."""
    total = connection.total_changes()
    cursor = connection.cursor()
    try:
        row = next(cursor.execute(sql, params), None)
    finally:
        cursor.close(True)
    columns = list(zip(row)) if row is not None else []
    return Result(len(columns[:1]), (), columns, False, *_changes(connection, total))


def _changes(connection: apsw.Connection, before: int) -> tuple[int, int]:
    """The rows changed since total_changes() was `before`, by one statement, and the row id that it used last."""
    if connection.total_changes() == before:
        return 0, 0  # changes() keeps the figure of an earlier statement after DDL and reads, and so does the row id
    return connection.changes(), connection.last_insert_rowid()


def unique_names(columns: tuple[str, ...], same: Callable[[str], str] = str) -> tuple[str, ...]:
    """`columns` with repeated names told apart: id, id_2, id_3; two are one name where `same` makes them equal."""
    taken = set(map(same, columns))
    if len(taken) == len(columns):
        return columns
    seen: set[str] = set()
    names: list[str] = []
    for name in columns:
        unique, number = name, 1
        while same(unique) in seen or (number > 1 and same(unique) in taken):
            number += 1
            unique = f"{name}_{number}"
        seen.add(same(unique))
        names.append(unique)
    return tuple(names)
