"""Memory of the worker and of the child while rows go through them: a million take what ten thousand do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.peers import customers
from benchmarks.scenario import SUBJECT, Contender, Contenders, Grows, Scenario, Sides
from benchmarks.scenarios.batch_insert import LOAD
from benchmarks.scenarios.query import PAGES
from codemode import Worker

_SESSION = "customers"


class Peaks(NamedTuple):
    """The most memory that each had resident, in bytes, shared libraries included."""

    worker: float
    child: float


def peaks(directory: str, code: str, size: int) -> Peaks:
    """Of a worker in this process, which does nothing else, and its child: `code` in the session of `directory`."""
    with Worker(directory) as worker:
        outcome = worker.session(_SESSION).run(code, inputs={"count": size})
    if not outcome.ok:
        raise AssertionError(f"the snippet failed: {outcome.error}")
    status = Path("/proc/self/status").read_text()
    return Peaks(1024.0 * int(status.split("VmHWM:")[1].split()[0]), float(outcome.usage.peak_memory_bytes))


def _contenders(code: str, *, filled: bool) -> Callable[[int], Contenders]:
    @contextmanager
    def contenders(size: int) -> Sides:
        last = Peaks(0, 0)

        def subject() -> float:
            nonlocal last
            with TemporaryDirectory() as directory:
                _prepare(directory, size if filled else 0)
                # A process of its own: the peak of this one is that of everything that it has done.
                with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
                    last = process.submit(peaks, directory, code, size).result()
            return sum(last)

        yield [
            Contender(SUBJECT, subject),
            Contender("of it the worker", lambda: last.worker, part=True),
            Contender("of it the child", lambda: last.child, part=True),
        ]

    return contenders


def _prepare(directory: str, count: int) -> None:
    with Worker(directory) as worker:
        session = worker.session(_SESSION)
        session.create_table("customers", customers.SCHEMA)
        session.batch_insert("customers", customers.records(count))


SCENARIOS = tuple(
    Scenario(
        title,
        of="rows of five columns",
        sizes=(10_000, 100_000, 1_000_000),
        contenders=_contenders(code, filled=filled),
        bounds=(Grows(0.05),),
        unit="B",
        repeat=3,
    )
    for title, code, filled in (
        ("memory at most while batch_insert loads a generator", LOAD, False),
        ("memory at most while pages reads a table", PAGES, True),
    )
)
