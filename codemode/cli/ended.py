"""Signals that end a command: what it began is undone first, so that nothing half-done stays beside people's files."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AT_FIRST = (signal.SIG_DFL, signal.default_int_handler)
_ONE_WISH_SECONDS = 3.0  # people press Ctrl-C again at once, and a second one in the midst of undoing leaves a half


class Ended(KeyboardInterrupt):
    """Whoever started the command has it end; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ended_in_order() -> Iterator[None]:
    """In the block SIGINT, SIGTERM and SIGHUP raise `Ended`; what is ignored (nohup) or handled already stays so.

    One that comes within three seconds of the last that raised is passed over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised = -_ONE_WISH_SECONDS

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if (now := monotonic()) - raised >= _ONE_WISH_SECONDS:
            raised = now
            raise Ended(number)

    taken = {number: before for number in _ENDING if (before := signal.getsignal(number)) in _AT_FIRST}
    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, before in taken.items():
            if signal.getsignal(number) is end:  # a service has put its own in the place
                signal.signal(number, before)
