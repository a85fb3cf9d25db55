"""What goes on in the service, and how it ends: nothing new is taken, what runs gets its time, then it is undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from codemode.errors import WorkerUnavailable
from codemode.settings import Settings

_LOOK_SECONDS = 0.02
_UNDO_SECONDS = 10.0  # to undo what was cancelled and to hand its outcome to whoever waits for it


class Act(Protocol):
    """An execution or an upload."""

    def cancel(self) -> None:
        """End it soon, and undo what it did not commit."""
        ...


Going = TypeVar("Going", bound=Act)


class Acts:
    """Those of one service; used on its event loop, but for `leave` and `hurry`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._going: set[Act] = set()
        self._closed = self._hurried = False
        self.leaving = False  # the service is about to end, and nobody new should come

    def __len__(self) -> int:
        return len(self._going)

    @contextmanager
    def known(self, act: Going) -> Iterator[Going]:
        """Know of an act as long as the block lasts, so that the service's end waits for it and ends it.

        Cancels it and raises WorkerUnavailable where nothing new is taken any more.
        """
        if self._closed:
            act.cancel()
            raise WorkerUnavailable("the service is ending and takes nothing new", hint="send it again in a moment")
        self._going.add(act)
        try:
            yield act
        finally:
            self._going.discard(act)

    def leave(self) -> None:
        """Say that the service is about to end; may be called in a signal handler."""
        self.leaving = True

    def hurry(self) -> None:
        """Wait for nothing any more: what runs is ended now; may be called in a signal handler."""
        self._hurried = True

    async def drained(self) -> None:
        """Wait for `drain_seconds`: those that send requests learn meanwhile that they should not come here."""
        await self._wait(self._settings.drain_seconds, lambda: False)

    async def end(self) -> None:
        """Take nothing new, give what goes on `shutdown_seconds`, then undo it and have it answered."""
        self.leaving = self._closed = True
        await self._wait(self._settings.shutdown_seconds, lambda: not self._going)
        for each in list(self._going):
            each.cancel()
        self._hurried = False  # what was undone is still answered
        await self._wait(_UNDO_SECONDS, lambda: not self._going)

    async def _wait(self, seconds: float, over: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not (over() or self._hurried) and loop.time() < until:
            await asyncio.sleep(_LOOK_SECONDS)
