"""Which worker a request is for: found in its path, in the catalogue, or in the beginning of its body.

A request whose worker is not found goes to any: they are all the same service. So what is looked up here decides
about speed and about variables that are kept, never about who may do what; the worker checks that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from codemode.asked import SESSION_ID
from codemode.catalog.background import BackgroundExecutions, BackgroundRecord
from codemode.catalog.tenants import TENANT
from codemode.catalog.tokens import Token, Tokens
from codemode.cluster.exchange import Incoming
from codemode.cluster.placement import Placement
from codemode.database.clock import sure_ms
from codemode.errors import CodemodeError
from codemode.service.openness import Openness

EVERY = "*"  # no worker has this name: what all of them have to hear
_BEARER = b"bearer "
_CANCELLED = "notifications/cancelled"  # names a call by the client's own number, so the worker is not known
_MOST_TENANTS = 10_000  # remembered by token: looked up again after that many others
_Found = TypeVar("_Found")
Look = Callable[..., Awaitable[Any]]  # how the loop calls what asks the catalogue: one that is far must not hold it up


class _Named(msgspec.Struct):
    """What a body says of the session that it is about; everything else in it is left to the worker."""

    id: Any = None
    session_id: Any = None
    execution_id: Any = None


class _Arguments(msgspec.Struct):
    arguments: _Named | None = None


class _Call(msgspec.Struct):
    """A request of the Model Context Protocol: JSON-RPC with a tool's arguments inside."""

    method: str = ""
    params: _Arguments | None = None


class Tenants:
    """Whose a token is, remembered: that never changes, and whether it is still valid the worker looks up each time."""

    def __init__(self, tokens: Tokens, look: Look, *, open_to_all: bool | None) -> None:
        self._tokens, self._look = tokens, look
        self._openness = Openness(tokens, look, open_to_all=open_to_all)
        self._known: dict[bytes, str] = {}

    async def of(self, incoming: Incoming) -> str | None:
        """The tenant that a request is made for; None where its token is none."""
        try:
            if await self._openness.lasts():
                return TENANT
        except CodemodeError:  # as below
            return None
        given = incoming.header(b"authorization")
        if given is None or not given.lower().startswith(_BEARER):
            return None
        secret = given[len(_BEARER) :].strip()
        digest = hashlib.sha256(secret).digest()  # the front keeps no secret in its memory for longer than a request
        return self._known.get(digest) or await self._found(secret, digest)

    async def _found(self, secret: bytes, digest: bytes) -> str | None:
        try:
            found: tuple[Token, object] | None = await self._look(
                self._tokens.find, secret.decode("latin-1"), sure_ms()
            )
        except CodemodeError:  # a damaged catalogue, say: the worker says so
            return None
        if found is None:
            return None
        token, _ = found
        if len(self._known) >= _MOST_TENANTS:
            self._known.clear()
        self._known[digest] = token.tenant
        return token.tenant


class Router:
    """Finds the worker of a request; `most` is how many bytes of a body are read to find a session's name in it."""

    def __init__(
        self, placement: Placement, tenants: Tenants, background: BackgroundExecutions, look: Look, *, most: int
    ) -> None:
        self._placement, self._tenants, self._background = placement, tenants, background
        self._look, self.most = look, most

    async def worker_of(self, incoming: Incoming) -> str | None:
        """The name of the worker that a request is for, None for any, EVERY for all; raises ClientGone."""
        match incoming.path.split("/", 4)[1:]:
            case ["v1", "sessions", session_id, *_]:
                return await self._of_session(incoming, session_id)
            case ["v1", "executions", execution_id, *_]:
                return await self._of_execution(incoming, execution_id)
            case ["v1", "sessions"] if incoming.method == "POST" and await self._is_known(incoming):
                return await self._of_session(incoming, (await self._peek(incoming, _Named, _Named())).id)
            case ["mcp", *_] if incoming.method == "POST" and await self._is_known(incoming):
                call = await self._peek(incoming, _Call, _Call())
                if call.method == _CANCELLED:
                    return EVERY
                named = (call.params and call.params.arguments) or _Named()
                return await self._of_session(incoming, named.session_id) or await self._of_execution(
                    incoming, named.execution_id
                )
        return None

    async def _is_known(self, incoming: Incoming) -> bool:
        """Whether its body may be looked at: strangers by the thousand must not have their bodies kept here."""
        return await self._tenants.of(incoming) is not None

    async def _peek(self, incoming: Incoming, kind: type[_Found], otherwise: _Found) -> _Found:
        body = await incoming.peek(self.most)
        try:
            return msgspec.json.decode(body or b"", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the worker says what is wrong with it
            return otherwise

    async def _of_session(self, incoming: Incoming, session_id: object) -> str | None:
        if not (isinstance(session_id, str) and SESSION_ID.fullmatch(session_id)):
            return None
        tenant = await self._tenants.of(incoming)
        return None if tenant is None else self._placement.place(tenant, session_id)

    async def _of_execution(self, incoming: Incoming, execution_id: object) -> str | None:
        """Executions in the background run where their session is, and the catalogue knows which one that is."""
        tenant = await self._tenants.of(incoming) if isinstance(execution_id, str) else None
        if tenant is None:
            return None
        try:
            record: BackgroundRecord | None = await self._look(
                self._background.get, tenant, None, str(execution_id), sure_ms()
            )
        except CodemodeError:
            return None
        return None if record is None else self._placement.place(tenant, record.session_id)
