"""What goes on in the service, and how it ends: nothing new is taken, what runs gets its time, then it is undone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from codemode.errors import StatementTimeout, WorkerUnavailable
from codemode.settings import Settings

_log = logging.getLogger("codemode")
_LOOK_SECONDS = 0.02
_UNDO_SECONDS = 10.0  # to undo what was cancelled and to hand its outcome to whoever waits for it


class Act(Protocol):
    """An execution or an upload."""

    def cancel(self) -> None:
        """End it soon, and undo what it did not commit."""
        ...


Going = TypeVar("Going", bound=Act)


class Known(Generic[Going]):
    """`with` an act among those that go on: what `Acts.known` answers."""

    def __init__(self, going: set[Act], act: Going) -> None:
        self._going, self._act = going, act

    def __enter__(self) -> Going:
        self._going.add(self._act)
        return self._act

    def __exit__(self, *_: object) -> None:
        self._going.discard(self._act)


class Acts:
    """Those of one service; used on its event loop, but for `leave` and `hurry`."""

    def __init__(self, settings: Settings, interrupt: Callable[[], None]) -> None:
        self._settings, self._interrupt = settings, interrupt
        self._going: set[Act] = set()
        self._looks = 0
        self._closed = self._hurried = False
        self.leaving = False  # the service is about to end, and nobody new should come
        self.over = False  # nothing at all is begun any more

    def __len__(self) -> int:
        return len(self._going)

    def known(self, act: Going) -> Known[Going]:
        """For `with`: know of an act as long as the block lasts, so that the service's end waits for it and ends it.

        Cancels it and raises WorkerUnavailable where nothing new is taken any more.
        """
        if self._closed:
            act.cancel()
            raise WorkerUnavailable("the service is ending and takes nothing new", hint="send it again in a moment")
        return Known(self._going, act)

    @contextmanager
    def look(self) -> Iterator[None]:
        """Know of a call that nobody has to undo; at the end its statement is interrupted, and it says why.

        Raises WorkerUnavailable instead of the statement's timeout then.
        """
        self._looks += 1
        try:
            yield
        except StatementTimeout:
            if not self.over:
                raise
            raise WorkerUnavailable("the service ended before the statement did", hint="send it again") from None
        finally:
            self._looks -= 1

    def check_not_over(self) -> None:
        """Raise WorkerUnavailable when nothing is begun any more."""
        if self.over:
            raise WorkerUnavailable("the service has ended", hint="send it again in a moment")

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
        """Take nothing new, give what goes on `shutdown_seconds`, then undo it and have it answered.

        Calls that only look are not waited for: there is always one. What still runs of them last is interrupted.
        """
        self.leaving = self._closed = True
        seconds = self._settings.shutdown_seconds
        if self._going:
            _log.info("executions and uploads under way: %d; they get %g s", len(self._going), seconds)
        await self._wait(seconds, lambda: not self._going)
        if self._going:
            _log.warning("executions and uploads cut off and undone: %d", len(self._going))
        for each in list(self._going):
            each.cancel()
        self._hurried = False  # what was undone is still answered
        await self._wait(_UNDO_SECONDS, lambda: not self._going)
        self.over = True
        await self._wait(_UNDO_SECONDS, self._all_quiet)

    def _all_quiet(self) -> bool:
        if self._looks:
            self._interrupt()
        return not self._looks

    async def _wait(self, seconds: float, over: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not (over() or self._hurried) and loop.time() < until:
            await asyncio.sleep(_LOOK_SECONDS)
