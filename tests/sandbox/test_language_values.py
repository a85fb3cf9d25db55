"""What the value of an execution is, and how a submitted text becomes a snippet."""

# ruff: noqa: E501 - snippets are one string each
from __future__ import annotations

import sys
from typing import Any

import pytest

from sandbox.builtins import namespace
from sandbox.compile import SnippetRefused, compile_snippet
from sandbox.evaluate import evaluate


def run(code: str, **inputs: Any) -> Any:
    return evaluate(compile_snippet(code, inputs), namespace(None, inputs, lambda text: None))


def printed(code: str) -> str:
    out: list[str] = []
    evaluate(compile_snippet(code), namespace(None, {}, out.append))
    return "".join(out)


VALUES = {
    "a return": ("return 1", 1),
    "return of None is final": ("result = 5\nreturn None", None),
    "a bare return is final": ("result = 5\nreturn", None),
    "return in if": ("if True:\n    return 'a'\nreturn 'b'", "a"),
    "return in for": ("for i in range(5):\n    if i == 3:\n        return i", 3),
    "return in while": ("while True:\n    return 7", 7),
    "return in with": ("from contextlib import suppress\nwith suppress(Exception):\n    return 2", 2),
    "return in try": ("try:\n    return 1\nexcept Exception:\n    return 2", 1),
    "return past a bare except": ("try:\n    return 1\nexcept:\n    return 2\nreturn 3", 1),
    "return past except BaseException": ("try:\n    return 1\nexcept BaseException:\n    pass\nreturn 3", 1),
    "finally replaces a return": ("try:\n    return 1\nfinally:\n    return 2", 2),
    "return in match": ("match 5:\n    case int(x):\n        return x * 2", 10),
    "last expression": ("1 + 1", 2),
    "last expression before result": ("result = 1\n5", 5),
    "None as last expression falls through": ("result = 1\nprint()", 1),
    "a falsy last expression counts": ("result = 1\n0", 0),
    "the variable result": ("result = [1]", [1]),
    "nothing": ("x = 1", None),
    "empty": ("", None),
    "only a comment": ("# nothing", None),
    "an awaited last expression": ("async def f():\n    return 3\nawait f()", 3),
    "a forgotten await": ("async def f():\n    return 3\nf()", 3),
    "awaiting a plain value": ("return await 5", 5),
    "awaiting a plain value twice": ("x = await [1]\ny = await (await 2)\nreturn [x, y]", [[1], 2]),
    "gathering plain values": ("import asyncio\nreturn await asyncio.gather(1, asyncio.sleep(0, 2))", [1, 2]),
    "asyncio.run inside a top level that awaits": (
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 4\nawait asyncio.sleep(0)\nreturn asyncio.run(f())",
        4,
    ),
    "an async generator left open": (
        "out = []\nasync def g():\n    try:\n        yield 1\n    finally:\n        out.append('closed')\nasync for x in g():\n    break\nimport asyncio\nawait asyncio.sleep(0)\nreturn out",
        ["closed"],
    ),
    "async for at the top": (
        "async def g():\n    yield 1\n    yield 2\nout = []\nasync for x in g():\n    out.append(x)\nreturn out",
        [1, 2],
    ),
    "functions see later top-level names": ("def f():\n    return later\nlater = 9\nreturn f()", 9),
    "global changes a top-level name": ("n = 0\ndef f():\n    global n\n    n += 1\nf()\nf()\nreturn n", 2),
    "global at the top": ("global n\nn = 3\nreturn n", 3),
    "classes see top-level names": ("n = 4\nclass A:\n    m = n\n    k = [n for _ in range(2)]\nreturn A.k", [4, 4]),
    "a loop variable stays": ("for i in range(3):\n    pass\nreturn i", 2),
    "a comprehension's variable does not": ("i = 'outer'\n[i for i in range(3)]\nreturn i", "outer"),
    "annotated without value": ("x: int\nx = 5\nreturn x", 5),
    "a walrus in a comprehension": ("[y := i for i in range(3)]\nreturn y", 2),
    "an except name is gone": ("e = 1\ntry:\n    1/0\nexcept Exception as e:\n    pass\nreturn 'e' in dir()", False),
}


@pytest.mark.parametrize(("code", "value"), VALUES.values(), ids=VALUES.keys())
def test_value(code: str, value: Any) -> None:
    assert run(code) == value


CLASS_FIRST = "from dataclasses import dataclass, fields\n@dataclass\nclass A:\n    x: {}\n{}class Later: pass\n"
COMPUTED_LATE = {
    "a class that comes later": (
        CLASS_FIRST.format("Later", "") + "return fields(A)[0].type.evaluate() is Later",
        True,
    ),
    "within another type": (
        CLASS_FIRST.format("list[Later]", "") + "return fields(A)[0].type.__args__[0].evaluate() is Later",
        True,
    ),
    "as text": (CLASS_FIRST.format("Later[int]", "") + "return fields(A)[0].type.evaluate(format=4)", "Later[int]"),
    "what nobody made, or cannot be computed": (
        CLASS_FIRST.format("Missing", "    y: 1 / A = 2\n")
        + "return [str(each.type)[:20] for each in fields(A)], fields(A)[0].type.evaluate(format=3) is fields(A)[0].type",
        [["ForwardRef('Missing'", "ForwardRef('1 / A', "], True],
    ),
    "by get_type_hints": (
        CLASS_FIRST.format("Later | None", "") + "import typing\nreturn typing.get_type_hints(A)['x'] == Later | None",
        True,
    ),
    "in a function": (
        "from dataclasses import dataclass, fields\ndef f():\n    @dataclass\n    class A:\n        x: Later\n    class Later: pass\n    return fields(A)[0].type.evaluate() is Later\nreturn f()",
        True,
    ),
}


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are computed at once before")
@pytest.mark.parametrize(("code", "value"), COMPUTED_LATE.values(), ids=COMPUTED_LATE.keys())
def test_annotations_are_computed_late(code: str, value: Any) -> None:
    found = run(code)
    assert (list(found) if isinstance(found, tuple) else found) == value


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are computed at once before")
def test_a_reference_is_evaluated_with_the_names_of_its_snippet_alone() -> None:
    with pytest.raises(TypeError, match="with the names of its snippet alone"):
        run(CLASS_FIRST.format("Later", "") + "fields(A)[0].type.evaluate(globals={})")
    with pytest.raises(NameError, match="not resolved here"):
        run("from typing import List\nList['int'].__args__[0].evaluate()")


def test_finally_runs_before_a_return_leaves() -> None:
    assert printed("try:\n    return 1\nfinally:\n    print('cleaned')") == "cleaned\n"


def test_inputs_are_variables() -> None:
    assert run("return [a + 1, rows[0]['x']]", a=1, rows=[{"x": 2}]) == [2, 2]


@pytest.mark.parametrize("name", ["helpers", "__name__", "class", "no name", "_getattr_", ""])
def test_an_input_cannot_take_a_reserved_name(name: str) -> None:
    with pytest.raises(ValueError, match="input"):
        namespace(None, {name: 1}, lambda text: None)


FENCED = {
    "plain fence": "```python\nreturn 1\n```",
    "text around": "Here is the code:\n\n```python\nreturn 1\n```\nIt returns one.",
    "no language": "```\nreturn 1\n```",
    "tilde fence": "~~~py\nreturn 1\n~~~",
    "never closed": "```python\nreturn 1",
    "indented inside": "```python\n    x = 1\n    return x\n```",
    "a shell block first": "```bash\npip install x\n```\n```python\nreturn 1\n```",
    "windows line ends": "```python\r\nreturn 1\r\n```\r\n",
    "byte order mark": "\ufeffreturn 1",
    "indented whole": "    x = 1\n    if x:\n        return x\n",
    "two python blocks": "```python\nx = 1\n```\nand then\n```python\nreturn x\n```",
}


@pytest.mark.parametrize("text", FENCED.values(), ids=FENCED.keys())
def test_unwrapped(text: str) -> None:
    assert run(text) == 1


def test_a_fence_inside_a_string_is_text() -> None:
    assert run('x = """\n```python\nreturn 2\n```\n"""\nreturn len(x)') == 24


REFUSED_LINES = {
    "syntax": ("x = 1\ny = = 2\n", "code.syntax", 2, "y = = 2"),
    "syntax in a fence": ("Text\n```python\nx = 1\ny = = 2\n```", "code.syntax", 4, "y = = 2"),
    "never closed": ("x = (1,\n", "code.syntax", 1, "never closed"),
    "break outside": ("x = 1\nbreak", "code.syntax", 2, "break"),
    "yield outside": ("x = 1\nyield x", "code.refused", 2, "yield"),
    "refused call": ("x = 1\n\neval('x')", "code.refused", 3, "eval"),
    "refused in a fence": ("Some text\n```\nx = 1\nx.__globals__\n```", "code.refused", 4, "__globals__"),
    "refused when indented": ("    x = 1\n    x.__code__\n", "code.refused", 2, "__code__"),
    "star import": ("from math import *", "code.refused", 1, "import *"),
    "metaclass": ("class A(metaclass=type): pass", "code.refused", 1, "metaclass"),
    "except star": ("try:\n    pass\nexcept* ValueError:\n    pass", "code.refused", 1, "except*"),
    "null byte": ("x = 1\n\0", "code.syntax", 2, "NUL"),
    "lone surrogate": ("x = 1\ny = '\ud800'", "code.syntax", 2, "surrogate"),
    "javascript": ("const x = 1;", "code.syntax", 1, "const"),
}


@pytest.mark.parametrize(("text", "code", "line", "says"), REFUSED_LINES.values(), ids=REFUSED_LINES.keys())
def test_a_refusal_names_its_line(text: str, code: str, line: int, says: str) -> None:
    with pytest.raises(SnippetRefused) as caught:
        compile_snippet(text)
    assert caught.value.code == code
    assert caught.value.problems[0][0] == line
    assert says in caught.value.problems[0][1]


def test_every_refusal_is_listed() -> None:
    with pytest.raises(SnippetRefused) as caught:
        compile_snippet("eval('1')\nx.__globals__\nimport math\nfrom math import *")
    assert [line for line, _, _ in caught.value.problems] == [1, 2, 4]


DEEP = ["(" * 300 + ")" * 300, "-" * 100_000 + "1", "x" + ".y" * 20_000, "1" + "+1" * 50_000]


@pytest.mark.parametrize("text", DEEP, ids=["parentheses", "minus", "attributes", "sum"])
def test_nesting_that_would_break_a_parser_is_refused(text: str) -> None:
    with pytest.raises(SnippetRefused):
        compile_snippet(text)


OWN_NAMES = {
    "before": "def compile(x):\n    return x + 1\nvars = compile(1)\nreturn vars",
    "after": "def f():\n    return eval(1)\ndef eval(x):\n    return x + 1\nreturn f()",
    "annotation": "eval: object\ndef f():\n    return eval(1)\nreturn 2",
}


@pytest.mark.parametrize("text", OWN_NAMES.values(), ids=OWN_NAMES.keys())
def test_a_name_of_ones_own_is_not_the_builtin(text: str) -> None:
    assert run(text) == 2
