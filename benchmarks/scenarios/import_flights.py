"""A compressed CSV file with inferred types into a new session, beside other ways from such a file into SQLite."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.peers import duckdb_apsw, pandas_sql, sqlite_shell, sqlite_utils_csv
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides
from codemode import Worker

FLIGHTS = Path(__file__).parents[1] / "data/nycflights13/flights.csv.gz"
ROWS = 336_776
_NULL = "NA"  # what the file has for no value


@contextmanager
def contenders(size: int) -> Sides:
    """The first `size` flights."""
    with _first(size) as file, Worker() as worker:

        def subject() -> None:
            session = worker.session()
            if session.import_file(file, "flights", null=_NULL).rows != size:
                raise AssertionError("rows are missing")
            worker.remove(session.id)

        yield [
            Contender(SUBJECT, subject),
            duckdb_apsw.importing(file, _NULL, size),
            pandas_sql.importing(file, _NULL, size),
            sqlite_utils_csv.importing(file, size),
            sqlite_shell.importing(file, size),
        ]


@contextmanager
def _first(rows: int) -> Iterator[Path]:
    """A file of the first so many flights, compressed as the whole is."""
    if rows == ROWS:
        yield FLIGHTS
        return
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "flights.csv.gz"
        with gzip.open(FLIGHTS) as whole, gzip.open(cut, "wb") as part:
            part.writelines(islice(whole, rows + 1))
        yield cut


SCENARIOS = (
    Scenario(
        "import of flights.csv.gz, 19 columns with inferred types",
        of="rows",
        sizes=(3_367, 33_677, ROWS),
        contenders=contenders,
        bounds=(
            AtMost(duckdb_apsw.NAME, 1.5),
            AtMost(pandas_sql.NAME, 1.0),
            AtMost(sqlite_utils_csv.NAME, 1.0),
        ),
    ),
)
