"""Processes come and go: nothing outlives the worker, whatever way it ends, and a lost zygote is replaced."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from patience import HANG_SECONDS, soon

from sandbox import RunOutcome, Sandbox, SandboxLimits, SandboxUnavailable, Snippet
from sandbox.children import Children
from sandbox.kept import Child

ROOT = Path(__file__).parent.parent.parent


def run(sandbox: Sandbox, code: str = "return 1") -> RunOutcome:
    return sandbox.run(Snippet(code=code), lambda method, arguments: None)


@contextmanager
def spinning(sandbox: Sandbox, code: str = "while True: pass") -> Iterator[list[RunOutcome]]:
    """While a snippet computes without end; afterwards the list has what became of it."""
    outcomes: list[RunOutcome] = []
    begun = threading.Event()

    def spin() -> None:
        snippet = Snippet(code=code)
        outcomes.append(sandbox.run(snippet, lambda method, arguments: None, on_start=begun.set))

    thread = threading.Thread(target=spin)
    thread.start()
    assert begun.wait(HANG_SECONDS)
    yield outcomes
    thread.join(HANG_SECONDS)


def descendants(pid: int) -> set[int]:
    """All living processes below `pid`, as the kernel lists them now."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    grown = {pid}
    while grown:
        grown = {child for child, parent in parents.items() if parent in grown} - found
        found |= grown
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in _state(pid)}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def _descriptors(pid: int | str | None) -> set[str]:
    return {entry.name for entry in Path(f"/proc/{pid}/fd").iterdir()}


@contextmanager
def program(text: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a sandbox of its own, and nobody else's: what is counted there is that sandbox's."""
    running = subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        running.stdin.close()
        running.stdout.close()


def told(running: subprocess.Popen[bytes]) -> bytes:
    assert running.stdout is not None
    return running.stdout.readline()


def go_on(running: subprocess.Popen[bytes]) -> None:
    assert running.stdin is not None
    running.stdin.write(b"\n")
    running.stdin.flush()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_burst_gets_more_children_for_the_next_one_which_end_when_it_stays_calm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(Sandbox(children=1, burst_children=3)) as sandbox, ThreadPoolExecutor(4) as threads:

        def burst_was_short() -> bool:  # twice at least; by chance its runs come one after the other
            assert {outcome.status for outcome in threads.map(lambda _: run(sandbox), range(12))} == {"completed"}
            return sandbox._children._forks._wanted == 3

        assert soon(burst_was_short)
        assert soon(lambda: sandbox.children["ready"] == 3)
        # Calm from a second from now on; the next child that comes has the keeper wait until then.
        calm = time.monotonic() - sandbox._children._forks._short + 1.0
        monkeypatch.setattr("sandbox.forks._CALM_SECONDS", calm)
        assert run(sandbox).status == "completed"
        assert soon(lambda: sandbox.children["ready"] == 1)
        assert run(sandbox).status == "completed"


CLOSING = """
import os, sys
from sandbox import Sandbox, Snippet
before = os.listdir("/proc/self/fd")
sandbox = Sandbox(children=3)
sandbox.run(Snippet(code="return 1"), None)
print("up", flush=True)
sys.stdin.readline()
sandbox.close()
sandbox.close()
print(os.listdir("/proc/self/fd") == before, flush=True)
sys.stdin.readline()
"""


def test_close_leaves_no_process_and_no_descriptor() -> None:
    with program(CLOSING) as running:
        assert told(running) == b"up\n"
        assert soon(lambda: len(descendants(running.pid)) >= 4)
        made = descendants(running.pid)
        go_on(running)
        assert told(running) == b"True\n"
        assert soon(lambda: not alive(made))
        assert running.poll() is None


def test_a_closed_sandbox_says_so() -> None:
    sandbox = Sandbox(children=1)
    sandbox.close()
    with pytest.raises(SandboxUnavailable, match="closed"):
        run(sandbox)


def test_a_forgotten_sandbox_leaves_no_process() -> None:
    sandbox = Sandbox()
    made = descendants(_zygote(sandbox)) | {_zygote(sandbox)}
    del sandbox
    gc.collect()
    assert soon(lambda: not alive(made))


def test_close_cancels_runs_under_way() -> None:
    sandbox = Sandbox()
    with spinning(sandbox) as outcomes:
        sandbox.close()
    assert [outcome.status for outcome in outcomes] == ["cancelled"]


WORKER = """
import os, sys, threading, time
from sandbox import Sandbox, Snippet
sandbox = Sandbox(children=3, without=[name for name in sys.argv[1].split(",") if name])
spin = lambda: sandbox.run(Snippet(code="while True: pass"), None)
for _ in range(2):
    threading.Thread(target=spin, daemon=True).start()
print("ready", flush=True)
{ending}
"""


@pytest.mark.parametrize("without", ["", "namespaces", "namespaces,empty_root,uid,landlock"])
@pytest.mark.parametrize(
    "ending", ["time.sleep(60)", "sys.exit()", "os._exit(3)", "raise RuntimeError", "os.kill(os.getpid(), 6)"]
)
def test_nothing_outlives_the_worker(without: str, ending: str) -> None:
    with program(WORKER.format(ending="sys.stdin.readline()\n" + ending), without) as worker:
        assert told(worker) == b"ready\n"
        assert soon(lambda: len(descendants(worker.pid)) >= 6)  # the zygote, two that spin, three that are ready
        below = descendants(worker.pid)
        if ending.startswith("time"):
            worker.kill()
        else:
            go_on(worker)
        worker.wait(HANG_SECONDS)
        assert soon(lambda: not alive(below)), alive(below)


def _zygote(sandbox: Sandbox) -> int:
    assert soon(lambda: sandbox._children._link is not None and sandbox._children._link._zygote is not None)
    link = sandbox._children._link
    assert link is not None
    lines = Path(f"/proc/self/fdinfo/{link._zygote}").read_text().splitlines()
    return next(int(line[4:]) for line in lines if line.startswith("Pid:"))


def test_a_lost_zygote_is_replaced_and_its_runs_and_the_log_are_told(caplog: pytest.LogCaptureFixture) -> None:
    sandbox = Sandbox()
    try:
        with spinning(sandbox) as outcomes:
            lost = sandbox._children._link
            os.kill(_zygote(sandbox), signal.SIGKILL)
            # Until then a run may be given one of the children that it had ready.
            assert soon(lambda: sandbox._children._link is not lost)
        assert outcomes[0].status == "error"
        assert outcomes[0].error is not None
        assert (outcomes[0].error["code"], outcomes[0].error["retryable"]) == ("worker.unavailable", True)
        assert [run(sandbox).status for _ in range(5)] == ["completed"] * 5
        said = ["the sandbox's zygote ended, and what its children ran; it is started again"]
        assert caplog.messages == [*said, "the sandbox's zygote runs again"]
    finally:
        sandbox.close()
    assert len(caplog.messages) == 2, "its end with the sandbox is nothing to tell"


def test_a_zygote_that_is_lost_again_and_again_is_replaced_again_and_again() -> None:
    sandbox = Sandbox()
    try:
        for _ in range(3):
            lost = sandbox._children._link
            os.kill(_zygote(sandbox), signal.SIGKILL)
            assert soon(lambda lost=lost: sandbox._children._link is not lost)  # type: ignore[misc]
            assert run(sandbox).status == "completed"
    finally:
        sandbox.close()


def test_a_zygote_that_hangs_is_ended_and_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sandbox.children._HANG_SECONDS", 1.0)
    with closing(Sandbox(children=1)) as sandbox:
        assert run(sandbox).status == "completed"
        with spinning(sandbox) as outcomes:
            stopped = _zygote(sandbox)
            os.kill(stopped, signal.SIGSTOP)
            # The one or two that are ready, and then those that it would have to make.
            assert [run(sandbox).status for _ in range(5)] == ["completed"] * 5
            assert not alive({stopped})
    assert outcomes[0].error is not None
    assert outcomes[0].error["code"] == "worker.unavailable"
    assert caplog.messages[0] == "the sandbox's zygote has made no child for 1 s, and is ended"


def test_a_zygote_that_makes_children_slowly_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.children._HANG_SECONDS", 3.0)
    with closing(Sandbox(children=1)) as sandbox, ThreadPoolExecutor(8) as threads:
        zygote = _zygote(sandbox)
        over = threading.Event()

        def hinder() -> None:  # a tenth of its time is left to it
            while not over.wait(0.02):
                os.kill(zygote, signal.SIGSTOP)
                over.wait(0.2)
                os.kill(zygote, signal.SIGCONT)

        thread = threading.Thread(target=hinder)
        thread.start()
        try:
            assert {outcome.status for outcome in threads.map(lambda _: run(sandbox), range(60))} == {"completed"}
        finally:
            over.set()
            thread.join()
        assert _zygote(sandbox) == zygote


@pytest.mark.parametrize(
    ("code", "ended", "told"),
    [
        ("while True: pass", signal.SIGKILL, "worker.unavailable"),
        ("while True: pass", signal.SIGTERM, "worker.unavailable"),
        ("while True: pass", signal.SIGSEGV, "code.runtime"),
        ("x = 'x' * 300_000_000\nwhile True: pass", signal.SIGKILL, "code.memory"),
        ("x = 'x' * 100_000_000\nwhile True: pass", signal.SIGKILL, "worker.unavailable"),
    ],
)
def test_who_is_at_fault_where_a_child_was_killed(code: str, ended: signal.Signals, told: str) -> None:
    """By the kernel for its memory, by its own fault, or by somebody else."""
    most = 300_000_000 if "300" in code else 100_000_000 if "100" in code else 0
    with closing(Sandbox(children=1)) as sandbox, spinning(sandbox, code) as outcomes:
        [child] = sandbox._running._at_work
        assert soon(lambda: (usage := child.usage()) and usage.peak_memory_bytes > most)
        os.kill(child.process_id or 0, ended)
        assert soon(lambda: outcomes)
    error = outcomes[0].error
    assert error is not None
    assert (error["code"], ended.name in error["message"]) == (told, True)
    # A container has less memory than the limits promise: who reads this gives it more, or lowers them.
    assert ("`memory_bytes`" in error["hint"]) == (most == 100_000_000)


def test_a_ready_child_that_was_killed_is_not_given_out() -> None:
    sandbox = Sandbox(children=2)
    try:
        assert soon(lambda: len(sandbox._children._ready) == 2)
        for child in list(sandbox._children._ready):
            pid = child.process_id
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert soon(lambda child=child: not child.alive())  # type: ignore[misc]
        assert [run(sandbox).status for _ in range(3)] == ["completed"] * 3
    finally:
        sandbox.close()


@pytest.mark.parametrize(("step", "use"), [
    ("sandbox.kept.Child.send", lambda sandbox: sandbox.begin(Snippet(code="return 1"))),
    ("sandbox.pool.Conversation", run),
], ids=["begin", "run"])  # fmt: skip
def test_ctrl_c_while_a_child_gets_its_snippet_leaves_no_child(
    monkeypatch: pytest.MonkeyPatch, step: str, use: Callable[[Sandbox], object]
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with closing(Sandbox()) as sandbox:
        assert soon(lambda: sandbox.children["ready"])
        with monkeypatch.context() as patched:
            patched.setattr(step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                use(sandbox)
        assert sandbox.children["busy"] == 0
        assert run(sandbox).status == "completed"


def test_ctrl_c_at_any_step_of_waiting_for_a_child_leaves_nobody_to_wait_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = steps = 0

    def interrupt(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        if frame.f_code is Children.take.__code__ and event in ("call", "c_return"):  # where Python looks for signals
            left -= 1
            if left < 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    looks = 0
    given: list[Child] = []

    def pop_alive() -> Child | None:
        nonlocal looks
        looks += 1
        child = Children._pop_alive(children) if looks > 1 else None  # the first look is in vain, and the run waits
        if child is not None:
            given.append(child)
        return child

    with closing(Sandbox(children=1)) as sandbox:
        children = sandbox._children
        monkeypatch.setattr(children, "_pop_alive", pop_alive)
        interrupted = True
        while interrupted:
            looks, left = 0, steps
            sys.setprofile(interrupt)
            try:
                children.take()
                interrupted = False
            except KeyboardInterrupt:
                steps += 1
            finally:
                sys.setprofile(None)
            assert children._first() is None, steps
            for child in given:
                child.close()
    assert steps > 4


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # has threads, and forks: it is told since 3.12
def test_a_sandbox_does_not_cross_a_fork() -> None:
    sandbox = Sandbox()
    try:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run(sandbox)
            except SandboxUnavailable:
                sandbox.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert run(sandbox).status == "completed"
    finally:
        sandbox.close()


def test_a_sandbox_made_in_a_thread_outlives_that_thread() -> None:
    made: list[Sandbox] = []
    thread = threading.Thread(target=lambda: made.append(Sandbox()))
    thread.start()
    thread.join()
    time.sleep(0.2)
    try:
        assert [run(made[0]).status for _ in range(3)] == ["completed"] * 3
    finally:
        made[0].close()


def test_the_workers_environment_and_descriptors_stay_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    sandbox = Sandbox()
    try:
        if os.geteuid() == 0:
            child = sandbox._children.take()
            ours = [child.process_id]
            while (parent := _parent(ours[-1])) != os.getpid():
                ours.append(parent)
            assert len(ours) == 3  # the zygote and the launcher above it
            for pid in ours:
                assert b"hunter2" not in Path(f"/proc/{pid}/environ").read_bytes()
            assert soon(lambda: len(_descriptors(child.process_id)) == 1)
            child.close()
    finally:
        sandbox.close()
        os.close(read)
        os.close(write)


def test_many_sandboxes_live_side_by_side() -> None:
    sandboxes = [Sandbox(SandboxLimits(), children=1) for _ in range(3)]
    try:
        assert [run(sandbox).status for sandbox in sandboxes] == ["completed"] * 3
    finally:
        for sandbox in sandboxes:
            sandbox.close()


def test_what_replaces_a_child_that_was_ready_is_made_when_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with closing(Sandbox(children=2)) as sandbox:
        assert soon(lambda: sandbox.children["ready"] == 2)
        link = sandbox._children._link
        assert link is not None
        ask = link.ask

        def overheard(kind: str, what: int | list[int]) -> bool:
            asked.append(kind)
            return ask(kind, what)

        monkeypatch.setattr(link, "ask", overheard)
        assert [run(sandbox).status for _ in range(2)] == ["completed"] * 2
    assert asked == ["later", "later"]


def test_runs_that_wait_for_a_child_are_served_in_their_order() -> None:
    served = [0] * 10
    over = threading.Event()

    def again(number: int) -> None:
        while not over.is_set():
            run(sandbox)
            served[number] += 1
            if sum(served) >= 150:
                over.set()

    sandbox = Sandbox(children=1)
    try:
        threads = [threading.Thread(target=again, args=(number,)) for number in range(len(served))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG_SECONDS)
    finally:
        sandbox.close()
    # Each waits while all others have one. On a busy machine a thread may take its time to come again; without an order
    # some are hardly ever served.
    assert max(served) <= 2 * min(served), served
