"""The open files of one session: its guarded connection, its log, and whose turn it is.

Kept open between turns, because opening costs more than most snippets. Other processes may use the session in
between, or remove it, so each turn first makes sure that the file is still the one that was opened.
"""

from __future__ import annotations

import threading
from pathlib import Path

from codemode.database import journal
from codemode.database.connection import open_session
from codemode.database.execute import Connection, DatabaseError, Deadline, Meter
from codemode.database.journal import Journal
from codemode.database.metrics import size_bytes
from codemode.database.migrate import migrate, migrations
from codemode.errors import SessionDamaged
from codemode.guard import Guard
from codemode.limits import Limits
from codemode.session.files import SessionFiles


class OpenSession:
    """One session's connection, guard and log; used only by whoever has its turn."""

    def __init__(self, files: SessionFiles, limits: Limits, log_entries: int, log_bytes: int) -> None:
        self.files, self.limits = files, limits
        self._identity = _identity(files.database)
        self.journal = Journal(files.log, log_entries, log_bytes)
        try:
            self.connection = _open(files.database, files.log, limits)
        except BaseException:
            self.journal.close()
            raise
        self.guard = Guard(self.connection, limits)
        self.deadline = Deadline(self.connection)
        self.meter = Meter(self.connection)

    def is_current(self) -> bool:
        """Whether the file that was opened is still the session's file."""
        return _identity(self.files.database) == self._identity

    def size_bytes(self) -> int:
        """The database's size, changes of the open transaction included."""
        with self.guard.engine():
            return size_bytes(self.connection)

    def close(self) -> None:
        """Close everything; an open transaction is rolled back by SQLite."""
        self.connection.close(True)
        self.journal.close()


class Reader:
    """A guarded read-only connection and the log, for faces that must never wait for the writer, here or elsewhere.

    Needs no turn and no file lock: a session's file is whole before anybody can name it, and SQLite shows each
    reader the last committed state. `lock` makes the reader's own users take turns.
    """

    def __init__(self, files: SessionFiles, limits: Limits, log_entries: int, log_bytes: int) -> None:
        self.files, self.limits = files, limits
        self.lock = threading.RLock()
        self.closed = False
        self._identity = _identity(files.database)
        if self._identity is None:
            raise FileNotFoundError(files.database)
        self.journal = Journal(files.log, log_entries, log_bytes)
        try:
            self.connection = _reading(files.database, files.log, limits)
        except BaseException:
            self.journal.close()
            raise
        self.guard = Guard(self.connection, limits)
        self.deadline = Deadline(self.connection)
        self.meter = Meter(self.connection)

    def is_current(self) -> bool:
        """Whether the file that was opened is still the session's file."""
        return not self.closed and _identity(self.files.database) == self._identity

    def close(self) -> None:
        """Close both files, after whoever reads just now."""
        with self.lock:
            self.closed = True
            self.connection.close(True)
            self.journal.close()


def _reading(path: Path, log: Path, limits: Limits) -> Connection:
    connection = open_session(path, limits, read_only=True)
    try:
        journal.attach(connection, log)
    except BaseException:
        connection.close(True)
        raise
    return connection


def _open(path: Path, log: Path, limits: Limits) -> Connection:
    connection = open_session(path, limits)
    try:
        migrate(connection, migrations("codemode.database", "migrations/session"))
        journal.attach(connection, log)
    except DatabaseError as error:
        connection.close(True)
        raise SessionDamaged(
            f"the session's database cannot be read: {error}",
            hint=f"its file is kept as it is; `codemode sessions rm` removes it (file: {path})",
        ) from None
    except BaseException:
        connection.close(True)
        raise
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
