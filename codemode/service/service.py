"""The service around one worker: who calls, which session he means, and where blocking work is done.

Every face of the service (HTTP, MCP) translates its requests into calls of this and of `Session`, and knows no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar, Unpack

import msgspec

from codemode.asked import parse_session_id
from codemode.catalog.entry import Reached, entry
from codemode.catalog.participants import Role
from codemode.catalog.sessions import SessionRecord
from codemode.catalog.tokens import Token
from codemode.database.clock import now_ms, sure_ms
from codemode.errors import AuthForbidden, AuthInvalid, CodemodeError, SessionExists, SessionNotFound
from codemode.limits import asked
from codemode.service.acts import Acts
from codemode.service.auditing import Auditing
from codemode.service.background import Background
from codemode.service.callers import Caller, Reach, caller_with
from codemode.service.listening import Listeners
from codemode.service.openness import Openness
from codemode.service.presence import Presence
from codemode.service.quotas import Admission, Gate, default_quotas
from codemode.service.starting import Place, Starting
from codemode.service.telling import Telling
from codemode.session.ids import new_session_id
from codemode.session.request import RunOptions
from codemode.session.running import Ended, Running
from codemode.session.schedule import Schedule
from codemode.session.session import Session
from codemode.settings import Settings
from codemode.values import Outcome, SessionInfo
from codemode.worker import Worker

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
_MEMBERS: tuple[Role, ...] = ("owner", "member")
_ROLES_THAT_MAY: dict[Reach, tuple[Role, ...]] = {
    "read": ("owner", "member", "viewer"), "execute": _MEMBERS, "write": _MEMBERS, "manage": ("owner",),
}  # fmt: skip
_log = logging.getLogger("codemode")
_USED_MS = 60_000  # how exact the time of a token's last use is


class Service:
    """What the faces share; one for each process. `open_to_all` is as in `Openness`."""

    def __init__(self, worker: Worker, *, open_to_all: bool | None) -> None:
        self.worker = worker
        self.openness = Openness(worker.tokens, self.look, open_to_all=open_to_all)
        # Where several processes share the sessions, each mints ids that will be routed back to it.
        self.mint: Callable[[str], str] = lambda tenant: new_session_id()
        self.acts = Acts(worker.settings, worker.registry.interrupt)
        self._presence = Presence(worker.data_dir)
        self.background = Background(
            worker.background, self._presence, self.look, self.aside, self.acts.known, worker.settings.connections
        )
        self.gate, self.auditing = Gate(worker), Auditing(worker)
        self.listeners = Listeners(worker, self.call, lambda: self.acts.leaving, worker.settings.listeners)
        self._telling = Telling(worker, self.call, self.listeners.look)
        self._quotas = default_quotas(worker.settings)
        self._backups = Schedule(worker.registry, worker.settings.backup)
        self._threads = ThreadPoolExecutor(worker.settings.threads, thread_name_prefix="codemode-call")
        self._starting = Starting(self._threads)
        self._asides = ThreadPoolExecutor(worker.settings.catalog_connections, thread_name_prefix="codemode-aside")
        self._noting: set[str] = set()  # tokens whose use is being noted

    @property
    def settings(self) -> Settings:
        """The worker's own."""
        return self.worker.settings

    async def start(self) -> None:
        """Begin to serve: called on the event loop."""
        # Executions run there as calls do: one that waits for its child holds a thread and no core. As the loop's own
        # threads they are waited for at its end.
        asyncio.get_running_loop().set_default_executor(self._threads)
        await self.call(self._presence.begin)
        await self.call(self.background.recover)
        self._backups.start()

    async def stop(self) -> None:
        """End what goes on, and give the threads back."""
        await self.acts.end()
        await self._telling.end()
        self._presence.end()
        await self.call(self._backups.stop)
        # Not in the loop's own thread: an upload whose turn comes only now asks the loop for its next piece.
        await asyncio.get_running_loop().shutdown_default_executor()
        self._asides.shutdown(wait=False)  # of a server that does not answer nobody waits for an answer any more

    async def call(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Run blocking work in the service's threads; what is logged there has the request's id as well."""
        return await self._in(self._threads, partial(function, *args, **kwargs))

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        with self.acts.look():
            return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, work)

    async def look(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Ask the catalogue one thing: here where that takes microseconds, else in a thread.

        A server that does not answer must not keep the event loop from answering those who ask whether it is alive.
        """
        if self.worker.catalogue.is_near:
            return function(*args, **kwargs)
        return await self.aside(function, *args, **kwargs)

    async def aside(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """The same in a thread that no execution holds: whoever wants one ended gets in while all of them run.

        What is written goes this way: another process may hold the catalogue for seconds.
        """
        return await self._in(self._asides, partial(function, *args, **kwargs))

    def caller(self, secret: str) -> Caller:
        """Whoever holds this token; raises AuthInvalid."""
        # By the wall clock, unlike the expiry of sessions: one that was set forward keeps tokens out until it is right
        # again, and nothing is lost.
        now = now_ms()
        found = self.worker.tokens.find(secret, now)
        if found is None:
            raise _unknown()
        return self._caller_of(*found, now)

    @property
    def can_enter(self) -> bool:
        """Whether the catalogue answers `entering`: it is near, and of the form that this code has."""
        return self.worker.catalogue.is_near and not self.worker.catalogue.behind

    def entering(self, secret: str, session_id: str) -> tuple[Caller, Reached | None]:
        """The same, and as what he reaches this session, for `session_entered` in the same step of the event loop.

        One statement: after it a token may be revoked and a role be taken at any moment, as after two. Raises
        AuthInvalid.
        """
        now = now_ms()
        found = entry(self.worker.catalogue, secret, session_id, now)
        if found is None:
            raise _unknown()
        return self._caller_of(found.token, found.quotas, now), found.reached

    def _caller_of(self, token: Token, own: dict[str, int], now: int) -> Caller:
        if now - (token.last_used_at or 0) > _USED_MS:
            self._note_use(token.id, now)
        return caller_with(token, msgspec.structs.replace(self._quotas, **own) if own else self._quotas)

    def _note_use(self, token: str, now: int) -> None:
        """Have a token's use noted by a thread: nobody waits for it, whose request it may be."""

        def note() -> None:
            try:
                self.worker.tokens.used(token, now)
            except CodemodeError as error:  # a full disk must not keep out everybody who reads, or could make room
                _log.debug("the last use of token %s is not recorded: %s", token, error)
            finally:
                self._noting.discard(token)

        if token not in self._noting:
            self._noting.add(token)
            with suppress(RuntimeError):  # the service has ended
                self._asides.submit(note)

    async def begin(
        self,
        caller: Caller,
        session: Session,
        code: str,
        ended: Ended | None = None,
        answers: Callable[[str], object] | None = None,
        **options: Unpack[RunOptions],
    ) -> Running:
        """Ask for an execution within the quotas of the caller's tenant; it counts until it is over.

        `ended` and `answers` are told as `Session.begin` tells them. Raises QuotaError, and what that raises.
        """
        admission = await self.admit(caller, writes=not options.get("read_only"))

        def over(outcome: Outcome | None) -> None:
            admission.end()
            if outcome is not None:  # in the loop's next step: who waits for the outcome has answered it by then
                asyncio.get_running_loop().call_soon(self._telling.ended, caller, outcome)

        try:
            running = session.begin(code, ended, Place(self._starting), answers, **options)
        except BaseException:
            admission.end()
            raise
        running.when_over(over)
        return running

    async def admit(self, caller: Caller, *, writes: bool) -> Admission:
        """Let one execution or upload in; whoever asks ends the admission when it is over. Raises QuotaError."""
        quotas = caller.quotas
        if not (quotas.executions or quotas.executions_per_minute or (writes and quotas.bytes)):
            return Admission()
        return await self.call(self.gate.admit, caller, writes=writes)

    def session(self, caller: Caller, session_id: str, to: Reach = "write") -> Session:
        """The session that the caller means; another tenant's or user's is one that there is not.

        `to` is what he wants to do there. It is the strictest where nobody says: forgotten, it keeps viewers out.
        Raises SessionNotFound, SessionExpired, AuthForbidden, and QuotaExceeded for `write`.
        """
        record = self._reached(caller, session_id, to)
        if to == "write":
            self.gate.check_bytes(caller)
        known = self.worker.session_of(record)
        return known or self.worker.session(session_id, create=False, tenant=caller.tenant)

    async def session_to_run_in(self, caller: Caller, session_id: str) -> Session:
        """The session that the caller means to run something in; raises as `session` does.

        On the event loop, where a thread would cost more than the look into a catalogue that is near.
        """
        record = await self.look(self._reached, caller, session_id, "execute")
        return await self._session_of(caller, record)

    async def session_entered(self, caller: Caller, session_id: str, reached: Reached | None) -> Session:
        """The same, of what `entering` found."""
        return await self._session_of(caller, _allowed(caller, session_id, "execute", reached))

    async def _session_of(self, caller: Caller, record: SessionRecord) -> Session:
        known = self.worker.session_of(record)
        if known is None:  # one that is over is removed by whoever comes first, which takes its time
            return await self.call(self.session, caller, record.id, "execute")
        return known

    def check_reach(self, caller: Caller, session_id: str, to: Reach) -> None:
        """Raise unless there is such a session in the caller's reach, expired ones included, and he may do that there.

        Raises SessionNotFound, and AuthForbidden for who takes part without the right. The one place that decides.
        A session of somebody else and one that there is not take the same way: one look into the catalogue.
        """
        self._reached(caller, session_id, to)

    def _reached(self, caller: Caller, session_id: str, to: Reach) -> SessionRecord:
        """The same, which answers the session's record."""
        sessions = self.worker.registry.catalog
        found = sessions.reached(caller.tenant, parse_session_id(session_id), caller.user)
        return _allowed(caller, session_id, to, found)

    def create(
        self,
        caller: Caller,
        session_id: str | None = None,
        *,
        limits: Mapping[str, Any] | None = None,
        renew: bool = False,
        create: bool = True,
        stateful: bool | None = None,
        place: Mapping[str, Any] | None = None,
    ) -> tuple[SessionInfo, bool]:
        """The session of this id, made on first use, or one with a minted id; and whether it was made, or made anew.

        `place` is what one that is made is, as `Registry.ensure` has it. Raises RequestInvalid for a bad id,
        SessionExists where somebody else of the tenant has it, SessionExpired, SessionNotFound where there is none and
        `create` is False, AuthForbidden and QuotaExceeded.
        """
        own = None if limits is None else asked(limits)
        # Who only asks for a session that he knows gets it; changing it is another matter.
        to: Reach = "manage" if own is not None or renew else "execute" if stateful is not None else "read"
        if session_id is not None and not create:
            self.check_reach(caller, session_id, to)
        known = None if session_id is None else self._known(caller, session_id, to)
        makes = known is None or (renew and known.is_over(sure_ms()))
        wanted = self.mint(caller.tenant) if session_id is None else session_id
        with self.gate.new_session(caller) if makes else nullcontext():
            record, made = self.worker.registry.ensure(
                (caller.tenant, wanted), create=create, renew=renew, own=own, owner=caller.user, stateful=stateful,
                place=place, check=partial(self._known, caller, wanted, to),
            )  # fmt: skip
        if known is None:  # of two users who choose one id at the same moment, it is the first one's
            self._known(caller, record.id, "read")
        return self.worker.info(record.id, caller.tenant), made

    def fork(
        self, caller: Caller, session_id: str, new_session_id: str | None, *, checkpoint: str | None = None
    ) -> SessionInfo:
        """A new session of the caller's with the data of one that he works in; raises what `create` does."""
        source = self.session(caller, session_id, "execute")
        target = self.mint(caller.tenant) if new_session_id is None else new_session_id
        with self.gate.new_session(caller):
            made = source.fork(target, checkpoint=checkpoint, owner=caller.user)
        return self.worker.info(made.id, caller.tenant)

    def _known(self, caller: Caller, session_id: str, to: Reach) -> SessionRecord | None:
        """The record of the caller's session of this id; raises SessionExists where somebody else has it."""
        record = self.worker.registry.catalog.get(caller.tenant, parse_session_id(session_id))
        if record is not None:
            try:
                self.check_reach(caller, session_id, to)
            except SessionNotFound:
                hint = "choose another one, or none to have one minted"
                raise SessionExists("this id is taken", hint=hint) from None
        return record


def _allowed(caller: Caller, session_id: str, to: Reach, found: Reached | None) -> SessionRecord:
    """The record of what the caller reaches, if he may do that there; raises SessionNotFound and AuthForbidden."""
    if found is None:
        raise SessionNotFound(f"there is no session {session_id}", hint="GET /v1/sessions lists those there are")
    record, role = found
    if role not in _ROLES_THAT_MAY[to] and not (to == "manage" and "admin" in caller.scopes):
        may = " or ".join(_ROLES_THAT_MAY[to])
        raise AuthForbidden(f"a {role} of this session may not {to} here", hint=f"ask its owner to be made {may}")
    return record


def _unknown() -> AuthInvalid:
    """Unknown, revoked and expired are told alike: a guesser learns nothing from the difference."""
    return AuthInvalid("the token is unknown, revoked or expired", hint="`codemode token ls` lists them")
