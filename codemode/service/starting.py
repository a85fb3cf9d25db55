"""Few executions begin at a time: those that are short end before the next ones take the cores from them.

Sixty-four that begin at once on two cores all end late, and as many threads wake each other for the interpreter's lock
meanwhile: each costs half as much again. So an execution has one of a few places for its first moments. One that runs
longer gives its place up and runs on. Whatever others run, every execution begins, in the order of asking.
"""

from __future__ import annotations

import asyncio
import os

_PLACES = max(8, 4 * (os.cpu_count() or 1))  # measured on two cores: from 2 to 8 there is no difference
_MOMENTS_SECONDS = 0.25  # so that cores which are kept busy by snippets of this length are always kept busy


class Starting:
    """The places of one service; used on its event loop."""

    def __init__(self, places: int = _PLACES, seconds: float = _MOMENTS_SECONDS) -> None:
        self.seconds = seconds
        self.free = asyncio.Semaphore(places)


class Place:
    """One execution's claim to a place."""

    def __init__(self, starting: Starting) -> None:
        self._starting = starting
        self._moments: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Wait for a place, and have it until `give_up`, or for the first moments."""
        await self._starting.free.acquire()
        self._moments = asyncio.get_running_loop().call_later(self._starting.seconds, self.give_up)

    def give_up(self) -> None:
        """Leave the place to the next one; without one it does nothing."""
        if self._moments is not None:
            self._moments.cancel()
            self._moments = None
            self._starting.free.release()
