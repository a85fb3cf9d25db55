"""Known escapes from the language layer. The oracle is not that they fail, but that nothing forbidden was reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.builtins import namespace
from sandbox.compile import compile_snippet
from sandbox.evaluate import evaluate
from sandbox.hooks import CLASS

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}


def escapes() -> dict[str, str]:
    """Title -> code; a title is there once."""
    parts = [part.partition("\n") for part in (HERE / "language_escapes.txt").read_text().split("### ")[1:]]
    found = {title: code for title, _, code in parts}
    assert len(found) == len(parts), "two escapes have the same title"
    return found


def record(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "escape_recorder.py"), *arguments]
    done = subprocess.run(
        command, input=json.dumps(escapes()), capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return record()


@pytest.mark.parametrize("title", list(escapes()))
def test_reaches_nothing(recorded: dict[str, Any], title: str) -> None:
    assert recorded["found"][title]["told"] == []


def test_no_snippet_changed_the_library(recorded: dict[str, Any]) -> None:
    assert recorded["changed"] == []


LOOKS = {
    "at the top level": "got = it._secret",
    "in a function": "def f():\n    return it._secret\ngot = f()",
    "in a lambda": "got = (lambda: it._secret)()",
    "in a generator": "got = next(it._secret for _ in [1])",
    "in a comprehension": "got = [it._secret for _ in [1]][0]",
    "in what a comprehension goes through": "got = [one for one in [it._secret]][0]",
    "written": "it._secret = 2",
    "written plainly": "it.more = 2",
    "read and written": "it._secret += 1",
}


@pytest.mark.parametrize("code", LOOKS.values(), ids=LOOKS.keys())
def test_an_object_that_is_looked_at_twice_is_the_same_one(code: str) -> None:
    """From Python 3.12 a collection may come between the looks, and with it code that binds the variable anew."""

    class Foreign:
        _secret = more = 7

    foreign = Foreign()
    names = namespace(None, {}, lambda text: None)
    evaluate(compile_snippet("class Own:\n    _secret = more = 1\nit = Own()\nit._secret = it.more = 1"), names)

    def class_of(value: object) -> type:
        names["it"] = foreign
        return type(value)

    names["__builtins__"][CLASS] = class_of
    evaluate(compile_snippet(code, names), names)
    assert (vars(foreign), names.get("got", 1)) == ({}, 1)


def looks_twice(code: str) -> bool:
    """Whether any access of the snippet asks for an object's class where it stands, and then reads the variable."""
    found = [compile_snippet(code).code]
    for each in found:
        found += [constant for constant in each.co_consts if isinstance(constant, type(each))]
    return any(CLASS in each.co_names for each in found)


ANEW = {
    "nonlocal": "pass",
    "=": "it = that",
    "+=": "it += that",
    ":=": "print(it := that)",
    ":= in a comprehension": "[(it := each) for each in that]",
    "a loop": "for it in that: pass",
    "with": "with that as it: pass",
    "except": "try: pass\n        except that as it: pass",
    "import": "import it",
    "import as": "import json as it",
    "from": "from json import it",
    "def": "def it(): pass",
    "class": "class it: pass",
    "a pattern": "match that:\n            case it: pass",
    "the rest of a sequence": "match that:\n            case [*it]: pass",
    "the rest of a mapping": "match that:\n            case {**it}: pass",
    "del": "del it",
}
ELSEWHERE = {
    "a class's body": "def f(it):\n    class C:\n        got = [it._secret for _ in [1]]",
    "a function within": "def f(it):\n    return lambda: [it._secret for _ in [1]]",
    "the globals": "def f(it):\n    def g():\n        global it\n        return [it._secret for _ in [1]]",
    "the top level": "[it._secret for _ in [1]]",
    "mangled": (
        "class C:\n    def f(self, __it):\n        def swap():\n            nonlocal _C__it\n            _C__it = 1\n"
        "        return [__it._secret for _ in [1]]"
    ),
    "mangled by hand": (
        "class C:\n    def f(self, _C__it):\n        def swap():\n            nonlocal __it\n            __it = 1\n"
        "        return [_C__it._secret for _ in [1]]"
    ),
    "mangled in a comprehension": "class C:\n    def f(self, that):\n        return [_C__it._x for _C__it in that]",
}


def test_a_parameter_that_nothing_binds_anew_is_looked_at_in_a_comprehension() -> None:
    assert looks_twice("def f(it, that):\n    return [it._secret for each in that]")
    assert looks_twice("class C:\n    def f(self):\n        return {k: self.__x for j in [1] for k in self._rows}")


@pytest.mark.parametrize("anew", ANEW.values(), ids=ANEW.keys())
def test_a_parameter_that_something_binds_anew_is_looked_at_once(anew: str) -> None:
    """Between two looks a collection may run what binds it."""
    swap = f"    def swap():\n        nonlocal it\n        {anew}\n"
    assert not looks_twice(f"def f(it, that):\n{swap}    return [it._secret for each in that]")


@pytest.mark.parametrize("code", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_variable_of_another_scope_or_of_two_spellings_is_looked_at_once(code: str) -> None:
    assert not looks_twice(code)


def test_the_recorder_would_notice() -> None:
    """The oracle itself: unguarded code that does the same is caught by it."""
    recorded = record("unguarded")
    caught = [title for title, each in recorded["found"].items() if each["told"]]
    assert len(caught) > len(escapes()) // 2
    assert recorded["changed"] != []
