"""A file a session, as a program would keep them with apsw alone: the same settings, schema and write, and no engine.

No lock, no log of what ran, no way to undo, no catalogue: the floor of what a session's file costs.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from benchmarks.scenario import Contender
from codemode import Limits
from codemode.database.connection import open_session
from codemode.database.migrate import migrate, migrations
from codemode.database.template import session_template

MADE, COPIED, REOPENED = "raw files", "raw files, copied", "raw files"
Make = Callable[[Path], apsw.Connection]


def by_statements(path: Path) -> apsw.Connection:
    """A new file whose schema is made by its statements."""
    connection = open_session(path, Limits())
    migrate(connection, migrations("codemode.database", "migrations/session"))
    return connection


def by_copy(path: Path) -> apsw.Connection:
    """A new file from a template's bytes, without a wait for the disk."""
    path.write_bytes(session_template())
    return open_session(path, Limits())


def created(name: str, make: Make, size: int, most: int, write: str) -> Contender:
    """`size` new files, `write` run in a transaction of each; at most `most` stay open."""

    def run() -> float:
        with TemporaryDirectory() as directory, _open(most) as keep:
            began = time.perf_counter()
            for path in _paths(directory, size):
                connection = make(path)
                with connection:
                    connection.execute(write)
                keep(connection)
            return time.perf_counter() - began

    return Contender(name, run)


@contextmanager
def reopened(size: int, most: int, write: str, read: str, wanted: object) -> Iterator[Contender]:
    """`size` files that are there, `read` run in each; at most `most` stay open."""
    with TemporaryDirectory() as directory:
        for path in _paths(directory, size):
            connection = by_copy(path)
            connection.execute(write)
            connection.close()

        def run() -> float:
            with _open(most) as keep:
                began = time.perf_counter()
                for path in _paths(directory, size):
                    connection = open_session(path, Limits())
                    if connection.execute(read).get != wanted:
                        raise AssertionError("the file does not hold what was written")
                    keep(connection)
                return time.perf_counter() - began

        yield Contender(REOPENED, run)


def _paths(directory: str, size: int) -> Iterable[Path]:
    return (Path(directory) / f"{number}.db" for number in range(size))


@contextmanager
def _open(most: int) -> Iterator[Callable[[apsw.Connection], None]]:
    """Keeps the last `most` connections open, as a worker does."""
    connections: deque[apsw.Connection] = deque()

    def keep(connection: apsw.Connection) -> None:
        connections.append(connection)
        if len(connections) > most:
            connections.popleft().close()

    try:
        yield keep
    finally:
        for connection in connections:
            connection.close()
