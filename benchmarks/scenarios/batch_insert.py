"""Many records into a table by one call of a snippet: beside what a program of its own could do.

The child makes and packs the records while the worker inserts the ones before, so that with two cores to themselves
the longer of the two parts is what counts, and on a busy machine their sum. apsw alone, in one process, takes 0.28 to
0.35 times what sqlite-utils takes: the bound of a quarter asks for less than that, and needs both cores.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial

from benchmarks.peers import apsw_rows, customers, http_chunks, sqlite3_rows, sqlite_utils_rows
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides
from codemode import Worker

LOAD = f'{customers.GENERATOR}\nreturn helpers.db.batch_insert("customers", made(count))["rows_written"]'


def load(worker: Worker, count: int, spent: dict[str, float]) -> float:
    """Load so many records into a new session, check them, and answer the seconds that the snippet took.

    `spent` is told the processor time of both sides.
    """
    session = worker.session()
    session.create_table("customers", customers.SCHEMA)
    started = time.perf_counter()
    outcome = session.run(LOAD, inputs={"count": count})
    took = time.perf_counter() - started
    if outcome.result != count:
        raise AssertionError(f"the snippet did not load {count:,} records: {outcome.error}")
    spent["worker"], spent["child"] = outcome.usage.worker_cpu_ms / 1000, outcome.usage.cpu_ms / 1000
    customers.check(count, session.query(customers.TOTALS)[0].values())
    worker.remove(session.id)
    return took


@contextmanager
def contenders(size: int) -> Sides:
    """`size` records into a new table."""
    spent = {"worker": 0.0, "child": 0.0}
    with Worker() as worker, http_chunks.inserting(size) as http:
        yield [
            Contender(SUBJECT, partial(load, worker, size, spent)),
            *(Contender(f"processor time, the {who}", partial(spent.__getitem__, who), part=True) for who in spent),
            apsw_rows.inserting(size),
            sqlite3_rows.inserting(size),
            sqlite_utils_rows.inserting(size),
            http,
        ]


SCENARIOS = (
    Scenario(
        "records of a generator into a table by one batch_insert",
        of="records of five columns",
        sizes=(10_000, 100_000, 1_000_000),
        contenders=contenders,
        bounds=(
            AtMost(apsw_rows.INSERTING, 1 / 0.85),
            AtMost(sqlite3_rows.INSERTING, 1 / 1.3),
            AtMost(sqlite_utils_rows.INSERTING, 1 / 4),
        ),
    ),
)
