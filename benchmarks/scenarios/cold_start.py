"""The command as a whole: a process that starts, runs one trivial snippet, says what it answered, and ends."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import codemode
import sandbox
from benchmarks.peers import bare_python
from benchmarks.scenario import SUBJECT, Contender, Scenario, Sides, Under

FRESH, IMPORTING = "codemode, new data directory", "codemode's imports alone"
# What the modules of the command take in its own process; the sandbox's interpreter starts beside it.
_IMPORTS = """
import time
began = time.perf_counter()
import codemode.cli, codemode.cli.run, codemode.worker
print(time.perf_counter() - began)
"""


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("CODEMODE_", "PYTHONDONTWRITE"))}


def _said(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], env=_environment(), capture_output=True, text=True, check=True)
    return done.stdout


def _command(data_dir: str) -> None:
    answer = json.loads(_said("-m", "codemode", "--data-dir", data_dir, "--json", "run", "-c", "return 1"))
    if answer["result"] != 1:
        raise AssertionError("the snippet did not answer 1")


@contextmanager
def contenders(size: int) -> Sides:
    """`size` commands one after the other, in a data directory that is there and in a new one."""
    for package in (codemode, sandbox):  # what installing does
        for folder in package.__path__:
            compileall.compile_dir(folder, quiet=2)

    def each(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(size):
                work()

        return run

    def in_a_new_one() -> None:
        with TemporaryDirectory() as data_dir:
            _command(str(Path(data_dir) / "new"))

    with TemporaryDirectory() as data_dir:
        _command(data_dir)
        yield [
            Contender(SUBJECT, each(lambda: _command(data_dir))),
            Contender(FRESH, each(in_a_new_one)),
            Contender(IMPORTING, lambda: sum(float(_said("-c", _IMPORTS)) for _ in range(size)), part=True),
            bare_python.started(size),
        ]


SCENARIOS = (
    Scenario(
        'the command `codemode run -c "return 1"`',
        of="command",
        sizes=(1,),
        contenders=contenders,
        bounds=(Under(0.35),),
    ),
)
