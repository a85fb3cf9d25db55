"""The paths of the systems that came before this one: what they answered there is answered here."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import links, messages
from codemode.api.operations import Operation
from codemode.api.requests import answer, served
from codemode.service import figures
from codemode.values.records import McpSession, Message


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are in the tenant."""

    agentCount: int  # noqa: N815 - names of the source system
    humanCount: int  # noqa: N815
    sessionCount: int  # noqa: N815
    panelCount: int  # noqa: N815
    messageCount: int  # noqa: N815
    workspaceCount: int  # noqa: N815


async def counts(request: Request) -> Response:
    """How many agents, people, sessions, panels, messages and workspaces the tenant has."""
    found = await served(request, figures.statistics)
    return answer(
        Counts(
            agentCount=found.agents, humanCount=found.people, sessionCount=found.sessions, panelCount=found.panels,
            messageCount=found.messages, workspaceCount=found.workspaces,
        )
    )  # fmt: skip


OLD_PATHS = "/api/"
_MESSAGES, _MCP = "/api/session/{id}/messages", "/api/session/{id}/mcp/session"
OPERATIONS = (
    Operation(
        method="GET", path=_MESSAGES, name="list_messages_alias", handler=messages.every, scope="read",
        about="The same as GET /v1/sessions/{id}/messages.", answers={200: messages.MessageList}, problems=(404,),
        parameters=messages.FILTERS,
    ),
    Operation(
        method="POST", path=_MESSAGES, name="post_message_alias", handler=messages.post, scope="execute",
        does="execute", about="The same as POST /v1/sessions/{id}/messages.", body=messages.NewMessage,
        answers={201: Message}, problems=(404, 410),
    ),
    Operation(
        method="GET", path=_MCP, name="list_mcp_sessions_alias", handler=links.every, scope="read",
        about="The same as GET /v1/sessions/{id}/mcp.", answers={200: links.McpSessionList}, problems=(404,),
        parameters=links.FILTERS,
    ),
    Operation(
        method="POST", path=_MCP, name="put_mcp_session_alias", handler=links.put, scope="execute", does="execute",
        about="The same as POST /v1/sessions/{id}/mcp.", body=links.NewMcpSession, answers={201: McpSession},
        problems=(404, 410),
    ),
    Operation(
        method="GET", path="/api/stats", name="counts", handler=counts, scope="read",
        about="How many there are of what in the tenant.", answers={200: Counts},
    ),
)  # fmt: skip
