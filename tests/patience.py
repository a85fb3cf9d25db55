"""How long tests wait for what comes at its own pace: a bound for what hangs, never a measure of speed."""

from __future__ import annotations

import time
from collections.abc import Callable

HANG_SECONDS = 60.0


def soon(condition: Callable[[], object]) -> bool:
    """Whether the condition holds before it is clear that it never will."""
    late = time.monotonic() + HANG_SECONDS
    while not (held := bool(condition())) and time.monotonic() < late:
        time.sleep(0.01)
    return held
