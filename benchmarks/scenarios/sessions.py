"""Many sessions: making them, and opening them again.

A session is two databases, data and log, and each call is a line of the log: `raw_files.LOGGED` is the floor of that.
What one that is opened again takes beyond it is processor time of some 30 statements, where its peer reads one row and
writes none: its bound is reached on some runs only (decision 0066).
"""

from __future__ import annotations

import time
from contextlib import contextmanager

from benchmarks import scratch
from benchmarks.peers import raw_files
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides
from codemode import Worker

_OPEN = 256
_WRITE = "CREATE TABLE trips AS SELECT 12.5 AS km"
_READ, _WANTED = "SELECT km FROM trips", 12.5


def _made(worker: Worker, size: int) -> None:
    for number in range(size):
        worker.session(f"bench-{number}").exec(_WRITE)


@contextmanager
def creation(size: int) -> Sides:
    """`size` new sessions in a new data directory, a row written in each."""

    def subject() -> float:
        with scratch.directory() as directory, Worker(directory) as worker:
            began = time.perf_counter()
            _made(worker, size)
            return time.perf_counter() - began

    yield [
        Contender(SUBJECT, subject),
        raw_files.created(raw_files.MADE, raw_files.by_statements, size, _OPEN, _WRITE),
        raw_files.created(raw_files.COPIED, raw_files.by_copy, size, _OPEN, _WRITE),
        raw_files.created(raw_files.LOGGED, raw_files.by_copy, size, _OPEN, _WRITE, logged=True),
    ]


@contextmanager
def reopening(size: int) -> Sides:
    """`size` sessions that a worker finds on disk, a row read in each."""
    work = (size, _OPEN, _WRITE, _READ, _WANTED)
    with (
        scratch.directory() as directory,
        raw_files.reopened(raw_files.REOPENED, *work) as peer,
        raw_files.reopened(raw_files.LOGGED, *work, logged=True) as logged,
    ):
        with Worker(directory) as worker:
            _made(worker, size)

        def subject() -> float:
            with Worker(directory) as worker:
                began = time.perf_counter()
                for number in range(size):
                    if worker.session(f"bench-{number}").value(_READ) != _WANTED:
                        raise AssertionError("the session does not hold what was written")
                return time.perf_counter() - began

        yield [Contender(SUBJECT, subject), peer, logged]


SCENARIOS = (
    Scenario(
        "new sessions with a row in each",
        of="sessions",
        sizes=(10, 100, 1_000),
        quick=10,  # each takes what it takes of a hundred, and a turn is a tenth as long
        contenders=creation,
        bounds=(AtMost(raw_files.MADE, 2),),
        each=True,
    ),
    Scenario(
        "sessions opened again, a row read in each",
        of="sessions",
        sizes=(10, 100, 1_000),
        quick=10,  # each takes what it takes of a hundred, and a turn is a tenth as long
        contenders=reopening,
        bounds=(AtMost(raw_files.REOPENED, 2),),
        each=True,
    ),
)
