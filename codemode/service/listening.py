"""Who listens to the events of a tenant's sessions, and how each hears of them once, from whichever process they are.

The source is the catalogue: a listener asks for what came after the event that it heard last. So one that lost its
connection goes on where it was, with any worker, and a slow one costs nothing but its place in the order. One look into
the catalogue for each tenant that is listened to says whether there is anything new; no listener holds a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from codemode.database.clock import now_ms
from codemode.errors import AuthInvalid, CodemodeError, TooManyListeners, WorkerUnavailable
from codemode.service.callers import Caller
from codemode.values.records import SessionEvent
from codemode.worker import Worker

_LOOK_SECONDS = 0.2  # between two looks for what other processes tell; what this one tells is looked for at once
_BEAT_SECONDS = 15.0  # a sign of life so often keeps proxies from closing a stream in which nothing happens
_PAGE = 100
_log = logging.getLogger("codemode")
Run = Callable[..., Awaitable[Any]]  # a call in one of the service's threads


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener is told first: it hears what comes after event `seq`.

    `missed` is True where events after the one that it asked for are forgotten already: they are kept for a day.
    """

    seq: int
    missed: bool


class Ears(Protocol):
    """What one listener hears: of which tenant, whether it still may, and what came after an event."""

    @property
    def caller(self) -> Caller:
        """Whoever listens."""
        ...

    def check(self) -> None:
        """Raise unless the caller may hear it."""
        ...

    def since(self, seq: int, limit: int) -> list[SessionEvent]:
        """At most so many events after number `seq`, the oldest first."""
        ...


@dataclass(slots=True)
class _Tenant:
    """What the listeners of one tenant share: the number of its newest event, and what wakes them."""

    listeners: int = 0
    newest: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Listeners:
    """The listeners of one service; used on its event loop. `most` of a tenant may there be, 0 is no bound."""

    def __init__(self, worker: Worker, run: Run, leaving: Callable[[], bool], most: int) -> None:
        self._worker, self._run, self._leaving, self._most = worker, run, leaving, most
        self._tenants: dict[str, _Tenant] = {}
        self._told = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Something may have been told by this process: look for it now."""
        self._told.set()

    @contextmanager
    def place(self, tenant: str) -> Iterator[None]:
        """A listener's place, as long as the block lasts; raises TooManyListeners and WorkerUnavailable."""
        self._check_not_leaving()
        found = self._tenants.setdefault(tenant, _Tenant())
        if self._most and found.listeners >= self._most:
            raise TooManyListeners(
                f"{self._most:,} streams of events are open for this tenant", hint="close one, or raise `listeners`"
            )
        found.listeners += 1
        if self._watch is None or self._watch.done():
            self._told = asyncio.Event()
            self._watch = asyncio.ensure_future(self._watched())
        try:
            yield
        finally:
            found.listeners -= 1
            if not found.listeners:
                self._tenants.pop(tenant, None)

    async def begin(self, ears: Ears, after: int | None) -> Beginning:
        """From where one listens: after the event that it names, else after the newest. Raises what `check` raises."""

        def look() -> tuple[int, int]:
            ears.check()
            self._worker.registry.telling.listened()
            events = self._worker.of(ears.caller.tenant).events
            return events.newest(), events.forgotten()

        newest, forgotten = await self._run(look)
        if after is None or after > newest:  # a number from elsewhere: there is nothing that it could have heard
            return Beginning(seq=newest, missed=after is not None)
        return Beginning(seq=max(after, forgotten), missed=after < forgotten)

    async def follow(self, ears: Ears, seq: int, seconds: float) -> AsyncIterator[SessionEvent | None]:
        """What came after event `seq` and what comes in so many seconds, None as a sign of life.

        Raises what `check` raises when the listener may no more, and WorkerUnavailable when the service is to end.
        """
        tenant = self._tenants[ears.caller.tenant]
        tenant.newest = max(tenant.newest, seq)
        loop = asyncio.get_running_loop()
        until, beat = loop.time() + seconds, loop.time() + _BEAT_SECONDS
        while True:
            self._check_not_leaving()
            newest, changed = tenant.newest, tenant.changed
            if newest > seq:
                found: list[SessionEvent] = await self._run(_heard, self._worker, ears, seq)
                for event in found:
                    seq, beat = event.seq, loop.time() + _BEAT_SECONDS
                    yield event
                if len(found) < _PAGE:
                    seq = max(seq, newest)
                continue
            try:
                await asyncio.wait_for(changed.wait(), min(until, beat) - loop.time())
            except TimeoutError:
                if loop.time() >= until:
                    return
                await self._run(_check, self._worker, ears)
                yield None
                beat = loop.time() + _BEAT_SECONDS

    def _check_not_leaving(self) -> None:
        if self._leaving():
            raise WorkerUnavailable("the service is ending", hint="listen again in a moment, from the last event on")

    async def _watched(self) -> None:
        """See what is new as long as anybody listens, and wake all of them when the service is to end."""
        while self._tenants:
            self._told.clear()
            try:
                newest = await self._run(self._newest, list(self._tenants))
            except CodemodeError as error:
                _log.error("the events of sessions cannot be read: %s", error)
                newest = {}
            for name, tenant in self._tenants.items():
                if newest.get(name, 0) > tenant.newest or self._leaving():
                    tenant.newest = max(tenant.newest, newest.get(name, 0))
                    tenant.wake()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _LOOK_SECONDS)

    def _newest(self, tenants: list[str]) -> dict[str, int]:
        self._worker.registry.telling.listened()
        return {tenant: self._worker.of(tenant).events.newest() for tenant in tenants}


def _heard(worker: Worker, ears: Ears, seq: int) -> list[SessionEvent]:
    _check(worker, ears)
    return ears.since(seq, _PAGE)


def _check(worker: Worker, ears: Ears) -> None:
    """A stream outlives the request that began it: its token may be revoked by now."""
    ears.check()
    caller = ears.caller
    if caller.token is None:
        return
    token = worker.tokens.get(caller.token)
    if token is None or not token.is_valid(now_ms()):
        raise AuthInvalid("the token was revoked, or it expired")
