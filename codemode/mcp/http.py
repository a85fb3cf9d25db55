"""The tools over streamable HTTP: each request stands for itself, so any process of a service can answer it."""

from __future__ import annotations

import secrets
from contextlib import AbstractAsyncContextManager

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from codemode.mcp.server import McpServer
from codemode.mcp.tool import Face
from codemode.service.service import Service

_CLIENT = "mcp-session-id"


class McpMount:
    """The ASGI application at /mcp; whoever mounts it has found the caller, and refused what web pages send."""

    path = "/mcp"

    def __init__(self, service: Service) -> None:
        # Stateless: what a client is, and what it asks for, comes with every request. Answers are JSON, or a stream
        # of events as soon as there is progress to tell, or where the protocol before 2026-07-28 wants one.
        self._manager = StreamableHTTPSessionManager(
            McpServer(service, Face()).sdk, stateless=True, max_request_body_size=service.settings.body_bytes
        )

    def running(self) -> AbstractAsyncContextManager[None]:
        """What has to be open while requests are served; whatever still runs when it closes is undone."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] != "POST":
            # There are no events that belong to no request, and nothing that could be deleted.
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        known = _CLIENT in Headers(scope=scope)

        async def named(message: Message) -> None:
            # Before 2026-07-28 a client cancels by a request of its own, which has to be matched with the call. The id
            # is for that alone: nothing is kept under it, and every process takes it.
            if message["type"] == "http.response.start" and not known:
                MutableHeaders(scope=message)[_CLIENT] = secrets.token_hex(16)
            await send(message)

        await self._manager.handle_request(scope, receive, named)
