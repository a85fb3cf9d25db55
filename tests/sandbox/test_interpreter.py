"""The interpreter that a process starts before it knows what its sandbox is to be."""

from __future__ import annotations

from sandbox import Sandbox, Snippet, interpreter


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
