"""Tells those who listen to a session that an execution ended: in batches, so that no execution waits for it.

While the catalogue cannot be written they wait, as in `session/telling.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from codemode.catalog.events import Told
from codemode.database.clock import now_ms
from codemode.errors import CodemodeError
from codemode.service.callers import Caller
from codemode.session.telling import kept, told_of
from codemode.values import Outcome
from codemode.worker import Worker

_BATCH_SECONDS = 0.05
_AGAIN_SECONDS = 1.0  # from a try that failed to the next
_log = logging.getLogger("codemode")


class Telling:
    """What one service has to tell; used on its event loop. `after` is called when it has told it."""

    def __init__(self, worker: Worker, run: Callable[..., Awaitable[Any]], after: Callable[[], None]) -> None:
        self._worker, self._run, self._after = worker, run, after
        self._waiting: dict[str, list[Told]] = {}  # by tenant
        self._soon: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._fails = False

    def ended(self, caller: Caller, outcome: Outcome) -> None:
        """An execution is over."""
        body = told_of(outcome, caller.user)
        told = Told(outcome.session_id, "execution", now_ms(), outcome.execution_id, body)
        if not self._waiting:
            self._soon = asyncio.get_running_loop().call_later(_BATCH_SECONDS, self._begin)
        self._waiting.setdefault(caller.tenant, []).append(told)

    def _begin(self) -> None:
        if self._writing is None or self._writing.done():  # else it takes these as well, in their order
            self._writing = asyncio.ensure_future(self._tell())

    async def end(self) -> None:
        """Tell all that is left, and a batch that is under way, as long as there are threads to write it in."""
        await asyncio.sleep(0)  # of the execution that ended last the loop hears in its next step
        if self._soon is not None:
            self._soon.cancel()
        if self._writing is not None:
            await self._writing
        await self._tell()
        if self._soon is not None:  # of a last try that failed
            self._soon.cancel()
        if self._waiting:
            _log.error("%s events are lost: the service ends", sum(map(len, self._waiting.values())))

    async def _tell(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            if self._worker.registry.catalog.file.behind:  # there is nowhere to tell it until the catalogue is migrated
                return
            failed = [tenant for tenant, told in waiting.items() if not await self._is_written(tenant, told)]
            self._fails = bool(failed)
            self._after()
            if failed:
                self._soon = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._begin)
                return

    async def _is_written(self, tenant: str, told: list[Told]) -> bool:
        try:
            await self._run(self._worker.of(tenant).events.append_all, told)
        except CodemodeError as error:  # what ran has run, and its outcome was answered
            if not self._fails:
                _log.error("%s events cannot be told, and wait: %s", len(told), error)
            self._waiting[tenant] = kept(told, self._waiting.get(tenant, []), error)
            return False
        return True
