"""pandas: read_csv into a data frame, to_sql into SQLite."""

from __future__ import annotations

import importlib.util
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.scenario import Absent, Contender

NAME = "pandas.to_sql"
MISSING = Absent(NAME, "not installed: pip install 'codemode[bench]'")


def importing(file: Path, null: str, rows: int) -> Contender | Absent:
    """A CSV file into a new database, types as pandas infers them."""
    if importlib.util.find_spec("pandas") is None:
        return MISSING
    import pandas

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/flights.db")) as database:
            pandas.read_csv(file, na_values=[null]).to_sql("flights", database, index=False)
            if database.execute("SELECT count(*) FROM flights").fetchone() != (rows,):
                raise AssertionError("rows are missing")

    return Contender(NAME, run)
