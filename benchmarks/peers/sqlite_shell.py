"""The shell of SQLite: `.import --csv` in C, every value as text."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.scenario import Absent, Contender

NAME = "sqlite3 .import, all text"


def importing(file: Path, rows: int) -> Contender | Absent:
    """A compressed CSV file into a new database, through gzip."""
    if not (shutil.which("sqlite3") and shutil.which("gzip")):
        return Absent(NAME, "not installed: apt-get install sqlite3")

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            command = f".import --csv '|gzip -dc {file}' flights"
            subprocess.run(["sqlite3", f"{folder}/flights.db", command], check=True)
            with closing(sqlite3.connect(f"{folder}/flights.db")) as database:
                if database.execute("SELECT count(*) FROM flights").fetchone() != (rows,):
                    raise AssertionError("rows are missing")

    return Contender(NAME, run)
