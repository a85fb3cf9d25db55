"""Expiry by inactivity: a thread that ends sessions nobody has used for `idle_seconds`.

It is a convenience for the disk, not what makes expiry true: a session whose time is over is refused at its next
use, swept or not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger("codemode")


class Sweeper:
    """Calls `sweep` every `seconds` until it is stopped."""

    def __init__(self, sweep: Callable[[], list[str]], seconds: float) -> None:
        self._sweep, self._seconds = sweep, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="codemode-sweeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                for session_id in self._sweep():
                    _log.info("session %s expired and was removed", session_id)
            except Exception:  # noqa: BLE001
                # One sweep that fails (a full disk, say) must not end all later ones.
                _log.exception("the sweep failed; the next one is in %s s", self._seconds)

    def stop(self) -> None:
        """Stop, and wait for a sweep that is under way."""
        self._stop.set()
        self._thread.join()
