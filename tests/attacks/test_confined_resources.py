"""What a snippet may waste: its own time, memory and output. The next one works, and nothing outside has changed.

Run in real confined children, watched as in test_confined_escapes.py. What an escaped snippet does to its own
interpreter is here too: the next snippet has another.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from confined_program import Confined
from patience import HANG_SECONDS

SECONDS = 1.5
ENDS = "# ends: "


def attacks() -> dict[str, str]:
    """Title -> code, whose first line says how it may end."""
    text = Path(__file__).with_name("resource_attacks.txt").read_text()
    parts = [part.partition("\n") for part in text.split("### ")[1:]]
    found = {title: code for title, _, code in parts}
    assert len(found) == len(parts), "two attacks have the same title"
    return found


ATTACKS = attacks()


@pytest.mark.parametrize("title", ATTACKS)
def test_an_attack_on_resources_ends_alone(confined: Confined, title: str) -> None:
    code = ATTACKS[title]
    first = code.partition("\n")[0]
    assert first.startswith(ENDS)
    expected = first.removeprefix(ENDS).split()
    seconds = HANG_SECONDS if expected == ["completed"] else SECONDS  # those that reach their own end get the time
    found = confined.run(code, execution_seconds=seconds, memory_bytes=128 * 1024 * 1024)
    ended = found["error"]["code"] if found["error"] else found["status"]
    # On a slow machine the time limit is an end like any other, but not where the snippet should reach its own.
    assert ended in expected or (ended == "code.timeout" and expected != ["completed"]), found["error"]
    assert found["seconds"] < HANG_SECONDS / 2  # in its time, and not without end
    assert "broke the rules" not in str(found["error"])
    assert found["told"] == []
    assert found["changed"] == []
    assert found["next"] == ["2"]


# Source that only a program would write: its depth is counted here.
DEEP = {
    "brackets": "(" * 5_000 + "1" + ")" * 5_000,
    "lambdas": "lambda:" * 5_000 + "1",
    "signs": "-" * 100_000 + "1",
    "attributes": "x" + ".a" * 50_000,
    "calls": "int" + "()" * 30_000,
    "comparisons": "1" + "<1" * 60_000,
    "additions": "1" + "+1" * 60_000,
    "subscripts": "x" + "[0]" * 30_000,
    "blocks": "".join(" " * depth + "if 1:\n" for depth in range(200)) + " " * 200 + "pass",
    "functions": "".join(" " * depth + f"def f{depth}():\n" for depth in range(99)) + " " * 99 + "pass",
    "comprehensions": "[" * 500 + "1" + " for a in [1]]" * 500,
    "f-strings": "f'{" * 3 + "1" + "}'" * 3,
    "patterns": "match 1:\n case " + "[" * 5_000 + "1" + "]" * 5_000 + ": pass",
    "elifs": "if 0: pass\n" + "elif 0: pass\n" * 10_000,
    "an integer literal": "x = " + "9" * 200_000,
    "names": "x = [" + ",".join(f"a{n}" for n in range(40_000)) + "]",
}


@pytest.mark.parametrize("what", DEEP)
def test_deep_nesting_of_source_ends_alone(confined: Confined, what: str) -> None:
    found = confined.run(DEEP[what], execution_seconds=HANG_SECONDS)
    assert found["status"] in ("completed", "rejected", "error")
    assert found["status"] != "error" or found["error"]["code"] in ("code.runtime", "code.memory")
    assert found["told"] == []
    assert found["changed"] == []
    assert found["next"] == ["2"]


ESCAPED = "# unguarded\nimport builtins, gc, json, sys\nimport sandbox.guards, sandbox.names, sandbox.snippet\n"
POISONS = {
    "a builtin": "builtins.print = builtins.len = None",
    "the guards": "sandbox.guards.Guards.read = lambda self, value, name: getattr(value, name)",
    "the policy": "sandbox.names.REFUSED_ATTRIBUTES = frozenset()",
    "what runs a snippet": "sandbox.snippet.compile_snippet = lambda *a: 1 / 0",
    "every module": "for module in list(sys.modules.values()):\n    if module.__name__ == 'json': vars(module).clear()",
    "a constant": "import ctypes\nctypes.memset(id(257) + 24, 1, 4)",
}


@pytest.mark.parametrize("what", POISONS)
def test_poisoning_a_module_stays_in_its_child(confined: Confined, what: str) -> None:
    found = confined.run(ESCAPED + POISONS[what])
    assert found["changed"] == []
    assert found["next"] == ["2"]
    found = confined.run("import json\nprint(len(json.dumps([1])))\n(lambda: 0).__globals__")
    assert (found["status"], found["told"]) == ("rejected", [])
