"""A thousand round trips of one helper call, beside the same statement on the connection itself."""

from __future__ import annotations

import apsw

from benchmarks.measure import Figure, compare
from codemode import Worker

CALLS = 1_000


def figure(quick: bool) -> Figure:
    """`helpers.db.value("select 1")` in a loop against apsw in process."""
    code = f"for _ in range({CALLS}): helpers.db.value('select 1')"
    connection = apsw.Connection(":memory:")
    with Worker() as worker:
        session = worker.session()

        def subject() -> None:
            if not session.run(code).ok:
                raise AssertionError("a call failed")

        def floor() -> None:
            for _ in range(CALLS):
                connection.execute("select 1").fetchone()

        return compare(f"{CALLS:,} helper calls", subject, "apsw in process", floor, 5 if quick else 15)
