"""A child's entry that sends whatever bytes the test wants: only for tests of the worker's side."""

from __future__ import annotations

import struct
import time
from typing import Any

import msgpack

from sandbox.child import Entry


def serve(connection: Any, request: dict[str, Any]) -> None:
    """Run the code; it finishes, or breaks off, by itself."""

    def raw(data: bytes) -> None:
        connection._stream.sendall(data)

    def frame(body: Any) -> None:
        data = body if isinstance(body, bytes) else msgpack.packb(body)
        raw(struct.pack(">I", len(data)) + data)

    def done(**fields: Any) -> None:
        frame(["done", {"status": "completed", "value": "1", "info": {}, "warnings": [], **fields}])

    exec(
        request["code"],
        {"connection": connection, "raw": raw, "frame": frame, "done": done, "time": time, "struct": struct},
    )


ENTRY = Entry(serve)
