"""Something that is to be done a moment later, once for all who ask meanwhile, without any of them waiting for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger("codemode")


class Soon:
    """Calls what it is asked to, so many seconds after the first who asked; safe to use from several threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked = False

    def ask(self, call: Callable[[], None]) -> None:
        """Have `call` called. Where no thread can be had it is not: the next who asks may have one."""
        with self._lock:
            if self._asked:
                return
            self._asked = True
        timer = threading.Timer(self._seconds, self._call, (call,))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError as error:  # whoever asks has done what counts, and must be able to say so
            _log.warning("what was to be told in a moment is told later: %s", error)
            self._asked = False

    def _call(self, call: Callable[[], None]) -> None:
        with self._lock:
            self._asked = False
        call()
