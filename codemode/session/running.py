"""An execution that was asked for on an event loop: wait for its outcome, or end it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from codemode.session.turn import TurnQueue, waited_too_long
from codemode.values import Outcome, Problem, untold
from sandbox import Cancel

_NEVER_RAN = Problem(
    code="code.cancelled", message="cancelled while it waited for the session's turn", hint="nothing ran"
)


class Running:
    """One execution that waits for its session's turn or runs; made by `Session.begin`, used on that loop."""

    def __init__(self, execution_id: str, session_id: str, give_up: Callable[[], None]) -> None:
        self.id, self.session_id = execution_id, session_id
        self._give_up = give_up
        self.stop = Cancel()
        self._waits = True
        self._task: asyncio.Task[Outcome] | None = None

    def start(self, run: Callable[[], Awaitable[Outcome]]) -> None:
        """Begin; called once."""
        self._task = asyncio.ensure_future(self._ended(run))

    async def turn(self, queue: TurnQueue, seconds: float) -> None:
        """Wait for the session's turn without holding a thread; raises SessionBusy after `seconds`."""
        granted = queue.request()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(granted)
        except BaseException as error:
            queue.withdraw(granted)
            if isinstance(error, TimeoutError):
                raise waited_too_long(seconds) from None
            raise
        self._waits = False

    def when_over(self, call: Callable[[], None]) -> None:
        """Have `call` called on the loop when it is over, however it ends and whoever waits for it."""
        assert self._task is not None
        self._task.add_done_callback(lambda _: call())

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
        """Cancel it and wait until it is over, so that nothing of it runs on."""
        assert self._task is not None
        self.cancel()
        await asyncio.wait([self._task])

    async def _ended(self, run: Callable[[], Awaitable[Outcome]]) -> Outcome:
        try:
            return await run()
        except asyncio.CancelledError:
            if not self.stop.cancelled:
                raise
            return untold(self.id, self.session_id, _NEVER_RAN, "cancelled")
