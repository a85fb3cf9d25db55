"""What a snippet printed, bounded while it arrives: the head and the tail are kept, the middle is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

# A snippet may print this many times what is kept, and this much in any case; beyond it the child is ended.
OUTPUT_FACTOR = 256
OUTPUT_LEAST = 16 * 1024 * 1024


def output_limit(stdout_bytes: int) -> int:
    """How many bytes one run may print, where `stdout_bytes` are kept."""
    return max(OUTPUT_LEAST, OUTPUT_FACTOR * stdout_bytes)


class Captured:
    """Keeps at most `limit` bytes (UTF-8) of the text it is given, plus one line that says what was cut."""

    def __init__(self, limit: int, pass_on: Callable[[str], None] | None) -> None:
        self._head_room = limit - limit // 2
        self._tail_room = limit // 2
        self._pass_on = pass_on
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._cut_bytes = 0
        self.total_bytes = 0

    def add(self, text: str) -> None:
        """Take the next piece, and hand it to who listens."""
        data = text.encode()
        self.total_bytes += len(data)
        if self._head_room:
            self._head.append(data[: self._head_room])
            data, self._head_room = data[self._head_room :], max(0, self._head_room - len(data))
        if data:
            self._tail.append(data)
            self._tail_bytes += len(data)
            self._trim()
        if self._pass_on is not None:
            self._pass_on(text)

    def _trim(self) -> None:
        excess = self._tail_bytes - self._tail_room
        while excess > 0:
            first = self._tail.popleft()
            if len(first) > excess:
                self._tail.appendleft(first[excess:])
            gone = min(len(first), excess)
            self._cut_bytes += gone
            self._tail_bytes -= gone
            excess -= gone

    @property
    def truncated(self) -> bool:
        """Whether anything was cut."""
        return self._cut_bytes > 0

    def text(self) -> str:
        """Head, tail, and between them what is missing."""
        head, tail = b"".join(self._head), b"".join(self._tail)
        if not self._cut_bytes:
            return (head + tail).decode()
        # The cuts may fall inside a character: its bytes go too, and count.
        first, last = head.decode(errors="ignore"), tail.decode(errors="ignore")
        cut = self.total_bytes - len(first.encode()) - len(last.encode())
        return f"{first}\n[… {cut:,} bytes cut …]\n{last}"
