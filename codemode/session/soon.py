"""Something that is to be done a moment later, once for all who ask meanwhile, without any of them waiting for it.

A thread does it, which looks at the end of each such moment whether it was asked, and goes when it was not for a while.
To start one for each moment took 0.1 ms of the execution that asked first, to wake one that waits half of that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("codemode")
_STAYS_SECONDS = 30.0  # a model thinks for seconds between two executions; an idle worker wakes up for nothing


class Soon:
    """Calls what it is asked to, within so many seconds of the first who asked; safe to use from several threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._call: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def ask(self, call: Callable[[], None]) -> None:
        """Have `call` called. Where no thread can be had it is not: the next who asks may have one."""
        with self._lock:
            if self._call is not None:
                return
            self._call = call
            # One that ended of a fault, or of a fork, is not alive; one that goes by itself says so under the lock.
            if self._thread is None or not self._thread.is_alive():
                self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._look, name="codemode-soon", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # whoever asks has done what counts, and must be able to say so
            _log.warning("what was to be told in a moment is told later: %s", error)
            self._call = self._thread = None

    def _look(self) -> None:
        until = time.monotonic() + _STAYS_SECONDS
        while True:
            self._over.wait(self._seconds)
            with self._lock:
                call, self._call = self._call, None
                if call is None and (self._over.is_set() or time.monotonic() > until):
                    self._thread = None
                    return
            if call is not None:
                call()
                until = time.monotonic() + _STAYS_SECONDS
            del call  # whose worker may be forgotten meanwhile

    def close(self) -> None:
        """Let the thread go, after what it was asked for; who asks later has it done at once, by another one."""
        self._over.set()
