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


def test_the_recorder_would_notice() -> None:
    """The oracle itself: unguarded code that does the same is caught by it."""
    recorded = record("unguarded")
    caught = [title for title, each in recorded["found"].items() if each["told"]]
    assert len(caught) > len(escapes()) // 2
    assert recorded["changed"] != []
