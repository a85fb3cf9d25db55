"""Executions in the background: begun, waited for, cancelled; their outcomes outlive the process that ran them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Literal, cast

import msgspec

from codemode.catalog.background import BackgroundExecutions, BackgroundRecord
from codemode.database.clock import now_ms, sure_ms
from codemode.errors import CodemodeError, ExecutionNotFound
from codemode.plain import encode
from codemode.service.callers import Caller
from codemode.session.running import Running
from codemode.values import DatabaseUse, Outcome, Problem

_log = logging.getLogger("codemode")


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """An execution in the background; `outcome` is there when it is over."""

    execution_id: str
    session_id: str
    state: Literal["pending", "done"]
    outcome: Outcome | None = None


class Background:
    """Those of one service. Used on its event loop; the table in the catalogue is what others see of them."""

    def __init__(self, kept: BackgroundExecutions, known: Callable[[Running], AbstractContextManager[Running]]) -> None:
        self._kept, self._known = kept, known  # `known` as long as its block lasts: Acts.known
        self._running: dict[str, tuple[Running, asyncio.Task[None]]] = {}

    @property
    def pending(self) -> int:
        """How many wait or run."""
        return len(self._running)

    def recover(self) -> None:
        """Say of those that a service before this one left behind what became of them."""
        for record in self._kept.unfinished():
            self._kept.finish(record.id, encode(_lost(record)), now_ms())

    def keep(self, caller: Caller, running: Running, ended: Callable[[str], None]) -> None:
        """Let one go on by itself; `ended` is called with "ok" or the error's code when it is over."""
        with ExitStack() as known:
            known.enter_context(self._known(running))
            known.callback(running.cancel)  # where it cannot be kept; otherwise it is over by then
            self._kept.add(running.id, caller.tenant, running.session_id, caller.user, sure_ms())
            self._running[running.id] = running, asyncio.ensure_future(self._finish(running, ended, known.pop_all()))

    async def _finish(self, running: Running, ended: Callable[[str], None], known: ExitStack) -> None:
        with known:
            await self._followed(running, ended)

    async def _followed(self, running: Running, ended: Callable[[str], None]) -> None:
        try:
            outcome = await running.outcome()
        except CodemodeError as error:
            outcome = _failed(running, error)
        except Exception as error:  # noqa: BLE001 - told under its id; nobody else waits for this task
            _log.exception("execution %s", running.id)
            outcome = _failed(running, CodemodeError(f"internal fault: {type(error).__name__}"))
        code = outcome.error.code if outcome.error else "ok"
        ended(code)
        fields = {"session": running.session_id, "execution": running.id, "outcome": code}
        _log.info("execution in the background is over", extra={"fields": fields})
        try:
            self._kept.finish(running.id, encode(outcome), now_ms())
        except CodemodeError as error:
            _log.error("the outcome of %s cannot be kept: %s", running.id, error)
        finally:
            del self._running[running.id]

    async def find(self, caller: Caller, execution_id: str, wait: float) -> Accepted:
        """One of the caller's, after `wait` seconds at most; raises ExecutionNotFound."""
        record = self._record(caller, execution_id)
        known = self._running.get(execution_id)
        if known is not None and wait:
            await asyncio.wait([known[1]], timeout=wait)
            record = self._record(caller, execution_id)
        return _shown(record)

    async def cancel(self, caller: Caller, execution_id: str) -> Accepted:
        """End one and answer with what became of it."""
        self._record(caller, execution_id)
        known = self._running.get(execution_id)
        if known is not None:
            known[0].cancel()
            await asyncio.wait([known[1]])
        return _shown(self._record(caller, execution_id))

    def _record(self, caller: Caller, execution_id: str) -> BackgroundRecord:
        record = self._kept.get(caller.tenant, execution_id, sure_ms())
        if record is None or (caller.user is not None and record.user != caller.user):
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
    return Outcome(
        ok=False, status="error", execution_id=running.id, session_id=running.session_id,
        db=DatabaseUse(committed=False), error=problem,
    )  # fmt: skip


def _lost(record: BackgroundRecord) -> Outcome:
    problem = Problem(
        code="worker.unavailable",
        message="the service ended while this execution waited or ran: what it had not committed is undone",
        hint="the session's log says whether it ended well; run it again under an idempotency key to be sure",
        retryable=True,
    )
    return Outcome(
        ok=False, status="error", execution_id=record.id, session_id=record.session_id,
        db=DatabaseUse(committed=False), error=problem,
    )  # fmt: skip
