"""How many children are wanted, and which of them the zygote was asked for."""

from __future__ import annotations

import contextlib
import time
from collections import deque

_GROWTH = 2
_CALM_SECONDS = 60.0  # without a run that found none ready, and no more than usual are kept


class Forks:
    """Counts only, by number: it asks nobody for anything. Its owner's lock guards it.

    `usual` children are wanted, up to `most` for a while after more were needed.
    """

    def __init__(self, usual: int, most: int) -> None:
        self._usual, self.most = usual, max(usual, most)
        self._wanted = usual
        self._short = time.monotonic()  # when a run found none ready
        self._pending: set[int] = set()  # asked for, and not answered yet
        self._later: deque[int] = deque()  # those of them that the zygote may leave until nobody runs anything
        self._due: float | None = None  # since when the zygote owes one of the others, and has made none
        self._number = 0

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._pending)

    def grow(self) -> None:
        """A run found no child ready: have more from now on."""
        if self._number > self._usual:  # not the first runs, which come while the first children are made
            self._wanted, self._short = min(self.most, _GROWTH * self._wanted), time.monotonic()

    def calm_down(self, ready: int) -> tuple[int, float | None]:
        """Want no more than usual when more were not needed for long: how many of those that are ready are too many.

        Then the seconds until that may be so, or None.
        """
        calm = self._short + _CALM_SECONDS - time.monotonic()
        if calm <= 0:
            self._wanted = self._usual
            return max(0, ready - self._usual), None
        return 0, calm if self._wanted > self._usual else None

    def claim(self, ready: int, waiting: int, least: int) -> tuple[list[int], list[int]]:
        """Count what is missing as asked for: the numbers for now, and those for a quiet moment.

        At once are needed one for each run that waits, and `least` beside them.
        """
        missing = max(0, self._wanted + waiting - ready - len(self._pending))
        made = range(self._number + 1, self._number + 1 + missing)
        self._number += missing
        on_their_way = len(self._pending) - len(self._later)
        self._pending.update(made)
        self._later.extend(made)
        urgent = min(len(self._later), max(0, waiting + least - ready - on_their_way))
        now = [self._later.popleft() for _ in range(urgent)]
        if now:
            self._due = self._due or time.monotonic()
        return now, [number for number in made if number not in now]

    def answered(self, number: int) -> None:
        """This one is not to be waited for any more."""
        self._pending.discard(number)
        with contextlib.suppress(ValueError):
            self._later.remove(number)
        self._due = time.monotonic() if len(self._pending) > len(self._later) else None

    def overdue(self) -> float:
        """The seconds for which one is due at once and nothing has come."""
        return 0.0 if self._due is None else time.monotonic() - self._due

    def clear(self) -> None:
        """None of them will come: the zygote is gone."""
        self._pending.clear()
        self._later.clear()
        self._due = None
