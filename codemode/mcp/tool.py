"""A tool as data, and what one call of it can reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from string import Template
from typing import Any

import msgspec
from mcp.server.session import ServerSession
from mcp_types import Tool as Listed
from mcp_types import ToolAnnotations

from codemode.errors import RequestInvalid
from codemode.limits import Limits
from codemode.mcp import schemas
from codemode.prompt import amount
from codemode.service.callers import Caller, Reach, Scope
from codemode.service.service import Service
from codemode.session.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """How the tools are offered: to one local caller (stdio) or to whoever a request comes from (None)."""

    caller: Caller | None = None
    session: str | None = None  # the session of calls that name none
    read_only: bool = False  # only tools that change nothing, and snippets whose writes are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: who makes it, on which service, and the way back to the client while it runs."""

    service: Service
    face: Face
    caller: Caller
    client: ServerSession
    record: Callable[[str, str, str], None]  # action, resource, outcome → a line of the audit log

    async def session(self, session_id: str | None, to: Reach) -> Session:
        """The session that is named, else the default one, for what is to be done there; see `Service.session`."""
        return await self.service.call(self.service.session, self.caller, self.named(session_id), to)

    async def recorded(self, action: str, resource: str, outcome: str) -> None:
        """`record` from the event loop."""
        await self.service.aside(self.record, action, resource, outcome)

    def named(self, session_id: str | None) -> str:
        """The id that is given, else the default one; raises RequestInvalid where there is neither."""
        named = session_id or self.face.session
        if named is None:
            raise RequestInvalid("session_id is missing", hint="list_sessions shows those there are")
        return named

    @property
    def makes_things(self) -> bool:
        """Whether the caller may make sessions and tables from here: who may not is not told to."""
        return "execute" in self.caller.scopes and not self.face.read_only

    @property
    def text_bytes(self) -> int:
        """How much of rows, of a result or of what was printed an answer holds."""
        return self.service.settings.mcp_result_bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool answers with: data in the shape of its schema, and the same in words for a model."""

    data: Any
    words: str
    resource: str = ""  # what the audit log says it was about
    outcome: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool; `about` may name limits as `$rows`, in the words of the guide."""

    name: str
    title: str
    about: str
    scope: Scope
    takes: type[msgspec.Struct]
    answers: type[msgspec.Struct]
    run: Callable[[Call, Any], Awaitable[Reply]]
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    makes_session: bool = False  # where none is named
    stoppable: bool = False  # by whoever gives up waiting; other acts end by themselves, and are recorded
    read_only_about: str | None = None  # of one that is offered by a read-only face all the same

    def offered(self, face: Face) -> bool:
        """Whether the face has it."""
        return self.read_only or self.read_only_about is not None or not face.read_only

    def listed(self, face: Face, limits: Limits, result_bytes: int) -> Listed:
        """The tool as clients see it."""
        about = self.read_only_about if face.read_only and self.read_only_about else self.about
        needed = "session_id" in self.takes.__struct_fields__ and face.session is None
        makes_one = self.makes_session and not face.read_only
        return Listed(
            name=self.name,
            title=self.title,
            description=described(about, limits, result_bytes),
            input_schema=schemas.takes(self.takes, required=("session_id",) if needed and not makes_one else ()),
            output_schema=schemas.answers(self.answers),
            annotations=ToolAnnotations(
                title=self.title,
                read_only_hint=self.read_only or face.read_only,
                destructive_hint=self.destructive and not face.read_only,
                idempotent_hint=self.idempotent,
                open_world_hint=False,  # no tool reaches anything but the sessions of this service
            ),
        )


def described(about: str, limits: Limits, result_bytes: int) -> str:
    """The description with the limits in force."""
    amounts = {name: amount(name, getattr(limits, name)) for name in Limits.__struct_fields__}
    return Template(about).substitute(amounts, result=amount("result_bytes", result_bytes))
