"""sqlite-utils: what its command `insert --csv` does, in this process, so that its start is not counted."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.scenario import Absent, Contender

NAME = "sqlite-utils insert"
MISSING = Absent(NAME, "not installed: pip install 'codemode[bench]'")
_SHARE = 10_000  # of the rows: it commits every 100 of them, and nobody should wait for the others


def importing(file: Path, size: int) -> Contender | Absent:
    """A compressed CSV file into a new database with detected types: at most 10,000 rows, the others counted."""
    if importlib.util.find_spec("sqlite_utils") is None:
        return MISSING
    from sqlite_utils import Database
    from sqlite_utils.utils import TypeTracker

    share = min(size, _SHARE)

    def run() -> float:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder, gzip.open(file, "rt", encoding="utf-8-sig") as text:
            database, tracker, records = Database(f"{folder}/flights.db"), TypeTracker(), csv.reader(text)
            names = next(records)
            table = database.table("flights")
            table.insert_all(tracker.wrap(dict(zip(names, record, strict=True)) for record in islice(records, share)))
            table.transform(types=tracker.types)
            if table.count != share:
                raise AssertionError("rows are missing")
            database.close()
        return (time.perf_counter() - started) * size / share

    return Contender(NAME, run)
