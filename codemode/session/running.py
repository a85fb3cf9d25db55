"""An execution that was asked for on an event loop: wait for its outcome, or end it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from contextvars import copy_context
from functools import partial
from typing import Protocol

from codemode.session.turn import TurnQueue, waited_too_long
from codemode.values import Outcome, never_ran
from sandbox import Cancel

_log = logging.getLogger("codemode")
Ended = Callable[[Outcome], object]  # told how an execution ended, before anybody else is
Prepare = Callable[[ExitStack], Callable[[], Outcome]]


class Place(Protocol):
    """Where only so many may begin at a time: one of them, and a thread to run in."""

    @property
    def is_free(self) -> bool:
        """Whether it could be had now."""
        ...

    def take_if_free(self) -> bool:
        """Have it now, where nobody waits for one; whether it is had."""
        ...

    async def take(self) -> None:
        """Wait for it."""
        ...

    def run(self, work: Callable[[], None]) -> object:
        """Do `work`, which raises nothing, in a thread."""
        ...

    def give_up(self) -> None:
        """Leave it to the next one."""
        ...


class Anywhere:
    """The place of an execution that nothing but its session's turn keeps waiting: the loop's own threads."""

    is_free = True

    def take_if_free(self) -> bool:
        """It always is."""
        return True

    async def take(self) -> None:
        """Wait for nothing."""

    def run(self, work: Callable[[], None]) -> object:
        """Do `work`."""
        return asyncio.get_running_loop().run_in_executor(None, work)

    def give_up(self) -> None:
        """Nobody waits for it."""


class Running:
    """One execution that waits for its session's turn or runs; made by `Session.begin`, used on that loop.

    It starts by itself in the loop's next step, so that whoever asked for it may still think better of it: one that is
    cancelled before runs nothing. Most find their turn and a place free. They have no task and no future of asyncio's
    on their way: each would be one more step of the loop that their callers wait for.
    """

    def __init__(
        self, execution_id: str, session_id: str, place: Place, give_up: Callable[[], None], ended: Ended | None
    ) -> None:
        self.id, self.session_id = execution_id, session_id
        self.stop = Cancel()
        self._place, self._give_up, self._tell = place, give_up, ended
        self._loop = asyncio.get_running_loop()
        self._soon: asyncio.Handle | None = None
        self._waits: asyncio.Task[None] | None = None  # for its turn, for its place
        self._found: Outcome | BaseException | None = None  # when it is over
        self._is_told = False
        self._listeners: list[Callable[[], None]] = []

    def begin(self, queue: TurnQueue, seconds: float, held: ExitStack, prepare: Prepare) -> None:
        """Have it start soon; called once.

        It waits for its turn in `queue` for at most so many `seconds`. Then `prepare` makes ready, on the loop, what
        is called in a thread and gives the turn back. `held` is closed when that is over.
        """
        self._queue, self._seconds, self._held, self._prepare = queue, seconds, held, prepare
        self._soon = self._loop.call_soon(self.start)

    def start(self) -> None:
        """Start now; called again it does nothing."""
        if self._soon is None:
            return
        self._soon.cancel()
        self._soon = None
        if self.stop.cancelled:
            self._give_back(asyncio.CancelledError())
            return
        if self._place.take_if_free():
            if self._queue.take_if_free():
                self._go()
                return
            self._place.give_up()
        self._waits = asyncio.ensure_future(self._turn())
        self._waits.add_done_callback(self._waited)  # called, too, where it is cancelled before its first step

    async def _turn(self) -> None:
        """Wait for the session's turn, and then for the place, without holding a thread.

        Raises SessionBusy when the turn does not come in time.
        """
        granted = self._queue.request()
        try:
            if not granted.done():
                async with asyncio.timeout(self._seconds):
                    await asyncio.wrap_future(granted)
            await self._place.take()
        except BaseException as error:
            self._queue.withdraw(granted)
            if isinstance(error, TimeoutError):
                raise waited_too_long(self._seconds) from None
            raise

    def _waited(self, task: asyncio.Task[None]) -> None:
        self._waits = None
        if not task.cancelled() and task.exception() is None:
            self._go()
        elif task.cancelled() and self.stop.cancelled:
            outcome = never_ran(self.id, self.session_id)
            if self._tell is not None:
                self._tell(outcome)
            self._give_back(outcome)
        else:
            self._give_back(asyncio.CancelledError() if task.cancelled() else task.exception())

    def _go(self) -> None:
        try:
            work = partial(self._work, self._prepare(self._held))
            del self._prepare  # which refers to this object
            self._place.run(partial(copy_context().run, work))
        except BaseException as error:  # noqa: BLE001 - raised by `outcome`; no thread can be had, say
            self._queue.release()
            self._give_back(error)

    def _work(self, execute: Callable[[], Outcome]) -> None:
        found: Outcome | BaseException
        with self._held:  # closed when it was told: who waits for the outcome waits for nothing else
            try:
                found = execute()
            except BaseException as error:  # noqa: BLE001 - raised by `outcome`
                found = error
                if self._is_told:  # what it did is done, and answered
                    _log.error("the turn of session %s did not end well", self.session_id, exc_info=error)
            if not self._is_told:
                self.tell(found)

    def tell(self, found: Outcome | BaseException) -> None:
        """How it ended, known in its thread: nobody who waits for that waits for its turn to be given back."""
        self._is_told = True
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(self._over, found)

    def _give_back(self, found: Outcome | BaseException | None) -> None:
        """It is over, and nothing ran."""
        self._held.close()
        self._over(found)

    def _over(self, found: Outcome | BaseException | None) -> None:
        self._place.give_up()
        self._found = found
        listeners, self._listeners = self._listeners, []
        for told in listeners:
            told()

    def when_over(self, call: Callable[[Outcome | None], None]) -> None:
        """Have `call` called on the loop when it is over, with its outcome where it has one, whoever waits for it."""
        self._listen(lambda: call(self._found if isinstance(self._found, Outcome) else None))

    def _listen(self, told: Callable[[], None]) -> None:
        if self._found is None:
            self._listeners.append(told)
        else:
            told()

    def cancel(self) -> None:
        """End it: a running snippet is killed and its writes undone, a waiting one never starts."""
        self.stop.cancel()
        self._give_up()  # its thread may wait for a function that runs on this loop, and may never end
        if self._waits is not None:
            self._waits.cancel()

    async def outcome(self) -> Outcome:
        """Its outcome, when it is over; giving up waiting does not end it."""
        await self._wait()
        if not isinstance(self._found, Outcome):
            assert self._found is not None
            raise self._found
        return self._found

    async def end(self) -> None:
        """Cancel it and wait until it is over, so that nothing of it runs on; does nothing where it is."""
        if self._found is None:
            self.cancel()
            await self._wait()

    async def _wait(self) -> None:
        self.start()
        if self._found is None:
            waiter = self._loop.create_future()
            # Before those that only want to know: who waits for an answer is the first to go on.
            self._listeners.insert(0, lambda: None if waiter.done() else waiter.set_result(None))
            await waiter
