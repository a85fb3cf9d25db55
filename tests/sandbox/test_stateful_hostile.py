"""A kept child that has escaped: whatever it does between two runs ends it, and no run gets what another one sent."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import soon

from sandbox import RunOutcome, Sandbox, SandboxLimits, Snippet
from sandbox.connection import Connection
from sandbox.helpers.error import HelperError
from sandbox.protocol import encoded
from sandbox.snippet import _lives, serve

ENTRY = Path(__file__).with_name("hostile_entry.py")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(SandboxLimits(execution_seconds=20), _entry=ENTRY)
    yield made
    made.close()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def run(sandbox: Sandbox, key: str, code: str, served: list[str] | None = None, **limits: Any) -> RunOutcome:
    def answer(method: str, arguments: list[Any]) -> None:
        if served is not None:
            served.append(method)

    bounds = SandboxLimits(**{"execution_seconds": 10, **limits})
    return sandbox.run(Snippet(code=code, limits=bounds), answer, keep=key)


def gone(sandbox: Sandbox, key: str) -> str:
    """Wait for the watcher to end the child of `key`; the reason that it gives."""
    assert soon(lambda: key not in sandbox._holding._waiting)
    return sandbox._holding._reasons[key]


def test_the_entry_can_also_behave(sandbox: Sandbox, key: str) -> None:
    pids = [run(sandbox, key, "import os; done(value=str(os.getpid()))") for _ in range(3)]
    assert len({outcome.value_json for outcome in pids}) == 1
    assert [outcome.variables for outcome in pids] == ["fresh", "kept", "kept"]


@pytest.mark.parametrize(
    "more",
    ["done(value='2')", "frame(['call', 'late', []])", "frame(['out', 'late'])", "raw(b'\\x00')", "raw(b'\\xff' * 9)"],
)
def test_a_frame_after_the_last_one_ends_it(sandbox: Sandbox, key: str, more: str) -> None:
    served: list[str] = []
    first = run(sandbox, key, f"done()\n{more}", served)
    assert first.status == "completed"
    second = run(sandbox, key, "done(value='3')", served)
    assert (second.value_json, second.stdout, second.variables, served) == ("3", "", "fresh", [])
    assert "spoke out of turn" in str(second.variables_reason)


def test_a_frame_between_two_runs_ends_it(sandbox: Sandbox, key: str) -> None:
    served: list[str] = []
    run(sandbox, key, "later(0.5, lambda: frame(['call', 'late', []]))\ndone()", served)
    assert "spoke out of turn" in gone(sandbox, key)
    assert (run(sandbox, key, "done()").variables, served) == ("fresh", [])


def test_computing_between_two_runs_ends_it(sandbox: Sandbox, key: str) -> None:
    run(sandbox, key, "def spin():\n    while True: pass\nlater(0.1, spin)\ndone()")
    assert "went on computing" in gone(sandbox, key)


def test_leaving_between_two_runs_is_noticed(sandbox: Sandbox, key: str) -> None:
    run(sandbox, key, "import os\nlater(0.5, lambda: os._exit(0))\ndone()")
    assert gone(sandbox, key) == "its process had ended"


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_one_that_does_not_read_the_next_request_is_replaced(
    sandbox: Sandbox, key: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.running.RESUME_SECONDS", 0.5)
    run(sandbox, key, "done()\ntime.sleep(60)")
    snippet = Snippet(code="done()", inputs=json.dumps("x" * size))
    outcome = sandbox.run(snippet, lambda method, arguments: None, keep=key)
    assert (outcome.status, outcome.variables) == ("completed", "fresh")
    assert "did not take the next snippet" in str(outcome.variables_reason)


@pytest.mark.parametrize("frames", ["['again', n] for n in range(100)", "['call', 'late', []],", "['done', {}],"])
def test_what_was_sent_before_the_request_was_read_is_no_part_of_its_run(
    sandbox: Sandbox, key: str, frames: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the frames came in the moment after the worker had looked.
    monkeypatch.setattr("sandbox.holding.Holding._fault", lambda *_: None)
    served: list[str] = []
    run(sandbox, key, f"later(0.01, lambda: [frame(each) for each in [{frames}]])\ndone()", served)
    child = sandbox._holding._waiting[key].child
    assert soon(lambda: not child.is_quiet())
    outcome = run(sandbox, key, "done()", served)
    assert (outcome.status, outcome.variables, served) == ("completed", "fresh", [])
    assert "spoke out of turn" in str(outcome.variables_reason)


@pytest.mark.parametrize("waits", [True, False])
def test_why_the_variables_are_gone_outlives_a_run_that_never_began(sandbox: Sandbox, key: str, waits: bool) -> None:
    def breaks() -> None:
        raise RuntimeError("no")

    run(sandbox, key, "done()" if waits else "import os\nlater(0.1, lambda: os._exit(0))\ndone()")
    reason = "the last execution was broken off" if waits else gone(sandbox, key)
    with pytest.raises(RuntimeError):
        sandbox.run(Snippet(code="done()"), lambda method, arguments: None, keep=key, meanwhile=breaks)
    assert run(sandbox, key, "done()").variables_reason == reason


def test_each_run_counts_anew(sandbox: Sandbox, key: str) -> None:
    calls = "for _ in range(5):\n    frame(['call', 'x', []]); connection.read()\nframe(['out', 'x' * 100])\ndone()"
    for _ in range(3):
        outcome = run(sandbox, key, calls, helper_calls=5, stdout_bytes=100)
        assert (outcome.status, outcome.helper_calls, outcome.stdout_truncated) == ("completed", 5, False)
    flood = run(sandbox, key, "while True: frame(['call', 'x', []])", helper_calls=5)
    assert flood.error is not None
    assert (flood.error["code"], flood.variables) == ("code.call_limit", "kept")
    assert run(sandbox, key, "done()").variables == "fresh"


def test_the_bound_of_processor_time_moves_along(sandbox: Sandbox, key: str) -> None:
    limit = "import resource\nlimit = resource.getrlimit(resource.RLIMIT_CPU)[0]\n"
    spin = "end = time.process_time() + 1.1\nwhile time.process_time() < end: pass\n"
    first, second = (int(str(run(sandbox, key, limit + spin + "done(value=str(limit))").value_json)) for _ in range(2))
    assert 12 <= first <= 14
    assert second > first


def test_memory_goes_down_only(sandbox: Sandbox, key: str) -> None:
    look = "import resource\ndone(value=str(resource.getrlimit(resource.RLIMIT_AS)[1]))"
    low, high = (run(sandbox, key, look, memory_bytes=size * 2**20).value_json for size in (64, 512))
    assert low == high


def test_a_child_of_one_run_gets_a_hard_bound(sandbox: Sandbox) -> None:
    code = "import resource\ndone(value=str(resource.getrlimit(resource.RLIMIT_CPU)[1]))"
    limits = SandboxLimits(execution_seconds=10)
    assert sandbox.run(Snippet(code=code, limits=limits), lambda method, arguments: None).value_json == "12"


# In an interpreter of its own, where nobody else opens and closes descriptors meanwhile.
DESCRIPTORS = """
import os
from sandbox import Sandbox, SandboxLimits, Snippet

def held():
    return len(os.listdir("/proc/self/fd"))

first = held()
# Never more ready than usual, as a run would have it that came too soon.
made = Sandbox(SandboxLimits(), children=1, burst_children=1, kept_children=2)
before = held()
for number in range(12):
    assert made.run(Snippet(code="x = 1"), lambda method, arguments: None, keep=number).status == "completed"
    # Two kept ones, with a socket, a pidfd and the kernel's figures each; the ready ones come and go.
    assert held() <= before + 12, (number, before, held())
made.close()
assert held() == first, (first, held())
"""


def test_descriptors_and_processes_go_with_the_children() -> None:
    ran = subprocess.run([sys.executable, "-c", DESCRIPTORS], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_a_child_that_was_closed_is_not_alive_whoever_has_its_descriptors_now() -> None:
    made = Sandbox(SandboxLimits(), children=1)
    child = made._children.take()
    child.close()
    made.close()
    pipes = [os.pipe() for _ in range(8)]
    assert not child.alive()
    for descriptor in itertools.chain(*pipes):
        os.close(descriptor)


class Stream:
    """What a child sends, and an answer to every call."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.answers: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def recv(self, most: int, flags: int = 0) -> bytes:
        assert self.answers, "nothing is asked here"
        return self.answers.pop()


@pytest.mark.parametrize("answer", [["ok", None], ["err", vars(HelperError("sql.runtime", "failed"))]])
def test_a_reply_that_is_still_due_is_not_taken_for_the_next_request(answer: list[Any]) -> None:
    stream = Stream()
    connection = Connection(stream, 1 << 20)
    connection.begin(lambda: None)
    connection.post("db.batch_rows", 1, [])
    stream.answers.append(encoded(answer))
    connection.end()
    assert stream.answers == []
    connection.begin(lambda: None)
    connection.finish()  # raises what a posted call of this snippet failed with, not one of the last


def test_between_two_snippets_calls_are_refused_and_printing_goes_nowhere() -> None:
    stream = Stream()
    connection = Connection(stream, 1 << 20)
    code = b"""
said = []
def tidy():
    try:
        yield
    finally:
        print("late" * 5000)
        try:
            helpers.db.exec("DELETE FROM t")
        except helpers.Error as error:
            said.append(error.message)
left = tidy()
next(left)
"""
    request = {"code": code, "inputs": b"{}", "functions": [], "limits": {"result_bytes": 1000}}
    request |= {"keep": True, "waits": False, "compiled": None, "tells": False}
    try:
        serve(connection, request)
        assert len(stream.sent) == 1, "the last frame"
        names = _lives[connection]._run.globals  # type: ignore[union-attr]
        names.pop("left")  # as the garbage collector may, at any time
        assert names["said"] == ["db.exec: no snippet is running"]
        assert len(stream.sent) == 1
    finally:
        _lives.clear()
    with pytest.raises(HelperError):
        connection.call("db.exec")
