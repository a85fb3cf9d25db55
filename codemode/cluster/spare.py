"""A worker that is ready before it is needed: one that ends is replaced in a moment, not in the time of a start.

To start takes an interpreter, its imports and a sandbox: a second or two, and more on a machine that is busy just then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from codemode.cluster.processes import WorkerProcess
from codemode.errors import CodemodeError, WorkerUnavailable

_log = logging.getLogger("codemode")
_TRUST_SECONDS = 2.0  # a spare that does not answer within this is not the one to wait for
_NAME_SECONDS = 30.0  # the same for one that has just started
_AGAIN_SECONDS = 5.0  # until one is made in place of a spare that was lost: a start is a second of a core


class Spare:
    """One process without a name, made by `start` when it is wanted and again when it was taken."""

    def __init__(self, start: Callable[[], Awaitable[WorkerProcess]], *, wanted: bool) -> None:
        self._start, self._wanted = start, wanted
        self._made: asyncio.Future[WorkerProcess] | None = None
        self._again: asyncio.TimerHandle | None = None

    def make(self) -> None:
        """Begin to make it where there is none, beside everything else."""
        if self._wanted and self._made is None:
            self._made = asyncio.ensure_future(self._start())
            self._made.add_done_callback(self._started)

    def _started(self, made: asyncio.Future[WorkerProcess]) -> None:
        if made.cancelled():
            return
        if (error := made.exception()) is None:
            made.result().exited.add_done_callback(lambda _: self._lost(made))
        else:
            _log.error("no spare worker can be started: %s", error)
            self._make_again(made)

    def _lost(self, made: asyncio.Future[WorkerProcess]) -> None:
        """It ended. Where it was still the spare nobody else would notice, before it is needed and not there."""
        if self._made is made:
            process = made.result()
            _log.warning("the spare worker (process %d) ended with %s; it is replaced", process.pid, process.ending)
            process.forget()
            self._make_again(made)

    def _make_again(self, made: asyncio.Future[WorkerProcess]) -> None:
        if self._made is made:
            self._made = None
            self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.make)

    async def take(self, name: str) -> WorkerProcess:
        """A process under this name: the spare, also while it is being made, else one that is started now.

        Raises the CodemodeError that keeps it from serving.
        """
        made, self._made = self._made, None
        try:
            spare = None if made is None else await made
        except (CodemodeError, OSError):
            spare = None
        if spare is not None:
            if await spare.serve_as(name, _TRUST_SECONDS):
                return spare
            await spare.kill()
        process = await self._start()
        if not await process.serve_as(name, _NAME_SECONDS):
            await process.kill()
            raise WorkerUnavailable(f"worker {name} started and did not answer")
        return process

    async def discard(self) -> None:
        """End it; `make` makes another one."""
        if self._again is not None:
            self._again.cancel()
        made, self._made = self._made, None
        if made is not None:
            made.cancel()
            await asyncio.wait([made])
            if not made.cancelled() and made.exception() is None:
                await made.result().end(_TRUST_SECONDS)  # by itself, so that it leaves nothing behind
