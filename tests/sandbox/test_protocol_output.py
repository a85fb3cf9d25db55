"""What is printed: how it leaves the child, and how the worker keeps it bounded."""

from __future__ import annotations

import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.captured import Captured
from sandbox.printing import BURST, PIECE_CHARACTERS, Printer


def _captured(limit: int, pieces: list[str]) -> Captured:
    captured = Captured(limit, None)
    for piece in pieces:
        captured.add(piece)
    return captured


@given(st.lists(st.text(max_size=20), max_size=20))
def test_what_fits_is_kept_whole(pieces: list[str]) -> None:
    whole = "".join(piece.encode("utf-8", "replace").decode() for piece in pieces)
    captured = _captured(1000_000, [whole])
    assert (captured.text(), captured.truncated) == (whole, False)


@given(st.lists(st.text("abé€😀", max_size=20), max_size=30), st.integers(1, 60))
def test_head_and_tail_are_kept_and_the_rest_is_counted(pieces: list[str], limit: int) -> None:
    whole = "".join(pieces).encode()
    captured = _captured(limit, pieces)
    if len(whole) <= limit:
        assert captured.text().encode() == whole
        return
    assert captured.truncated
    head, cut, tail = re.split(r"\n\[… (.*) bytes cut …\]\n", captured.text())
    assert whole.startswith(head.encode())
    assert whole.endswith(tail.encode())
    kept = len(head.encode()) + len(tail.encode())
    assert limit - 6 <= kept <= limit
    assert cut == f"{len(whole) - kept:,}"


def test_memory_stays_bounded_while_output_arrives() -> None:
    captured = Captured(1000, None)
    for _ in range(10_000):
        captured.add("x" * 100)
    assert sum(map(len, captured._head)) + sum(map(len, captured._tail)) == 1000
    assert captured.total_bytes == 1_000_000


def test_a_listener_gets_all_text_as_it_arrives() -> None:
    heard: list[str] = []
    captured = Captured(4, heard.append)
    for piece in ("first", "second", "third"):
        captured.add(piece)
    assert heard == ["first", "second", "third"]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(signal, "setitimer", lambda *_: (0.0, 0.0))
    return []


def test_the_first_lines_leave_at_once(sent: list[str]) -> None:
    printer = Printer(sent.append, lambda: True)
    for number in range(BURST // 2):
        printer.write(f"{number}\n")
    assert sent == [f"{number}\n" for number in range(BURST // 2)]


def test_many_lines_leave_in_large_pieces(sent: list[str]) -> None:
    printer = Printer(sent.append, lambda: True)
    lines = [f"line {number}\n" for number in range(100_000)]
    for line in lines:
        printer.write(line)
    printer.flush()
    assert "".join(sent) == "".join(lines)
    assert len(sent) < BURST + sum(map(len, lines)) / PIECE_CHARACTERS + 200


def test_the_timer_sends_what_is_held(sent: list[str]) -> None:
    printer = Printer(sent.append, lambda: True)
    printer.write("no line's end")
    assert sent == []
    printer.on_timer()
    assert sent == ["no line's end"]


def test_the_timer_never_begins_a_frame_inside_another(sent: list[str]) -> None:
    free = False
    printer = Printer(sent.append, lambda: free)
    printer.write("held")
    printer.on_timer()
    assert sent == []
    free = True
    printer.on_timer()
    assert sent == ["held"]


def test_a_lone_surrogate_is_replaced(sent: list[str]) -> None:
    printer = Printer(sent.append, lambda: True)
    printer.write("a\ud800b\x00\n")
    assert sent == ["a?b\x00\n"]
