"""What stands in memory: a worker with nothing to do, an open session, a spare child, and many sessions of few open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import scratch
from benchmarks.load.serving import serving
from benchmarks.peers import processes
from benchmarks.scenario import SUBJECT, Absent, Contender, Grows, Scenario, Sides, Under

_MB = 1_000_000
_WARM = 32  # more than the sessions that keep what they have read: from here on each one more lets another rest
_WORKER = """
from codemode import Worker
worker = Worker()
if worker.session("first").run("return helpers.db.value('SELECT 1')").result != 1:
    raise AssertionError("the snippet did not answer 1")
"""
_SESSIONS = """
import gc, resource, sys
from benchmarks.peers.processes import private
from codemode import Limits, Worker
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
worker = Worker(sys.argv[1], Limits(open_sessions=int(sys.argv[2])))
def use(numbers):
    for number in numbers:
        worker.session(f"bench-{number}").exec("CREATE TABLE trips AS SELECT 12.5 AS km")
    gc.collect()
"""
_GROWTH = f"""{_SESSIONS}
use(range({_WARM}))
before = private("self")
use(range({_WARM}, {_WARM} + int(sys.argv[3])))
print(private("self") - before)
worker.close()
"""
_FILES = f"""
import gc, sys
from pathlib import Path
from benchmarks.peers.processes import private
from benchmarks.peers.raw_files import by_copy
opened = []
def use(numbers):
    for number in numbers:
        opened.append(by_copy(Path(sys.argv[1], f"{{number}}.db")))
        opened[-1].execute("CREATE TABLE trips AS SELECT 12.5 AS km")
    gc.collect()
use(range({_WARM}))
before = private("self")
use(range({_WARM}, {_WARM} + int(sys.argv[2])))
print(private("self") - before)
"""
_ALL = f"""{_SESSIONS}
use(range(int(sys.argv[3])))
"""


@contextmanager
def idle(size: int) -> Sides:
    """`size` workers that ran one snippet each, and a service that ran one.

    A process alone is taken with all that it shares, whoever else has it; with its sandbox's processes, with its part.
    """
    with processes.standing(_WORKER) as worker, _serving() as service:
        yield [
            Contender(SUBJECT, lambda: size * processes.resident(worker)),
            Contender("with its sandbox", lambda: size * processes.share(worker, *processes.below(worker))),
            Contender("codemode serve", lambda: size * processes.resident(service)),
            Contender("serve, with its sandbox", lambda: size * processes.share(service, *processes.below(service))),
        ]


@contextmanager
def _serving() -> Iterator[int]:
    """The process of a service that has run one snippet."""
    import httpx2

    with TemporaryDirectory() as folder, serving(Path(folder), CODEMODE_LOG_LEVEL="warning") as (address, process):
        httpx2.post(f"{address}/v1/sessions", json={"id": "first"}).raise_for_status()
        code = {"code": "return helpers.db.value('SELECT 1')"}
        httpx2.post(f"{address}/v1/sessions/first/execute", json=code).raise_for_status()
        yield process


@contextmanager
def open_sessions(size: int) -> Sides:
    """`size` more sessions in a worker that has some, each open; and files that are open with the same settings."""

    def grown(script: str, *words: str) -> float:
        with TemporaryDirectory() as directory:
            return processes.said(script, directory, *words)

    yield [
        Contender(SUBJECT, lambda: grown(_GROWTH, str(_WARM + size), str(size))),
        Contender("raw files", lambda: grown(_FILES, str(size))),
    ]


@contextmanager
def spare(size: int) -> Sides:
    """`size` children that wait for a snippet.

    Warm ones: their pages are copied before somebody waits. What is on them: decision 0094.
    """
    with processes.standing(_WORKER) as worker:
        # The launcher, the zygote, and then its children.
        *_, child = processes.below(worker)
        try:
            processes.private(child)
        except PermissionError:
            yield [Absent(SUBJECT, "only root may look at the memory of a child")]
        else:
            yield [Contender(SUBJECT, lambda: size * processes.private(child))]


@contextmanager
def many(size: int) -> Sides:
    """A worker that made `size` sessions and holds the last 256 open."""
    with scratch.directory() as directory, processes.standing(_ALL, directory, "256", str(size)) as worker:
        yield [Contender(SUBJECT, lambda: processes.private(worker))]


SCENARIOS = (
    Scenario("an idle worker", of="worker", sizes=(1,), contenders=idle, bounds=(Under(90 * _MB),), unit="B"),
    Scenario(
        "open sessions", of="sessions", sizes=(2, 20, 200), contenders=open_sessions,
        bounds=(Under(300_000),), unit="B", repeat=3, each=True,
    ),
    Scenario("a spare child", of="child", sizes=(1,), contenders=spare, bounds=(Under(3 * _MB),), unit="B"),
    Scenario(
        "a worker with 256 sessions open of many", of="sessions", sizes=(300, 1_000, 10_000), contenders=many,
        bounds=(Grows(0.1),), unit="B", repeat=3, quick=300,
    ),
)  # fmt: skip
