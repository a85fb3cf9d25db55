"""Executions in the background of a service: look, wait, end."""

from __future__ import annotations

import time

from anyio import current_time, sleep

from codemode.client import executions
from codemode.client.connection import AsyncConnection, Connection
from codemode.client.executions import Background
from codemode.errors import RequestInvalid, shown
from codemode.values import Outcome

_FOR_EVER = 1e9  # seconds, which no clock overflows by
_PAUSE = 0.05  # seconds


def _patience(timeout: object) -> float:
    if timeout is None:
        return _FOR_EVER
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout != timeout:
        raise RequestInvalid(f"timeout must be seconds, or None, not {shown(timeout)}")
    return min(timeout, _FOR_EVER)


class _Known:
    """What both handles know."""

    def __init__(self, begun: Background) -> None:
        self.id, self.session_id = begun.execution_id, begun.session_id
        self._outcome = begun.outcome

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, where a look has found it; asks nobody."""
        return self._outcome

    def _seen(self, found: Background) -> Outcome | None:
        self._outcome = found.outcome or self._outcome
        return self._outcome

    def _pause(self, left: float, timeout: float | None) -> float:
        """Seconds until the next look: the service waits for whole ones alone. Raises TimeoutError at the end."""
        if left <= 0:
            raise TimeoutError(f"{self.id} was not over after {timeout or 0:g} s; it goes on")
        return 0 if executions.whole_seconds(left) else min(left, _PAUSE)


class BackgroundExecution(_Known):
    """One of them; `id` finds it again with `Client.execution`, for an hour after its end."""

    def __init__(self, connection: Connection, begun: Background) -> None:
        super().__init__(begun)
        self._connection = connection

    def poll(self) -> Outcome | None:
        """The outcome, or None while it waits or runs; raises ExecutionNotFound an hour after its end."""
        return self._outcome or self._seen(self._connection.send(executions.look(self.id, 0)))

    def wait(self, timeout: float | None = None) -> Outcome:
        """The outcome, when it is over; raises TimeoutError after `timeout` seconds, None for ever."""
        until = time.monotonic() + _patience(timeout)
        while self._outcome is None:
            left = until - time.monotonic()
            if self._seen(self._connection.send(executions.look(self.id, left))) is None:
                time.sleep(self._pause(left, timeout))
        return self._outcome

    def cancel(self) -> Outcome | None:
        """End it, and answer with what became of it."""
        return self._seen(self._connection.send(executions.end(self.id)))


class AsyncBackgroundExecution(_Known):
    """The same without blocking."""

    def __init__(self, connection: AsyncConnection, begun: Background) -> None:
        super().__init__(begun)
        self._connection = connection

    async def poll(self) -> Outcome | None:
        """The outcome, or None while it waits or runs; raises ExecutionNotFound an hour after its end."""
        return self._outcome or self._seen(await self._connection.send(executions.look(self.id, 0)))

    async def wait(self, timeout: float | None = None) -> Outcome:
        """The outcome, when it is over; raises TimeoutError after `timeout` seconds, None for ever."""
        until = current_time() + _patience(timeout)
        while self._outcome is None:
            left = until - current_time()
            if self._seen(await self._connection.send(executions.look(self.id, left))) is None:
                await sleep(self._pause(left, timeout))
        return self._outcome

    async def cancel(self) -> Outcome | None:
        """End it, and answer with what became of it."""
        return self._seen(await self._connection.send(executions.end(self.id)))
