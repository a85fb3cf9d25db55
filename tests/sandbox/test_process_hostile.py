"""Frames from a child that has escaped: each ends that child alone, and the worker stays as it was."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import HANG_SECONDS

from sandbox import RunOutcome, Sandbox, SandboxLimits, Snippet

ENTRY = Path(__file__).with_name("hostile_entry.py")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(SandboxLimits(execution_seconds=HANG_SECONDS), _entry=ENTRY)
    yield made
    made.close()


def run(sandbox: Sandbox, code: str, **limits: Any) -> RunOutcome:
    return sandbox.run(
        Snippet(code=code, limits=SandboxLimits(**{"execution_seconds": 10, **limits})), lambda method, arguments: None
    )


def test_the_entry_can_also_behave(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "frame(['out', 'x']); done()")
    assert (outcome.status, outcome.value_json, outcome.stdout) == ("completed", "1", "x")


VIOLATIONS = {
    "a length beyond the limit": "raw(b'\\xff\\xff\\xff\\xff')",
    "a length just beyond the limit": "raw(struct.pack('>I', 20 * 1024 * 1024 + 1))",
    "a length shorter than its frame": "raw(struct.pack('>I', 3) + b'\\x92\\xa3out\\xa1x')",
    "an empty frame": "frame(b'')",
    "random bytes": "frame(b'\\xc1\\xff\\x00')",
    "an unknown kind": "frame(['run', {}])",
    "an answer instead of a call": "frame(['ok', 1])",
    "ready again": "frame(['ready', {'cpu_ns': 0}])",
    "a kind that is no text": "frame([7, 'x'])",
    "output that is no text": "frame(['out', b'x'])",
    "output with more": "frame(['out', 'x', 'y'])",
    "a call without arguments": "frame(['call', 'db.query'])",
    "a call to bytes": "frame(['call', b'db.query', []])",
    "deep nesting": "frame(b'\\x93\\xa4call\\xa1x' + b'\\x91' * 500 + b'\\xc0')",
    "deeper nesting": "frame(b'\\x91' * 5_000_000)",
    "a bomb of lists": "frame(b'\\x93\\xa4call\\xa1x\\xdc\\x1f\\xff' + (b'\\xdc\\x1f\\xff' + b'\\x90' * 8191) * 2000)",
    "done without fields": "frame(['done'])",
    "done with a bad value": "done(value='[1,')",
    "done with a huge value": "done(value='\"' + 'x' * 2_000_000 + '\"')",
    "done with an unknown status": "done(status='cancelled')",
    "a flood of empty output": "while True: raw(b'\\x00\\x00\\x00\\x06\\x92\\xa3out\\xa0')",
    "a result of endless pieces": "while True: connection.call('result.json', 'x')",
    "output of nothing but overhead": "while True: frame(['out', 'x'])",
}


@pytest.mark.parametrize("code", VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_violation_ends_the_child(sandbox: Sandbox, code: str) -> None:
    # Where it goes unnoticed, the run times out.
    outcome = run(sandbox, f"{code}\ntime.sleep(600)", helper_calls=100, execution_seconds=HANG_SECONDS)
    assert outcome.status == "error", outcome
    assert outcome.error is not None
    assert outcome.error["code"] == "code.runtime"
    assert "broke the rules" in outcome.error["message"]
    assert run(sandbox, "done()").status == "completed"


def test_a_flood_of_calls_ends_the_child(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "while True: frame(['call', 'x', []])", helper_calls=100)
    assert outcome.error is not None
    assert outcome.error["code"] == "code.call_limit"


def test_a_flood_of_chunks_ends_the_child(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "while True: frame(['call', 'db.batch_rows', [1, []]]); connection.read()", helper_calls=10)
    assert outcome.error is not None
    assert outcome.error["code"] == "code.call_limit"


def test_replies_that_nobody_reads_end_at_the_deadline(sandbox: Sandbox) -> None:
    def large(method: str, arguments: list[Any]) -> Any:
        return "x" * 1_000_000

    started = time.monotonic()
    snippet = Snippet(
        code="for i in range(50): frame(['call', 'x', []])\ntime.sleep(60)", limits=SandboxLimits(execution_seconds=1)
    )
    assert sandbox.run(snippet, large).status == "timeout"
    assert time.monotonic() - started < 20  # a deadline that nobody keeps: a minute and more


@pytest.mark.parametrize("pause", [0.01, 0.0])
def test_a_frame_without_end_ends_at_the_deadline(sandbox: Sandbox, pause: float) -> None:
    code = f"raw(struct.pack('>I', 20_000_000))\nwhile True:\n    raw(b'x')\n    time.sleep({pause})"
    outcome = run(sandbox, code, execution_seconds=1)
    assert outcome.status in ("timeout", "error")
    assert outcome.duration_seconds < 20  # a deadline that nobody keeps: without end


def test_silence_ends_at_the_deadline(sandbox: Sandbox) -> None:
    assert run(sandbox, "time.sleep(60)", execution_seconds=0.3).status == "timeout"


def test_calls_after_the_end_are_never_served(sandbox: Sandbox) -> None:
    served: list[str] = []
    snippet = Snippet(code="done()\nfor i in range(100): frame(['call', 'late', []])")
    outcome = sandbox.run(snippet, lambda method, arguments: served.append(method))
    time.sleep(0.05)
    assert (outcome.status, served) == ("completed", [])


def test_a_second_end_is_never_read(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "done(value='1'); done(value='2'); raw(b'\\xff' * 100)")
    assert (outcome.status, outcome.value_json) == ("completed", "1")
    assert run(sandbox, "done()").status == "completed"


@pytest.mark.parametrize(
    ("before", "status"), [("", "rejected"), ("connection.call('x')", "error"), ("frame(['out', 'x'])", "error")]
)
def test_what_has_run_was_not_rejected(sandbox: Sandbox, before: str, status: str) -> None:
    error = {"code": "code.refused", "message": "no"}
    outcome = run(sandbox, f"{before}\nframe(['done', {{'status': 'rejected', 'error': {error}, 'warnings': ['w']}}])")
    assert (outcome.status, outcome.error and outcome.error["code"]) == (status, "code.refused")
    assert outcome.warnings == ("w",)


CRASHES = {
    "leaving": ("raise SystemExit", "ended without an answer"),
    "a segmentation fault": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "aborting": ("import ctypes; ctypes.CDLL(None).abort()", "crashed"),
    "a fatal call": ("import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)", "SIGSYS"),
    "C recursion": ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f.__call__()\nf()", "snippet's process"),
    "leaving in the middle of a frame": ("raw(b'\\x00\\x00\\x10\\x00x'); raise SystemExit", "ended without an answer"),
}


@pytest.mark.parametrize(("code", "words"), CRASHES.values(), ids=CRASHES.keys())
def test_a_crash_is_told_honestly(sandbox: Sandbox, code: str, words: str) -> None:
    outcome = run(sandbox, code)
    assert outcome.status == "error"
    assert outcome.error is not None
    assert words in outcome.error["message"]


def test_a_child_cannot_raise_its_limits(sandbox: Sandbox) -> None:
    code = (
        "import resource\n"
        "for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU):\n"
        "    soft, hard = resource.getrlimit(kind)\n"
        "    try:\n        resource.setrlimit(kind, (hard + 1, hard + 1))\n"
        "    except ValueError: continue\n"
        "    done(value='\"raised\"')\n"
        "done()"
    )
    assert run(sandbox, code, memory_bytes=64 * 1024 * 1024).value_json == "1"


def test_processor_time_ends_a_child_that_nobody_watches(sandbox: Sandbox) -> None:
    # As if the clock of the worker were late.
    code = "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"
    outcome = run(sandbox, code, execution_seconds=HANG_SECONDS)
    assert outcome.error is not None
    assert outcome.status == "error"
    assert "SIGKILL" in outcome.error["message"]


def test_the_workers_memory_returns_to_where_it_was(sandbox: Sandbox) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    run(sandbox, "done()")
    before = resident()
    for code in (VIOLATIONS["a bomb of lists"], VIOLATIONS["deeper nesting"], "frame(['out', 'x' * 19_000_000])"):
        run(sandbox, f"{code}\ntime.sleep(60)", execution_seconds=5)
    assert resident() - before < 80 * 1024 * 1024
