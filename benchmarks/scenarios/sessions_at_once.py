"""Trivial snippets in eight sessions at once, from as many threads, beside the same number in one session.

One session alone keeps two cores busy already: one runs snippets, and the other makes the children for them, which
takes longer. So what eight gain is the rest of the first core, and the less an execution takes of it, the more they
gain (docs/decisions/0061 and 0078). Stateful sessions need no child for each snippet: they stand beside it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.peers import fork_exit, monty, smol
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides
from benchmarks.scenarios.trivial_snippet import exhaust, in_row, refill
from codemode import Session, Worker

SESSIONS = 8
ONE = "codemode, one session"
KEPT = "codemode, stateful sessions"
KEPT_ONE = "codemode, one stateful session"


@contextmanager
def contenders(size: int) -> Sides:
    """`size` snippets, shared by eight threads with a session each; in one session after the other."""
    with (
        Worker() as worker,
        ThreadPoolExecutor(SESSIONS) as threads,
        monty.trivial(size) as in_monty,
        fork_exit.trivial(size) as forks,
    ):
        sessions = [worker.session() for _ in range(SESSIONS)]
        kept = [worker.session(stateful=True) for _ in range(SESSIONS)]
        share = size // SESSIONS

        def together(sessions: list[Session]) -> float:
            exhaust(worker, sessions[0])  # of both, the load is one that lasts
            started = time.perf_counter()
            for done in [threads.submit(in_row, session, share) for session in sessions]:
                done.result()
            return rested(time.perf_counter() - started)

        def alone(session: Session) -> float:
            exhaust(worker, session)
            return rested(in_row(session, size))

        def rested(took: float) -> float:
            refill(worker)  # now, so that its work is not the next contender's burden
            return took

        yield [
            Contender(SUBJECT, lambda: together(sessions)),
            Contender(ONE, lambda: alone(sessions[0])),
            Contender(KEPT, lambda: together(kept)),
            Contender(KEPT_ONE, lambda: alone(kept[0])),
            *forks,
            in_monty,
            smol.trivial(size),
        ]


SCENARIOS = (
    Scenario(
        "trivial snippets in 8 sessions at once",
        of="snippets",
        sizes=(8, 80, 800),
        contenders=contenders,
        bounds=(AtMost(ONE, 1 / 1.6),),
        each=True,
    ),
)
