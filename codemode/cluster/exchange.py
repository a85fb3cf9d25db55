"""One request of a client on its way to a worker and back: its head made anew, its body and its answer as they come.

Hop by hop headers end here, as do framing and lengths that contradict each other: the server in front of this has
refused what is malformed, and what goes on is written by this file alone, so that no request hides in another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from codemode.api.transport import REST
from codemode.cluster.forward import Connection, ConnectionGone, Headers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

# What workers believe, since only the front reaches them: who sent a request, and which of the workers they are.
CLIENT, NAME = b"codemode-client", b"codemode-worker"
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)

_LENGTH = b"content-length"
_PEEK_SECONDS = 5.0


class ClientGone(Exception):
    """Nobody is there any more to take the answer."""


class AnswerCut(Exception):
    """The worker went away when a part of its answer had been passed on; perhaps one that ends `between_events`.

    `status` is what the answer began with.
    """

    def __init__(self, status: int, *, between_events: bool) -> None:
        super().__init__(status, between_events)
        self.status, self.between_events = status, between_events


class Incoming:
    """A request as the server gives it; what is peeked at is still passed on."""

    def __init__(self, scope: Message, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Headers = scope["headers"]
        self.gone = False  # the client, before it had its answer
        self.passed = False  # all of it, to the worker
        self._scope, self._receive = scope, receive
        self._seen = bytearray()  # what was peeked at, and not passed on yet
        self.chunked = self.header(b"transfer-encoding") is not None
        self.all_read = not (self.chunked or self.header(_LENGTH))

    def header(self, name: bytes) -> bytes | None:
        """The first header of this name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def peek(self, most: int) -> bytes | None:
        """The whole body where it has `most` bytes or fewer and comes soon, else None. It is still passed on.

        Raises ClientGone.
        """
        if not self.chunked and int(self.header(_LENGTH) or 0) > most:
            return None  # the worker refuses it by its length, before anything of it is sent
        try:
            async with asyncio.timeout(_PEEK_SECONDS):
                while not self.all_read and len(self._seen) <= most:
                    self._seen += await self._more()
        except TimeoutError:  # a worker has bounds of its own for clients that are slow
            return None
        return bytes(self._seen) if len(self._seen) <= most else None

    async def _more(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self.gone = True
            if REST not in self._scope["state"]:
                raise ClientGone
            message = {"body": self._scope["state"].pop(REST)}
        self.all_read = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def piece(self) -> bytes:
        """The next piece of the body, what was peeked at first; raises ClientGone."""
        if not self._seen:
            return await self._more()
        seen, self._seen = bytes(self._seen), bytearray()
        return seen

    @property
    def asks_first(self) -> bool:
        """Whether the client sends its body only when told to; no worker answers another expectation than this."""
        return any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.headers)

    @property
    def over(self) -> bool:
        """Whether every piece was taken."""
        return self.all_read and not self._seen

    async def disconnected(self) -> None:
        """Return when the client is gone, or has its answer."""
        while (await self._receive())["type"] == "http.request":
            pass
        self.gone = True

    def head(self, *, without: bytes = b"", body: bytes | None = None) -> bytes:
        """The head of the request that goes to the worker, `without` one of its headers, for all of a `body`."""
        target = self._scope["raw_path"]
        if self._scope["query_string"]:
            target += b"?" + self._scope["query_string"]
        lines = [b"%s %s HTTP/1.1\r\n" % (self.method.encode(), target)]
        # A client may have headers dropped that it names in Connection. Were the length of its body one of them, the
        # worker would take that body for a request of its own: so what frames the body is written below, here alone.
        dropped = {CLIENT, NAME, _LENGTH, without, *self._named_by_connection()} - {b"host"}
        lines += [
            b"%s: %s\r\n" % header
            for header in self.headers
            if header[0] not in _HOP_BY_HOP and header[0] not in dropped
        ]
        if self.header(b"host") is None:  # a request of HTTP/1.0 need not have one, and this one is of 1.1
            lines.append(b"host: localhost\r\n")
        length = self.header(_LENGTH) if body is None else b"%d" % len(body)
        if self.chunked and body is None:
            lines.append(b"transfer-encoding: chunked\r\n")
        elif length is not None:
            lines.append(b"content-length: %s\r\n" % length)
        if client := self._scope.get("client"):
            lines.append(b"%s: %s %d\r\n" % (CLIENT, str(client[0]).encode(), client[1] or 0))
        head = b"".join(lines)
        if not head.count(b"\n") == head.count(b"\r") == len(lines):
            # The server in front refuses line breaks. If one ever did not, a request could come hidden in a header.
            raise ValueError("a header with a line break")
        return head + b"\r\n"

    def _named_by_connection(self) -> set[bytes]:
        named = self.header(b"connection")
        if named is None or named.lower() in (b"keep-alive", b"close"):
            return set()
        return {name.strip().lower() for name in named.split(b",")}


async def exchange(connection: Connection, incoming: Incoming, send: Send) -> bool:
    """Pass the request on and the answer back, both as they come; whether all of the request was passed on.

    Raises ConnectionGone before anything was sent to the client, ClientGone, and AnswerCut.
    """
    connection.begin(incoming.head(), bodiless=incoming.method == "HEAD")
    upload = asyncio.ensure_future(_upload(connection, incoming))
    started, tail = False, b"\n\n"
    try:
        status, headers = await connection.response()
        started = True
        await send({"type": "http.response.start", "status": status, "headers": _end_to_end(headers)})
        more = True
        while more:
            piece, more = await connection.piece()
            await send({"type": "http.response.body", "body": piece, "more_body": more})
            tail = (tail + piece[-2:])[-2:]
    except ConnectionGone:
        if incoming.gone:
            raise ClientGone from None
        if started:
            raise AnswerCut(status, between_events=_is_events(headers) and tail == b"\n\n") from None
        raise
    finally:
        upload.cancel()
    return incoming.passed


async def _upload(connection: Connection, incoming: Incoming) -> None:
    """Pass the body on, then wait for the client to leave: its connection to the worker is closed then."""
    try:
        # To ask for a body tells the client to send it: that is left to the worker, which may refuse it by its length.
        if incoming.asks_first and not await connection.wants_body():
            return
        while not incoming.over:
            piece = await incoming.piece()
            if piece:
                await connection.write(b"%x\r\n%s\r\n" % (len(piece), piece) if incoming.chunked else piece)
        if incoming.chunked:
            await connection.write(b"0\r\n\r\n")
        incoming.passed = True
        await incoming.disconnected()
        connection.leave()
    except ClientGone:
        connection.close()
    except ConnectionGone:
        return  # whoever waits for the answer is told too


def _end_to_end(headers: Headers) -> Headers:
    return [header for header in headers if header[0] not in _HOP_BY_HOP]


def _is_events(headers: Headers) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)
