"""The open files of one session: its guarded connection and its log.

Kept open between turns, because opening costs more than most snippets. Other processes may use the session in
between, or remove it, so each turn first makes sure that the file is still the one that was opened.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from codemode.catalog.sessions import SessionRecord
from codemode.database import journal
from codemode.database.connection import closed_if_it_fails, leave_short_log, open_session, opening_failed
from codemode.database.directory import staying
from codemode.database.execute import DAMAGE, Connection, DatabaseError, Deadline, Meter, prepared_bytes
from codemode.database.frames import FrameError
from codemode.database.journal import Journal
from codemode.database.metrics import size_bytes
from codemode.database.migrate import SESSION, migrate, migrations
from codemode.errors import CodemodeError, DiskQuotaExceeded
from codemode.guard import Guard
from codemode.guard.repair import explain_error, is_of_pages
from codemode.limits import Limits
from codemode.session.files import SessionFiles, storage_full
from codemode.session.history import History

_log = logging.getLogger("codemode")
_PREPARED_BYTES = 8 * 1024 * 1024
ADVICE_SECONDS = 1.0  # looking for a way out of an error; the statement's own time may be over
Opening = Callable[[SessionFiles, Limits], Connection]


class LogBounds(msgspec.Struct, frozen=True):
    """What a session's log keeps: the newest entries, about so many bytes, statements from so many milliseconds on."""

    entries: int
    size_bytes: int
    slow_ms: float


class Guarded:
    """One connection on a session's file with its guard, and the session's log."""

    def __init__(self, files: SessionFiles, limits: Limits, log: LogBounds, opening: Opening) -> None:
        self.files, self.limits, self.slow_ms = files, limits, log.slow_ms
        self._paths = os.fspath(files.database), os.fspath(files.log)  # as text: each turn asks for them
        with staying(files.directory):
            database = _identity(self._paths[0])
            if database is None:
                raise FileNotFoundError(files.database)
            self.journal = Journal(files.log, log.entries, log.size_bytes)
            self._identity = database, _identity(self._paths[1])
            try:
                self.connection = opening(files, limits)
            except BaseException:
                self.journal.close()
                raise
        self.deadline = Deadline(self.connection)
        self.meter = Meter(self.connection)
        self.guard = Guard(self.connection, limits, self.meter, self.deadline)
        self._suspect = self._rested = False

    def explained(self, error: DatabaseError, sql: str, longest_value: int | None = None) -> CodemodeError:
        """The error of the tree for SQLite's own; after one that tells of damage the files are opened anew."""
        if isinstance(error, DAMAGE):
            # It may be the log that is damaged: opening sets that one aside, and the session works again.
            self._suspect = True
            if is_of_pages(error):
                _log.error("pages of the session's file %s, or of its log, are damaged: %s", self.files.database, error)
        with self.deadline.until(time.monotonic() + ADVICE_SECONDS):
            explained = explain_error(error, sql, self.connection, longest_value)
        if isinstance(explained, DiskQuotaExceeded):
            explained.message += f" ({self.limits.database_bytes:,} bytes)"
        return explained

    def is_current(self) -> bool:
        """Whether the files that were opened are still the session's files, and nothing spoke of damage to them."""
        return not self._suspect and tuple(map(_identity, self._paths)) == self._identity

    def rest(self) -> None:
        """Let go of the memory that the next use gets again within a millisecond; only by who alone uses this.

        Pages that were read, 250 KB even of an empty session, and the connection to the log with its statements.
        """
        self.connection.release_memory()
        self.journal.rest()
        self._rested = True

    def holds_much(self) -> bool:
        """Whether what stays prepared takes more memory than it may between two uses; asked at the end of each.

        All sessions share SQLite's memory, and a hundred statements stay prepared: of those that a short text makes of
        a large view each has megabytes, which would be nobody else's for as long as this is open.
        """
        fresh, self.guard.prepared = self.guard.prepared, False
        try:
            return fresh and prepared_bytes(self.connection) > _PREPARED_BYTES
        except DatabaseError:
            return False  # closed together with the worker

    def outdate(self) -> None:
        """Have the files opened anew at the next turn: what is known of their content holds no longer."""
        self._suspect = True

    def close(self) -> None:
        """Close both files; an open transaction is rolled back by SQLite."""
        self.guard.close()
        with staying(self.files.directory):
            self.connection.close(True)
            self.journal.close()


class OpenSession(Guarded):
    """The session's writer; used only by whoever has its turn. `record` is what the catalogue says in this turn."""

    record: SessionRecord
    used: tuple[int, int] | None = None  # executions in this turn, and the size after them

    def __init__(self, files: SessionFiles, limits: Limits, log: LogBounds) -> None:
        files.sweep()
        super().__init__(files, limits, log, _writing)
        with _closed_on_error(self.connection, files):
            self.history = History(self.connection, self.guard, files, limits)

    def close(self) -> None:
        """Close the files; an open transaction is rolled back by SQLite."""
        self.history.close()
        if self._rested:
            leave_short_log(self.connection)
        super().close()

    def is_settled(self) -> bool:
        """Whether no transaction is left open: whoever had the turn may have been cut short (KeyboardInterrupt).

        The next one must find none of its changes, and no other process may wait for its lock.
        """
        try:
            return not self.connection.in_transaction
        except DatabaseError:
            return True  # closed together with the worker

    def is_sound(self) -> bool:
        """Whether every page of the database can be read and is in order; takes as long as reading all of it."""
        with self.guard.engine():
            try:
                return bool(self.connection.pragma("quick_check", 1) == "ok")
            except DatabaseError:
                return False

    def size_bytes(self) -> int:
        """The database's size, changes of the open transaction included."""
        if not self.connection.in_transaction:
            with suppress(DatabaseError, FrameError, OSError):
                return self.history.size_bytes()  # asks no authorizer, and so expires no prepared statement
        with self.guard.engine():
            return size_bytes(self.connection)


class Reader(Guarded):
    """A read-only connection, for faces that must never wait for the writer, here or in another process.

    Needs no turn and no file lock: a session's file is whole before anybody can name it, and SQLite shows each
    reader the last committed state. `lock` makes the reader's own users take turns.
    """

    def __init__(self, files: SessionFiles, limits: Limits, log: LogBounds) -> None:
        super().__init__(files, limits, log, _reading)
        self.lock = threading.RLock()
        self.closed = False

    @contextmanager
    def still(self) -> Iterator[None]:
        """What is asked inside is of one moment: what the guard says of a statement holds when that runs."""
        with self.guard.engine():
            if self.connection.in_transaction:  # whoever read before was interrupted, between two of these lines
                self.connection.execute("ROLLBACK", can_cache=False)
            self.connection.execute("BEGIN", can_cache=False)
        self.guard.doubt()
        try:
            yield
        finally:
            if self.connection.in_transaction:
                with self.guard.engine():
                    self.connection.execute("ROLLBACK", can_cache=False)

    def rest(self) -> None:
        """The same, unless somebody reads just now."""
        if self.lock.acquire(blocking=False):
            try:
                if not self.closed:
                    super().rest()
            finally:
                self.lock.release()

    def close(self) -> None:
        """Close both files, after whoever reads just now."""
        with self.lock:
            self.closed = True
            super().close()


def _writing(files: SessionFiles, limits: Limits) -> Connection:
    connection = open_session(files.database, limits, own=True)
    with _closed_on_error(connection, files):
        migrate(connection, migrations(*SESSION))
        journal.attach(connection, files.log)
    return connection


def _reading(files: SessionFiles, limits: Limits) -> Connection:
    connection = open_session(files.database, limits, read_only=True, own=True)
    with _closed_on_error(connection, files):
        journal.attach(connection, files.log)
    return connection


@contextmanager
def _closed_on_error(connection: Connection, files: SessionFiles) -> Iterator[None]:
    try:
        with closed_if_it_fails(connection):
            yield
    except DatabaseError as error:
        raise opening_failed(error, files.database) from None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - twice a turn: half of what Path.stat takes
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_full(Path(path), error) from None
    return found.st_dev, found.st_ino
