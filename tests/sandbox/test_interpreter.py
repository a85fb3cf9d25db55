"""The interpreter that a process starts before it knows what its sandbox is to be, and the memory it hands on."""

from __future__ import annotations

from itertools import pairwise

from sandbox import Sandbox, Snippet, filling, interpreter


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
        each.control.close()
        assert each.process.wait(60) == 0
        assert each.process.stderr is not None
        each.process.stderr.close()


def test_where_gaps_are_filled_new_objects_stand_side_by_side() -> None:
    held = [bytes(64 - 33) for _ in range(5_000)]
    del held[::7]
    filled = filling._filled(64)
    new = [bytes(64 - 33) for _ in range(20)]
    distances = [id(after) - id(before) for before, after in pairwise(new)]
    assert len(filled) > 5_000 // 7
    assert distances.count(64) >= 15
