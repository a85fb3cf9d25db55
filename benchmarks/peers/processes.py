"""What processes hold in memory, as the kernel tells it; and interpreters that do something, and then stand still."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STAND = """
import gc, sys
gc.collect()
print("standing", flush=True)
sys.stdin.read()
"""
KILOBYTE = 1024


@contextmanager
def standing(script: str, *words: str) -> Iterator[int]:
    """The id of a process that has run `script` with these arguments, as long as the block lasts."""
    command = [sys.executable, "-c", script + _STAND, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != "standing\n":
            raise AssertionError("the process did not come to stand")
        yield process.pid


def said(script: str, *words: str) -> float:
    """The number that `script` prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script, *words], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def private(process: int | str) -> float:
    """Bytes that this process shares with no other; raises PermissionError where that may not be looked at."""
    found = _rollup(process)
    return found["Private_Clean"] + found["Private_Dirty"]


def resident(process: int) -> float:
    """Bytes of this process that are in memory, what it shares with others included."""
    return _rollup(process)["Rss"]


def share(*processes: int) -> float:
    """Bytes of these processes, with their part of what they share with others (PSS)."""
    return sum(_rollup(process)["Pss"] for process in processes)


def _rollup(process: int | str) -> dict[str, float]:
    found = {}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, size, _ = line.split()
        found[name.rstrip(":")] = float(size) * KILOBYTE
    return found


def below(process: int) -> list[int]:
    """The processes that this one has started, and those that these have."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            parents.setdefault(int(fields[1]), []).append(int(place.name))
    found = parents.get(process, [])
    for each in found:
        found += parents.get(each, [])
    return found
