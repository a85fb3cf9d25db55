"""Every escape of the language once more, in a real confined child: no event inside, nothing changed outside.

test_language_escapes.py runs them where nothing else protects; here the whole child is as users have it, but for an
audit hook (audited_entry.py). The controls show that both oracles notice.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from confined_program import Confined
from outside_view import Outside
from test_language_escapes import escapes

ESCAPES = escapes()
ENDINGS = ("completed", "error", "rejected")


@pytest.mark.parametrize("title", ESCAPES)
def test_an_escape_reaches_nothing(confined: Confined, title: str) -> None:
    found = confined.run(ESCAPES[title])
    assert found["told"] == []
    assert found["changed"] == []
    assert found["status"] in ENDINGS
    assert found["next"] == ["2"]
    assert "broke the rules" not in str(found["error"])


UNGUARDED = "# unguarded\n"
NOTICED_INSIDE = {
    "open ": "open('/etc/passwd')",
    "os.system ": "import os; os.system('true')",
    "socket.__new__ ": "import socket; socket.socket()",
    "object.__getattr__ ": "(lambda: 0).__code__",
    "sys._getframe ": "import sys; sys._getframe()",
    "exec ": "exec(compile('1', 'elsewhere', 'exec'))",
    "exec ['code'] in <snippet>": "exec('1')",
    "import ": "import wave",
    "ctypes.dlopen ": "import ctypes; ctypes.CDLL(None)",
}


@pytest.mark.parametrize("event", NOTICED_INSIDE)
def test_the_audit_hook_notices(confined: Confined, event: str) -> None:
    found = confined.run(UNGUARDED + NOTICED_INSIDE[event])
    assert any(kind == "event" and text.startswith(event) for kind, text in found["told"]), found
    assert found["changed"] == []  # the operating system stops what the language let through
    assert found["next"] == ["2"]


BREACHES = {
    "a function's globals": "helpers.show((lambda: 0).__globals__)",
    "a secret": "helpers.show(helpers._secret)",
    "a line that should have failed": "helpers.reached()",
    "text that is run": "eval('helpers_canary()')",
    "a poisoned module": "import json; json.dumps = print",
    "a poisoned class": "import fractions; fractions.Fraction.more = 1",
}


@pytest.mark.parametrize("what", BREACHES)
def test_the_oracle_in_the_child_notices(confined: Confined, what: str) -> None:
    found = confined.run(UNGUARDED + BREACHES[what])
    assert [kind for kind, _ in found["told"] if kind == "breach"] == ["breach"], found
    assert found["next"] == ["2"]  # in a child of its own, on memory that nobody changed


def test_what_an_escape_shows_is_judged_under_the_language_too(confined: Confined) -> None:
    found = confined.run("helpers.show('__builtins__')\nhelpers.reached()")
    assert [kind for kind, _ in found["told"]] == ["breach", "breach"], found
    assert found["status"] == "completed"


def _overwrite(outside: Outside) -> None:
    (outside.folder / "canary").write_text("overwritten")


def _connect(outside: Outside) -> None:
    socket.create_connection(("127.0.0.1", outside.port)).close()


def _connect_to_nobody(outside: Outside) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.connect(str(outside.folder / "unix"))


def _set_environment(outside: Outside) -> None:
    os.environ["ESCAPE_NOTICED"] = "yes"


NOTICED_OUTSIDE: dict[str, Callable[[Outside], None]] = {
    "files": _overwrite,
    "connections": _connect,
    "connections, by a path": _connect_to_nobody,
    "environment": _set_environment,
}


@pytest.mark.parametrize("field", NOTICED_OUTSIDE)
def test_the_view_from_outside_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    monkeypatch.setenv("ESCAPE_NOTICED", "no")
    outside = Outside(tmp_path, 0)
    try:
        before = outside.look(settled=False)
        assert before.differences(outside.look(settled=False)) == []
        NOTICED_OUTSIDE[field](outside)
        assert any(text.startswith(field.partition(",")[0]) for text in before.differences(outside.look(settled=False)))
    finally:
        outside.close()


def test_the_view_from_outside_notices_a_process_that_listens(tmp_path: Path) -> None:
    outside = Outside(tmp_path, 0)
    program = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(flush=True); sys.stdin.read()"
    before = outside.look(settled=False)
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        changed = before.differences(outside.look(settled=False))
        process.communicate()
    outside.close()
    assert [text.partition(":")[0] for text in changed] == ["processes", "listening"]


# A child of a sandbox without confinement does what a confined one cannot (it still has no descriptor to open a file).
UNCONFINED = {
    "files": "os.remove(helpers.facts['folder'] + '/canary')",
    "processes": "if os.fork() == 0:\n    os.setsid()\n    time.sleep(20)",
    "processes, the zygote": "os.kill(os.getppid(), 9)\ntime.sleep(1)",
}


@pytest.mark.parametrize("field", UNCONFINED)
def test_an_escape_without_confinement_is_noticed(unconfined: Confined, field: str) -> None:
    found = unconfined.run(f"{UNGUARDED}import os, time\n{UNCONFINED[field]}")
    assert any(text.startswith(field.partition(",")[0]) for text in found["changed"]), found


@pytest.mark.parametrize("field", UNCONFINED)
def test_the_same_with_confinement_changes_nothing(confined: Confined, field: str) -> None:
    found = confined.run(f"{UNGUARDED}import os, time\n{UNCONFINED[field]}")
    assert found["told"] != []
    assert found["changed"] == []
    assert found["next"] == ["2"]
