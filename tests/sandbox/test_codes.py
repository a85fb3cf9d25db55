"""Code of a text that came before: used for that text and owner alone, and from nobody that ran it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import soon

from sandbox import RunOutcome, Sandbox, SandboxLimits, Snippet
from sandbox.codes import _MOST, _MOST_BYTES, UNKNOWN, Codes, Known
from sandbox.compile import compile_snippet, packed, unpacked
from sandbox.limits import CODE_BYTES
from sandbox.protocol import HEADER, decode_hostile
from sandbox.refusal import SnippetRefused
from sandbox.request import request_frame, too_large

ENTRY = Path(__file__).with_name("hostile_entry.py")
LIMITS = SandboxLimits(execution_seconds=20)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(LIMITS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hostile() -> Iterator[Sandbox]:
    made = Sandbox(LIMITS, _entry=ENTRY)
    yield made
    made.close()


@pytest.fixture
def owner(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def snippet(code: str, owner: str | None, **fields: Any) -> Snippet:
    return Snippet(code=code, limits=LIMITS, owner=owner, **fields)


def run(sandbox: Sandbox, code: str, owner: str | None, keep: str | None = None, **fields: Any) -> RunOutcome:
    outcome = sandbox.run(snippet(code, owner, **fields), lambda method, arguments: 7, keep=keep)
    return outcome._replace(cpu_seconds=0, peak_memory_bytes=0, duration_seconds=0)


def code_of(sandbox: Sandbox, code: str, owner: str) -> bytes | None:
    """What is kept of it; it counts as having come once more."""
    return sandbox._codes.look_up(snippet(code, owner)).code


def pretend(sandbox: Sandbox, owner: str, text: str, other: str) -> None:
    """Have the code of another text in the place of this one's: which of them ran shows who compiled."""
    known = sandbox._codes.look_up(snippet(text, owner))
    assert known.place is not None
    assert known.code is not None
    sandbox._codes._codes[known.place] = packed(compile_snippet(other, unpacked(known.code).inputs))


def test_the_third_child_does_not_compile(sandbox: Sandbox, owner: str) -> None:
    assert [run(sandbox, "return 1", owner).value_json for _ in range(2)] == ["1", "1"]
    assert code_of(sandbox, "return 1", owner) is not None
    pretend(sandbox, owner, "return 1", "return 2")
    assert run(sandbox, "return 1", owner).value_json == "2"


def test_nor_does_one_that_began_before_its_turn(sandbox: Sandbox, owner: str) -> None:
    for _ in range(2):
        run(sandbox, "return 1", owner)
    pretend(sandbox, owner, "return 1", "return 2")
    ours = snippet("return 1", owner)
    assert soon(lambda: len(sandbox._children))
    begun = sandbox.begin(ours)
    assert begun is not None
    assert sandbox.run(ours, lambda method, arguments: None, begun=begun).value_json == "2"


SNIPPETS = [
    "return 1",
    "print('a')\n1/0",
    "```python\nx = [i for i in range(3)]\nx\n```",
    "async def f():\n    return await g()\nasync def g():\n    return 5\nreturn await f()",
    "class A:\n    '''doc'''\n    def __init__(self): self._x = 1\na = A()\nreturn [a._x, A.__doc__, A.__qualname__]",
    "return (lambda: 1).__qualname__",
    "def f(n):\n    '''d'''\n    return f(n - 1) if n else g\nf(3)()",
    "return [helpers.db.value('select 7'), n, host_function(1)]",
    "return undefined_name",
    "def uncalled(): ...",
    "from __future__ import annotations\ndef f(x: int) -> str: ...\nreturn f.__annotations__",
    "x = 1000\ny = 1000\nreturn x is y, 'abc' is 'abc'",
    "result = {1, 2}",
    "return [n for n in {8, 0}], list({32, 16, 8, 0}), 8 in {16, 8, 0}, (lambda: [*{24, 8, 16}])()",
    "def",
    "print.__globals__",
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_it_ends_as_the_first_time(sandbox: Sandbox, owner: str, code: str) -> None:
    given: dict[str, Any] = {"inputs": json.dumps({"n": 3}), "functions": ("host_function",)}
    first, *others = (run(sandbox, code, owner, **given) for _ in range(4))
    assert others == [first] * 3


def test_it_is_compiled_anew_for_other_names(sandbox: Sandbox, owner: str) -> None:
    code = "return sum if isinstance(sum, int) else sum([1, 2])"
    assert [run(sandbox, code, owner).value_json for _ in range(3)] == ["3"] * 3
    assert [run(sandbox, code, owner, inputs='{"sum": 8}').value_json for _ in range(3)] == ["8"] * 3
    assert run(sandbox, code, owner).value_json == "3"


def test_other_owners_and_nobody_compile_their_own(sandbox: Sandbox, owner: str) -> None:
    for _ in range(2):
        run(sandbox, "return 1", owner)
    pretend(sandbox, owner, "return 1", "return 2")
    for other in (f"{owner} and more", None):
        assert [run(sandbox, "return 1", other).value_json for _ in range(3)] == ["1"] * 3


def test_a_child_with_variables_neither_takes_nor_gives(sandbox: Sandbox, owner: str) -> None:
    for _ in range(3):
        assert run(sandbox, "return 1", owner, keep=owner).value_json == "1"
    assert sandbox._codes.look_up(snippet("return 1", owner)).place is None  # it never came


def test_a_refused_text_leaves_no_code(sandbox: Sandbox, owner: str) -> None:
    for _ in range(3):
        assert run(sandbox, "print.__globals__", owner).status == "rejected"
    known = sandbox._codes.look_up(snippet("print.__globals__", owner))
    assert (known.code, known.wanted) == (None, True)


# Its constants take 21 MB, which no frame carries: each is 4 KB, and its text eleven bytes.
MUCH = "return len([" + ",".join(f"'{n:04x}'*999" for n in range(5_400)) + "])"


SET = ["return [n for n in {8, 0}]"] if sys.version_info < (3, 15) else []  # its code is always the same since then


@pytest.mark.parametrize("code", [*SET, "return len('" + "x" * 50_000 + "')", MUCH])
def test_a_text_whose_code_cannot_be_kept_is_asked_for_it_once(sandbox: Sandbox, owner: str, code: str) -> None:
    first, *others = (run(sandbox, code, owner) for _ in range(4))
    assert first.status == "completed"
    assert others == [first] * 3
    known = sandbox._codes.look_up(snippet(code, owner))
    assert (known.code, known.wanted) == (None, False)


def test_a_text_longer_than_code_may_be_is_not_looked_up(owner: str) -> None:
    codes = Codes()
    assert [codes.look_up(snippet("#" * (CODE_BYTES + 1), owner)) for _ in range(2)] == [UNKNOWN] * 2


def test_code_goes_along_where_the_frame_has_room(owner: str) -> None:
    known = Known((owner, b""), b"x" * 1_000)
    size = len(request_frame(snippet("return 1", owner), LIMITS._replace(frame_bytes=2_000), known=known))
    for most, sent in ((size, known.code), (size - 1, None)):
        limits = LIMITS._replace(frame_bytes=most)
        frame = request_frame(snippet("return 1", owner), limits, known=known)
        assert decode_hostile(frame[HEADER.size :])[1]["compiled"] == sent
        assert too_large(snippet("return 1", owner), frame, limits) is None


def test_a_new_zygote_compiles_anew(owner: str) -> None:
    sandbox = Sandbox(LIMITS)
    try:
        for _ in range(2):
            run(sandbox, "return 1", owner)
        assert code_of(sandbox, "return 1", owner) is not None
        link = sandbox._children._link
        assert link is not None
        link._process.kill()
        assert soon(lambda: sandbox._children._link not in (None, link))
        assert code_of(sandbox, "return 1", owner) is None
    finally:
        sandbox.close()


def told(hostile: Sandbox, owner: str, code: str) -> RunOutcome:
    """The second run of a text, whose child is asked for its code."""
    run(hostile, code, owner)
    return run(hostile, code, owner)


def test_a_child_hands_over_its_code_once_and_first(hostile: Sandbox, owner: str) -> None:
    code = "if request['tells']: frame(['code', b'first'])\ndone()"
    assert told(hostile, owner, code).status == "completed"
    assert code_of(hostile, code, owner) == b"first"
    run(hostile, code, owner)
    assert code_of(hostile, code, owner) == b"first"


@pytest.mark.parametrize(
    "code",
    [
        "if not request['tells']: frame(['code', b'unasked'])\ndone()",
        "if request['tells']: frame(['out', 'x']); frame(['code', b'late'])\ndone()",
        "if request['tells']: frame(['code', b'first']); frame(['code', b'second'])\ndone()",
        "if request['tells']: frame(['code'])\ndone()",
    ],
)
def test_one_that_does_so_otherwise_is_ended(hostile: Sandbox, owner: str, code: str) -> None:
    outcomes = [run(hostile, code, owner) for _ in range(2)]
    wrong = [outcome.error for outcome in outcomes if outcome.error]
    assert ["broke the rules" in error["message"] for error in wrong] == [True]
    assert code_of(hostile, code, owner) in (None, b"first")


@pytest.mark.parametrize("sent", ["'text'", "None", "[1]", "b'x' * (65_536 + 1)"])
def test_what_is_no_code_or_too_long_is_not_kept(hostile: Sandbox, owner: str, sent: str) -> None:
    code = f"if request['tells']: frame(['code', {sent}])\ndone()"
    assert told(hostile, owner, code).status == "completed"
    assert code_of(hostile, code, owner) is None


def test_what_is_kept_is_bounded() -> None:
    codes = Codes()
    for number in range(_MOST + 50):
        codes.look_up(snippet(str(number), "a"))
    assert len(codes._codes) == _MOST
    assert codes.look_up(snippet("0", "a")).place is None
    for number in range(_MOST):
        known = codes.look_up(snippet(f"{number} again", "a"))
        known = codes.look_up(snippet(f"{number} again", "a"))
        codes.learn(known.place, b"x" * CODE_BYTES)
    assert codes._bytes == sum(len(code or b"") for code in codes._codes.values()) <= _MOST_BYTES
    codes.forget(lambda whose: whose == "a")
    assert (len(codes._codes), codes._bytes) == (0, 0)


def test_code_that_nests_as_deep_as_it_may_travels() -> None:
    deepest = 0
    for depth in range(10, 400, 10):
        try:
            compiled = compile_snippet("return " + "lambda: " * depth + "1")
        except SnippetRefused:
            break
        if not (data := packed(compiled)):
            break
        assert unpacked(data).source == compiled.source
        deepest = depth
    assert deepest >= 50
