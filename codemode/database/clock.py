"""Times as the engine writes them: ISO 8601 UTC with milliseconds and Z, or whole milliseconds since 1970."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def iso(milliseconds: int) -> str:
    """`milliseconds` since 1970 as ISO 8601 UTC text."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def now() -> str:
    """The present as ISO 8601 UTC text."""
    return iso(now_ms())
