"""Many sessions, few of them open: closing to make room never disturbs who works."""

from __future__ import annotations

import random
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import apsw
import pytest
from patience import HANG_SECONDS, soon

from codemode import Limits, Session, Worker
from codemode.database.journal import LEFT_BYTES
from codemode.errors import SessionBusy, WorkerError
from codemode.session import registry
from codemode.session.registry import _DESCRIPTORS, affordable
from codemode.session.slots import _WARM, Slots

USES = (
    lambda session: session.exec("CREATE TABLE IF NOT EXISTS t (x)"),
    lambda session: session.run("helpers.db.exec('CREATE TABLE IF NOT EXISTS t (x)')"),
    Session.metrics,
    Session.get_tables,
    Session.logs,
    lambda session: session.query("SELECT count(*) FROM sqlite_schema", read_only=True),
    lambda session: list(session.pages("SELECT 1")),
)


def test_eight_threads_on_eight_sessions_with_three_open(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def working(worker: Worker, seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(40):
            try:
                choice.choice(USES)(worker.session(f"s{choice.randrange(8)}"))
            except Exception as error:
                failures.append(error)

    with Worker(data_dir=tmp_path, limits=Limits(open_sessions=3)) as worker:
        threads = [threading.Thread(target=working, args=(worker, seed)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(worker.registry.slots) <= 3


def test_a_worker_that_closes_while_a_host_function_goes_on_closes_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CLOSE_SECONDS", 0.1)
    entered, leave = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        leave.wait(HANG_SECONDS)

    worker = Worker()
    slots = worker.registry.slots
    for name in ("busy", "other"):
        worker.session(name).exec("CREATE TABLE t (x)")
    other = slots.find(("local", "other"))
    assert other is not None
    run = threading.Thread(target=lambda: worker.session("busy").run("wait()", functions={"wait": wait}))
    run.start()
    assert entered.wait(HANG_SECONDS)
    try:
        with pytest.raises(SessionBusy):
            worker.close()
        assert other.opened is None
        assert not worker.data_dir.exists()
        with pytest.raises(WorkerError, match="closed"):
            worker.sessions()
    finally:
        leave.set()
        run.join()


def test_a_session_that_is_gone_has_no_place_and_closes_no_other(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(open_sessions=2)) as worker:
        worker.session("kept").exec("CREATE TABLE t (x)")
        slot = worker.registry.slots.find(("local", "kept"))
        assert slot is not None
        opened = slot.opened
        for name in ("a", "b", "c"):
            worker.session(name).exec("CREATE TABLE t (x)")
            worker.remove(name)
        assert (len(worker.registry.slots), slot.opened) == (1, opened)


class Files:
    """Stands for the open files of a session: they rest until they may go on, and tell what was done with them."""

    def __init__(self) -> None:
        self.resting, self.may_go_on, self.done = threading.Event(), threading.Event(), []

    def rest(self) -> None:
        self.resting.set()
        self.may_go_on.wait(HANG_SECONDS)
        self.done.append("rested")

    def close(self) -> None:
        self.done.append("closed")


def test_files_that_one_thread_has_rest_are_closed_by_another_when_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def use(name: str) -> None:
        with slots.used(("local", name)) as slot:
            slot.opened = files[name]  # type: ignore[assignment]

    monkeypatch.setattr("codemode.session.slots._WARM", 1)
    slots, files = Slots(2), {name: Files() for name in ("old", "newer", "newest")}
    files["newer"].may_go_on.set()
    use("old")
    with ThreadPoolExecutor() as threads:
        threads.submit(use, "newer")
        assert files["old"].resting.wait(HANG_SECONDS)
        threads.submit(use, "newest")
        assert soon(lambda: slots.find(("local", "old")) is None)
        time.sleep(0.05)  # it would be closed by now
        files["old"].may_go_on.set()
    assert files["old"].done == ["rested", "closed"]


def test_no_more_are_open_than_descriptors_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 4096))
    assert affordable(256) == 25
    assert affordable(3) == 3
    monkeypatch.setattr("resource.getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert affordable(256) == 256


def test_an_open_session_needs_no_more_descriptors_than_are_counted_for_it(tmp_path: Path) -> None:
    def descriptors() -> int:
        """Of files in there: others of this process, of a sandbox say, come and go at any time."""
        held = 0
        for each in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                held += each.readlink().is_relative_to(tmp_path)
        return held

    with Worker(data_dir=tmp_path) as worker:
        before = descriptors()
        for number in range(10):
            session = worker.session(f"s{number}")
            session.exec("CREATE TABLE t (x)")
            session.metrics()
        assert (descriptors() - before) / 10 <= _DESCRIPTORS


def test_a_session_that_others_were_used_after_holds_little_memory_and_answers_as_before(tmp_path: Path) -> None:
    def use(worker: Worker, number: int) -> None:
        worker.session(f"s{number}").exec("CREATE TABLE t AS SELECT ? AS x", [number])

    with Worker(data_dir=tmp_path) as worker:
        for number in range(_WARM + 1):
            use(worker, number)
        for _ in range(20):
            worker.session("s1").exec("UPDATE t SET x = x + 1")
        before = apsw.memory_used()
        for number in range(_WARM + 1, _WARM + 21):
            use(worker, number)
        assert (apsw.memory_used() - before) / 20 < 200_000
        session = worker.session("s0")
        assert session.value("SELECT x FROM t") == 0
        assert [entry.kind for entry in session.logs()] == ["query", "exec"]
        log = worker.registry.files(("local", "s1")).log
        assert all(log.with_name(name).stat().st_size > LEFT_BYTES for name in ("log.db-wal", "session.db-wal"))
    left = [(path.name, path.stat().st_size) for path in tmp_path.glob("sessions/*/*-wal")]
    assert {name for name, _ in left} == {"log.db-wal", "session.db-wal"}
    assert max(size for _, size in left) <= LEFT_BYTES
    for name in ("log.db-wal", "session.db-wal"):
        assert not log.with_name(name).exists(), "it was long, and copied into its file at the close"
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s2")
        session.exec("UPDATE t SET x = 7")
        session.undo()
        assert session.value("SELECT x FROM t") == 2
        session.undo()
        assert session.get_tables() == [], "what was done before the files were opened again"
