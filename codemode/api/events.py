"""Server-sent events: what happens in a thread reaches a client that may be slow, or gone.

A thread that tells something never waits for the client, and what waits for the client is bounded: texts that were
printed one after the other become one event, which has a line for what is too much, and a newer figure of progress
takes the place of the one before it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from codemode.api.problems import problem_of
from codemode.errors import CodemodeError
from codemode.plain import encode
from sandbox.captured import Captured

_BEAT_SECONDS = 15.0  # a comment so often keeps proxies from closing a stream in which nothing happens
_BEAT = b": still running\n\n"
_TEXT_BYTES = 4 * 1024 * 1024  # of printed texts that wait: of more their beginning and their end
_WAITING = 64  # events that are no text; older ones are dropped when a client reads none of them


class Events:
    """Events on their way from threads to one reader on the event loop where this was made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._text_room = _TEXT_BYTES
        self._text = Captured(self._text_room, None)  # of the event that is last, when it is a text
        self._waiting: list[tuple[str, Any, Any]] = []  # name, what a newer one replaces, document
        self._arrived = asyncio.Event()

    def text(self, text: str) -> None:
        """Something was printed; from any thread."""
        with self._lock:
            self._text.add(text)
        self._wake()

    def tell(self, name: str, document: Any, key: Any = None) -> None:
        """Something happened; from any thread. One that has the same `key` and was not read yet is replaced."""
        with self._lock:
            same = next((n for n, each in enumerate(self._waiting) if key is not None and each[1] == key), None)
            if same is not None:
                self._waiting[same] = name, key, document
            else:
                self._settle()
                self._waiting.append((name, key, document))
                self._bound()
        self._wake()

    def _settle(self) -> None:
        if size := self._text.total_bytes:
            self._waiting.append(("stdout", None, {"text": self._text.text()}))
            self._text_room = max(0, self._text_room - size)
            self._text = Captured(self._text_room, None)

    def _bound(self) -> None:
        """Drop the oldest figure of progress: warnings are bounded where they come from."""
        replaceable = [n for n, each in enumerate(self._waiting) if each[1] is not None]
        if len(replaceable) > _WAITING:
            del self._waiting[replaceable[0]]

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._arrived.set)

    def _taken(self) -> list[bytes]:
        with self._lock:
            self._settle()
            taken, self._waiting = self._waiting, []
            self._text_room = _TEXT_BYTES
            self._text = Captured(self._text_room, None)
        return [event(name, document) for name, _, document in taken]

    async def until(self, over: asyncio.Future[Any]) -> AsyncIterator[bytes]:
        """The events as they come, until `over` is done and all that were told before are read; then how it ended."""
        over.add_done_callback(lambda _: self._arrived.set())
        while True:
            done = over.done()  # looked at first: what was told before the end is among what is taken after it
            self._arrived.clear()
            for each in self._taken():
                yield each
            if done:
                yield _last(over)
                return
            try:
                await asyncio.wait_for(self._arrived.wait(), _BEAT_SECONDS)
            except TimeoutError:
                yield _BEAT


def event(name: str, document: Any) -> bytes:
    """One server-sent event; JSON has no line break, so it is one data line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), encode(document))


def _last(result: asyncio.Future[Any]) -> bytes:
    error = result.exception()
    if error is None:
        return event("outcome", result.result())
    if isinstance(error, CodemodeError):
        return event("problem", problem_of(error))
    raise error


async def settled(result: asyncio.Future[Any]) -> None:
    """Wait for what nobody may ask for any more, so that asyncio does not report its error as forgotten."""
    await asyncio.wait([result])
    if not result.cancelled():
        result.exception()


class EventStream(StreamingResponse):
    """The events as a response; `over` is awaited when it ends, also where the client is gone before its beginning.

    It ends when the client goes away, which it does not `watch` for while the request's body is still being read.
    """

    def __init__(
        self, events: AsyncIterator[bytes], over: Callable[[], Awaitable[None]], *, watch: bool = True
    ) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._over, self._watch = over, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            if self._watch:
                await super().__call__(scope, receive, send)
            else:
                await self.stream_response(send)
        finally:
            await self._over()
