"""Interrupts statements whose time is over, from a thread of its own.

A progress handler counts operations, and one operation may take 0.3 s (a LIKE on 2 MB): 1,000 of them between two
looks at the clock are minutes. An interrupt from another thread is seen at the end of every row.
"""

from __future__ import annotations

import os
import threading
import time
from itertools import count

import apsw

_AGAIN_SECONDS = 0.05  # an interrupt that found nothing running is repeated until its statement is forgotten


class Watchdog:
    """One thread for all connections of the process, started when first needed; cheap to arm and to disarm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # not the condition's own: entering that is a call of Python's
        self._changed = threading.Condition(self._lock)
        self._due: dict[int, tuple[float, apsw.Connection]] = {}
        self._numbers = count()
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None

    def watch(self, connection: apsw.Connection, at: float) -> int:
        """Interrupt `connection` from `at` (a time of time.monotonic) on, until the number answered is forgotten."""
        with self._lock:
            if self._thread is None:
                self._thread = self._started()
            number = next(self._numbers)
            self._due[number] = (at, connection)
            if at < self._wakes_at:
                self._changed.notify()
            return number

    def _started(self) -> threading.Thread:
        """The thread, at work once the lock is free. Raises RuntimeError where none can be had: the next one may."""
        thread = threading.Thread(target=self._run, name="codemode-watchdog", daemon=True)
        thread.start()
        return thread

    def forget(self, number: int) -> None:
        """The statement is over; once this returns, no interrupt of it is under way any more."""
        with self._lock:
            self._due.pop(number, None)

    def _run(self) -> None:
        with self._lock:
            while True:
                now = time.monotonic()
                for number, (at, connection) in list(self._due.items()):
                    if at <= now:
                        self._interrupt(number, connection)
                self._wakes_at = min((at for at, _ in self._due.values()), default=float("inf"))
                if self._wakes_at <= now:
                    self._wakes_at = now + _AGAIN_SECONDS
                self._changed.wait(None if self._wakes_at == float("inf") else self._wakes_at - now)

    def _interrupt(self, number: int, connection: apsw.Connection) -> None:
        try:
            connection.interrupt()
        except apsw.Error:
            self._due.pop(number, None)  # closed meanwhile

    def begin_anew(self) -> None:
        """In a process that was just forked: the thread is not there, and whoever held the lock is not either."""
        Watchdog.__init__(self)


watchdog = Watchdog()
os.register_at_fork(after_in_child=watchdog.begin_anew)
