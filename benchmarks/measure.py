"""Time a subject and its floor alternately, so that both see the same machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians in seconds of a subject and of what it is compared with, and the spread of their ratio."""

    scenario: str
    floor_name: str
    subject: float
    floor: float
    lowest: float
    highest: float

    @property
    def ratio(self) -> float:
        """How many times the floor's time the subject takes."""
        return self.subject / self.floor


def compare(
    scenario: str, subject: Callable[[], object], floor_name: str, floor: Callable[[], object], repeat: int
) -> Figure:
    """Run both once to warm them, then `repeat` times in turn."""
    subject()
    floor()
    pairs = [(_seconds(subject), _seconds(floor)) for _ in range(repeat)]
    ratios = [one / other for one, other in pairs]
    return Figure(
        scenario,
        floor_name,
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
        min(ratios),
        max(ratios),
    )


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
