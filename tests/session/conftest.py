"""The flights that left New York in 2013, in a session that no test changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from codemode import Session, Worker
from codemode.database.sources import Source
from codemode.database.transfer import reader_for, table_of

DATA = Path(__file__).parents[2] / "benchmarks" / "data" / "nycflights13"
FILES = ("airlines.csv", "airports.csv", "planes.csv", "weather.csv", "flights.csv.gz")


@pytest.fixture(scope="session")
def flights(worker: Worker) -> Session:
    session = worker.session()
    for name in FILES:
        with Source(DATA / name) as source:
            session.import_source(source, reader_for("csv", ("NA",)), table_of(name))
    return session
