"""The tools over streamable HTTP: each request stands for itself, so any process of a service can answer it.

The mount is there from the start, the SDK from the first request on: importing it takes most of a second and 35 MB,
and a service that no model uses needs neither.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from codemode.service.service import Service

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

_CLIENT = "mcp-session-id"
_log = logging.getLogger("codemode")


class McpMount:
    """The ASGI application at /mcp; whoever mounts it has found the caller, and refused what web pages send."""

    path = "/mcp"

    def __init__(self, service: Service) -> None:
        self._service = service

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What has to be open while requests are served; whatever still runs when it closes is undone."""
        self._asked = asyncio.Event()
        self._manager = _unmade()
        keeping = asyncio.create_task(self._keep(), name="codemode-mcp")
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping

    async def _keep(self) -> None:
        """Load the SDK when it is asked for, and hold its manager open: what one task enters, it must leave itself."""
        while True:
            await self._asked.wait()
            try:
                # Not in the service's own threads: all of them may be taken by executions for minutes.
                manager = await anyio.to_thread.run_sync(_loaded, self._service)
                async with manager.run():
                    self._manager.set_result(manager)
                    await asyncio.Event().wait()  # until this task is cancelled
            except Exception as error:  # noqa: BLE001 - whatever it is, the requests that wait are answered
                self._asked.clear()  # the next request tries again
                ended, self._manager = self._manager, _unmade()
                if ended.done():
                    _log.exception("the tools at %s have ended, and begin anew with the next request", self.path)
                else:
                    ended.set_exception(error)  # to all who wait; each is answered as any fault is, and logged
                    ended.exception()  # nobody may wait any more: no warning of that

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

        self._asked.set()
        # Shielded: a client that leaves while it waits must not take the manager from those who wait beside it.
        manager = await asyncio.shield(self._manager)
        await manager.handle_request(scope, receive, named)


def _unmade() -> asyncio.Future[StreamableHTTPSessionManager]:
    return asyncio.get_running_loop().create_future()


def _loaded(service: Service) -> StreamableHTTPSessionManager:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from codemode.mcp.server import McpServer
    from codemode.mcp.tool import Face

    # Stateless: what a client is, and what it asks for, comes with every request. Answers are JSON, or a stream
    # of events as soon as there is progress to tell, or where the protocol before 2026-07-28 wants one.
    return StreamableHTTPSessionManager(
        McpServer(service, Face()).sdk, stateless=True, max_request_body_size=service.settings.body_bytes
    )
