"""A client's transport that writes the head of an answer together with what follows it.

uvicorn writes the head, then the body, and a client that was woken by a head alone goes to sleep again. What is held
goes out in the loop's next step by itself, so nothing has to be known of answers without a body, of streams or of HEAD.
"""

from __future__ import annotations

import asyncio
from typing import Any

REST = "body_rest"  # in the state of a request that came whole and whose client is gone: what was not read of its body
_HEAD = b"HTTP/1.1 "


class JoiningTransport(asyncio.Transport):
    """What uvicorn's protocol and its answers use of the transport underneath."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport, self._loop = transport, loop
        self._head: bytes | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, or hold for a moment what begins as a head does; a body's piece that begins so loses nothing by it."""
        if self._head is not None:
            self._write_head(data)
        elif data[: len(_HEAD)] == _HEAD:
            self._head = bytes(data)
            self._loop.call_soon(self._write_head)
        else:
            self._transport.write(data)

    def _write_head(self, *more: bytes | bytearray | memoryview) -> None:
        head, self._head = self._head, None
        if head is not None and not self._transport.is_closing():
            self._transport.writelines((head, *more))

    def close(self) -> None:
        """Close it when what was written has gone out."""
        self._write_head()
        self._transport.close()

    def abort(self) -> None:
        """Close it now."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport underneath says."""
        return self._transport.get_extra_info(name, default)
