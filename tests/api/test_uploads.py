"""A body as it comes, without a server: where it is cut into chunks, and how it ends."""

from __future__ import annotations

import itertools
import time

import pytest
from patience import HANG_SECONDS

from codemode.api.streams import lines
from codemode.errors import RequestInvalid


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
