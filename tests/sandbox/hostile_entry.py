"""A child's entry that sends whatever bytes the test wants: only for tests of the worker's side."""

from __future__ import annotations

import signal
import struct
import time
from collections.abc import Callable
from typing import Any

import msgpack

from sandbox.child import Entry

_late: list[Callable[[], object]] = []


def preload() -> None:
    """Set the handler of the timer: a confined child may not."""
    signal.signal(signal.SIGALRM, lambda *_: _late[0]())


def later(seconds: float, act: Callable[[], object]) -> None:
    """Act while the child waits for its next request."""
    _late[:] = [act]
    signal.setitimer(signal.ITIMER_REAL, seconds)


def serve(connection: Any, request: dict[str, Any]) -> None:
    """Run the code; it finishes, or breaks off, by itself."""

    def raw(data: bytes) -> None:
        connection._stream.sendall(data)

    def frame(body: Any) -> None:
        data = body if isinstance(body, bytes) else msgpack.packb(body)
        raw(struct.pack(">I", len(data)) + data)

    def done(**fields: Any) -> None:
        frame(["done", {"status": "completed", "value": "1", "info": {}, "warnings": [], **fields}])

    connection.begin(lambda: None)  # its own calls are carried, as those of a snippet are
    names = {"request": request, "connection": connection, "raw": raw, "frame": frame, "done": done, "later": later}
    exec(request["code"], {**names, "time": time, "struct": struct})


ENTRY = Entry(serve, preload=preload)
