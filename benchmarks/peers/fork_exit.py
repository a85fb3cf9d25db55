"""The floor of a process for each snippet: one that holds what a zygote holds forks, and the child exits at once.

A process of its own does it, which has loaded and frozen what a zygote loads and freezes, forks as a zygote forks, and
waits for each child before it forks the next one. It measures itself: what asking it costs is not counted.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.scenario import Contender
from sandbox.interpreter import search_path

NAME = "fork + exit"
CONFINED = "fork + confine + exit"

# Each line of its input says how many children, and whether they confine themselves before they exit.
_PROGRAM = """
import os, sys, time
sys.path += sys.argv[1:]
from sandbox.confine import Confinement, confine_child, confine_zygote, filter_calls
from sandbox.limits import SandboxLimits
from sandbox.snippet import ENTRY
from sandbox.zygote import freeze, make_ready

ENTRY.preload()
make_ready(ENTRY)
confinement = Confinement(SandboxLimits())
confinement.baseline_bytes, confinement.zygote_pid = 1 << 30, os.getpid()
confine_zygote(confinement)
freeze()
for line in sys.stdin:
    count, confined = map(int, line.split())
    started = time.perf_counter()
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            if confined:
                confine_child(confinement)
                filter_calls(confinement)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    print(time.perf_counter() - started, flush=True)
"""


@contextmanager
def trivial(size: int) -> Iterator[list[Contender]]:
    """`size` children in a row that do nothing, and the same with the layers that each child takes for itself."""
    command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", _PROGRAM, *search_path()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def forks(confined: int) -> float:
            asked.write(f"{size} {confined}\n")
            asked.flush()
            return float(answers.readline())

        try:
            yield [Contender(NAME, lambda: forks(0)), Contender(CONFINED, lambda: forks(1))]
        finally:
            asked.close()
