"""One helper call after the other from a snippet: what a round trip to the worker costs.

The parts say where the time goes: what is not processor time of the worker or the child is waiting to be woken, which
depends on where the machine lets the two run. The bound in microseconds is out of reach where a wake-up takes as long
as the call: decision 0063 has the floors.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial

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
        spent = {"worker": 0.0, "child": 0.0}

        def subject() -> float:
            started = time.perf_counter()
            outcome = session.run(code)
            took = (time.perf_counter() - started) / size
            if outcome.result != 1:
                raise AssertionError(f"the statement did not answer 1: {outcome.error}")
            spent["worker"] = outcome.usage.worker_cpu_ms / 1000 / size
            spent["child"] = outcome.usage.cpu_ms / 1000 / size
            return took

        parts = (Contender(f"processor time, the {who}", partial(spent.__getitem__, who), part=True) for who in spent)
        yield [Contender(SUBJECT, subject), *parts, peer, floor]


SCENARIOS = (
    Scenario(
        "one helpers.db.value('select 1') of a loop",
        of="calls in the loop",
        sizes=(100, 1_000, 10_000),
        contenders=contenders,
        bounds=(AtMost(monty.NAME, 1.5), Under(40e-6)),
    ),
)
