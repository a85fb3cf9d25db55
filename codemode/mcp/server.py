"""The tools and the guide as an MCP server: one for each way to be reached, over the one service."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from codemode import __version__
from codemode.errors import CodemodeError, StatementError, WorkerInternal
from codemode.mcp import executing, looking, sessions, wire, words
from codemode.mcp.arguments import decode
from codemode.mcp.tool import Call, Face, Reply, Tool
from codemode.prompt import guide
from codemode.service import private
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values import Problem

TOOLS: tuple[Tool, ...] = (*executing.TOOLS, *looking.TOOLS, *sessions.TOOLS)
PROMPT = "guide"
PROBLEM_KEY = "codemode/problem"  # of `_meta`: the error as data, for clients that are programs
CANCELLED = -32800  # what a cancelled request is answered with over HTTP before 2026-07-28

_log = logging.getLogger("codemode")
_BY_NAME = {tool.name: tool for tool in TOOLS}
_Context = Any  # ServerRequestContext of the SDK; its type parameters say nothing here
_HINTS = {
    "session.not_found": "list_sessions shows those there are; execute_code without session_id makes one",
    "session.expired": "create_session with renew=true makes it anew, empty",
    "session.no_such_checkpoint": "checkpoint_session makes one",
    "execution.not_found": "outcomes are kept for an hour, and only of executions in the background",
}
_LOOKING = _HINTS | dict.fromkeys(("session.not_found", "session.expired"), "list_sessions shows those there are")
_FIRST = """\
Codemode runs Python that you write next to a SQLite database that belongs to a session. Keep data there and compute \
there: only answers need to travel through this conversation.
1. {begin}
2. Look before you write SQL: list_tables, describe_table. For one SELECT, query is the shortest way.
3. A snippet that fails has changed nothing. Its answer says what to mend: do so and call again.
4. {risk}

"""
_MAKES = "Call execute_code without session_id: it makes a session and answers its id. Pass the id in every later call."
_NAMES = "Pass a session_id in every call: list_sessions shows those there are."
_RISKS = "Before something risky: checkpoint_session, or execute_code with dry_run=true."
_READS = "Nothing can be changed from here: what a snippet writes is refused."


class McpServer:
    """Lists and calls the tools of one face; `sdk` is the server as the SDK runs it."""

    def __init__(self, service: Service, face: Face) -> None:
        self._service, self._face = service, face
        self._cancellable: dict[tuple[str, ...], anyio.CancelScope] = {}
        limits, result_bytes = service.worker.limits, service.settings.mcp_result_bytes
        self._offered = {tool.name: tool.listed(face, limits, result_bytes) for tool in TOOLS if tool.offered(face)}
        self.sdk: Server[Any] = Server(
            "codemode",
            title="Codemode",
            version=__version__,
            instructions=_first(face) + guide(limits).text,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
        )
        self.sdk.add_notification_handler(
            "notifications/cancelled", types.CancelledNotificationParams, self._cancel_from_elsewhere
        )
        self.sdk.get_tool_input_schema = lambda name: (
            self._offered[name].input_schema if name in self._offered else None
        )

    async def _list_tools(self, context: _Context, _: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """What the caller may use: a tool that his token may not call would only be tried."""
        scopes = self._caller(context).scopes
        return types.ListToolsResult(
            tools=[self._offered[name] for name in self._offered if _BY_NAME[name].scope in scopes]
        )

    async def _call_tool(self, context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in self._offered:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no tool {params.name[:60]!r}")
        result: types.CallToolResult | None = None
        tool = _BY_NAME[params.name]
        with self._cancellable_as(self._key(context, context.request_id)):
            # What cannot be stopped in its thread is waited for: the audit log has to tell what became of it.
            with anyio.CancelScope(shield=tool.scope != "read" and not tool.stoppable):
                result = await self._answered(context, tool, params.arguments or {})
        if result is None:
            raise MCPError(code=CANCELLED, message="Request cancelled")
        return result

    async def _answered(self, context: _Context, tool: Tool, given: dict[str, Any]) -> types.CallToolResult:
        call = self._call(context)
        try:
            call.caller.require(tool.scope)
            reply: Reply = await tool.run(call, decode(tool.takes, given))
        except CodemodeError as error:
            if tool.scope != "read" or error.code.startswith("auth."):
                await call.recorded(tool.name, str(given.get("session_id", ""))[:128], error.code)
            return _refused(error, _HINTS if call.makes_things else _LOOKING)
        except Exception:  # noqa: BLE001 - a fault of our own: the client gets an id, the log what it stands for
            fault = f"fault_{secrets.token_hex(8)}"
            _log.exception("%s", fault)
            return _refused(WorkerInternal(f"internal fault {fault}", hint="report the id; the log explains it"), {})
        if tool.scope != "read" and reply.outcome != "pending":  # what goes on is recorded when it is over
            await call.recorded(tool.name, reply.resource, reply.outcome)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=reply.words)], structured_content=reply.data
        )

    def _call(self, context: _Context) -> Call:
        caller, request = self._caller(context), context.request
        address = request.client.host if isinstance(request, Request) and request.client else None
        agent = _agent(context)

        def record(action: str, resource: str, outcome: str) -> None:
            self._service.auditing.record(caller, action, resource, outcome, address=address, agent=agent)

        return Call(service=self._service, face=self._face, caller=caller, client=context.session, record=record)

    def _caller(self, context: _Context) -> Caller:
        """The one local caller, or whoever the guard of the HTTP face has found."""
        if self._face.caller is not None:
            return self._face.caller
        caller: Caller = context.request.state.caller
        return caller

    def _key(self, context: _Context, request_id: Any) -> tuple[str, ...] | None:
        """By what a cancellation that comes in a request of its own names a call: caller, client, request.

        Request ids are counted by each client, and a token may have several. The SDK's transport for protocol versions
        before 2026-07-28 gives each client an id when it starts, see `http.py`; one that does not send it back can
        cancel only by closing its connection.
        """
        client = context.request.headers.get("mcp-session-id") if isinstance(context.request, Request) else None
        if not client or request_id is None:
            return None
        caller = self._caller(context)
        return caller.tenant, caller.token or "", client[:128], str(request_id)[:128]

    @contextmanager
    def _cancellable_as(self, key: tuple[str, ...] | None) -> Iterator[None]:
        """The block can be cancelled under `key`; it is left early then."""
        with anyio.CancelScope() as scope:
            if key is not None:
                self._cancellable[key] = scope
            try:
                yield
            finally:
                if key is not None and self._cancellable.get(key) is scope:
                    del self._cancellable[key]

    async def _cancel_from_elsewhere(self, context: _Context, params: types.CancelledNotificationParams) -> None:
        key = self._key(context, params.request_id)
        if key is not None and (scope := self._cancellable.get(key)) is not None:
            scope.cancel()

    async def _list_prompts(self, _: _Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        task = types.PromptArgument(name="task", description="What to do; it follows the guide.", required=False)
        about = "How to write snippets for execute_code: helpers, limits, examples."
        return types.ListPromptsResult(
            prompts=[types.Prompt(name=PROMPT, title="Guide to Codemode", description=about, arguments=[task])]
        )

    async def _get_prompt(self, _: _Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        if params.name != PROMPT:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no prompt {params.name[:60]!r}")
        task = (params.arguments or {}).get("task", "").strip()
        text = guide(self._service.worker.limits).text + (f"\n## The task\n\n{task}\n" if task else "")
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description="How to write snippets for execute_code", messages=[message])


def _first(face: Face) -> str:
    """How to begin, with the tools that this face has."""
    named = face.session and f"Calls are about session {face.session}, unless they name another one."
    begin = named or (_NAMES if face.read_only else _MAKES)
    return _FIRST.format(begin=begin, risk=_READS if face.read_only else _RISKS)


def _agent(context: _Context) -> str | None:
    """The client's own name, else that of its HTTP library."""
    params = context.session.client_params
    if params is not None and params.client_info is not None:
        return f"{params.client_info.name} {params.client_info.version}"[:200]
    return context.request.headers.get("user-agent") if isinstance(context.request, Request) else None


def _refused(error: CodemodeError, hints: Mapping[str, str]) -> types.CallToolResult:
    """A call that was not done, for the model to mend: an error as Python raises it and HTTP answers it with 4xx."""
    message, hint = private.told(error)
    problem = Problem(
        code=error.code, message=message, hint=hints.get(error.code, hint), retryable=error.retryable,
        did_you_mean=error.did_you_mean, available=error.available, suggestion=error.suggestion,
        sql=error.sql if isinstance(error, StatementError) else None,
    )  # fmt: skip
    data = wire.fit(problem)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=words.problem(data))],
        is_error=True,
        _meta={PROBLEM_KEY: {name: value for name, value in data.items() if value not in (None, [], False)}},
    )
