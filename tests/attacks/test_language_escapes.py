"""Known escapes from the language layer. The oracle is not that they fail, but that nothing forbidden was reached."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).with_name("language_escapes.txt")


def escapes() -> dict[str, str]:
    parts = [part.partition("\n") for part in CASES.read_text().split("### ")[1:]]
    return {title: code for title, _, code in parts}


ROOT = Path(__file__).parents[2]

# Runs every escape in one process without any other protection, with an audit hook that notes what the interpreter
# itself reports: files opened, code compiled or run, processes, sockets, and reads of frames and code objects.
RECORDER = r"""
import json, sys, types
sys.path[:0] = [sys.argv[1]]
ESCAPES = json.load(sys.stdin)
from sandbox.builtins import namespace
from sandbox.compile import compile_snippet
from sandbox.evaluate import evaluate
from sandbox.modules import preload
import builtins, os, subprocess, socket

WATCHED = ("open", "exec", "compile", "import", "os.", "subprocess.", "socket.", "ctypes.", "sys.settrace",
           "object.__getattr__", "code.__new__", "function.__new__", "shutil.", "pty.", "marshal.", "pickle.", "gc.")
dumps = json.dumps
events, breaches, watching = [], [], [False]

def hook(event, args):
    if watching[0] and event.startswith(WATCHED):
        if event == "exec" and args and args[0].co_filename in ("<snippet>", "<string>"):
            return  # the snippet itself; library text (dataclasses, namedtuple) is watched by the canary instead
        if event == "compile":
            return  # ForwardRef and namedtuple do; harmless by itself
        events.append(event + " " + repr(args)[:100])

def canary(*_):
    breaches.append("canary called")

builtins.helpers_canary = canary
FORBIDDEN = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.CellType)
POWERS = (eval, exec, compile, open, __import__, globals, locals, vars, type, os.system, breakpoint, input)

def forbidden(value, depth=0):
    if isinstance(value, FORBIDDEN) or any(value is power for power in POWERS):
        return True
    if isinstance(value, type) and issubclass(value, type):
        return type(value).__name__ != "_TypeOfType"
    if isinstance(value, type(object.__reduce_ex__)) and value.__name__.startswith("__reduce"):
        return True
    if isinstance(value, dict) and ({"__builtins__", "__name__", "__spec__"} & value.keys()):
        return True
    if isinstance(value, str):
        return "__builtins__" in value or "canary-secret" in value
    if isinstance(value, (list, tuple)) and depth < 2:
        return len(value) > 60 or any(forbidden(each, depth + 1) for each in value[:60])
    if isinstance(value, types.MappingProxyType) and "__dict__" in value:
        return True
    return hasattr(value, "call_soon") or "canary-secret" in repr(value)

class Helpers:
    def __init__(self):
        self._secret = "canary-secret"
    def show(self, value):
        if forbidden(value):
            breaches.append(repr(value)[:200])

preload()
found = {}
for title, code in ESCAPES.items():
    events.clear(); breaches.clear()
    outcome = "ran"
    try:
        compiled = compile_snippet(code)
        names = namespace(Helpers(), {}, lambda text: None)
        watching[0] = True
        evaluate(compiled, names)
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"[:200]
    finally:
        watching[0] = False
    found[title] = {"outcome": outcome, "events": list(events), "breaches": list(breaches)}
# What one snippet did, the next must not see.
import fractions
changed = (json.dumps, fractions.Fraction.limit_denominator, json.JSONEncoder.default)
poisoned = [each is builtins.print for each in changed]
print("\n" + dumps({"found": found, "poisoned": poisoned}))
"""


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    command = [sys.executable, "-c", RECORDER, str(ROOT)]
    done = subprocess.run(
        command, input=json.dumps(escapes()), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("title", list(escapes()))
def test_reaches_nothing(recorded: dict[str, Any], title: str) -> None:
    found = recorded["found"][title]
    assert found["breaches"] == []
    assert found["events"] == []


def test_no_snippet_changed_the_library(recorded: dict[str, Any]) -> None:
    assert recorded["poisoned"] == [False, False, False]


def test_the_recorder_would_notice() -> None:
    """The oracle itself: unguarded code that does the same is caught by it."""
    unguarded = RECORDER.replace("evaluate(compiled, names)", "exec(code, {'helpers': names['helpers']})").replace(
        "compiled = compile_snippet(code)", "compiled = None"
    )
    command = [sys.executable, "-c", unguarded, str(ROOT)]
    done = subprocess.run(
        command, input=json.dumps(escapes()), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])["found"]
    caught = [title for title, each in found.items() if each["breaches"] or each["events"]]
    assert len(caught) > len(escapes()) // 2
