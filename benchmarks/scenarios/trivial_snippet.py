"""A trivial snippet on a warm worker, beside a bare interpreter started for the same text."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Figure, compare
from codemode import Worker


def figure(quick: bool) -> Figure:
    """`Session.run("return 1")` against `python -I -S -c`."""
    with Worker() as worker:
        session = worker.session()

        def subject() -> None:
            if session.run("return 1").result != 1:
                raise AssertionError("the snippet did not answer 1")

        def floor() -> None:
            subprocess.run([sys.executable, "-I", "-S", "-c", "print(1)"], check=True, stdout=subprocess.DEVNULL)

        return compare("trivial snippet", subject, "python -I -S -c", floor, 30 if quick else 200)
