"""One client's connection: uvicorn's, bounded in everything that a client alone decides.

uvicorn waits for ever for the rest of a request's head, for the rest of a body that it was not interested in, and for
a client that reads nothing; it keeps a head of any size. Each would let strangers hold memory or descriptors for good.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from codemode.api.problems import AGAIN_SECONDS, MEDIA_TYPE, problem_of
from codemode.api.transport import REST, JoiningTransport
from codemode.errors import CodemodeError, RequestInvalid, RequestTimeout, WorkerUnavailable
from codemode.settings import Settings

HEAD_BYTES = 64 * 1024  # of a request's line and headers, of the size line of a chunk, of trailers
LINGER_SECONDS = 5.0  # a client that is still sending what nobody wants may read its answer so long


class Connection(HttpToolsProtocol):
    """A connection of the server, with the bounds that the settings give."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._settings = settings
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._heard = 0  # how often the parser had something to say
        self._unheard_bytes = 0  # what came since: of a head, a size or a trailer that does not end
        self._head_bytes = 0
        self._fault: RequestInvalid | None = None  # of a head, where more is known than that the parser refuses it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected: it is let in, or told that there are too many."""
        super().connection_made(transport)
        self.transport = JoiningTransport(transport, self.loop)
        if len(self.connections) > bearable(self._settings):
            self._refuse(WorkerUnavailable("too many connections are open", hint="try again in a moment"))
            return
        self._begin("head", self._settings.header_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        for name in list(self._timers):
            self._over(name)
        if self.cycle is not None and not self.cycle.response_complete:
            state = self.cycle.scope["state"]
            state["gone"] = True
            if not self.cycle.more_body:
                state[REST] = bytes(self.cycle.body)  # which uvicorn hands nobody any more
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self.transport.is_closing():
            return
        heard = self._heard
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self.send_400_response(str(error))
            return
        if self._heard != heard:
            self._unheard_bytes = 0
            return
        self._unheard_bytes += len(data)
        if self._unheard_bytes > HEAD_BYTES:
            self._refuse(_too_long())
        elif (self.cycle is None or self.cycle.response_complete) and not self._timers:
            self._begin("head", self._settings.header_seconds, self._head_is_late)

    def _parse(self, data: bytes) -> None:
        """Have the parser read `data`, and what wants to go on in another protocol as if it did not (RFC 9110, 7.8).

        Java's own client asks so with its first request. The parser knows no body of such a one: what a client sends as
        its body would be a request to us, and a body to whoever stands in front.
        """
        left = memoryview(data)  # of thousands of such requests at once nothing is copied
        while left:
            try:
                self.parser.feed_data(left)
                return
            except httptools.HttpParserUpgrade as upgrade:
                left = left[upgrade.args[0] :]
                self._begin_without_upgrade()

    def _begin_without_upgrade(self) -> None:
        """Give a new parser the head that this one has read, without what made it stop."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            raise httptools.HttpParserError("nothing is tunnelled")
        lines = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(lines))
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's first one
        self.parser.feed_data(head)

    def on_message_begin(self) -> None:
        """The parser has the beginning of a request."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """The parser has a piece of the target."""
        self._measure(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has a header, or a trailer."""
        self._measure(len(name) + len(value))
        super().on_header(name, value)

    def _measure(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            raise ValueError("too long")  # to the parser, which calls it broken

    def on_headers_complete(self) -> None:
        """The parser has a whole head."""
        if self.parser.should_upgrade():  # it stops behind it, and begins anew
            return
        self._heard += 1
        self._over("head")
        names = [name for name, _ in self.headers]
        hosts = names.count(b"host")
        # Of two, whoever stands in front may have looked at the other one; none is for HTTP/1.0 (RFC 9112, 3.2).
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._fault = RequestInvalid("a request has one Host header", hint="send `Host: localhost`, once")
        elif b"transfer-encoding" in names and dict(self.headers)[b"transfer-encoding"].strip().lower() != b"chunked":
            self._fault = RequestInvalid("a body comes chunked, or with a length", hint="say gzip in Content-Encoding")
        if self._fault is not None:
            raise self._fault  # to the parser, which calls it broken
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # it knows of no answer before the answer
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """The parser has a chunk's size."""
        self._heard += 1

    def on_body(self, body: bytes) -> None:
        """The parser has a piece of the body."""
        self._heard += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The parser has the end of a request."""
        if self.parser.should_upgrade():
            return
        self._heard += 1
        self._over("linger")
        self.scope["state"]["body_is_here"] = True  # to whoever reads it: nothing of it has to be waited for
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer was handed over whole."""
        super().on_response_complete()
        # What comes of a body that nobody reads any more is thrown away. Closing at once would take the answer away
        # from a client that is still sending, and never closing would let it send for ever.
        if self.cycle.response_complete and self.cycle.more_body:
            self._begin("linger", LINGER_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to."""
        super().pause_writing()
        self._begin("unread", self._settings.upload_idle_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        self._over("unread")
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or has too long a head."""
        broken = RequestInvalid("this is no HTTP request, or a broken one", hint="TLS and HTTP/2 are for a proxy")
        self._refuse(_too_long() if self._head_bytes > HEAD_BYTES else self._fault or broken)

    def _head_is_late(self) -> None:
        seconds = self._settings.header_seconds
        if self._unheard_bytes:
            self._refuse(RequestTimeout(f"the request's head was not whole after {seconds:g} s"))
        else:
            self.transport.close()

    def _refuse(self, error: CodemodeError) -> None:
        """Answer with `error` and close; where an answer has begun it is broken off, and not written into."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            document = problem_of(error)
            body = msgspec.json.encode(document)
            head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
            again = f"retry-after: {AGAIN_SECONDS}\r\n" if document.status == 503 else ""
            self.transport.write(STATUS_LINE[document.status] + f"{head}{again}\r\n".encode() + body)
        self.transport.close()

    def _begin(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        self._over(name)
        self._timers[name] = self.loop.call_later(seconds, act)

    def _over(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _too_long() -> RequestInvalid:
    return RequestInvalid(
        f"the request's head is above {HEAD_BYTES:,} bytes",
        hint="send what is long in a body: POST …/query and …/rows take statements of any length",
    )


def bearable(settings: Settings) -> int:
    """How many connections may be open: half of the process's descriptors are for databases and children."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(settings.connections, descriptors // 2) if descriptors > 0 else settings.connections


def raise_descriptors() -> None:
    """Take as many descriptors as this process may have: the soft limit is often 1,024, for programs that `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
