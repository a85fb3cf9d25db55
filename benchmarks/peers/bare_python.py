"""A new interpreter for each snippet, with as little start-up as CPython allows: a process, and no confinement."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.scenario import Contender

NAME = "python -I -S -c"
STARTED = "python -c pass"


def trivial(size: int) -> Contender:
    """`size` interpreters in a row, one for each trivial snippet."""

    def run() -> None:
        for _ in range(size):
            subprocess.run([sys.executable, "-I", "-S", "-c", "print(1)"], check=True, stdout=subprocess.DEVNULL)

    return Contender(NAME, run)


def started(size: int) -> Contender:
    """`size` interpreters in a row as a command starts them, with the modules of the installation at hand."""

    def run() -> None:
        for _ in range(size):
            subprocess.run([sys.executable, "-c", "pass"], check=True)

    return Contender(STARTED, run)
