"""Few executions begin at a time: those that are short end before the next ones take the cores from them.

Sixty-four that begin at once on two cores all end late, and as many threads wake each other for the interpreter's lock
meanwhile: each costs half as much again. So an execution has one of a few places for its first moments. One that runs
longer gives its place up and runs on. Whatever others run, every execution begins, in the order of asking.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

_PLACES = max(8, 4 * (os.cpu_count() or 1))  # measured on two cores: from 2 to 8 there is no difference
_MOMENTS_SECONDS = 0.25  # so that cores which are kept busy by snippets of this length are always kept busy


class Starting:
    """The places of one service; used on its event loop, but for the `threads` that executions run in."""

    def __init__(self, threads: Executor, places: int = _PLACES, seconds: float = _MOMENTS_SECONDS) -> None:
        self.threads, self.seconds = threads, seconds
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_free(self) -> bool:
        """Whether a place is free, and nobody waits for it."""
        return self._free > 0

    def take_if_free(self) -> bool:
        """Take a place where one is free, and nobody waits for it; whether it was taken."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def take(self) -> None:
        """Take a place, or wait for one."""
        if self.take_if_free():
            return
        handed = asyncio.get_running_loop().create_future()
        self._waiting.append(handed)
        try:
            await handed
        except asyncio.CancelledError:
            if not handed.cancelled():  # it was handed over at the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        """Hand a place to whoever waits longest."""
        while self._waiting:
            heir = self._waiting.popleft()
            if not heir.done():  # else he has given up
                heir.set_result(None)
                return
        self._free += 1


class Place:
    """One execution's claim to a place."""

    def __init__(self, starting: Starting) -> None:
        self._starting = starting
        self._moments: asyncio.TimerHandle | None = None

    @property
    def is_free(self) -> bool:
        """Whether a place could be had now."""
        return self._starting.is_free

    def take_if_free(self) -> bool:
        """Have a place if one is free; whether it is had."""
        if not self._starting.take_if_free():
            return False
        self._have()
        return True

    async def take(self) -> None:
        """Wait for a place, and have it until `give_up`, or for the first moments."""
        await self._starting.take()
        self._have()

    def _have(self) -> None:
        self._moments = asyncio.get_running_loop().call_later(self._starting.seconds, self.give_up)

    def run(self, work: Callable[[], None]) -> object:
        """Do `work` in a thread."""
        return self._starting.threads.submit(work)

    def give_up(self) -> None:
        """Leave the place to the next one; without one it does nothing."""
        if self._moments is not None:
            self._moments.cancel()
            self._moments = None
            self._starting.give_back()
