"""Other faces of the service below a path of this one, each behind the guard that every request goes through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from codemode.api import problems
from codemode.api.bodies import Upload
from codemode.api.requests import identify, service_of
from codemode.errors import CodemodeError
from codemode.service.service import Service


class Mount(Protocol):
    """An ASGI application at `path`; its requests have whoever calls as `caller` in their state, and come whole."""

    path: str

    def running(self) -> AbstractAsyncContextManager[None]:
        """What has to be open while requests are served."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        ...


MakeMount = Callable[[Service], Mount]


class Guarded:
    """The same application for those callers alone whom the service knows."""

    def __init__(self, mount: Mount) -> None:
        self._mount = mount

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who calls, or answer with the problem that there is."""
        request = Request(scope, receive)
        request.state.operation = self._mount.path.strip("/")
        try:
            request.state.caller = await identify(request)
            body = await Upload(request, service_of(request).settings.body_bytes).whole()
        except CodemodeError as error:
            request.state.outcome = error.code
            await problems.answer(error)(scope, receive, send)
        else:
            await self._mount(scope, _after(body, receive), send)


def _after(body: bytes, receive: Receive) -> Receive:
    """What comes to a request whose body was read: all of it at once, then what `receive` has."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
