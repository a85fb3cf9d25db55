"""pydantic-monty: an interpreter of its own for a part of Python, in a warm process without confinement."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.scenario import Absent, Contender

NAME = "pydantic-monty"
MISSING = Absent(NAME, "not installed: pip install 'codemode[bench]'")


@contextmanager
def trivial(size: int) -> Iterator[Contender | Absent]:
    """`size` trivial snippets in a row, each in a fresh session of a warm process."""
    if importlib.util.find_spec("pydantic_monty") is None:
        yield MISSING
        return
    from pydantic_monty import Monty

    with Monty() as pool:

        def run() -> None:
            for _ in range(size):
                with pool.checkout() as session:
                    if session.feed_run("1") != 1:
                        raise AssertionError("the snippet did not answer 1")

        yield Contender(NAME, run)
