"""mended.suggestion: a whole snippet that compiles, for the error of one that failed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.compile import compile_snippet
from sandbox.mended import MENDS, suggestion
from sandbox.refusal import SnippetRefused


def refused(source: str) -> dict[str, Any]:
    with pytest.raises(SnippetRefused) as caught:
        compile_snippet(source)
    line, message, _ = caught.value.problems[0]
    return {"code": caught.value.code, "message": message, "line": line}


@pytest.mark.parametrize(
    ("source", "instead"),
    [
        ("if 1 > 0\n    return 1", "if 1 > 0:\n    return 1"),
        ("for x in [1]  # all\n    print(x)", "for x in [1]:  # all\n    print(x)"),
        ("x = 1\nprint x", "x = 1\nprint(x)"),
        ("x = max(1, 2\nreturn x", "x = max(1, 2)\nreturn x"),
        ("x = 1\nif x = 1:\n    return x", "x = 1\nif x == 1:\n    return x"),
        ("def f():\n    return await g()\nf", "def f():\n    return g()\nf"),
        ("const x = 1;\nlet y = 2\nreturn x", "x = 1;\ny = 2\nreturn x"),
        ("x = 1\nreturn x === 1 && x !== 2", "x = 1\nreturn x == 1  and  x != 2"),
        ("if 1 > 2:\n    x = 1\nelse if 2 > 1:\n    x = 2", "if 1 > 2:\n    x = 1\nelif 2 > 1:\n    x = 2"),
        ("return “a”", 'return "a"'),
        ("// a comment\nreturn 1", "# a comment\nreturn 1"),
        ("return eval('[1, 2]')", "return ([1, 2])"),
        ("if 1 > 0\n    print 1", "if 1 > 0:\n    print(1)"),
        ("if 1:\n    x = 1\n      y = 2\n      z = 3", "if 1:\n    x = 1\n    y = 2\n    z = 3"),
        ("  x = 1\n\n  return x === 1", "x = 1\n\nreturn x == 1"),
    ],
)
def test_a_text_that_is_no_python_is_mended_line_by_line(source: str, instead: str) -> None:
    assert suggestion(source, refused(source)) == instead


UNKNOWN = "NameError: name '{}' is not defined"
LENGTH = "AttributeError: 'list' object has no attribute 'length'"
NO_MODULE = "ModuleNotFoundError: No module named 'maths' in snippets"
GENERATOR = "result is a generator, which cannot be returned"
ITERATOR = "result is a str_ascii_iterator, which cannot be returned"
LOAD = "helpers.db.batch_insert('t', []"


@pytest.mark.parametrize(
    ("source", "code", "message", "names", "instead"),
    [
        ("json.loads('1')", "code.runtime", UNKNOWN.format("json"), (), "import json\njson.loads('1')"),
        ("Counter(1)", "code.runtime", UNKNOWN.format("Counter"), (), "from collections import Counter\nCounter(1)"),
        (
            "datetime.now()",
            "code.runtime",
            UNKNOWN.format("datetime"),
            (),
            "from datetime import datetime\ndatetime.now()",
        ),
        (
            "datetime(1, 1, 1)",
            "code.runtime",
            UNKNOWN.format("datetime"),
            (),
            "from datetime import datetime\ndatetime(1, 1, 1)",
        ),
        (
            "datetime.date(1, 1, 1)",
            "code.runtime",
            UNKNOWN.format("datetime"),
            (),
            "import datetime\ndatetime.date(1, 1, 1)",
        ),
        ("a = [true, null, 'true']", "code.runtime", UNKNOWN.format("true"), ("True",), "a = [True, None, 'true']"),
        ("a = [1]\nreturn a.length", "code.runtime", LENGTH, (), "a = [1]\nreturn len(a)"),
        ("import maths\nmaths.pi", "code.runtime", NO_MODULE, ("math",), "import math\nmath.pi"),
        ("return (n for n in [1])", "code.unserializable", GENERATOR, (), "return list(n for n in [1])"),
        ("return iter('ab')", "code.unserializable", ITERATOR, (), "return list(iter('ab'))"),
        (f"{LOAD})", "sql.no_such_table", "no such table: t", (), f"{LOAD}, create=True)"),
        (
            "helpers.db.create_table('t', {'a': 'TEXT'})",
            "sql.already_exists",
            'table "t" already exists',
            (),
            "helpers.db.create_table('t', {'a': 'TEXT'}, if_not_exists=True)",
        ),
    ],
)
def test_a_snippet_that_failed_is_mended_where_it_failed(
    source: str, code: str, message: str, names: tuple[str, ...], instead: str
) -> None:
    error = {"code": code, "message": message, "line": source.count("\n") + 1, "did_you_mean": names}
    assert suggestion(source, error) == instead


@pytest.mark.parametrize(
    ("source", "code", "message", "names"),
    [
        ("return print", "code.unserializable", "result is a method, which cannot be returned", ()),
        ("return (lambda: 1)", "code.unserializable", "result is a function, which cannot be returned", ()),
        ("return object()", "code.unserializable", "result is a object, which cannot be returned", ()),
        (f"{LOAD})", "sql.no_such_table", "no such table: t", ("to",)),
    ],
)
def test_nothing_is_shown_that_would_not_do_what_was_meant(
    source: str, code: str, message: str, names: tuple[str, ...]
) -> None:
    assert suggestion(source, {"code": code, "message": message, "line": 1, "did_you_mean": names}) is None


@pytest.mark.parametrize("source", ["return (", "x = 'abc", "def f(:\n  pass", "eval(x)", "class A(metaclass=B): pass"])
def test_what_does_not_compile_is_not_shown(source: str) -> None:
    assert suggestion(source, refused(source)) is None or compile_snippet(suggestion(source, refused(source)) or "")


def test_a_statement_s_error_is_left_to_the_guard() -> None:
    error = {"code": "sql.no_such_table", "message": "no such table: t", "line": 1, "sql": "SELECT 1 FROM t"}
    assert suggestion("helpers.db.query('SELECT 1 FROM t')", error) is None


@given(
    source=st.text(max_size=300),
    code=st.sampled_from(sorted(MENDS)),
    message=st.text(max_size=60),
    line=st.integers(-1, 9),
)
def test_any_error_can_be_asked_about(source: str, code: str, message: str, line: int) -> None:
    found = suggestion(source, {"code": code, "message": message, "line": line, "did_you_mean": ("x",)})
    if found is not None:
        compile_snippet(found)


def test_a_long_text_full_of_faults_is_given_up_in_time() -> None:
    source = "print 1\n" * 900
    started = time.process_time()
    assert suggestion(source, refused(source)) is None
    assert time.process_time() - started < 5
