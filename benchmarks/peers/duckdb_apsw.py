"""DuckDB reads a file and infers its types, apsw writes the rows: two fast engines put together by hand."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from benchmarks.scenario import Absent, Contender

NAME = "duckdb + apsw"
MISSING = Absent(NAME, "not installed: pip install 'codemode[bench]'")
_ROWS = 10_000  # fetched and inserted together
_KINDS = {"BIGINT": "INTEGER", "DOUBLE": "REAL"}


def importing(file: Path, null: str, rows: int) -> Contender | Absent:
    """A CSV file into a new database with the settings of a session's file; types as DuckDB guesses them by default."""
    if importlib.util.find_spec("duckdb") is None:
        return MISSING
    import apsw
    import duckdb

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder, duckdb.connect() as reader:
            database = apsw.Connection(f"{folder}/flights.db")
            database.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = normal")
            scan = f"FROM read_csv({str(file)!r}, nullstr = {null!r})"
            columns = reader.execute(f"DESCRIBE {scan}").fetchall()
            # SQLite has no type for a time: as text, which is what our own import keeps.
            taken = [f"CAST({name} AS VARCHAR)" if kind not in _KINDS else name for name, kind, *_ in columns]
            found = reader.execute(f"SELECT {', '.join(taken)} {scan}")
            with database:
                listed = ", ".join(f"{name} {_KINDS.get(kind, 'TEXT')}" for name, kind, *_ in columns)
                database.execute(f"CREATE TABLE flights ({listed})")
                insert = f"INSERT INTO flights VALUES ({', '.join('?' * len(columns))})"
                while chunk := found.fetchmany(_ROWS):
                    database.executemany(insert, chunk)
            if database.execute("SELECT count(*) FROM flights").get != rows:
                raise AssertionError("rows are missing")
            database.close()

    return Contender(NAME, run)
