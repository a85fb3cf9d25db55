"""The two transports: one that blocks, one that does not. What they decide, `attempts.py` decides for both."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing, closing
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import httpx2
from anyio import sleep
from anyio.lowlevel import RunVar

from codemode.asked import above_zero
from codemode.client.address import Address
from codemode.client.ask import Ask, Call
from codemode.client.attempts import Attempts, broken
from codemode.client.lines import Lines
from codemode.errors import ExtraMissing, RequestInvalid, WorkerError, shown

T = TypeVar("T")
Http = TypeVar("Http", httpx2.Client, httpx2.AsyncClient)
_CONNECT_SECONDS = 10.0
# Below the five seconds after which servers close an idle connection, which is a race that a request can lose.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=3.0)
_BROKEN = (httpx2.TransportError, httpx2.DecodingError)


class _Loop:
    """One event loop: goes with it."""


_mark: RunVar[_Loop] = RunVar("the loop that runs")


class Terms:
    """How a client calls its service: where, with what patience, how often."""

    def __init__(self, address: Address, timeout: float | None, retries: int) -> None:
        if type(retries) is not int or retries < 0:
            raise RequestInvalid(f"retries must be a whole number, not {shown(retries)}")
        self.address, self.retries = address, retries
        self.timeout = None if timeout is None else above_zero("timeout", timeout)

    def opened(self, kind: Callable[..., Http]) -> Http:
        """An httpx client of this kind; it takes proxies and certificates from the environment.

        Raises ExtraMissing, RequestInvalid for what it cannot take.
        """
        try:
            return kind(headers=self.address.headers(), limits=_LIMITS, follow_redirects=False)
        except ImportError:
            raise ExtraMissing(
                "the environment names a SOCKS proxy, which needs a package",
                hint="pip install 'httpx2[socks]', or unset ALL_PROXY, HTTP_PROXY and HTTPS_PROXY",
            ) from None
        except (ValueError, OSError) as error:
            raise RequestInvalid(
                f"what the environment says of proxies and certificates cannot be used: {error}",
                hint="see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR",
            ) from None

    def request(self, ask: Ask) -> dict[str, Any]:
        """The arguments of one request, without its body."""
        headers = {}
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
        elif ask.upload is not None:
            headers["Content-Type"] = ask.upload.media
        return {
            "method": ask.method, "url": self.address.url + ask.path, "params": ask.query, "headers": headers,
            "timeout": self._patience(ask),
        }  # fmt: skip

    def attempts(self, ask: Ask) -> Attempts:
        """The attempts at one request."""
        return Attempts(ask, self.retries, self.address.url)

    def check_open(self, closed: bool) -> None:
        """Raise WorkerError, as a worker that is closed does."""
        if closed:
            raise WorkerError("this client is closed", hint="make another one")

    def _patience(self, ask: Ask) -> httpx2.Timeout:
        if self.timeout is None:
            return httpx2.Timeout(None, connect=_CONNECT_SECONDS)
        read = None if ask.seconds is None else ask.seconds + self.timeout
        return httpx2.Timeout(connect=min(_CONNECT_SECONDS, self.timeout), read=read, write=read, pool=None)


class Connection:
    """The one that blocks; safe to use from several threads."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._http = terms.opened(httpx2.Client)

    def send(self, call: Call[T]) -> T:
        """Do a call; raises what the service answers, or WorkerUnreachable."""
        return call.answer(self._answered(call.ask, whole=True).content)

    def lines(self, ask: Ask) -> Generator[bytes, None, None]:
        """The lines of an answer as they come; closing the iterator gives the rest up."""
        lines = Lines()
        with closing(self.pieces(ask)) as pieces:
            for piece in pieces:
                yield from lines.feed(piece)

    def pieces(self, ask: Ask) -> Generator[bytes, None, None]:
        """An answer as it comes; one that breaks off in the middle raises WorkerUnreachable."""
        response = self._answered(ask)
        try:
            yield from response.iter_bytes()
        except _BROKEN as error:
            raise broken(error, self.terms.address.url) from None
        finally:
            response.close()

    def _answered(self, ask: Ask, *, whole: bool = False) -> httpx2.Response:
        attempts, arguments = self.terms.attempts(ask), self.terms.request(ask)
        while True:
            self.terms.check_open(self._http.is_closed)  # also by another thread, since the attempt before
            content = ask.body if ask.upload is None else ask.upload.begin()
            try:
                response = self._http.send(self._http.build_request(content=content, **arguments), stream=True)
                if response.is_success and not whole:
                    return response
                try:
                    response.read()
                finally:
                    response.close()
                if response.is_success:
                    return response
                pause = attempts.after_refusal(response)
            except _BROKEN as error:
                pause = attempts.after_break(error)
            time.sleep(pause)

    def close(self) -> None:
        """Close every connection."""
        self._http.close()


class AsyncConnection:
    """The one that does not; safe to use from several threads. Each event loop has connections of its own."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._unused = [terms.opened(httpx2.AsyncClient)]  # for the first loop: what cannot be opened is told at once
        self._of_loops: WeakKeyDictionary[_Loop, httpx2.AsyncClient] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._closed = False

    def _here(self) -> httpx2.AsyncClient:
        """The connections of the loop that runs. Those of another one cannot even be closed from here."""
        loop = _loop_mark()
        with self._lock:
            http = self._of_loops.get(loop)
            if http is None:
                http = self._unused.pop() if self._unused else self.terms.opened(httpx2.AsyncClient)
                self._of_loops[loop] = http
        return http

    async def send(self, call: Call[T]) -> T:
        """Do a call; raises what the service answers, or WorkerUnreachable."""
        return call.answer((await self._answered(call.ask, whole=True)).content)

    async def lines(self, ask: Ask) -> AsyncGenerator[bytes, None]:
        """The lines of an answer as they come; closing the iterator gives the rest up."""
        lines = Lines()
        async with aclosing(self.pieces(ask)) as pieces:
            async for piece in pieces:
                for line in lines.feed(piece):
                    yield line

    async def pieces(self, ask: Ask) -> AsyncGenerator[bytes, None]:
        """An answer as it comes; one that breaks off in the middle raises WorkerUnreachable."""
        response = await self._answered(ask)
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except _BROKEN as error:
            raise broken(error, self.terms.address.url) from None
        finally:
            await response.aclose()

    async def _answered(self, ask: Ask, *, whole: bool = False) -> httpx2.Response:
        attempts, arguments = self.terms.attempts(ask), self.terms.request(ask)
        while True:
            self.terms.check_open(self._closed)
            http = self._here()
            content = ask.body if ask.upload is None else _not_blocking(ask.upload.begin())
            try:
                response = await http.send(http.build_request(content=content, **arguments), stream=True)
                if response.is_success and not whole:
                    return response
                try:
                    await response.aread()
                finally:
                    await response.aclose()
                if response.is_success:
                    return response
                pause = attempts.after_refusal(response)
            except _BROKEN as error:
                pause = attempts.after_break(error)
            await sleep(pause)

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        await self._here().aclose()


def _loop_mark() -> _Loop:
    """What stands for the event loop that runs; the loop itself would be kept by whoever remembers it."""
    mark = _mark.get(None)
    if mark is None:
        _mark.set(mark := _Loop())
    return mark


def _not_blocking(pieces: Iterator[bytes] | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(pieces, AsyncIterator):
        return pieces

    async def each() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return each()
