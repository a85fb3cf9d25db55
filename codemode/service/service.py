"""The service around one worker: who calls, which session he means, and where blocking work is done.

Every face of the service (HTTP, MCP) translates its requests into calls of this and of `Session`, and knows no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from codemode.catalog.sessions import SessionRecord
from codemode.database.clock import sure_ms
from codemode.errors import AuthInvalid, CodemodeError, SessionExists, SessionNotFound
from codemode.limits import Limits
from codemode.service.acts import Acts, Going
from codemode.service.background import Background
from codemode.service.callers import Caller, caller_with
from codemode.session.ids import new_session_id, parse_session_id
from codemode.session.session import Session
from codemode.settings import Settings
from codemode.values import SessionInfo
from codemode.worker import Worker

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_log = logging.getLogger("codemode")
_USED_MS = 60_000  # how exact the time of a token's last use is


class Service:
    """What the faces share; one for each process. `open_to_all` is a loopback service without tokens."""

    def __init__(self, worker: Worker, *, open_to_all: bool) -> None:
        self.worker, self.open_to_all = worker, open_to_all
        # Where several processes share the sessions, each mints ids that will be routed back to it.
        self.mint: Callable[[str], str] = lambda tenant: new_session_id()
        self.acts = Acts(worker.settings)
        self.background = Background(worker.background, self.acts.known)
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
        """End what goes on, and give the threads back."""
        await self.acts.end()
        self._threads.shutdown()

    def running(self, act: Going) -> AbstractContextManager[Going]:
        """Know of an execution or an upload as long as the block lasts: see `Acts.known`."""
        return self.acts.known(act)

    async def call(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Run blocking work in the service's threads; what is logged there has the request's id as well."""
        work = partial(copy_context().run, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def caller(self, secret: str) -> Caller:
        """Whoever holds this token; raises AuthInvalid."""
        now = sure_ms()
        token = self.worker.tokens.find(secret, now)
        if token is None:
            # Unknown, revoked and expired are told alike: a guesser learns nothing from the difference.
            raise AuthInvalid("the token is unknown, revoked or expired", hint="`codemode token ls` lists them")
        if now - (token.last_used_at or 0) > _USED_MS:
            self.worker.tokens.used(token.id, now)
        return caller_with(token)

    def record(
        self,
        caller: Caller,
        action: str,
        resource: str,
        outcome: str,
        *,
        address: str | None = None,
        agent: str | None = None,
    ) -> None:
        """Add what a caller did to the audit log, with "ok" or an error's code."""
        try:
            self.worker.audit.add(
                at=sure_ms(),
                tenant=caller.tenant,
                actor=caller.token or "local",
                action=action,
                resource=resource,
                outcome=outcome,
                address=address,
                agent=agent,
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

    def create(
        self,
        caller: Caller,
        session_id: str | None = None,
        *,
        limits: Limits | None = None,
        renew: bool = False,
        create: bool = True,
        stateful: bool | None = None,
    ) -> tuple[SessionInfo, bool]:
        """The session of this id, made on first use, or a new one with a minted id; and whether it is new.

        Raises RequestInvalid for a bad id, SessionExists where it is somebody else's, SessionExpired, and
        SessionNotFound where there is none and `create` is False.
        """
        if session_id is not None and not create:
            self.check_reach(caller, session_id)
        known = session_id is not None and self.is_known(caller, session_id)
        session = self.worker.session(
            self.mint(caller.tenant) if session_id is None else session_id,
            limits=limits, renew=renew, create=create, stateful=stateful, tenant=caller.tenant, owner=caller.user,
        )  # fmt: skip
        return self.worker.info(session.id, caller.tenant), not known

    def is_known(self, caller: Caller, session_id: str) -> bool:
        """Whether the caller has a session of this id already; raises SessionExists where somebody else has it."""
        record = self.worker.registry.catalog.get(caller.tenant, parse_session_id(session_id))
        if record is not None and not _may_reach(caller, record):
            raise SessionExists("this id is taken", hint="choose another one, or none to have one minted")
        return record is not None


def _may_reach(caller: Caller, record: SessionRecord) -> bool:
    return caller.user is None or record.owner == caller.user
