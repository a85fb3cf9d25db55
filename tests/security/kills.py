"""Counts the kills that a worker survives, with what was lost."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .line import Line

ROOT = Path(__file__).parents[2]
LOST = ("lost", "partial", "other")


def lines(kills: int) -> Iterator[Line]:
    """A short run of the crash harness (`make stress` is the long one)."""
    if not (ROOT / "tests" / "stress" / "__main__.py").exists():
        yield Line("crashes", "kills survived", 0, 0, "no crash harness here", absent=True)
        return
    command = [sys.executable, "-m", "tests.stress", "--kills", str(kills), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    *told, summary = done.stdout.splitlines() or [""]
    figures = {word: int(number) for word, number in re.findall(r"(\w+) (\d+)", summary)}
    if done.returncode and not any(figures.get(word) for word in LOST):
        told.append(done.stderr[-2_000:] or summary)
    survived = figures.get("kills", 0) if done.returncode == 0 else 0
    yield Line("crashes", "kills survived", figures.get("kills", 0), survived, summary, tuple(told))
