"""Any bytes as a child's stream: each frame is a valid one or a ProtocolViolation, and none grows beyond its bounds.

`make fuzz` runs it under atheris; test_fuzz_targets.py runs the same function on a few streams.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack

sys.path.insert(0, str(Path(__file__).parents[2]))

from atheris_run import fuzz, instrumented

with instrumented("sandbox"):
    from sandbox import claims, protocol
    from sandbox.errors import ProtocolViolation

FRAME_BYTES = 1_048_576
RESULT_BYTES = 4_096
WHOLE = 240  # a first byte from here on: what follows is one frame's body, without a length to guess


def one_input(data: bytes) -> None:
    """Raises whatever is a finding."""
    try:
        for body in _bodies(data):
            _read(body)
    except ProtocolViolation:
        return


def _bodies(data: bytes) -> Iterator[bytes]:
    """The frames of a stream that arrives in pieces of the size that the first byte says."""
    if data[:1] >= bytes([WHOLE]):
        yield data[1:]
        return
    reader = protocol.FrameReader(_pieces(data[1:], data[0] + 1 if data else 1), FRAME_BYTES)
    while (body := reader.read()) is not None:
        assert len(body) <= FRAME_BYTES
        yield body


def _pieces(data: bytes, size: int) -> Callable[[int], bytes]:
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda most: next(pieces, b"")[:most]


def _read(body: bytes) -> None:
    """What the worker does with a frame (sandbox/conversation.py), and what it then relies on."""
    frame = protocol.decode_hostile(body)
    assert _items(frame, protocol.DEPTH) <= protocol.FRAME_ITEMS + 1
    if frame[0] == "call":
        method, arguments = protocol.parse_call(frame)
        assert 0 < len(method) <= protocol.METHOD_CHARACTERS
        assert isinstance(arguments, list)
    elif frame[0] == "done":
        _check(claims.parse_done(frame, RESULT_BYTES))


def _items(value: Any, levels: int) -> int:
    if not isinstance(value, list | dict):
        return 1
    assert levels > 0, "nested deeper than the protocol allows"
    return 1 + sum(_items(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value))


def _check(claim: claims.Claim) -> None:
    assert claim.status in protocol.DONE_STATUSES
    assert (claim.value_json is None) == (claim.status != "completed")
    assert (claim.error is None) == (claim.status == "completed")
    if claim.value_json is not None:
        assert len(claim.value_json.encode()) <= RESULT_BYTES
        json.loads(claim.value_json, parse_int=len)
    if claim.error is not None:
        assert isinstance(claim.error["code"], str)
        assert len(claim.error["message"]) <= claims.TEXT_CHARACTERS
    assert len(claim.warnings) <= claims.WARNINGS
    assert all(isinstance(warning, str) for warning in claim.warnings)


def corpus() -> list[bytes]:
    """What to begin with: frames as an honest child sends them, alone and in a stream, and each cut short."""
    error = {"code": "sql.syntax", "message": "m", "hint": "h", "line": 3, "available": ["a"], "sql": "SELECT"}
    frames = [
        ["ready", {"cpu_ns": 0}],
        ["out", "hello\n"],
        ["call", "db.query", ["SELECT ?", [1, 2.5, None, "x", b"y"]]],
        ["call", "db.query", ["SELECT :a", {"a": -(2**63)}]],
        ["call", "db.batch_rows", [7, 3, [[1, 2], [3]]], [2]],
        ["done", {"status": "completed", "value": "[1, {}]", "info": {"type": "list", "n": 2}, "warnings": ["w"]}],
        ["done", {"status": "error", "error": error, "warnings": []}],
        ["done", {"status": "rejected", "error": error}],
    ]
    bodies = [msgpack.packb(frame) for frame in frames]
    stream = b"".join(protocol.HEADER.pack(len(body)) + body for body in bodies)
    whole = [bytes([WHOLE]) + body for body in bodies]
    streams = [bytes([size]) + stream for size in (0, 2, 200)]
    hostile = [
        bytes([WHOLE]) + b"\x91" * 5_000,
        bytes([WHOLE]) + b"\xdc\x1f\xff" * 1_000,
        b"\x05\xff\xff\xff\xff",
    ]
    return [b"", *whole, *streams, *(each[: len(each) // 2] for each in whole + streams), *hostile]


if __name__ == "__main__":
    fuzz(one_input, corpus())
