"""What a session holds is shown on a terminal without control characters, in every form that there is for people."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from codemode.worker import Worker

HOSTILE = "x\x1b]0;title\x07\x9b2J\x7f\u202e"  # sets the title and clears the screen, on terminals that are willing
CONTROLS = {*map(chr, (*range(0x20), *range(0x7F, 0xA0))), "\u202e"} - {*"\r\n\t"}
QUERY = ("query", f"SELECT '{HOSTILE}' AS x", "-s", "s1")


@pytest.fixture
def terminal(data_dir):
    """A command's output on a terminal of its own."""

    def run(*arguments: str) -> str:
        screen, end = pty.openpty()
        command = [sys.executable, "-m", "codemode", "--data-dir", str(data_dir), *arguments]
        environment = {**os.environ, "NO_COLOR": "1"}
        with subprocess.Popen(command, stdout=end, stderr=subprocess.DEVNULL, env=environment):
            os.close(end)
            found = b""
            try:
                while piece := os.read(screen, 65_536):
                    found += piece
            except OSError:  # how Linux says that nobody has the other end any more
                pass
            finally:
                os.close(screen)
        return found.decode()

    return run


@pytest.fixture
def hostile(data_dir):
    """A session whose names, rules and values are not to be trusted with a terminal."""
    table = f'CREATE TABLE "{HOSTILE}" ("{HOSTILE}" TEXT CHECK ("{HOSTILE}" >= \'{HOSTILE}\'), b INTEGER PRIMARY KEY)'
    with Worker(data_dir) as worker:
        session = worker.session("s1")
        session.exec(table)
        session.exec(f'INSERT INTO "{HOSTILE}" VALUES (?, 1)', [HOSTILE])


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    "arguments",
    [
        ("describe", HOSTILE, "-s", "s1"),
        *((*QUERY, "--format", kind) for kind in ("table", "csv", "json", "auto")),
        ("export", *QUERY[1:], "--to", "-"),
        ("run", "-s", "s1", "-c", f"print({HOSTILE!r}); return [{HOSTILE!r}]"),
    ],
    ids=lambda arguments: " ".join((arguments[0], arguments[-1][:8])),
)
def test_no_control_character_reaches_a_terminal(terminal, arguments):
    shown = terminal(*arguments)
    assert "title" in shown
    assert not CONTROLS & {*shown}


@pytest.mark.usefixtures("hostile")
def test_json_on_a_terminal_is_the_same_json(terminal):
    shown = terminal(*QUERY, "--json")
    assert not CONTROLS & {*shown}
    assert json.loads(shown)["result"] == [{"x": HOSTILE}]


@pytest.mark.usefixtures("hostile")
def test_into_a_pipe_it_goes_as_it_is(cli):
    assert HOSTILE in cli(*QUERY, "--format", "csv").out
