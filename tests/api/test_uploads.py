"""A body as it comes, without a server: where it is cut into chunks, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import time
from types import SimpleNamespace

import pytest
from patience import HANG_SECONDS
from starlette.requests import Request
from starlette.types import Message

from codemode.api.bodies import Upload
from codemode.api.streams import lines
from codemode.errors import RequestInvalid, WorkerUnavailable


def test_an_upload_that_is_late_already_can_be_ended_too() -> None:
    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        service = SimpleNamespace(settings=SimpleNamespace(upload_idle_seconds=600.0))
        app = SimpleNamespace(state=SimpleNamespace(service=service))
        upload = Upload(Request({"type": "http", "app": app, "headers": [], "state": {}}, never), 1_000)
        body = asyncio.ensure_future(upload.whole())
        await asyncio.sleep(0)
        assert upload._waiting is not None
        upload._waiting.reschedule(0)  # late in the next step of the loop, which tells its task one later
        await asyncio.sleep(0)
        assert upload._waiting.expired()
        upload.cancel()
        with pytest.raises(WorkerUnavailable):
            await body

    asyncio.run(main())


def test_lines_are_the_same_wherever_a_text_is_cut() -> None:
    text = b"ab\n\ncd\n\nef"
    places = range(len(text) + 1)
    for first, second in itertools.combinations_with_replacement(places, 2):
        chunks = (text[:first], text[first:second], text[second:])
        assert list(lines(iter(chunks), 10)) == [(1, b"ab"), (2, b""), (3, b"cd"), (4, b""), (5, b"ef")]
    with pytest.raises(RequestInvalid, match="line 2 has over 3 bytes"):
        list(lines(iter([b"a\nbc", b"d", b"e"]), 3))


def test_a_long_line_in_small_chunks_is_not_copied_with_each_of_them() -> None:
    many, size, began = 65_536, 256, time.monotonic()  # copied with each of them it would be half a terabyte
    [(number, line)] = lines((b"x" * size for _ in range(many)), many * size)
    assert (number, len(line)) == (1, many * size)
    assert time.monotonic() - began < HANG_SECONDS
