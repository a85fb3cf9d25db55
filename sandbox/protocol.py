"""Frames between worker and child: a 4-byte big-endian length, then one msgpack array.

    worker → child   ["run", {…}]   ["ok", value]   ["err", {…}]
    child → worker   ["ready", {…}]   ["code", bytes]   ["again", number]   ["call", method, arguments, split?]
                     ["out", text]   ["done", {…}]

The two ends do not trust each other in the same way. A child believes the worker and only has to keep its memory. The
worker believes nothing: a frame is bounded before it is read, and its items, containers and depth are counted while
it is decoded, so that no short frame becomes a large structure. Whatever breaks a rule is a ProtocolViolation, and the
one who catches it ends the child.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgpack
import msgspec

from sandbox.errors import ProtocolViolation

HEADER = struct.Struct(">I")

# msgpack allocates an array's slots as soon as it has read the length, and nests up to 1,024 arrays before any of them
# is filled: 8 KB for each slot allowed is what a few kilobytes of bad frame can make us reserve, 64 MB in all.
# Longer argument lists travel as a list of slices ("split").
ARRAY_ITEMS = 8_192
MAP_ITEMS = 8_192
FRAME_ITEMS = 1_048_576  # all containers of one frame together: small integers take 1 byte there and 40 here
FRAME_CONTAINERS = 131_072  # an empty list takes 1 byte there and 64 here
DEPTH = 16  # db.batch with parameters needs 6
_FLAT = 12  # with no more containers than this, the depth needs no walk
_SMALL = 1_024  # bytes of a frame whose containers are counted before it is decoded: nearly every call
_CONTAINERS = bytes([*range(0x80, 0xA0), *range(0xDC, 0xE0)])  # what a container's first byte may be

METHOD_CHARACTERS = 128
DONE_STATUSES = frozenset({"completed", "error", "rejected"})
RECEIVE_BYTES = 65_536


_encode = msgspec.msgpack.Encoder().encode


def encoded(frame: Any) -> bytes:
    """One frame, header and body. What cannot travel raises ValueError, TypeError, OverflowError or RecursionError."""
    body = _encode(frame)
    return HEADER.pack(len(body)) + body


class _Census:
    """Counts what is being decoded, and stops it as soon as it is too much."""

    __slots__ = ("containers", "items")

    def __init__(self) -> None:
        self.containers = 0
        self.items = 0

    def _count(self, items: int) -> None:
        self.containers += 1
        self.items += items
        if self.items > FRAME_ITEMS or self.containers > FRAME_CONTAINERS:
            raise ProtocolViolation("a frame holds too many values")

    def list(self, value: list[Any]) -> list[Any]:
        self._count(len(value))
        return value

    def map(self, value: dict[Any, Any]) -> dict[Any, Any]:
        self._count(len(value))
        return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in (list, dict)
        ]
        if not level:
            return
    raise ProtocolViolation(f"a frame nests deeper than {DEPTH}")


_unpack = partial(
    msgpack.unpackb,
    raw=False,
    strict_map_key=True,  # integer keys hash predictably: a map of colliding ones costs minutes
    max_array_len=ARRAY_ITEMS,
    max_map_len=MAP_ITEMS,
    max_ext_len=0,  # no extension types, timestamps included
)


def _is_flat(body: bytes | bytearray | memoryview) -> bool:
    """Whether nothing in `body` needs counting: it is short, and has no more containers than bytes that begin one."""
    if type(body) is not bytes or len(body) > _SMALL:
        return False
    return len(body) - len(body.translate(None, _CONTAINERS)) <= _FLAT


def decode_hostile(body: bytes | bytearray | memoryview) -> list[Any]:
    """One frame from a child as a list that starts with its kind. Raises ProtocolViolation."""
    census = None if _is_flat(body) else _Census()
    try:
        frame = _unpack(body) if census is None else _unpack(body, list_hook=census.list, object_hook=census.map)
    except ProtocolViolation:
        raise
    except Exception as error:  # whatever the decoder raises, it is the child's doing  # noqa: BLE001
        raise ProtocolViolation(f"a frame is not what it should be ({type(error).__name__})") from None
    if type(frame) is not list or not frame or type(frame[0]) is not str:
        raise ProtocolViolation("a frame is not a list that starts with its kind")
    if census is not None and census.containers > _FLAT:
        _check_depth(frame)
    return frame


def parse_call(frame: list[Any]) -> tuple[str, list[Any]]:
    """Method and arguments of a call frame from a child. Raises ProtocolViolation."""
    if len(frame) not in (3, 4) or type(frame[1]) is not str or type(frame[2]) is not list:
        raise ProtocolViolation("a call is not a method and its arguments")
    if not 0 < len(frame[1]) <= METHOD_CHARACTERS:
        raise ProtocolViolation("a call's method has no proper name")
    method, arguments = frame[1], frame[2]
    if len(frame) == 4:
        _join(arguments, frame[3])
    return method, arguments


def _join(arguments: list[Any], split: Any) -> None:
    """Put the sliced arguments together again, in place."""
    if type(split) is not list or len(split) > len(arguments):
        raise ProtocolViolation("a call names arguments that it does not have")
    for place in split:
        if type(place) is not int or not 0 <= place < len(arguments):
            raise ProtocolViolation("a call names arguments that it does not have")
        slices = arguments[place]
        if type(slices) is not list or not all(type(part) is list for part in slices):
            raise ProtocolViolation("a split argument is not a list of lists")
        arguments[place] = [item for part in slices for item in part]


def encoded_call(method: str, arguments: Iterable[Any]) -> bytes:
    """The frame of one call, made in the child. Raises what `encoded` raises."""
    passed = list(arguments)
    split = []
    for place, value in enumerate(passed):
        if isinstance(value, list) and len(value) > ARRAY_ITEMS:
            passed[place] = [value[at : at + ARRAY_ITEMS] for at in range(0, len(value), ARRAY_ITEMS)]
            split.append(place)
    return encoded(["call", method, passed, split] if split else ["call", method, passed])


def _closed(most: int) -> bytes:
    return b""


class FrameReader:
    """Cuts a stream into frame bodies, in memory bounded by the largest frame allowed."""

    def __init__(self, receive: Callable[[int], bytes], frame_bytes: int) -> None:
        self._receive = receive
        self._frame_bytes = frame_bytes
        self._held = b""

    @property
    def pending(self) -> bool:
        """Whether bytes of a further frame have arrived."""
        return bool(self._held)

    def close(self) -> None:
        """Nothing more is received; it lets go of whoever did, who has this object as a rule."""
        self._receive = _closed

    def take_in(self, piece: bytes) -> None:
        """Bytes that were received by somebody else."""
        self._held += piece

    def read(self) -> bytes | None:
        """The body of the next frame; None when the other end has closed. Raises ProtocolViolation."""
        held = self._held or self._receive(RECEIVE_BYTES)
        if not held:
            return None
        while len(held) < HEADER.size:
            piece = self._receive(RECEIVE_BYTES)
            if not piece:
                self._held = b""
                return None
            held += piece
        (size,) = HEADER.unpack_from(held)
        if size > self._frame_bytes:
            # Refused before a byte of it is kept: the length is only a claim, and memory is ours.
            raise ProtocolViolation(f"a frame of {size:,} bytes is larger than the {self._frame_bytes:,} allowed")
        end = HEADER.size + size
        if len(held) < end:
            held = self._read_on(held, end)
            if not held:
                return None
        self._held = held[end:]
        return held[HEADER.size : end]

    def _read_on(self, held: bytes, end: int) -> bytes:
        # The buffer grows with what has arrived, never to what was announced; and it is one buffer, because a list of
        # pieces would cost fifty bytes for each byte that a child sends singly.
        buffer = bytearray(held)
        while len(buffer) < end:
            piece = self._receive(min(max(RECEIVE_BYTES, end - len(buffer)), 1 << 20))
            if not piece:
                self._held = b""
                return b""
            buffer += piece
        return bytes(buffer)
