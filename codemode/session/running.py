"""An execution that was asked for on an event loop: wait for its outcome, or end it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from codemode.session.turn import TurnQueue, waited_too_long
from codemode.values import Outcome, Problem, untold
from sandbox import Cancel

_NEVER_RAN = Problem(
    code="code.cancelled", message="cancelled while it waited for the session's turn", hint="nothing ran"
)
Ended = Callable[[Outcome], object]  # told how an execution ended, before anybody else is


class Place(Protocol):
    """Where only so many may begin at a time: one of them."""

    async def take(self) -> None:
        """Wait for it."""
        ...

    def give_up(self) -> None:
        """Leave it to the next one."""
        ...


class Running:
    """One execution that waits for its session's turn or runs; made by `Session.begin`, used on that loop."""

    def __init__(self, execution_id: str, session_id: str, give_up: Callable[[], None], ended: Ended | None) -> None:
        self.id, self.session_id = execution_id, session_id
        self._give_up, self._tell = give_up, ended
        self.stop = Cancel()
        self._waits = True
        self._task: asyncio.Task[Outcome] | None = None

    def start(self, run: Callable[[], Awaitable[Outcome]]) -> None:
        """Begin; called once."""
        self._task = asyncio.ensure_future(self._ended(run))

    async def turn(self, queue: TurnQueue, seconds: float, place: Place | None) -> None:
        """Wait for the session's turn, and then for `place`, without holding a thread.

        Raises SessionBusy when the turn does not come within `seconds`.
        """
        granted = queue.request()
        try:
            if not granted.done():
                async with asyncio.timeout(seconds):
                    await asyncio.wrap_future(granted)
            if place is not None:
                await place.take()
        except BaseException as error:
            queue.withdraw(granted)
            if isinstance(error, TimeoutError):
                raise waited_too_long(seconds) from None
            raise
        self._waits = False

    def when_over(self, call: Callable[[Outcome | None], None]) -> None:
        """Have `call` called on the loop when it is over, with its outcome where it has one, whoever waits for it."""
        assert self._task is not None
        self._task.add_done_callback(lambda task: call(None if task.cancelled() or task.exception() else task.result()))

    def cancel(self) -> None:
        """End it: a running snippet is killed and its writes undone, a waiting one never starts."""
        self.stop.cancel()
        self._give_up()  # its thread may wait for a function that runs on this loop, and may never end
        if self._waits and self._task is not None:
            self._task.cancel()

    async def outcome(self) -> Outcome:
        """Its outcome, when it is over; giving up waiting does not end it."""
        assert self._task is not None
        return await asyncio.shield(self._task)

    async def end(self) -> None:
        """Cancel it and wait until it is over, so that nothing of it runs on; does nothing where it is."""
        assert self._task is not None
        if not self._task.done():
            self.cancel()
            await asyncio.wait([self._task])

    async def _ended(self, run: Callable[[], Awaitable[Outcome]]) -> Outcome:
        try:
            return await run()
        except asyncio.CancelledError:
            if not self.stop.cancelled:
                raise
            outcome = untold(self.id, self.session_id, _NEVER_RAN, "cancelled")
            if self._tell is not None:
                self._tell(outcome)
            return outcome
