"""Answers compressed for clients that take gzip; those that are too short for it pass as they are."""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder
from starlette.types import Message, Receive, Scope, Send

from codemode.api.heads import header


class Compressed(GZipMiddleware):
    """Starlette's, which is asked only where there is something to compress: it holds and reads each head of all."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        through: Send | None = None

        async def sent(message: Message) -> None:
            nonlocal through
            if through is None:
                through = send if self._is_short(message) else self._responder(scope, send)
            await through(message)

        await self.app(scope, receive, sent if scope["type"] == "http" else send)

    def _is_short(self, head: Message) -> bool:
        """Whether a head says that less follows than is worth it."""
        for name, value in head.get("headers", ()):
            if name == b"content-length":
                return int(value) < self.minimum_size
        return False

    def _responder(self, scope: Scope, send: Send) -> Send:
        if "gzip" in (header(scope, b"accept-encoding") or ""):
            made: IdentityResponder = GZipResponder(
                self.app,
                self.minimum_size,
                self.compresslevel,
                thread_minimum_size=self.thread_minimum_size,
                exclude_content_types=self.exclude_content_types,
            )
        else:  # says in a Vary header that another client gets something else
            made = IdentityResponder(self.app, self.minimum_size, exclude_content_types=self.exclude_content_types)
        made.send = send
        return made.send_with_compression
