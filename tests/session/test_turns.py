"""One execution at a time: queueing, giving up, cancelling, and two processes on one session."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from patience import HANG_SECONDS, soon

from codemode import Limits, Session, Worker
from codemode.errors import SessionBusy, WorkerError
from codemode.service.starting import Place, Starting
from codemode.session import slots as slots_module
from codemode.session import turn
from codemode.session.registry import Registry
from codemode.session.slots import Slots
from codemode.session.turn import TurnQueue, file_lock
from codemode.values import Outcome

WRITES_AND_STAYS = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('in', flush=True)\nwhile True: pass"


def begun(session: Session, code: str) -> tuple[threading.Thread, list[Outcome]]:
    """What runs a snippet that has printed something by now, and where its outcome will be."""
    outcomes, started = [], threading.Event()
    running = threading.Thread(target=lambda: outcomes.append(session.run(code, on_output=lambda _: started.set())))
    running.start()
    assert started.wait(HANG_SECONDS)
    return running, outcomes


def descriptors() -> list[Path]:
    """What this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(each.readlink())
    return found


def test_turns_come_in_the_order_of_asking() -> None:
    queue, order = TurnQueue(), []
    first = queue.request()
    waiting = [queue.request() for _ in range(5)]
    for number, request in enumerate(waiting):
        request.add_done_callback(lambda _, n=number: order.append(n))
    assert first.done()
    for _ in range(6):
        queue.release()
    assert order == [0, 1, 2, 3, 4]
    assert not queue.busy


def test_a_withdrawn_request_loses_no_turn() -> None:
    queue = TurnQueue()
    queue.request()
    gone, stays = queue.request(), queue.request()
    queue.withdraw(gone)
    queue.release()
    assert stays.done()
    queue.withdraw(stays)  # granted already: the turn is passed on
    assert not queue.busy


def test_a_wait_that_is_interrupted_loses_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Future[None], timeout: float) -> None:
        raise KeyboardInterrupt

    queue = TurnQueue()
    queue.request()
    monkeypatch.setattr(Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        queue.take(HANG_SECONDS)
    monkeypatch.undo()
    queue.release()
    assert not queue.busy


def test_ctrl_c_at_any_step_keeps_no_turn() -> None:
    slots, key, left, steps = Slots(1), ("local", "s"), 0, 0
    slot = slots.enter(key)  # which holds it: a place that nobody uses is let go of

    def interrupt(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        ours = frame.f_code.co_filename in (turn.__file__, slots_module.__file__) and frame.f_code.co_name != "__del__"
        entered = event == "c_return" and argument.__name__ == "__enter__"  # told since 3.14, which loses a lock there
        if ours and event in ("call", "c_return") and not entered:  # where Python looks for signals
            left -= 1
            if left < 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    while True:
        left = steps
        sys.setprofile(interrupt)
        try:
            with slots.turn(key, 0.0):
                pass
        except KeyboardInterrupt:
            steps += 1
        else:
            break
        finally:
            sys.setprofile(None)
        assert not slot.queue.busy, steps
    assert steps > 8


def test_a_turn_granted_while_giving_up_is_passed_on() -> None:
    for _ in range(300):
        queue = TurnQueue()
        queue.request()
        request = queue.request()
        giver = threading.Thread(target=queue.release)
        giver.start()
        queue.withdraw(request)
        giver.join()
        assert not queue.busy


def test_executions_of_one_session_never_overlap(session: Session) -> None:
    session.exec("CREATE TABLE n (x)")
    session.exec("INSERT INTO n VALUES (0)")
    code = "x = helpers.db.value('SELECT x FROM n')\nhelpers.db.exec('UPDATE n SET x = ?', [x + 1])"
    threads = [threading.Thread(target=lambda: [session.run(code) for _ in range(5)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.value("SELECT x FROM n") == 30


def test_waiting_too_long_is_busy(worker: Worker) -> None:
    session = worker.session(limits=Limits(queue_seconds=0.2))
    running, _ = begun(session, "print('in', flush=True)\nimport time\ntime.sleep(60)")
    with pytest.raises(SessionBusy) as raised:
        session.run("1")
    assert raised.value.retryable
    session.cancel()
    running.join()
    assert session.run("1").result == 1


def test_what_does_not_get_its_turn_runs_nothing_and_holds_no_process(worker: Worker) -> None:
    session = worker.session(limits=Limits(queue_seconds=0.2))
    assert session.run("return 1").result == 1
    held = worker.registry.files((session.tenant, session.id)).lock
    with file_lock(held, 5), pytest.raises(SessionBusy):  # as another process does: this one's queue is free
        session.run("helpers.set_state('ran', True)")
    assert worker.sandbox.children["busy"] == 0
    assert session.run("return helpers.get_state('ran')").result is None


def test_readers_do_not_wait(session: Session) -> None:
    session.exec("CREATE TABLE t (x)")
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('in', flush=True)\nimport time\ntime.sleep(25)"
    running, _ = begun(session, code)
    before = time.monotonic()
    assert session.query("SELECT count(*) AS n FROM t", read_only=True) == [{"n": 0}]
    assert session.get_tables() == ["t"]
    assert session.metrics()["tables"][0]["rows"] == 0
    session.logs()
    assert time.monotonic() - before < 15
    session.cancel()
    running.join()


def test_who_waits_when_the_worker_is_closed_is_told_so_and_opens_nothing(tmp_path: Path) -> None:
    worker = Worker(data_dir=tmp_path)
    session = worker.session("s")
    session.exec("CREATE TABLE t (x)")
    queue = worker.registry.slots.find(("local", "s")).queue
    began, over = threading.Event(), threading.Event()

    def stay() -> None:
        began.set()
        over.wait(HANG_SECONDS)

    with ThreadPoolExecutor(6) as threads:
        threads.submit(session.run, "stay()", functions={"stay": stay})
        assert began.wait(HANG_SECONDS)
        waiting = []
        for wait in (lambda: asyncio.run(session.run_async("1")), lambda: session.query("SELECT 1")) * 2:
            waiting.append(threads.submit(wait))
            assert soon(lambda: len(queue._waiting) == len(waiting))
        closing = threads.submit(worker.close)
        assert soon(lambda: len(queue._waiting) > len(waiting))
        over.set()
        assert closing.result(HANG_SECONDS) is None
        for each in waiting:
            with pytest.raises(WorkerError, match="closed"):
                each.result(HANG_SECONDS)
    assert not any(str(each).startswith(str(tmp_path)) for each in descriptors())


def test_cancel_ends_the_running_execution_and_keeps_nothing(session: Session) -> None:
    session.exec("CREATE TABLE t (x)")
    running, outcomes = begun(session, WRITES_AND_STAYS)
    assert session.cancel()
    running.join(HANG_SECONDS)
    assert (outcomes[0].status, outcomes[0].error.code, outcomes[0].db.rolled_back) == (
        "cancelled",
        "code.cancelled",
        True,
    )
    assert session.value("SELECT count(*) FROM t") == 0
    assert not session.cancel(), "nothing runs any more"


def test_an_execution_leaves_nothing_to_the_garbage_collector(session: Session) -> None:
    code = """
helpers.db.exec("CREATE TABLE IF NOT EXISTS t (a)")
helpers.db.batch_insert("t", [{"a": 1}])
for page in helpers.db.pages("SELECT a FROM t"):
    print(page)
return helpers.db.query("SELECT a FROM t")
"""

    def left() -> int:
        gc.collect()
        gc.disable()
        try:
            assert session.run(code).ok
            return gc.collect()
        finally:
            gc.enable()

    assert session.run(code).ok
    # At one time or another: what other threads of this process do meanwhile leaves something too.
    assert any(left() == 0 for _ in range(5))


def test_cancel_ends_a_statement_too(session: Session) -> None:
    code = (
        "print('in', flush=True)\n"
        "helpers.db.value('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n')"
    )
    running, outcomes = begun(session, code)
    time.sleep(0.2)
    before = time.monotonic()
    session.cancel()
    running.join(20)
    assert time.monotonic() - before < 15
    assert outcomes[0].status == "cancelled"


def test_run_async_leaves_the_loop_free_and_queues_without_threads(session: Session) -> None:
    async def main() -> tuple[list[object], int, int]:
        ticks = 0

        async def ticking() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticker = asyncio.create_task(ticking())
        runs = [asyncio.create_task(session.run_async(f"import time\ntime.sleep(0.05)\n{n}")) for n in range(20)]
        await asyncio.sleep(0.1)
        threads = sum("asyncio" in thread.name for thread in threading.enumerate())
        outcomes = await asyncio.gather(*runs)
        ticker.cancel()
        return [outcome.result for outcome in outcomes], ticks, threads

    results, ticks, threads = asyncio.run(main())
    assert results == list(range(20))
    assert ticks > 20
    assert threads < 5, "waiting for a turn holds no thread"


def test_one_that_is_cancelled_before_the_loop_goes_on_runs_nothing_and_keeps_no_turn(session: Session) -> None:
    async def check() -> None:
        running = session.begin("helpers.db.exec('CREATE TABLE t (a)')")  # a child has it by now, where one is ready
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running.outcome()
        assert (await session.begin("return 1").outcome()).ok

    asyncio.run(check())
    assert session.get_tables() == []


def test_cancelling_the_task_ends_the_execution(session: Session) -> None:
    async def main() -> float:
        begun, loop = asyncio.Event(), asyncio.get_running_loop()
        code = "print('begun', flush=True)\nwhile True: pass"
        task = asyncio.create_task(session.run_async(code, on_output=lambda _: loop.call_soon_threadsafe(begun.set)))
        await begun.wait()
        before = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - before

    assert asyncio.run(main()) < HANG_SECONDS / 4  # a snippet that nobody ends: a minute
    assert session.run("1").result == 1


def test_an_outcome_that_was_told_stays_so_where_its_turn_does_not_end_well(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise OSError("nothing can be closed")

    async def serve() -> Outcome:
        with ThreadPoolExecutor(1) as threads:  # and waits for its thread
            place = Place(Starting(threads))
            return await session.begin("helpers.db.exec('CREATE TABLE t (a)')", None, place).outcome()

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "_turn_over", fails)
        outcome = asyncio.run(serve())
    assert (outcome.ok, session.get_tables()) == (True, ["t"])
    assert "did not end well" in caplog.text
    assert session.run("return 1").result == 1


def test_a_lock_names_the_process_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"""
import time, pathlib
from codemode.session.turn import file_lock
with file_lock(pathlib.Path({str(path)!r}), 5):
    print("held", flush=True)
    time.sleep(60)
"""], stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SessionBusy, match=str(holder.pid)), file_lock(path, 0.1):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with file_lock(path, 5):  # the kernel gave the lock back when its holder died
        pass


def test_a_lock_on_a_removed_file_is_no_lock(tmp_path: Path) -> None:
    path, taken = tmp_path / "lock", threading.Event()

    def second() -> None:
        with file_lock(path, HANG_SECONDS):
            taken.set()

    with file_lock(path, 1):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.1)
        path.unlink()
        path.touch()
        other = path.stat().st_ino
    waiting.join(HANG_SECONDS)
    assert taken.is_set()
    assert path.stat().st_ino == other


def test_waiting_for_another_process_is_told_and_can_be_given_up(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes: list[Outcome] = []
    waiting = threading.Thread(target=lambda: outcomes.append(session.run("helpers.db.exec('CREATE TABLE t (a)')")))
    with caplog.at_level("INFO"), file_lock(session._registry.files(session._key).lock, 1):
        waiting.start()
        said = re.compile(rf"process {os.getpid()} holds this session: waiting for up to 2\d s")
        assert soon(lambda: any(map(said.fullmatch, caplog.messages)))
        assert session.cancel()
        waiting.join(HANG_SECONDS)
        assert (outcomes[0].status, outcomes[0].error.hint) == ("cancelled", "nothing ran")
    assert session.get_tables() == []


def test_an_execution_that_waits_for_another_process_ends_at_once_when_it_is_cancelled(session: Session) -> None:
    told: list[Outcome] = []

    async def main() -> tuple[Outcome, float]:
        running = session.begin("return 1", told.append)
        running.start()
        assert await asyncio.to_thread(soon, lambda: session._registry.slots.find(session._key).stop)
        before = time.monotonic()
        running.cancel()
        return await running.outcome(), time.monotonic() - before

    with file_lock(session._registry.files(session._key).lock, 1):
        outcome, seconds = asyncio.run(main())
    assert (outcome.status, told) == ("cancelled", [outcome])
    assert seconds < session.limits.queue_seconds / 3
    assert session.run("return 1").ok


def test_closing_the_worker_ends_what_waits_for_another_process(tmp_path: Path) -> None:
    worker, outcomes = Worker(data_dir=tmp_path), list[Outcome]()
    session = worker.session("s")
    waiting = threading.Thread(target=lambda: outcomes.append(session.run("return 1")))
    with file_lock(worker.registry.files(session._key).lock, 1):
        waiting.start()
        assert soon(lambda: (slot := worker.registry.slots.find(session._key)) and slot.stop)
        worker.close()
        waiting.join(HANG_SECONDS)
    assert [outcome.status for outcome in outcomes] == ["cancelled"]


def test_closing_the_worker_ends_what_runs_and_rolls_it_back(tmp_path: Path) -> None:
    worker = Worker(data_dir=tmp_path)
    session = worker.session("s")
    session.exec("CREATE TABLE t (x)")
    running, outcomes = begun(session, WRITES_AND_STAYS)
    worker.close()
    running.join(HANG_SECONDS)
    assert (outcomes[0].status, outcomes[0].db.rolled_back) == ("cancelled", True)
    with Worker(data_dir=tmp_path) as again:
        assert again.session("s").value("SELECT count(*) FROM t") == 0


def test_an_execution_that_comes_to_nothing_leaves_its_session_unused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        assert session.run("return 1").ok
        monkeypatch.setattr(worker.sandbox, "begin", no_memory)
        with pytest.raises(MemoryError):
            asyncio.run(session.run_async("return 1"))
        slot = worker.registry.slots.find(session._key)
        assert slot is not None
        assert slot.users == 0
