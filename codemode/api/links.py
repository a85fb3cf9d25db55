"""What links a session with others, over HTTP: its MCP sessions, and the signals of calls between participants."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import added, answer, served
from codemode.service import links
from codemode.values.records import McpSession, Signal, SignalType


class NewMcpSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection to an MCP server, or what changed of it: what is not given stays, and begins as {} and "active"."""

    mcp_server_id: str
    mcp_version: str
    context_data: dict[str, Any] | None = None
    state: str | None = None


class McpSessionList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of MCP sessions, by server; `next` is the `after` of the page that follows."""

    mcp_sessions: list[McpSession]
    next: str | None = None


class NewSignal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal for a participant, or for whoever else takes it first; it is kept `kept_ms` milliseconds."""

    signal_type: SignalType
    signal_data: Any
    from_participant: str | None = None
    to_participant: str | None = None
    kept_ms: int = 60_000


class TakeSignals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom signals are taken, of a token that is bound to nobody; all that wait, or those of one type."""

    participant: str | None = None
    signal_type: SignalType | None = None
    limit: int = lists.PAGE


class SignalList(msgspec.Struct, frozen=True, kw_only=True):
    """The signals that were taken, the oldest first; nobody gets them again."""

    signals: list[Signal]


async def every(request: Request) -> Response:
    """The MCP sessions of a session, by server."""
    asked = lists.asked(request, "state")
    page = await served(request, links.mcp_sessions, request.path_params["id"], **asked)
    return answer(McpSessionList(mcp_sessions=page.rows, next=page.next))


async def put(request: Request) -> Response:
    """Record that a session is connected to an MCP server, or what changed of that: 201 with what is stored."""
    body = await bodies.decode(request, NewMcpSession)
    fields = msgspec.structs.asdict(body)
    found, request.state.change = await served(request, links.put_mcp_session, request.path_params["id"], **fields)
    request.state.about = f"{found.session_id} {found.mcp_server_id}"
    return answer(found, 201)


async def signal(request: Request) -> Response:
    """Leave a signal for a participant of a session: 201 with the signal as it is stored."""
    body = await bodies.decode(request, NewSignal)
    fields = msgspec.structs.asdict(body)
    found = await served(request, links.post_signal, request.path_params["id"], **fields)
    return added(request, found, f"{found.session_id} {found.id}")


async def take(request: Request) -> Response:
    """Take the signals that wait for a participant: each is taken once, by its addressee."""
    body = await bodies.decode(request, TakeSignals)
    fields = msgspec.structs.asdict(body)
    taken = await served(request, links.take_signals, request.path_params["id"], **fields)
    # Who asks again and again whether somebody calls does nothing that the audit log should hold.
    request.state.goes_on = not taken
    return answer(SignalList(signals=taken))


FILTERS = (Parameter(name="state", about="Only those in this state."), *lists.PARAMETERS)
_MCP, _SIGNALS = "/v1/sessions/{id}/mcp", "/v1/sessions/{id}/signals"
OPERATIONS = (
    Operation(
        method="GET", path=_MCP, name="list_mcp_sessions", handler=every, scope="read",
        about="Which MCP servers a session is connected to.", answers={200: McpSessionList}, problems=(404,),
        parameters=FILTERS,
    ),
    Operation(
        method="POST", path=_MCP, name="put_mcp_session", handler=put, scope="execute", does="execute",
        about="Record a connection to an MCP server, or what changed of it.", body=NewMcpSession,
        answers={201: McpSession}, problems=(404, 410),
    ),
    Operation(
        method="POST", path=_SIGNALS, name="post_signal", handler=signal, scope="execute", does="execute",
        about="Leave a signal of a call for a participant.", body=NewSignal, answers={201: Signal},
        problems=(404, 410),
    ),
    Operation(
        method="POST", path=_SIGNALS + "/take", name="take_signals", handler=take, scope="execute", does="execute",
        about="Take the signals that wait for a participant.", body=TakeSignals, answers={200: SignalList},
        problems=(404,),
    ),
)  # fmt: skip
