"""Quotas of a tenant: they hold for two at once, for two processes, after a crash, and whatever the clock does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker
from codemode.database import clock
from codemode.errors import QuotaError, QuotaExceeded, TooManyAtOnce
from codemode.service.callers import Caller
from codemode.service.quotas import Gate
from codemode.values import Quotas


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(tmp_path) as worker:
        worker.create_token("acme")
        yield worker


@pytest.fixture
def gate(worker: Worker) -> Gate:
    return Gate(worker)


def acme(**quotas: int) -> Caller:
    return Caller("acme", frozenset({"execute"}), "tok_1", quotas=Quotas(**quotas))


# In another process: lets executions in and answers how many, then holds them until it is told to end or is killed.
ANOTHER = """
import sys
from codemode import Worker
from codemode.errors import QuotaError
from codemode.service.callers import Caller
from codemode.service.quotas import Gate
from codemode.values import Quotas

data_dir, kind, quota, wanted = sys.argv[1:]
caller = Caller("acme", frozenset({"execute"}), "tok_1", quotas=Quotas(**{kind: int(quota)}))
with Worker(data_dir) as worker:
    gate, held = Gate(worker), []
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(1 if wanted == "inside" else int(wanted)):
        try:
            if kind == "sessions":
                with gate.new_session(caller):
                    if wanted == "inside":
                        print("inside", flush=True)
                        sys.stdin.readline()
                    held.append(worker.session(tenant="acme"))
            else:
                held.append(gate.execution(caller))
        except QuotaError:
            pass
    print(len(held), flush=True)
    sys.stdin.readline()
"""


Another = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def another(worker: Worker) -> Iterator[Another]:
    """Makes a process that stands at the gate; it goes when it is told to."""
    made: list[subprocess.Popen[str]] = []

    def start(kind: str, quota: int, wanted: int | str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", ANOTHER, str(worker.data_dir), kind, str(quota), str(wanted)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        made.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in made:
        process.kill()
        process.communicate(timeout=HANG_SECONDS)


def say(process: subprocess.Popen[str], word: str) -> str:
    """What the process answers when it is told to go on."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_a_tenant_without_quotas_leaves_nothing_behind(worker: Worker, gate: Gate) -> None:
    before = worker._catalog.run("SELECT total_changes()")
    with gate.execution(acme()), gate.new_session(acme()):
        pass
    assert worker._catalog.run("SELECT total_changes()") == before
    assert not (worker.data_dir / "quotas").exists()


def test_executions_at_once_are_bounded_and_their_end_makes_room(gate: Gate) -> None:
    two = acme(executions=2)
    first, second = gate.execution(two), gate.execution(two)
    with pytest.raises(TooManyAtOnce) as refused:
        gate.execution(two)
    assert (refused.value.code, refused.value.retryable, refused.value.retry_after) == ("quota.executions", True, 1)
    first.end()
    first.end()
    with gate.execution(two), pytest.raises(TooManyAtOnce):
        gate.execution(two)
    second.end()


def test_an_admission_that_is_dropped_gives_its_slot_back(gate: Gate) -> None:
    for _ in range(3):
        gate.execution(acme(executions=1))


def test_another_tenant_has_slots_of_its_own(gate: Gate) -> None:
    with gate.execution(acme(executions=1)):
        gate.execution(Caller("other", frozenset({"execute"}), "tok_2", quotas=Quotas(executions=1))).end()


def test_use_is_counted_without_keeping_executions_out(gate: Gate) -> None:
    assert gate.running("acme", 5) == 0
    with gate.execution(acme(executions=5)), gate.execution(acme(executions=5)):
        assert gate.running("acme", 5) == 2
    assert gate.running("acme", 5) == 0


@pytest.mark.parametrize("kind", ["executions", "executions_per_minute", "sessions"])
def test_of_many_at_once_in_one_process_as_many_get_in_as_there_is_room(worker: Worker, gate: Gate, kind: str) -> None:
    caller, held = acme(**{kind: 5}), []
    start = threading.Barrier(12)

    def come() -> None:
        start.wait(HANG_SECONDS)
        try:
            if kind == "sessions":
                with gate.new_session(caller):
                    held.append(worker.session(tenant="acme"))
            else:
                held.append(gate.execution(caller))
        except QuotaError:
            pass

    threads = [threading.Thread(target=come) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)
    assert len(held) == 5


@pytest.mark.parametrize("kind", ["executions", "executions_per_minute", "sessions"])
def test_of_two_processes_that_come_together_as_many_get_in_as_there_is_room(another: Another, kind: str) -> None:
    both = [another(kind, 5, 5) for _ in range(2)]
    with ThreadPoolExecutor(2) as at_once:
        assert sum(at_once.map(lambda process: int(say(process, "go")), both)) == 5


def test_a_process_that_is_killed_gives_its_slots_back(another: Another, gate: Gate) -> None:
    process = another("executions", 2, 2)
    assert say(process, "go") == "2"
    with pytest.raises(TooManyAtOnce):
        gate.execution(acme(executions=2))
    process.kill()
    process.wait(HANG_SECONDS)
    with gate.execution(acme(executions=2)), gate.execution(acme(executions=2)):
        pass


def test_a_process_that_is_killed_while_it_makes_a_session_keeps_nobody_out(
    another: Another, worker: Worker, gate: Gate
) -> None:
    process = another("sessions", 1, "inside")
    assert say(process, "go") == "inside"
    process.kill()
    process.wait(HANG_SECONDS)
    with gate.new_session(acme(sessions=1)):
        worker.session(tenant="acme")
    with pytest.raises(QuotaExceeded), gate.new_session(acme(sessions=1)):
        pass


def test_a_minute_s_executions_fill_again_and_retry_after_is_true(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = 1_000_000
    monkeypatch.setattr("codemode.service.quotas.since_boot_ms", lambda: passed)
    ten = acme(executions_per_minute=10)
    for _ in range(10):
        gate.execution(ten)
    with pytest.raises(TooManyAtOnce) as refused:
        gate.execution(ten)
    assert refused.value.retry_after == 6
    passed += 5_999
    with pytest.raises(TooManyAtOnce) as refused:
        gate.execution(ten)
    assert refused.value.retry_after == 1
    passed += 1
    gate.execution(ten)
    passed += 3_600_000
    for _ in range(10):
        gate.execution(ten)
    with pytest.raises(TooManyAtOnce):
        gate.execution(ten)


@pytest.mark.parametrize("jump_seconds", [86_400, -86_400])
def test_a_clock_that_is_set_neither_fills_nor_empties_the_minute(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, jump_seconds: int
) -> None:
    two = acme(executions_per_minute=2)
    gate.execution(two)
    real = time.time_ns
    monkeypatch.setattr(clock.sure_ms, "_offset", clock.sure_ms._offset)  # as it was for the tests after this one
    monkeypatch.setattr(time, "time_ns", lambda: real() + jump_seconds * 1_000_000_000)
    assert abs(clock.now_ms() * 1_000_000 - real() - jump_seconds * 1_000_000_000) < 10**10
    gate.execution(two)
    with pytest.raises(TooManyAtOnce):
        gate.execution(two)


def test_a_machine_that_was_started_anew_begins_with_a_full_minute(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    two = acme(executions_per_minute=2)
    gate.execution(two)
    gate.execution(two)
    monkeypatch.setattr("codemode.service.quotas.since_boot_ms", lambda: 5)
    gate.execution(two)
    gate.execution(two)
    with pytest.raises(TooManyAtOnce):
        gate.execution(two)


def test_an_execution_without_a_slot_does_not_use_up_the_minute(worker: Worker, gate: Gate) -> None:
    caller = acme(executions=1, executions_per_minute=2)
    with gate.execution(caller):
        for _ in range(5):
            with pytest.raises(TooManyAtOnce):
                gate.execution(caller)
    gate.execution(caller).end()
    with pytest.raises(TooManyAtOnce):
        gate.execution(caller)


def test_bytes_are_those_of_all_sessions_and_deleting_makes_room(worker: Worker, gate: Gate) -> None:
    caller = acme(bytes=1_000_000)
    for name in ("a", "b"):
        session = worker.session(name, tenant="acme")
        session.exec("CREATE TABLE t (x)")
        session.exec("INSERT INTO t VALUES (zeroblob(600000))")
    assert soon(lambda: gate.used_bytes("acme") > 1_000_000)
    with pytest.raises(QuotaExceeded) as refused:
        gate.check_bytes(caller)
    assert (refused.value.code, refused.value.retryable) == ("quota.exceeded", False)
    with pytest.raises(QuotaExceeded), gate.new_session(caller):
        pass
    worker.remove("a", "acme")
    assert soon(lambda: gate.used_bytes("acme") < 1_000_000)
    gate.check_bytes(caller)


def test_measuring_a_large_tenant_holds_up_no_other(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, ids = threading.Event(), threading.Event(), gate._worker.registry.catalog.ids

    def slow(tenant: str) -> list[str]:
        if tenant == "acme":
            begun.set()
            go_on.wait(HANG_SECONDS)
        return ids(tenant)

    monkeypatch.setattr(gate._worker.registry.catalog, "ids", slow)
    with ThreadPoolExecutor(2) as threads:
        large = threads.submit(gate.used_bytes, "acme")
        assert begun.wait(HANG_SECONDS)
        assert threads.submit(gate.used_bytes, "other").result(HANG_SECONDS) == 0
        assert not large.done()
        go_on.set()


def test_a_session_that_is_removed_or_expired_makes_room(worker: Worker, gate: Gate) -> None:
    one = acme(sessions=1)
    with gate.new_session(one):
        worker.session("a", tenant="acme")
    with pytest.raises(QuotaExceeded), gate.new_session(one):
        pass
    worker.remove("a", "acme")
    with gate.new_session(one):
        worker.session("b", tenant="acme")
    worker._catalog.run("UPDATE sessions SET last_activity = 0 WHERE id = 'b'")
    with gate.new_session(one):
        pass


def test_slots_are_closed_in_programs_that_are_started_meanwhile(gate: Gate) -> None:
    with gate.execution(acme(executions=1)):
        command = ["ls", "-l", "/proc/self/fd"]
        seen = subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False).stdout
        assert "slot-" not in seen
