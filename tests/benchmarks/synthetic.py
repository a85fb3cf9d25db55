"""Scenarios whose contenders tell their figures themselves: what is asked of them takes no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.scenario import SUBJECT, Absent, Bound, Contender, Scenario, Sides

Cost = Callable[[int], float]


def told(name: str, figures: Iterator[float] | float) -> Contender:
    """A contender that measures itself: a figure each time, or the same every time."""
    return Contender(name, lambda: figures if isinstance(figures, float) else next(figures))


def scenario(subject: Cost, *bounds: Bound, each: bool = False, unit: str = "s", **peers: float | str) -> Scenario:
    """A subject of that cost for a size, beside peers of a constant cost; one that is a text is absent for it."""

    @contextmanager
    def contenders(size: int) -> Sides:
        others = [
            Absent(name, cost) if isinstance(cost, str) else told(name, float(cost)) for name, cost in peers.items()
        ]
        yield [told(SUBJECT, float(subject(size))), *others]

    return Scenario("a made-up scenario", "things", (10, 100, 1_000), contenders, bounds, unit=unit, each=each)
