"""A file a session, as a program would keep them with apsw alone: the same settings, schema and write, and no engine.

No lock, no way to undo, no catalogue, and no log of what ran: the floor of what a session's file costs. With a log of
its own, readable beside the data, each is two files of SQLite: the floor of a session whose log survives a rollback.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from benchmarks import scratch
from benchmarks.scenario import Contender
from codemode import Limits
from codemode.database.clock import now
from codemode.database.connection import open_session
from codemode.database.journal import Entry, Journal, attach
from codemode.database.migrate import SESSION, migrate, migrations
from codemode.database.template import log_template, session_template
from codemode.values import Totals

MADE, COPIED, REOPENED = "raw files", "raw files, copied", "raw files"
LOGGED = "raw files, each with a log"
Make = Callable[[Path], apsw.Connection]


def by_statements(path: Path) -> apsw.Connection:
    """A new file whose schema is made by its statements."""
    connection = open_session(path, Limits())
    migrate(connection, migrations(*SESSION))
    return connection


def by_copy(path: Path) -> apsw.Connection:
    """A new file from a template's bytes, without a wait for the disk."""
    path.write_bytes(session_template())
    return open_session(path, Limits())


class _Log:
    """A log beside a file: attached to its connection to be read, and written through a connection of its own."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        log = path.with_suffix(".log")
        if not log.exists():
            log.write_bytes(log_template())
        self._journal = Journal(log, 1_000, 1_000_000)
        attach(connection, log)

    def note(self, statement: str) -> None:
        self._journal.write([Entry("", now(), "exec", statement, 0.0)], Totals(executions=1))

    def close(self) -> None:
        self._journal.close()


def created(name: str, make: Make, size: int, most: int, write: str, *, logged: bool = False) -> Contender:
    """`size` new files, `write` run in a transaction of each, and noted; at most `most` stay open."""

    def run() -> float:
        with scratch.directory() as directory, _open(most) as keep:
            began = time.perf_counter()
            for path in _paths(directory, size):
                connection = make(path)
                log = _Log(connection, path) if logged else None
                with connection:
                    connection.execute(write)
                if log is not None:
                    log.note(write)
                keep(connection, log)
            return time.perf_counter() - began

    return Contender(name, run)


@contextmanager
def reopened(
    name: str, size: int, most: int, write: str, read: str, wanted: object, *, logged: bool = False
) -> Iterator[Contender]:
    """`size` files that are there, `read` run in each, and noted; at most `most` stay open."""
    with scratch.directory() as directory:
        for path in _paths(directory, size):
            connection = by_copy(path)
            connection.execute(write)
            if logged:
                _Log(connection, path).close()
            connection.close()

        def run() -> float:
            with _open(most) as keep:
                began = time.perf_counter()
                for path in _paths(directory, size):
                    connection = open_session(path, Limits())
                    log = _Log(connection, path) if logged else None
                    if connection.execute(read).get != wanted:
                        raise AssertionError("the file does not hold what was written")
                    if log is not None:
                        log.note(read)
                    keep(connection, log)
                return time.perf_counter() - began

        yield Contender(name, run)


def _paths(directory: str, size: int) -> Iterable[Path]:
    return (Path(directory) / f"{number}.db" for number in range(size))


@contextmanager
def _open(most: int) -> Iterator[Callable[[apsw.Connection, _Log | None], None]]:
    """Keeps the last `most` files open, as a worker does."""
    kept: deque[tuple[apsw.Connection, _Log | None]] = deque()

    def close(connection: apsw.Connection, log: _Log | None) -> None:
        connection.close()
        if log is not None:
            log.close()

    def keep(connection: apsw.Connection, log: _Log | None) -> None:
        kept.append((connection, log))
        if len(kept) > most:
            close(*kept.popleft())

    try:
        yield keep
    finally:
        for each in kept:
            close(*each)
