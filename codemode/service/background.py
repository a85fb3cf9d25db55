"""Executions in the background: begun, waited for, cancelled; their outcomes outlive the process that ran them.

Several services may share a data directory. The catalogue is what they know of each other's executions: who runs each,
whether somebody wants it ended, and its outcome. A service speaks for its own, and for those of services that are gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Literal, cast

import msgspec

from codemode.catalog.background import BackgroundExecutions, BackgroundRecord
from codemode.database.clock import now_ms, sure_ms
from codemode.errors import CodemodeError, ExecutionNotFound, WorkerUnavailable
from codemode.plain import encode
from codemode.service.callers import Caller
from codemode.service.presence import Presence
from codemode.session.running import Running
from codemode.values import Outcome, Problem, untold

_log = logging.getLogger("codemode")
_LOOK_SECONDS = 0.1  # between two looks into the catalogue, for what another service does with an execution
_AGAIN_SECONDS = 1.0  # between two attempts to keep an outcome
_CANCEL_SECONDS = 30.0  # how long another service's answer to a cancellation is waited for


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """An execution in the background; `outcome` is there when it is over."""

    execution_id: str
    session_id: str
    state: Literal["pending", "done"]
    outcome: Outcome | None = None


class Background:
    """Those of one service. Used on its event loop; the table in the catalogue is what others see of them."""

    def __init__(
        self,
        kept: BackgroundExecutions,
        presence: Presence,
        look: Callable[..., Awaitable[Any]],
        aside: Callable[..., Awaitable[Any]],
        known: Callable[[Running], AbstractContextManager[Running]],
        most: int,
    ) -> None:
        self._kept, self._presence, self._most = kept, presence, most
        self._look, self._aside = look, aside  # how the catalogue is asked: as `Service` does it
        self._known = known  # as long as its block lasts: Acts.known
        self._running: dict[str, tuple[Running, asyncio.Task[None]]] = {}
        self._watch: asyncio.Task[None] | None = None

    @property
    def pending(self) -> int:
        """How many wait or run."""
        return len(self._running)

    def recover(self) -> None:
        """Say of those that services before this one left behind what became of them."""
        for record in self._kept.unfinished():
            self._is_lost(record)

    def _is_lost(self, record: BackgroundRecord) -> bool:
        """Whether it is pending and its service is gone; that is its outcome from now on."""
        lost = record.outcome is None and self._presence.is_gone(record.service)
        if lost:
            self._kept.finish(record.id, encode(_lost(record)), now_ms())
        return lost

    async def keep(self, caller: Caller, running: Running, ended: Callable[[str], None]) -> None:
        """Let one go on by itself; `ended` is called with "ok" or the error's code when it is over.

        Raises WorkerUnavailable, and ends it: each holds its inputs while it waits, and no connection that bounds them.
        """
        with ExitStack() as known:
            known.enter_context(self._known(running))
            known.callback(running.cancel)  # where it cannot be kept; otherwise it is over by then
            if len(self._running) >= self._most:
                raise WorkerUnavailable(
                    f"{self._most:,} executions wait or run in the background",
                    hint="wait until some of them are over, or raise `connections`, which bounds them too",
                )
            added = asyncio.ensure_future(self._add(caller, running))
            finish = asyncio.ensure_future(self._finish(running, added, ended, known.pop_all()))
            self._running[running.id] = running, finish
        if self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._watched())
        # Whoever gives up now leaves no row behind that nobody would ever finish.
        await asyncio.shield(added)

    async def _add(self, caller: Caller, running: Running) -> None:
        await self._aside(
            self._kept.add,
            running.id, caller.tenant, running.session_id, caller.user, sure_ms(), service=self._presence.id,
        )  # fmt: skip

    async def _watched(self) -> None:
        """End what others want ended, as long as anything runs here."""
        while self._running:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                asked = await self._aside(self._kept.asked_to_cancel, self._presence.id)
            except CodemodeError as error:
                _log.error("the catalogue cannot be read: %s", error)
                continue
            for execution_id in asked:
                if execution_id in self._running:
                    self._running[execution_id][0].cancel()

    async def _finish(
        self, running: Running, added: asyncio.Future[None], ended: Callable[[str], None], known: ExitStack
    ) -> None:
        try:
            with known:
                await asyncio.wait([added])
                if added.exception() is not None:  # `keep` raises it, and nobody learns of the execution
                    return
                outcome = encode(await self._followed(running, ended))
                kept = await self._finished(running, outcome, logging.ERROR)
            while not kept:  # whoever asks waits for it
                await asyncio.sleep(_AGAIN_SECONDS)
                kept = await self._finished(running, outcome, logging.DEBUG)
        finally:
            del self._running[running.id]

    async def _followed(self, running: Running, ended: Callable[[str], None]) -> Outcome:
        try:
            outcome = await running.outcome()
        except CodemodeError as error:
            outcome = _failed(running, error)
        except Exception as error:  # noqa: BLE001 - told under its id; nobody else waits for this task
            _log.exception("execution %s", running.id)
            outcome = _failed(running, CodemodeError(f"internal fault: {type(error).__name__}"))
        code = outcome.error.code if outcome.error else "ok"
        await self._aside(ended, code)
        fields = {"session": running.session_id, "execution": running.id, "outcome": code}
        _log.info("execution in the background is over", extra={"fields": fields})
        return outcome

    async def _finished(self, running: Running, outcome: bytes, level: int) -> bool:
        """Keep how it ended; whether the catalogue took it: its disk may be full, its server be started again."""
        try:
            await self._aside(self._kept.finish, running.id, outcome, now_ms())
        except CodemodeError as error:
            _log.log(level, "the outcome of %s cannot be kept yet: %s", running.id, error)
            return False
        return True

    async def find(self, caller: Caller, execution_id: str, wait: float) -> Accepted:
        """One of the caller's, after `wait` seconds at most; raises ExecutionNotFound."""
        return _shown(await self._awaited(caller, execution_id, wait))

    async def cancel(self, caller: Caller, execution_id: str) -> Accepted:
        """End one and answer with what became of it; raises ExecutionNotFound.

        Pending is the answer where another service has it and does not say within half a minute that it is over.
        """
        record = await self._look(self._record, caller, execution_id)
        if execution_id in self._running:
            self._running[execution_id][0].cancel()
        elif record.outcome is None:
            await self._aside(self._kept.ask_to_cancel, execution_id)
        return _shown(await self._awaited(caller, execution_id, _CANCEL_SECONDS))

    async def _awaited(self, caller: Caller, execution_id: str, seconds: float) -> BackgroundRecord:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            record: BackgroundRecord = await self._look(self._record, caller, execution_id)
            left = until - loop.time()
            if record.outcome is not None or (left <= 0 and not await self._aside(self._is_lost, record)):
                return record
            if execution_id in self._running:
                await asyncio.wait([self._running[execution_id][1]], timeout=left)
            elif not await self._aside(self._is_lost, record):
                await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, left)))

    def _record(self, caller: Caller, execution_id: str) -> BackgroundRecord:
        record = self._kept.get(caller.tenant, caller.user, execution_id, sure_ms())
        if record is None:
            raise ExecutionNotFound(
                f"there is no execution {execution_id[:60]} in the background",
                hint="outcomes are kept for an hour; the session's log keeps a line of each execution",
            )
        return record


def _shown(record: BackgroundRecord) -> Accepted:
    done = record.outcome is not None
    return Accepted(
        execution_id=record.id,
        session_id=record.session_id,
        state="done" if done else "pending",
        outcome=None if record.outcome is None else cast(Outcome, msgspec.Raw(record.outcome)),  # JSON already
    )


def _failed(running: Running, error: CodemodeError) -> Outcome:
    problem = Problem(code=error.code, message=error.message, hint=error.hint, retryable=error.retryable)
    return untold(running.id, running.session_id, problem)


def _lost(record: BackgroundRecord) -> Outcome:
    problem = Problem(
        code="worker.unavailable",
        message="the service ended while this execution waited or ran: what it had not committed is undone",
        hint="the session's log says whether it ended well; run it again under an idempotency key to be sure",
        retryable=True,
    )
    return untold(record.id, record.session_id, problem)
