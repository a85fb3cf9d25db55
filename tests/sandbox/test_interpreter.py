"""The interpreter that a process starts before it knows what its sandbox is to be, and the memory it hands on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import soon

from sandbox import Sandbox, SandboxUnavailable, Snippet, interpreter


def test_the_first_sandbox_takes_the_interpreter_that_was_begun_ahead() -> None:
    interpreter.begin()
    begun = interpreter._ahead
    assert begun is not None
    sandbox = Sandbox(children=1)
    try:
        assert (interpreter._ahead, begun.process.poll()) == (None, None)
        assert sandbox.run(Snippet(code="return 6 * 7"), lambda *_: None).value_json == "42"
    finally:
        sandbox.close()
    assert begun.process.returncode is not None


def test_one_that_was_begun_before_a_fork_is_left_and_ends_by_itself() -> None:
    interpreter.begin()
    begun = interpreter._ahead
    assert begun is not None
    begun.worker = 1
    taken = interpreter.taken(None)
    assert taken is not begun
    for each in (begun, taken):
        os.close(each.control)
        assert each.process.wait(60) == 0
        each.process.errors.close()


def test_a_machine_without_proc_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = tmp_path / "boot.py"
    boot.write_text(Path(interpreter._BOOT).read_text().replace("/proc/self/fd", "/nowhere"))
    monkeypatch.setattr(interpreter, "_BOOT", str(boot))
    with pytest.raises(SandboxUnavailable, match=r"it needs /proc: No such file or directory: /nowhere$"):
        Sandbox(children=1)


def test_lists_of_processes_show_a_file_and_no_code() -> None:
    begun = interpreter.Interpreter()
    line = Path(f"/proc/{begun.process.pid}/cmdline")
    assert soon(line.read_text)  # it is empty for a moment after the process has begun
    said = line.read_text().split("\0")
    os.close(begun.control)
    assert begun.process.wait(60) == 0
    begun.process.errors.close()
    assert said[1:4] == ["-I", "-S", "-X"]
    assert max(map(len, said)) < 200
    assert any(each.endswith("/sandbox/boot.py") for each in said)


_WITHOUT_STREAMS = """
import os
from sandbox import Sandbox, Snippet, interpreter
for free in range({first}, 3):
    os.close(free)
interpreter.begin()
sandbox = Sandbox(children=1)
assert sandbox.run(Snippet(code="return 6 * 7"), lambda *_: None).value_json == "42"
sandbox.close()
"""


@pytest.mark.parametrize("first", [0, 1, 2])
def test_it_starts_where_standard_streams_are_closed(first: int) -> None:
    # Their numbers are then those of the descriptors that it is started with.
    done = subprocess.run([sys.executable, "-c", _WITHOUT_STREAMS.format(first=first)], timeout=60)
    assert done.returncode == 0


_WITH_CHILDREN_IGNORED = """
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
from sandbox import Sandbox, Snippet
sandbox = Sandbox(children=1)
assert sandbox.run(Snippet(code="return 6 * 7"), lambda *_: None).value_json == "42"
sandbox.close()
"""


def test_it_starts_and_ends_in_a_program_that_ignores_how_its_children_end() -> None:
    done = subprocess.run([sys.executable, "-c", _WITH_CHILDREN_IGNORED], timeout=60)
    assert done.returncode == 0


_IN_A_HEAP_OF_ITS_OWN = """
from itertools import pairwise
from sandbox import filling
held = [bytes(64 - 33) for _ in range(2_100)]
del held[::3]
filled = filling._filled(64)
new = [bytes(64 - 33) for _ in range(20)]
distances = [id(after) - id(before) for before, after in pairwise(new)]
assert len(filled) > 2_100 // 3, len(filled)
assert distances.count(64) >= 15, distances
"""


def test_where_gaps_are_filled_new_objects_stand_side_by_side() -> None:
    # In an interpreter that has just begun, as a zygote's: a long run of tests leaves more gaps than are ever filled.
    subprocess.run([sys.executable, "-c", _IN_A_HEAP_OF_ITS_OWN], check=True, timeout=60)
