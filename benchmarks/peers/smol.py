"""smolagents' local executor: an interpreter of Python written in Python, in the process of its caller."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from typing import Any

from benchmarks.scenario import Absent, Contender

NAME = "smolagents"
MISSING = Absent(NAME, "not installed: pip install 'codemode[bench]'")
_SHARE = 1_000  # of a work's items: it takes a hundred times as long as the others, whom nobody should wait for


def trivial(size: int) -> Contender | Absent:
    """`size` trivial snippets in a row, each with an executor of its own."""
    if importlib.util.find_spec("smolagents") is None:
        return MISSING
    from smolagents.local_python_executor import LocalPythonExecutor

    def run() -> None:
        for _ in range(size):
            executor = LocalPythonExecutor([])
            executor.send_tools({})
            if executor("1").output != 1:
                raise AssertionError("smolagents' answer is not 1")

    return Contender(NAME, run)


def working(text: Callable[[int], str], answer: Callable[[int], Any], size: int) -> Contender | Absent:
    """The text for `size` items, whose last line is its value: at most 1,000 are worked on, the others counted."""
    if importlib.util.find_spec("smolagents") is None:
        return MISSING
    from smolagents.local_python_executor import LocalPythonExecutor

    share = min(size, _SHARE)
    code, wanted = text(share), answer(share)

    def run() -> float:
        executor = LocalPythonExecutor(["json"])
        executor.send_tools({})
        started = time.perf_counter()
        if executor(code).output != wanted:
            raise AssertionError("smolagents' answer is another one")
        return (time.perf_counter() - started) * size / share

    return Contender(NAME, run)
