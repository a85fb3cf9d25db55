"""The standard library's sqlite3 in this process, with the settings of a session's file."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers import customers
from benchmarks.scenario import Contender

INSERTING = "sqlite3 executemany"


def inserting(count: int) -> Contender:
    """So many records into the table of a new file, in one transaction."""

    def run() -> float:
        with TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "customers.db")) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("PRAGMA synchronous = normal")
            connection.execute(f"CREATE TABLE customers ({customers.SCHEMA})")
            started = time.perf_counter()
            connection.executemany(customers.INSERT, map(itemgetter(*customers.COLUMNS), customers.records(count)))
            connection.commit()
            took = time.perf_counter() - started
            customers.check(count, connection.execute(customers.TOTALS).fetchone())
        return took

    return Contender(INSERTING, run)
