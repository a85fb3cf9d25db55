"""How long things took, counted in buckets: what a scraper reads as a histogram."""

from __future__ import annotations

import threading
from bisect import bisect_left
from itertools import accumulate

# Seconds. From a statement's milliseconds to the longest execution; each label of a histogram costs one of them.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Durations:
    """Counts of durations by bucket, and their sum; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        with self._lock:
            self._counts[bisect_left(BOUNDS, seconds)] += 1
            self._sum += seconds

    def read(self) -> tuple[tuple[int, ...], float]:
        """How many took at most each of BOUNDS, then how many there were; and the sum of their seconds."""
        with self._lock:
            return tuple(accumulate(self._counts)), self._sum
