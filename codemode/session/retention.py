"""What a sweep does, and the thread that does it: expiry by inactivity, and what is kept for so many days.

It is a convenience for the disk, not what makes expiry true: a session whose time is over is refused at its next
use, swept or not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from codemode.catalog.audit import Audit
from codemode.catalog.retention import Retention
from codemode.database.clock import sure_ms
from codemode.session.registry import Registry
from codemode.settings import Settings
from codemode.values.records import Due

_log = logging.getLogger("codemode")
_DAY_MS = 86_400_000


class Sweeper:
    """Calls `sweep` every `seconds` until it is stopped; or until its worker is forgotten, and then `leave`."""

    def __init__(self, sweep: Callable[[], object], seconds: float, leave: Callable[[], None]) -> None:
        self._sweep, self._seconds, self._leave = sweep, seconds, leave
        self._ends: SimpleQueue[bool] = SimpleQueue()  # which a finalizer may put into, whatever its thread is at
        self._thread = threading.Thread(target=self._run, name="codemode-sweeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (is_forgotten := self._told()) is None:
            try:
                self._sweep()
            except Exception:  # noqa: BLE001 - one sweep that fails (a full disk, say) must not end all later ones
                _log.exception("the sweep failed; the next one is in %s s", self._seconds)
        if is_forgotten:
            self._leave()

    def _told(self) -> bool | None:
        """Whether the worker is forgotten, and not only closed; None when it is time to sweep."""
        try:
            return self._ends.get(timeout=self._seconds)
        except Empty:
            return None

    def stop(self) -> None:
        """Stop, and wait for a sweep that is under way."""
        self._ends.put(False)
        self._thread.join()

    def forget(self) -> None:
        """Nobody has the worker any more, and nobody closed it; waits for nothing."""
        self._ends.put(True)


def sweeping(registry: Registry, audit: Audit, settings: Settings) -> Callable[[], list[str]]:
    """What the sweeper does. It has no worker: one that nobody has any more must be collected."""

    def sweep() -> list[str]:
        # First what gives room back: on a full disk nothing else can be written, not even that lines are forgotten.
        expired = registry.ending.sweep()
        if settings.audit_days:
            while audit.forget(sure_ms() - settings.audit_days * _DAY_MS):
                pass
        if not registry.catalog.file.behind:
            Retention(registry.catalog.file).sweep(sure_ms())
        return expired

    return sweep


def due(registry: Registry, audit: Audit, settings: Settings) -> Due:
    """What a sweep would do now, of all tenants."""
    now, days = sure_ms(), settings.audit_days
    rows = {"records of expired sessions": registry.catalog.count_expired(now - registry.storage.record_ms)}
    if days:
        rows["lines of the audit log"] = audit.count(now - days * _DAY_MS)
    over = tuple(record.id for record in registry.catalog.over(now))
    if not registry.catalog.file.behind:  # as the sweep itself does
        rows |= Retention(registry.catalog.file).due(now)
    return Due(sessions=over, rows=rows)
