"""The same trivial snippet over HTTP on loopback, with a token, and embedded: what the way to it and back costs."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.measure import REST_SECONDS
from benchmarks.peers import bare_service, service
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides, Under
from codemode import Session, Worker

CODE = "return 1"
THREADS = 8  # what makes the embedded worker fastest on two cores: from 3 to 64 there is no difference
SECONDS = 2.0  # of load at a time


@contextmanager
def added(size: int) -> Sides:
    """`size` executions by each way, in turns: the differences of the medians, and the medians.

    What a bare service adds is the floor: a request is read, a thread runs it, an answer is written.
    """
    with (
        service.connections(1, CODE) as [connection],
        bare_service.connections(1, CODE) as [bare],
        embedded(1) as [session],
    ):
        ways = connection.execute, bare.execute, lambda: execute(session)

        def medians() -> list[float]:
            for each in (connection, bare):
                each.renew()
            times = [_in_turns(ways, turn) for turn in range(size)]
            return [statistics.median(way) for way in zip(*times, strict=True)]

        def of(way: int, less: int) -> float:
            found = medians()
            return found[way] - found[less]  # as it is, also where noise was more: then it reaches no bound

        yield [
            Contender(SUBJECT, lambda: of(0, 2)),
            Contender(f"{bare_service.NAME} adds", lambda: of(1, 2)),
            Contender("over HTTP", lambda: medians()[0]),
            Contender("embedded", lambda: medians()[2]),
        ]


@contextmanager
def under_load(size: int) -> Sides:
    """`size` connections, each with a session of its own, and a worker of this process with as many sessions."""
    with (
        service.connections(size, CODE) as made,
        bare_service.connections(size, CODE) as bare,
        embedded(size) as sessions,
    ):
        yield [
            Contender(SUBJECT, lambda: service.throughput(made, SECONDS)),
            Contender(bare_service.NAME, lambda: service.throughput(bare, SECONDS)),
            Contender("embedded", lambda: throughput(sessions, SECONDS)),
        ]


@contextmanager
def embedded(count: int) -> Iterator[list[Session]]:
    """So many sessions of a worker of this process, which have run the snippet once."""
    with Worker() as worker:
        sessions = [worker.session() for _ in range(count)]
        for each in sessions:
            execute(each)
        yield sessions


def execute(session: Session) -> None:
    """One execution."""
    if session.run(CODE).result != 1:
        raise AssertionError("the snippet did not answer 1")


def throughput(sessions: list[Session], seconds: float) -> float:
    """Run the snippet in all sessions from a few threads for so long; the seconds of one execution."""
    done: list[int] = []
    began = time.perf_counter()

    def work(mine: list[Session]) -> None:
        count = 0
        while time.perf_counter() - began < seconds:
            execute(mine[count % len(mine)])
            count += 1
        done.append(count)

    parts = [sessions[first::THREADS] for first in range(min(THREADS, len(sessions)))]
    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if len(done) < len(threads):
        raise AssertionError("an execution of a thread failed")
    return (time.perf_counter() - began) / sum(done)


def _in_turns(ways: Sequence[Callable[[], object]], turn: int) -> list[float]:
    """The seconds of one execution by each way, another one first every time.

    Each leaves a child to be ended and one to be forked. Without a rest the next one may pay for it, and in a fixed
    order always the same one.
    """
    took = [0.0] * len(ways)
    for number in range(turn, turn + len(ways)):
        time.sleep(REST_SECONDS)
        began = time.perf_counter()
        ways[number % len(ways)]()
        took[number % len(ways)] = time.perf_counter() - began
    return took


SCENARIOS = (
    Scenario(
        "what HTTP adds to the median of one execution",
        of="executions in turns",
        sizes=(3, 20, 100),  # fewer than twenty say little: it is the difference of two medians
        contenders=added,
        bounds=(Under(1.5e-3),),
    ),
    Scenario(
        "one execution of many over HTTP",
        of="connections, each with its session",
        sizes=(1, 8, 64),
        contenders=under_load,
        bounds=(AtMost("embedded", 1 / 0.7),),
    ),
)
