"""What requests came and how they went: counted by operation and class of status, by nothing that a client chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from codemode.session.durations import Durations

NO_OPERATION = "none"  # what came of no operation: an unknown path, a method that it does not have
STATUSES = ("2xx", "3xx", "4xx", "5xx", "none")  # none: the client went away before it was answered


class Traffic:
    """The requests of one service; written on its event loop only."""

    def __init__(self, operations: Iterable[str]) -> None:
        self.seconds = {name: Durations() for name in (*operations, NO_OPERATION)}
        # What alerts watch is there from the start: a scraper takes no increase from a series that begins with 1.
        self.counts: Counter[tuple[str, str]] = Counter({(name, "5xx"): 0 for name in self.seconds})
        self.in_progress = 0
        self.bytes_in = self.bytes_out = 0

    def ended(self, operation: str | None, status: int | None, seconds: float) -> None:
        """Count one request that is over."""
        known = operation if operation in self.seconds else NO_OPERATION
        self.counts[known, _class_of(status)] += 1
        self.seconds[known].add(seconds)


def _class_of(status: int | None) -> str:
    found = f"{(status or 0) // 100}xx"
    return found if found in STATUSES else "none"
