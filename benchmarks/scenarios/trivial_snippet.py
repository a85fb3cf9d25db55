"""A trivial snippet on a warm worker, beside other ways to run one line of Python that nobody trusts.

What counts is whether a child is ready. In a burst one is: as many snippets as the pool keeps children for, back to
back, and then a pause, which is not counted, in which it gets new ones. Under sustained load none is left, and the
making of each child is part of the figure.

The text is the same each time, so that it is compiled for the first two of a session alone
(docs/decisions/0105); what snippets take that each are another text stands beside it, and so do those of a stateful
session, which need no child each: it keeps its own (docs/decisions/0046).

Where processors sleep while nothing runs, waking one for the child and one for its answer takes longer than the work
between: the floor is `ready child, empty engine`, in bursts in each scenario (docs/decisions/0061).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.peers import bare_python, docker, empty_child, fork_exit, monty, smol
from benchmarks.scenario import SUBJECT, Absent, AtMost, Contender, Contenders, Scenario, Sides
from codemode import Session, Worker

BOUNDS = (AtMost(fork_exit.NAME, 0.6), AtMost(monty.NAME, 8), AtMost(bare_python.NAME, 0.1))
TEN = 10
OTHER_TEXTS = "codemode, another text each"
KEPT = "codemode, a stateful session"
_numbers = itertools.count()
Text = Callable[[], str]
Measure = Callable[[Worker, Session, int, Text], float]


def same() -> str:
    """The trivial snippet."""
    return "return 1"


def another() -> str:
    """The same as a text that never came before."""
    return f"return 1  # {next(_numbers)}"


def in_row(session: Session, count: int, text: Text = same) -> float:
    """Seconds of `count` trivial snippets, one after the other."""
    started = time.perf_counter()
    for _ in range(count):
        if session.run(text()).result != 1:
            raise AssertionError("the snippet did not answer 1")
    return time.perf_counter() - started


def refill(worker: Worker) -> None:
    """Wait until the worker's pool is full and nothing is done for it any more."""
    empty_child.rest(worker.sandbox, worker.settings.children)


def exhaust(worker: Worker, session: Session) -> None:
    """Use up every child that is ready, unless the session has one of its own."""
    while worker.sandbox.children["ready"] and not worker.info(session.id).stateful:
        in_row(session, 1)


def burst_size(worker: Worker) -> int:
    """How many snippets in a row find a child that is ready."""
    return worker.settings.children


@contextmanager
def peers(size: int) -> Iterator[list[Contender | Absent]]:
    """The others, each with `size` snippets in a row."""
    with monty.trivial(size) as in_monty, fork_exit.trivial(size) as forks, empty_child.trivial(size) as empty:
        yield [*forks, empty, in_monty, smol.trivial(size), bare_python.trivial(size), docker.trivial(size)]


def contenders(measure: Measure) -> Callable[[int], Contenders]:
    """A scenario's contenders for a size, with what `measure` answers as the subject's figure."""

    @contextmanager
    def sides(size: int) -> Sides:
        with ExitStack() as held:
            worker = held.enter_context(Worker())
            session, kept = worker.session(), worker.session(stateful=True)
            in_row(kept, 1)  # its child is there before anything is measured
            others = held.enter_context(peers(size))

            def run(text: Text, session: Session = session) -> float:
                took = measure(worker, session, size, text)
                refill(worker)  # now, so that its work is not the next contender's burden
                return took

            yield [
                Contender(SUBJECT, lambda: run(same)),
                Contender(OTHER_TEXTS, lambda: run(another)),
                Contender(KEPT, lambda: run(same, kept)),
                *others,
            ]

    return sides


def bursts(worker: Worker, session: Session, count: int, text: Text) -> float:
    """Seconds of `count` snippets in bursts of what the pool keeps ready, without the pauses between them."""
    took, left = 0.0, count
    while left:
        refill(worker)
        now = min(left, burst_size(worker))
        took, left = took + in_row(session, now, text), left - now
    return took


def from_full_pool(_worker: Worker, session: Session, count: int, text: Text) -> float:
    """Seconds of `count` snippets without a pause, from a full pool on."""
    return in_row(session, count, text)


def sustained(worker: Worker, session: Session, count: int, text: Text) -> float:
    """Seconds of `count` snippets without a pause when no child is left that was made before it was needed."""
    exhaust(worker, session)
    return in_row(session, count, text)


SCENARIOS = (
    Scenario(
        "trivial snippets in bursts of the pool's size",
        of="snippets",
        sizes=(1, 10, 100),
        contenders=contenders(bursts),
        bounds=BOUNDS,
        each=True,
    ),
    Scenario(
        "ten trivial snippets in a row in one session",
        of="snippets",
        sizes=(TEN,),
        contenders=contenders(from_full_pool),
        bounds=BOUNDS,
        each=True,
    ),
    Scenario(
        "trivial snippets under load that lasts",
        of="snippets",
        sizes=(1, 10, 100),
        contenders=contenders(sustained),
        bounds=(AtMost(bare_python.NAME, 0.1),),
        each=True,
    ),
)
