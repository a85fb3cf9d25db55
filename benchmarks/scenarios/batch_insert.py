"""Five-column records from a generator in a snippet into a table, beside apsw's executemany of the same records."""

from __future__ import annotations

import tempfile
from pathlib import Path

import apsw

from benchmarks.measure import Figure, compare
from codemode import Worker

RECORDS = '({"id": n, "name": f"name {n}", "score": n * 0.5, "group": n %% 7, "note": "constant"} for n in range(%d))'


def figure(quick: bool) -> Figure:
    """`helpers.db.batch_insert` of a million records (a tenth of it when quick)."""
    count = 100_000 if quick else 1_000_000
    code = f"""
helpers.db.exec("DROP TABLE IF EXISTS t")
helpers.db.exec('CREATE TABLE t (id INTEGER, name TEXT, score REAL, "group" INTEGER, note TEXT)')
helpers.db.batch_insert("t", {RECORDS % count})["rows_written"]
"""
    with Worker() as worker, tempfile.TemporaryDirectory() as directory:
        session = worker.session()

        def subject() -> None:
            outcome = session.run(code)
            if outcome.result != count:
                raise AssertionError(outcome.error)

        def floor() -> None:
            _executemany(Path(directory) / "floor.db", count)

        return compare(f"batch_insert of {count:,} records", subject, "apsw executemany", floor, 3 if quick else 7)


def _executemany(path: Path, count: int) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "normal")
    with connection:
        connection.execute("DROP TABLE IF EXISTS t")
        connection.execute('CREATE TABLE t (id INTEGER, name TEXT, score REAL, "group" INTEGER, note TEXT)')
        records = eval(RECORDS % count)
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", (tuple(record.values()) for record in records))
    connection.close()
