"""pydantic-monty: an interpreter of its own for a part of Python, in a warm process without confinement."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


@contextmanager
def working(text: str, answer: Any) -> Iterator[Contender | Absent]:
    """One text whose last line is its value, each time in a fresh session of a warm process."""
    if importlib.util.find_spec("pydantic_monty") is None:
        yield MISSING
        return
    from pydantic_monty import Monty

    with Monty() as pool:

        def run() -> None:
            with pool.checkout() as session:
                if session.feed_run(text) != answer:
                    raise AssertionError("Monty's answer is another one")

        yield Contender(NAME, run)


@contextmanager
def host_calls(size: int) -> Iterator[Contender | Absent]:
    """Seconds of one call of a host's function that answers 1, from a loop of `size` calls."""
    if importlib.util.find_spec("pydantic_monty") is None:
        yield MISSING
        return
    from pydantic_monty import Monty

    text = f"for _ in range({size}):\n    one = value('select 1')\none"

    with Monty() as pool:

        def run() -> float:
            started = time.perf_counter()
            with pool.checkout(limits={"max_suspensions": size}) as session:
                if session.feed_run(text, external_lookup={"value": lambda sql: 1}) != 1:
                    raise AssertionError("the function did not answer 1")
            return (time.perf_counter() - started) / size

        yield Contender(NAME, run)
