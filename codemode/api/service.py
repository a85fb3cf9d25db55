"""The service around one worker: who calls, which session he means, and where blocking work is done.

No logic of its own beyond that: every handler turns a request into calls of `Worker` and `Session`, and back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from codemode.api.background import Background
from codemode.api.callers import LOCAL, Caller, caller_with, secret_of
from codemode.catalog.sessions import SessionRecord
from codemode.database.clock import sure_ms
from codemode.errors import AuthForbidden, AuthInvalid, CodemodeError, SessionExists, SessionNotFound
from codemode.plain import encode
from codemode.session.ids import parse_session_id
from codemode.session.running import Running
from codemode.session.session import Session
from codemode.settings import Settings
from codemode.worker import Worker

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_log = logging.getLogger("codemode")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LOOK_SECONDS = 0.02
_USED_MS = 60_000  # how exact the time of a token's last use is


class Service:
    """What the handlers share; one for each application. `open_to_all` is a loopback service without tokens."""

    def __init__(self, worker: Worker, *, open_to_all: bool) -> None:
        self.worker, self.open_to_all = worker, open_to_all
        self._origins = origins(worker.settings)
        self.background = Background(worker.background)
        self._running: set[Running] = set()
        self._threads = ThreadPoolExecutor(worker.settings.threads, thread_name_prefix="codemode-call")

    @property
    def settings(self) -> Settings:
        """The worker's own."""
        return self.worker.settings

    async def start(self) -> None:
        """Begin to serve: called on the event loop."""
        # Where asyncio.to_thread runs executions; one that waits for its child holds a thread and no core.
        asyncio.get_running_loop().set_default_executor(self._threads)
        await self.call(self.background.recover)

    async def stop(self) -> None:
        """Give what runs on without a connection `shutdown_seconds`, then end it and undo its writes."""
        until = asyncio.get_running_loop().time() + self.settings.shutdown_seconds
        while self._running and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_LOOK_SECONDS)
        await self.background.drain(max(0.0, until - asyncio.get_running_loop().time()))
        for running in list(self._running):
            await running.end()
        self._threads.shutdown()

    @contextmanager
    def running(self, running: Running) -> Iterator[Running]:
        """Know of an execution as long as the block lasts, so that a shutdown waits for it and ends it."""
        self._running.add(running)
        try:
            yield running
        finally:
            self._running.discard(running)

    async def call(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Run blocking work in the service's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *args, **kwargs))

    def identify(self, request: Request) -> Caller:
        """Whoever sent the request; raises AuthMissing, AuthInvalid, AuthForbidden."""
        if self.open_to_all:
            self._check_no_web_page(request)
            return LOCAL
        now = sure_ms()
        token = self.worker.tokens.find(secret_of(request), now)
        if token is None:
            # Unknown, revoked and expired are told alike: a guesser learns nothing from the difference.
            raise AuthInvalid("the token is unknown, revoked or expired", hint="`codemode token ls` lists them")
        if now - (token.last_used_at or 0) > _USED_MS:
            self.worker.tokens.used(token.id, now)
        return caller_with(token)

    def _check_no_web_page(self, request: Request) -> None:
        """Refuse what a web page sends to a service that asks nobody who he is.

        A page of any origin can make its visitor's browser send a request to loopback, or reach it under a name of
        its own that resolves to 127.0.0.1. The browser says so: in Origin, and in Host.
        """
        origin, host = request.headers.get("origin"), (request.url.hostname or "").lower()
        if origin is not None and origin not in self._origins:
            raise AuthForbidden(
                f"web pages of {origin[:100]} may not call this service", hint="name the origin in cors_origins"
            )
        if host not in _LOOPBACK:
            raise AuthForbidden(
                f"a service without tokens is called as localhost, not {host[:100]!r}",
                hint="make a token with `codemode token create`, and start the service again",
            )

    def record(self, request: Request, action: str, outcome: str) -> None:
        """Add what a caller did to the audit log, with "ok" or an error's code."""
        caller = caller_of(request)
        try:
            self.worker.audit.add(
                at=sure_ms(),
                tenant=caller.tenant,
                actor=caller.token or "local",
                action=action,
                resource=getattr(request.state, "resource", None) or request.path_params.get("id", ""),
                outcome=outcome,
                address=request.client.host if request.client else None,
                agent=request.headers.get("user-agent"),
            )
        except CodemodeError as error:  # what was done is done, and its answer must reach the caller
            _log.error("the audit log cannot be written: %s", error)

    def session(self, caller: Caller, session_id: str) -> Session:
        """The session that the caller means; another tenant's or user's is one that there is not.

        Both take the same way through the code: one look into the catalogue, by tenant and id.
        """
        self.check_reach(caller, session_id)
        return self.worker.session(session_id, create=False, tenant=caller.tenant)

    def check_reach(self, caller: Caller, session_id: str) -> None:
        """Raise SessionNotFound unless there is such a session in the caller's reach, expired ones included."""
        record = self.worker.registry.catalog.get(caller.tenant, parse_session_id(session_id))
        if record is None or not _may_reach(caller, record):
            raise SessionNotFound(f"there is no session {session_id}", hint="GET /v1/sessions lists those there are")

    def is_known(self, caller: Caller, session_id: str) -> bool:
        """Whether the caller has a session of this id already; raises SessionExists where somebody else has it."""
        record = self.worker.registry.catalog.get(caller.tenant, parse_session_id(session_id))
        if record is not None and not _may_reach(caller, record):
            raise SessionExists("this id is taken", hint="choose another one, or none to have one minted")
        return record is not None


def _may_reach(caller: Caller, record: SessionRecord) -> bool:
    return caller.user is None or record.owner == caller.user


def origins(settings: Settings) -> list[str]:
    """The origins of web pages that may call the service."""
    return [each.strip() for each in settings.cors_origins.split(",") if each.strip()]


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


def caller_of(request: Request) -> Caller:
    """Whoever sent the request, as found before its handler ran."""
    caller: Caller = request.state.caller
    return caller


def answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(encode(document), status_code=status, headers=headers, media_type="application/json")
