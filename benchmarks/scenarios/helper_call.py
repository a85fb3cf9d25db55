"""One helper call after the other from a snippet: what a round trip to the worker costs."""

from __future__ import annotations

import time
from contextlib import contextmanager

from benchmarks.peers import echo, monty
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides, Under
from codemode import Worker


@contextmanager
def contenders(size: int) -> Sides:
    """A loop of `size` calls; all of them answer with the seconds of one."""
    code = f"for _ in range({size}):\n    one = helpers.db.value('select 1')\nreturn one"
    # The floor first: it forks, and a worker has threads.
    with echo.round_trips(size) as floor, Worker() as worker, monty.host_calls(size) as peer:
        session = worker.session()

        def subject() -> float:
            started = time.perf_counter()
            if session.run(code).result != 1:
                raise AssertionError("the statement did not answer 1")
            return (time.perf_counter() - started) / size

        yield [Contender(SUBJECT, subject), peer, floor]


SCENARIOS = (
    Scenario(
        "one helpers.db.value('select 1') of a loop",
        of="calls in the loop",
        sizes=(100, 1_000, 10_000),
        contenders=contenders,
        bounds=(AtMost(monty.NAME, 1.5), Under(40e-6)),
    ),
)
