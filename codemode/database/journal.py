"""`execution_logs`: what ran in a session, in a file of its own, so that it survives a rollback of the data."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from codemode.database import idempotency, usage
from codemode.database.clock import now, now_ms
from codemode.database.directory import staying
from codemode.database.engine_file import CHECKPOINT_FRAMES, identity, open_engine_file
from codemode.database.migrate import LOG, migrations
from codemode.errors import StorageFull
from codemode.values import Day, LogEntry, SizeAt, SlowStatement, Totals

_COLUMNS = (
    "execution_id", "timestamp", "kind", "statement", "duration_ms", "rows_read", "rows_written", "size_bytes",
    "error_code",
)  # fmt: skip
_INSERT = f"INSERT INTO execution_logs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_DAMAGE = (apsw.NotADBError, apsw.CorruptError, apsw.SQLError)  # SQLError: its tables are not there
_log = logging.getLogger("codemode")
_KEYS = 100_000  # idempotency keys, each of some 1 KB
_TEXT = 4_000  # characters of a statement or snippet that the log keeps
_ROW_BYTES = 500  # what an entry takes at most beside its statement, in the table and in its indexes
LEFT_BYTES = 64 * 1024  # of a write-ahead log that is left beside a file that rested: to put it away waits for the disk
_OFTEN = 64  # the file is measured whenever so small a part of its bound may have been written
T = TypeVar("T")
Row = tuple[str, str, str, str, float, int, int, int, str | None]


class Entry(msgspec.Struct, gc=False):
    """One line to be written; times in milliseconds, `timestamp` as ISO text, `statement` bounded."""

    execution_id: str
    timestamp: str
    kind: str
    statement: str
    duration_ms: float
    rows_read: int = 0
    rows_written: int = 0
    size_bytes: int = 0
    error_code: str | None = None


def bounded(text: str) -> str:
    """`text` as the log keeps it: whole, or its start with its length and the hash of the whole."""
    if len(text) <= _TEXT and text.isascii():
        return text
    data = text.encode("utf-8", "replace")
    if len(text) <= _TEXT:
        return data.decode()
    start = text[:_TEXT].encode("utf-8", "replace").decode()
    return f"{start}… [{len(text):,} characters, sha256 {hashlib.sha256(data).hexdigest()[:16]}]"


class Journal:
    """A session's execution log: the newest `entries`, in a file of about `size_bytes` at most."""

    def __init__(self, path: Path, entries: int, size_bytes: int) -> None:
        self.path = path
        self._ahead = path.with_name(f"{path.name}-wal")
        self._entries, self._size_bytes = entries, size_bytes
        self._lock = threading.Lock()  # writers hold the session's turn; readers such as `logs` do not
        self._connection: apsw.Connection | None = self._begin()
        self._day = ""
        self._unmeasured: float = size_bytes  # at most what was written since the file was last measured
        self._closed = False

    def write(self, entries: Iterable[Entry], more: Totals, size: int = 0, slow: Iterable[SlowStatement] = ()) -> None:
        """Append `entries` and `slow`, add `more` to the totals and drop the oldest beyond the bounds: one transaction.

        `size` is that of the session's database afterwards.
        """
        moment = now()
        rows: list[Row] = [
            (e.execution_id, e.timestamp, e.kind, e.statement, e.duration_ms, e.rows_read, e.rows_written,
             e.size_bytes, e.error_code)
            for e in entries
        ]  # fmt: skip

        def append(connection: apsw.Connection) -> None:
            with self._unhurried(connection) if self._first else nullcontext(), connection:
                if rows:
                    connection.executemany(_INSERT, rows)
                    self._prune(connection, connection.last_insert_rowid(), rows)
                self._count(connection, moment, more, size)
                usage.add_slow(connection, slow)

        self._sound(append)

    @contextmanager
    def _unhurried(self, connection: apsw.Connection) -> Iterator[None]:
        """Write the first frames of an empty write-ahead log without a wait for the disk.

        SQLite waits for the log's header, because frames that are written over those of before could otherwise reach
        the disk ahead of it, and after a power cut the frames left of before would be taken for the newest. An empty
        log has none; what a power cut takes of it, its checksums show. Nothing of it goes into the file meanwhile:
        that waits for both, as always.
        """
        self._first = False
        if length(self._ahead) != 0:
            yield
            return
        connection.pragma("synchronous", "off")
        connection.wal_autocheckpoint(0)
        try:
            yield
        finally:
            connection.pragma("synchronous", "normal")
            connection.wal_autocheckpoint(CHECKPOINT_FRAMES)

    def _count(self, connection: apsw.Connection, moment: str, more: Totals, size: int) -> None:
        day = moment[:10]
        usage.add(connection, day, more, size)
        usage.note_size(connection, moment, size)
        if day != self._day:
            usage.forget_old_days(connection, day)
            self._day = day

    def _prune(self, connection: apsw.Connection, newest: int, added: list[Row]) -> None:
        if newest > self._entries:
            connection.execute("DELETE FROM execution_logs WHERE id <= ?", (newest - self._entries,))
        self._unmeasured += sum(_ROW_BYTES + 4 * len(statement) for _, _, _, statement, *_ in added)
        if self._unmeasured < self._size_bytes / _OFTEN:
            return
        self._unmeasured = 0
        if length(self.path) + length(self._ahead) <= self._size_bytes:
            return
        # Pages in use, not the length of the file: freed pages are used again before the file grows.
        used = connection.pragma("page_count") - connection.pragma("freelist_count")
        if used * connection.pragma("page_size") - idempotency.body_bytes(connection) > self._size_bytes:
            connection.execute(
                "DELETE FROM execution_logs WHERE id <= (SELECT min(id) + (max(id) - min(id)) / 4 FROM execution_logs)"
            )

    def read(self, limit: int, *, kind: str | None = None, errors: bool = False) -> list[LogEntry]:
        """The newest `limit` entries, newest first, optionally of one kind or only failed ones."""
        sql = f"SELECT id, {', '.join(_COLUMNS)} FROM execution_logs"  # noqa: S608
        sql += " WHERE (?1 IS NULL OR kind = ?1) AND (NOT ?2 OR error_code IS NOT NULL) ORDER BY id DESC LIMIT ?3"
        rows: list[Any] = self._sound(lambda connection: connection.execute(sql, (kind, errors, limit)).fetchall())
        return [LogEntry(**dict(zip(LogEntry.__struct_fields__, row, strict=True))) for row in rows]

    def count(self) -> int:
        """How many entries are kept."""
        return int(self._sound(lambda connection: connection.execute("SELECT count(*) FROM execution_logs").get))

    def totals(self) -> Totals:
        """What the session did over its whole life."""
        return self._sound(usage.life)

    def days(self) -> list[Day]:
        """The same by day, oldest first."""
        return self._sound(usage.days)

    def sizes(self) -> list[SizeAt]:
        """How the size of the session's database changed, oldest first."""
        return self._sound(usage.sizes)

    def slow(self, limit: int) -> list[SlowStatement]:
        """The newest slow statements, newest first."""
        return self._sound(lambda connection: usage.slow(connection, limit))

    def remember(self, key: str, kept: idempotency.Kept, moment: int) -> None:
        """Keep the outcome of an execution with an idempotency key that committed nothing at its end."""

        def write(connection: apsw.Connection) -> None:
            with connection:
                idempotency.keep(connection, key, kept, moment)
                # Such an execution changed nothing, or left a mark in session.db: a forgotten key repeats no change.
                idempotency.forget_beyond(connection, _KEYS)

        self._sound(write)

    def recall(self, key: str, moment: int) -> idempotency.Kept | None:
        """What is kept here under an idempotency key."""
        return self._sound(lambda connection: idempotency.find(connection, key, moment))

    def _sound(self, work: Callable[[apsw.Connection], T]) -> T:
        """The answer of `work`; a log that shows damage meanwhile is set aside, and `work` done on a new one."""
        with self._lock:
            if self._closed:
                raise apsw.ConnectionClosedError("the log is closed")
            connection = self._connection or self._begin()
            try:
                return work(connection)
            except _DAMAGE as error:
                connection.close(True)
                self._connection = None
                _set_aside(self.path, self._file, error)
                return work(self._begin())

    def _begin(self) -> apsw.Connection:
        """Open the file, and know which one it is: what stands in its place later is not set aside for its damage."""
        with staying(self.path.parent):
            self._connection, self._first = _open(self.path), True
            self._file = identity(self.path)
        return self._connection

    def rest(self) -> None:
        """Close the file until it is used again, which opens it in a third of a millisecond."""
        with self._lock:
            if self._connection is not None:
                with staying(self.path.parent):
                    self._connection.close(True)
                self._connection = None

    def close(self) -> None:
        """Close the file, for good: after the session's own connection, by whoever holds the directory (`staying`)."""
        with self._lock:
            last, self._connection, self._closed = self._connection, None, True
            if last is None and length(self._ahead) > LEFT_BYTES:
                last = _reopened(self.path)
            if last is not None:
                last.close(True)


def _open(path: Path) -> apsw.Connection:
    found = identity(path)
    try:
        return open_engine_file(path, migrations(*LOG))
    except (*_DAMAGE, StorageFull) as error:
        if isinstance(error, StorageFull) and not path.is_dir():
            raise
        _set_aside(path, found, error)
        return open_engine_file(path, migrations(*LOG))


def _reopened(path: Path) -> apsw.Connection | None:
    """The log of one that rested, opened to be closed as the last one.

    SQLite copies a write-ahead log into its file, and deletes it, at the last close by one who may write: while the
    journal rested that was the session's connection, which may not, and up to 4 MB would stay.
    """
    try:
        connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE)
        with suppress(apsw.Error):
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 0")
    except apsw.Error:
        return None  # removed, or damaged: the next to open it says so
    return connection


def _set_aside(path: Path, found: tuple[int, int] | None, error: Exception) -> None:
    """Rename a damaged log: it must never keep its session from working, and stays for whoever looks.

    Only the file that was `found`: another reader or process may have put a new one there in between.
    """
    if identity(path) != found or found is None:
        return
    aside = path.with_name(f"{path.name}.damaged-{now_ms()}")
    _log.error("the execution log %s is damaged (%s); it is set aside as %s, and a new one begun", path, error, aside)
    try:
        path.rename(aside)
        for companion in ("-wal", "-shm"):
            path.with_name(path.name + companion).unlink(missing_ok=True)
    except OSError as failed:
        raise StorageFull(f"{path} is damaged and cannot be set aside: {failed.strerror}") from None


def length(path: Path) -> int:
    """Bytes of the file; below zero where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def attach(connection: apsw.Connection, log: Path) -> None:
    """Make the log readable on a session's connection as `execution_logs`, as of each transaction's start.

    The file is attached read-only and a temporary view made over it; afterwards nothing can be attached or made
    in temp any more (the limit is back at 0, and the authorizer refuses both).
    """
    before = connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, 0)
    connection.execute("ATTACH ? AS log", (str(log),), can_cache=False)
    # Else the one page of temp, which stays in memory, is kept with room for twenty: 84 KB.
    connection.execute("PRAGMA temp.cache_size = 1", can_cache=False)
    connection.execute(
        f"CREATE TEMP VIEW execution_logs AS SELECT id, {', '.join(_COLUMNS)} FROM log.execution_logs",  # noqa: S608
        can_cache=False,
    )
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, before)
