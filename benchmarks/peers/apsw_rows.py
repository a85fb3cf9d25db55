"""apsw in this process with the settings of a session's file, and nothing around it: the floor of bulk work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw

from benchmarks.peers import customers
from benchmarks.scenario import Contender

INSERTING = "apsw executemany"
READING = "apsw fetch to dicts"


def inserting(count: int) -> Contender:
    """So many records into the table of a new file, in one transaction."""

    def run() -> float:
        with TemporaryDirectory() as folder, closing(_opened(Path(folder))) as connection:
            started = time.perf_counter()
            _insert(connection, count)
            took = time.perf_counter() - started
            customers.check(count, next(connection.execute(customers.TOTALS)))
        return took

    return Contender(INSERTING, run)


@contextmanager
def reading(count: int, *, keep: bool) -> Iterator[Contender]:
    """All of so many rows as dicts: `keep` them in a list, or look at each and let it go."""
    with TemporaryDirectory() as folder, closing(_opened(Path(folder))) as connection:
        _insert(connection, count)

        def run() -> None:
            rows = _dicts(connection)
            found = [*rows] if keep else rows
            if sum(row["id"] for row in found) != count * (count - 1) // 2:
                raise AssertionError("apsw read other rows")

        yield Contender(READING, run)


def _opened(folder: Path) -> apsw.Connection:
    connection = apsw.Connection(str(folder / "customers.db"))
    for setting in ("journal_mode = wal", "synchronous = normal"):
        connection.execute(f"PRAGMA {setting}").fetchall()
    connection.execute(f"CREATE TABLE customers ({customers.SCHEMA})")
    return connection


def _insert(connection: apsw.Connection, count: int) -> None:
    connection.execute("BEGIN")
    connection.executemany(customers.INSERT, map(itemgetter(*customers.COLUMNS), customers.records(count)))
    connection.execute("COMMIT")


def _dicts(connection: apsw.Connection) -> Iterator[dict[str, Any]]:
    return map(dict, map(zip, repeat(customers.COLUMNS), connection.execute(customers.SELECT)))
