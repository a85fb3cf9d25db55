"""The frame protocol: what travels, and what a hostile frame can and cannot cost."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ProtocolViolation
from sandbox.protocol import (
    ARRAY_ITEMS,
    DEPTH,
    HEADER,
    FrameReader,
    decode_hostile,
    encoded,
    encoded_call,
    parse_call,
)

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary()
)
ARGUMENTS = st.lists(
    SCALARS | st.lists(SCALARS, max_size=5) | st.dictionaries(st.text(), SCALARS, max_size=5), max_size=5
)


def _body(frame: bytes) -> bytes:
    return frame[HEADER.size :]


@given(st.text(min_size=1, max_size=50), ARGUMENTS)
def test_a_call_arrives_as_it_was_sent(method: str, arguments: list[object]) -> None:
    method = method.encode("utf-8", "replace").decode()
    frame = decode_hostile(_body(encoded_call(method, arguments)))
    if 0 < len(method) <= 128:
        assert parse_call(frame) == (method, arguments)


@pytest.mark.parametrize("items", [0, 1, ARRAY_ITEMS, ARRAY_ITEMS + 1, 5 * ARRAY_ITEMS + 3])
def test_a_long_list_of_values_arrives_whole(items: int) -> None:
    values = list(range(items))
    frame = decode_hostile(_body(encoded_call("db.batch_rows", [7, items, values])))
    assert parse_call(frame) == ("db.batch_rows", [7, items, values])


def test_a_value_that_cannot_be_packed_leaves_the_next_frame_clean() -> None:
    for unfit in (object(), 2**70, "\ud800"):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            encoded(["call", "x", ["before", unfit]])
    assert decode_hostile(_body(encoded(["out", "clean"]))) == ["out", "clean"]


HOSTILE = {
    "nothing": b"",
    "not a list": msgpack.packb({"call": 1}),
    "an empty list": msgpack.packb([]),
    "a kind that is no text": msgpack.packb([1, "x"]),
    "bytes after the end": msgpack.packb(["out", "x"]) + b"\x00",
    "a list cut short": b"\x93\xa3out",
    "a length beyond the frame": b"\xdd\xff\xff\xff\xff",
    "a text that is no UTF-8": b"\x92\xa3out\xa1\xff",
    "integer keys": msgpack.packb(["done", {1: 2}]),
    "an extension": msgpack.packb(["out", msgpack.ExtType(5, b"x")]),
    "a timestamp": msgpack.packb(["out", msgpack.Timestamp(1)]),
    "nesting that overflows a stack": b"\x91" * 100_000,
    "nesting beyond the protocol": b"\x93\xa4call\xa1x" + b"\x91" * 18 + b"\x01",
    "nested maps": b"\x93\xa4call\xa1x\x91" + b"\x81\xa1k" * 40 + b"\xc0",
    "too long a list": msgpack.packb(["call", "x", list(range(ARRAY_ITEMS + 1))]),
    "too many lists": b"\x93\xa4call\xa1x" + b"\xdc\x1f\xff" + (b"\xdc\x00\xff" + b"\x90" * 255) * 8191,
    "too many values": b"\x93\xa4call\xa1x" + b"\xdc\x00\xff" + (b"\xdc\x1f\xff" + b"\xe0" * 8191) * 255,
    "the reserved byte": b"\xc1",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_frame_is_a_violation(body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode_hostile(body)


def test_no_short_frame_becomes_a_large_structure() -> None:
    bombs = (
        b"\xdc\x1f\xff" * 1000,  # lists of 8,191 announced, each inside the other
        b"\x93\xa4call\xa1x\xdc\x1f\xff" + (b"\xdc\x1f\xff" + b"\xe0" * 8191) * 500,
        b"\x93\xa4call\xa1x\xdc\x1f\xff" + (b"\xdc\x1f\xff" + b"\x90" * 8191) * 500,
    )
    for bomb in bombs:
        tracemalloc.start()
        with pytest.raises(ProtocolViolation):
            decode_hostile(bomb)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 150 * 1024 * 1024


@given(st.binary(max_size=300))
def test_random_bytes_are_a_frame_or_a_violation(body: bytes) -> None:
    try:
        frame = decode_hostile(body)
    except ProtocolViolation:
        return
    assert isinstance(frame[0], str)


CALLS = {
    "no arguments": ["call", "db.query"],
    "arguments that are no list": ["call", "db.query", "select 1"],
    "a method that is no text": ["call", b"db.query", []],
    "no method": ["call", "", []],
    "a long method": ["call", "x" * 129, []],
    "too many fields": ["call", "x", [], [], []],
    "a split of nothing": ["call", "x", [], [0]],
    "a split that is no place": ["call", "x", [[[1]]], [True]],
    "a split before the first": ["call", "x", [[[1]]], [-1]],
    "a split of a scalar": ["call", "x", [1], [0]],
    "a split of scalars": ["call", "x", [[1]], [0]],
    "the same split twice": ["call", "x", [[[1]], 2], [0, 0]],
}


@pytest.mark.parametrize("frame", CALLS.values(), ids=CALLS.keys())
def test_a_malformed_call_is_a_violation(frame: list[object]) -> None:
    with pytest.raises(ProtocolViolation):
        parse_call(decode_hostile(msgpack.packb(frame)))


def _pieces(data: bytes, size: int) -> Callable[[int], bytes]:
    pieces: Iterator[bytes] = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda most: next(pieces, b"")


@pytest.mark.parametrize("size", [1, 3, 4, 5, 7, 100_000])
def test_frames_are_cut_from_pieces_of_any_size(size: int) -> None:
    bodies = [b"", b"a", b"bc" * 50, b"d" * 70_000]
    stream = b"".join(HEADER.pack(len(body)) + body for body in bodies)
    reader = FrameReader(_pieces(stream, size), 100_000)
    assert [reader.read() for _ in range(len(bodies) + 1)] == [*bodies, None]


def test_a_stream_that_ends_inside_a_frame_has_ended() -> None:
    reader = FrameReader(_pieces(HEADER.pack(10) + b"12345", 3), 100)
    assert reader.read() is None


def test_a_frame_is_refused_by_its_announced_length() -> None:
    asked: list[int] = []

    def receive(most: int) -> bytes:
        asked.append(most)
        return HEADER.pack(101)

    with pytest.raises(ProtocolViolation, match="101"):
        FrameReader(receive, 100).read()
    assert len(asked) == 1


def test_single_bytes_cost_a_byte_each() -> None:
    size = 300_000
    tracemalloc.start()
    reader = FrameReader(_pieces(HEADER.pack(size) + bytes(size), 65_536), size)
    before, _ = tracemalloc.get_traced_memory()
    assert len(reader.read() or b"") == size
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 4 * size


def test_the_depth_that_calls_need_is_allowed() -> None:
    value: object = 1
    for _ in range(DEPTH - 3):
        value = [value]
    assert parse_call(decode_hostile(msgpack.packb(["call", "x", [value]])))[0] == "x"


def test_decoding_a_chunk_of_rows_is_cheap() -> None:
    body = _body(encoded_call("db.batch_rows", [1, 500, [1.5, "text", 7, None, 2**40] * 500]))
    fastest = min(_timed(lambda: decode_hostile(body)) for _ in range(20))
    assert fastest < 0.005


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
