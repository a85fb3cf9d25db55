"""What the front answers where no worker does: no worker counts it or has a line for it, so the front does both."""

from __future__ import annotations

import logging
import time
from collections import Counter

from codemode.api.problems import status_of
from codemode.api.traffic import NO_OPERATION
from codemode.errors import CodemodeError

_access = logging.getLogger("codemode.access")
# What the front knows by its path; whose the others are, it does not look at.
_OPERATIONS = {"/health": "health", "/ready": "ready", "/metrics": "prometheus"}


class Refusals:
    """Those of one front; used on its event loop only."""

    def __init__(self) -> None:
        # By operation and class of status; there before there is one: see `Traffic.counts`.
        self.counts: Counter[tuple[str, str]] = Counter({(NO_OPERATION, "5xx"): 0})

    def add(
        self, method: str, path: str, request_id: str, error: CodemodeError, started: float, sent: int | None = None
    ) -> None:
        """One request that was refused with `error`; it came when time.monotonic() was `started`.

        `sent` is the status that its client has, where the answer had begun. It is counted as a fault all the same.
        """
        operation, status = _OPERATIONS.get(path, NO_OPERATION), status_of(error.code)
        self.counts[operation, f"{status // 100}xx"] += 1
        fields = {
            "request_id": request_id,
            "method": method,
            "operation": operation,
            "status": sent or status,
            "duration_ms": round((time.monotonic() - started) * 1000, 3),
            "outcome": error.code,
            "reason": error.message,
        }
        _access.warning("request", extra={"fields": fields})
