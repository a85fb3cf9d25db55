"""sqlite-utils: a library that makes tables of dicts, in this process, with the settings of a session's file."""

from __future__ import annotations

import importlib.util
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers import customers
from benchmarks.scenario import Absent, Contender

INSERTING = "sqlite-utils insert_all"
MISSING = Absent(INSERTING, "not installed: pip install 'codemode[bench]'")


def inserting(count: int) -> Contender | Absent:
    """So many records into a table of a new file, which it makes from them."""
    if importlib.util.find_spec("sqlite_utils") is None:
        return MISSING
    from sqlite_utils import Database

    def run() -> float:
        with TemporaryDirectory() as folder, closing(Database(Path(folder) / "customers.db")) as database:
            database.enable_wal()
            database.execute("PRAGMA synchronous = normal")
            started = time.perf_counter()
            database.table("customers").insert_all(customers.records(count))
            took = time.perf_counter() - started
            customers.check(count, database.execute(customers.TOTALS).fetchone())
        return took

    return Contender(INSERTING, run)
