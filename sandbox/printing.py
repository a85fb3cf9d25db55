"""What a snippet prints, on its way to the worker: at once while it prints little, in pieces when it prints much.

A timeout kills the child, and what is still held here is lost. So text is held only while a token bucket is empty,
and then for 50 ms at most, by a timer; a loop of prints still costs one frame per 8 KB.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

PIECE_CHARACTERS = 8_192
FRAME_CHARACTERS = 65_536
HELD_SECONDS = 0.05
BURST = 64  # frames that may be sent at once
PER_SECOND = 100.0  # and how fast that allowance comes back


class Printer:
    """Collects text and sends it; `write` is what a snippet's `print` ends in."""

    def __init__(self, send: Callable[[str], None], can_send_now: Callable[[], bool]) -> None:
        self._send = send
        self._can_send_now = can_send_now
        self._pieces: list[str] = []
        self._characters = 0
        self._tokens = float(BURST)
        self._counted = time.monotonic()
        self._timer_set = False
        self._waits = False  # the bucket was empty: what is printed goes with the timer, and nobody looks at the clock

    def write(self, text: str) -> None:
        """Take some text, and send it now or soon."""
        self._pieces.append(text)
        self._characters += len(text)
        if self._characters >= PIECE_CHARACTERS:
            self.flush()
        elif not self._waits and text[-1:] == "\n" and self._take_token():
            self.flush()  # at the line's end: one `print` may write several times
        elif not self._timer_set:
            self._timer_set = True
            signal.setitimer(signal.ITIMER_REAL, HELD_SECONDS)

    def _take_token(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._counted) * PER_SECOND)
        self._counted = now
        if self._tokens < 1:
            self._waits = True
            return False
        self._tokens -= 1
        return True

    def flush(self) -> None:
        """Send what is held."""
        if not self._pieces:
            return
        pieces, self._pieces = self._pieces, []
        self._characters = 0
        text = "".join(pieces)
        for at in range(0, len(text), FRAME_CHARACTERS):
            self._send(_sendable(text[at : at + FRAME_CHARACTERS]))

    def on_timer(self, *_: object) -> None:
        """The signal's handler: runs between any two bytecodes of the snippet, of `flush` and of a helper call."""
        self._timer_set = self._waits = False
        if self._can_send_now():
            self.flush()
        elif self._pieces:
            # A frame is under way. Sending inside it would tear it: try again a little later.
            self._timer_set = True
            signal.setitimer(signal.ITIMER_REAL, HELD_SECONDS / 10)


def _sendable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return text.encode("utf-8", "replace").decode()
    return text
