"""HTTP to a worker over its unix socket: connections that are kept, one request at a time on each, streams both ways.

Written by hand around httptools, the parser that the server has too, because each request pays for it: see decision
0057 for what it saves beside a client library. What it need not know it does not: peers are our own workers.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

import httptools

Headers = list[tuple[bytes, bytes]]
_HIGH_BYTES = 256 * 1024  # of a response that its client has not taken: above it the worker has to wait
_OPENING = 64  # connections on their way at once: more than a socket's backlog bears would be refused
_IDLE = 256  # connections kept for the next requests


class ConnectionGone(Exception):
    """The connection ended before the response did."""


class Answer(NamedTuple):
    """A response that is there as a whole."""

    status: int
    headers: Headers
    body: bytes


class Connection(asyncio.Protocol):
    """One connection: `begin` a request, `write` its body, take `response` and the `piece`s of its body."""

    def __init__(self) -> None:
        self.closed = False
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._news: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._reset(idle=True)

    def _reset(self, *, idle: bool, bodiless: bool = False) -> None:
        self._idle, self._bodiless = idle, bodiless
        self._status = 0
        self._headers: Headers = []
        self._arrived = bytearray()
        self._complete = self._keep = self._paused = False
        self._judged = asyncio.Event()  # the worker asked for the body (100 Continue), or answered without it

    # What the front does.

    def begin(self, head: bytes, *, bodiless: bool) -> None:
        """Send a request's head; `bodiless` says that the response has no body, whatever its headers say (HEAD)."""
        self._reset(idle=False, bodiless=bodiless)
        self._transport.write(head)

    async def write(self, data: bytes) -> None:
        """Send a piece of the body, and wait until there is room for another; raises ConnectionGone."""
        if self.closed:
            raise ConnectionGone
        self._transport.write(data)
        if self._writable is not None:
            await self._writable

    async def wants_body(self) -> bool:
        """Wait until the worker asks for the body, or answers without it."""
        await self._judged.wait()
        return not (self._status or self.closed)

    async def response(self) -> tuple[int, Headers]:
        """The status and headers of the response; raises ConnectionGone."""
        while not self._status:
            await self._wait()
        return self._status, self._headers

    async def piece(self) -> tuple[bytes, bool]:
        """What has come of the response's body, and whether more will; raises ConnectionGone."""
        while not (self._arrived or self._complete):
            await self._wait()
        piece = bytes(self._arrived)
        self._arrived.clear()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return piece, not self._complete

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request and wait for all of its answer; raises ConnectionGone."""
        self.begin(request, bodiless=False)
        status, headers = await self.response()
        body, more = b"", True
        while more:
            piece, more = await self.piece()
            body += piece
        return Answer(status, headers, body)

    async def _wait(self) -> None:
        if self.closed:
            raise ConnectionGone
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def rest(self) -> bool:
        """Wait for the next request; False when the connection cannot take one."""
        reusable = self._keep and not self.closed
        self._reset(idle=True)
        return reusable

    def close(self) -> None:
        """End the connection now; the worker cancels what it does for it."""
        self.closed = True
        self._transport.abort()
        self._wake()

    def leave(self) -> None:
        """End it when the worker has taken all that was written: it does a request that came whole."""
        self._transport.close()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass

    def data_received(self, data: bytes) -> None:
        """A part of a response."""
        if self._idle:  # an answer that nobody asked for belongs to no request that will ever be sent
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.close()
            return
        if len(self._arrived) > _HIGH_BYTES and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by whom ever."""
        self.closed = True
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        """The worker does not take what was sent."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """It took most of it."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _wake(self) -> None:
        if self.closed:
            self._judged.set()
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # What the parser tells.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._judged.set()
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue: the response itself is still to come
            self._headers = []
            return
        self._status = status
        self._complete = self._bodiless  # the parser waits for a body that does not come: `_keep` stays False

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._arrived += body

    def on_message_complete(self) -> None:
        """The response is complete."""
        self._complete = bool(self._status)
        self._keep = self._complete and self._parser.should_keep_alive()  # it does not know any more a moment later


class Connections:
    """The connections to one worker's socket."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[Connection] = []
        self._opening = asyncio.Semaphore(_OPENING)
        self._closed = False

    async def take(self) -> Connection:
        """One that is nobody else's; raises OSError where the worker cannot be reached."""
        while self._idle:
            kept = self._idle.pop()
            if not kept.closed:
                return kept
        async with self._opening:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_unix_connection(Connection, self._path)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next request, where its own is over in every respect; else close it."""
        if connection.rest() and not self._closed and len(self._idle) < _IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close those that nobody uses, and the others when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
