"""What a client learns of an execution while it runs: what is printed, how far it is, and that time passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mcp.server.session import ServerSession

from codemode.plain import printable
from codemode.values import Event
from codemode.values import Progress as Inserted

_BEAT_SECONDS = 2.0  # a client that waits learns so often that the execution goes on
_PAUSE_SECONDS = 0.2  # between two notifications: what is printed meanwhile comes with the next
_LONGEST = 1_000  # characters of what was printed; the answer has more of it


class Progress:
    """Tells one client of one execution; a client that asked for no progress is told nothing.

    What is printed while the client does not read is not kept beyond its end, so a slow client costs no memory.
    """

    def __init__(self, client: ServerSession) -> None:
        self._client, self._loop = client, asyncio.get_running_loop()
        self._printed, self._news = "", asyncio.Event()
        self._began, self._last = self._loop.time(), 0.0

    def print(self, text: str) -> None:
        """Take what the snippet printed; called in the thread that serves its child."""
        self._loop.call_soon_threadsafe(self._take, text)

    def happened(self, event: Event) -> None:
        """Take what the engine tells; called in the same thread."""
        if isinstance(event, Inserted):
            self.print(f"{event.rows:,} rows for {event.table} so far\n")
        else:
            self.print(f"warning: {event.text}\n")

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Tell the client as long as the block lasts."""
        telling = asyncio.ensure_future(self._tell())
        try:
            yield
        finally:
            telling.cancel()

    def _take(self, text: str) -> None:
        self._printed = (self._printed + text)[-_LONGEST - 1 :]
        self._news.set()

    async def _tell(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), _BEAT_SECONDS)
            self._news.clear()
            await self._client.report_progress(self._progress(), message=self._message())
            await asyncio.sleep(_PAUSE_SECONDS)

    def _progress(self) -> float:
        """Seconds since the call; it has to grow with each notification."""
        self._last = max(round(self._loop.time() - self._began, 3), round(self._last + 0.001, 3))
        return self._last

    def _message(self) -> str:
        text, self._printed = self._printed, ""
        if not text.strip():
            return f"running for {self._loop.time() - self._began:.0f} s"
        return printable(text[-_LONGEST:].strip("\n") if len(text) <= _LONGEST else f"… {text[-_LONGEST:]}".rstrip())
