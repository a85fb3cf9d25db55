"""Times as the engine writes them: ISO 8601 UTC with milliseconds and Z, or whole milliseconds since 1970."""

from __future__ import annotations

import logging
import threading
import time

from codemode.moments import iso

__all__ = ["SureClock", "in_ms", "iso", "now", "now_ms", "since_boot_ms", "sure_ms"]

_log = logging.getLogger("codemode")
_JUMP_MS = 60_000  # no clock that runs gains this much on another between two looks
_BELIEVED_MS = 3_600_000  # a clock that stays ahead for an hour is taken to be right


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def now() -> str:
    """The present as ISO 8601 UTC text."""
    return iso(now_ms())


def in_ms(seconds: float) -> float:
    """`seconds` as milliseconds, to a microsecond."""
    return int(seconds * 1e6 + 0.5) / 1000  # what round() answers, without the text that it makes on its way


class SureClock:
    """The time by which things may be deleted: never ahead of what has passed for certain.

    Sessions expire by the wall clock. Set forward by mistake, it would delete all of them at once, and setting it
    right brings nothing back. So it is compared with the time that the kernel counts since the machine started: what
    the wall clock gained by a jump does not count until it has stood for an hour. One that was set back is believed at
    once: what is made by it must not be over when it is set right, which then is such a jump.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = now_ms() - since_boot_ms()
        self._ahead_since: int | None = None

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        wall, passed = now_ms(), since_boot_ms()
        with self._lock:
            jump = wall - (passed + self._offset)
            if jump < _JUMP_MS:
                self._ahead_since = None
                if jump < -_JUMP_MS:
                    self._offset = wall - passed
                return wall
            if self._ahead_since is None:
                self._ahead_since = passed
                _log.warning("the clock was set forward by %s s: no session expires by that for an hour", jump // 1000)
            elif passed - self._ahead_since >= _BELIEVED_MS:
                self._offset, self._ahead_since = wall - passed, None
            return passed + self._offset


def since_boot_ms() -> int:
    """Milliseconds since the machine started: no clock that is set moves it, and all processes have the same."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000  # counts on while the machine sleeps


sure_ms = SureClock()
