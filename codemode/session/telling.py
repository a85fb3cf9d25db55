"""Tells those who listen to a session, in any service on the data directory, that an execution of this process ended.

A service tells of those that it was asked for; this is for the others: of the command line, of a program with a worker.
They are written together, a moment after they ended; while the catalogue cannot be written they wait, as many as
`MOST_KEPT` says. A program that nobody listens to writes nothing: each service with a listener says so in one file, and
events would be gone after a day in any case.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any, TypeVar

from codemode.catalog.store import Store
from codemode.database.clock import now_ms
from codemode.errors import CodemodeError
from codemode.session.soon import Soon
from codemode.values import Outcome

_BATCH_SECONDS = 0.2
_HEARD_SECONDS = 86_400.0  # who comes again within a day goes on where he was
MOST_KEPT = 1_000  # events of a tenant that wait for a catalogue that cannot be written: half a megabyte
_SAID_SECONDS = 60.0  # how often it is said that somebody listens
_log = logging.getLogger("codemode")
Event = TypeVar("Event")


def told_of(outcome: Outcome, user: str | None) -> dict[str, Any]:
    """What the event of an execution says of it."""
    return {
        "status": outcome.status,
        "error": outcome.error.code if outcome.error else None,
        "user_id": user,
        "rows_written": outcome.db.rows_written,
    }


def kept(told: list[Event], since: list[Event], error: Exception) -> list[Event]:
    """What `error` kept from being told, and what came since, in order: the newest, as many as are kept."""
    waiting = told + since
    if (lost := len(waiting) - MOST_KEPT) > 0:
        _log.error("%s events are lost: more than %s wait to be told: %s", lost, MOST_KEPT, error)
    return waiting[-MOST_KEPT:]


class Telling:
    """What one worker has to tell; safe to use from several threads."""

    def __init__(self, catalog: Store, data_dir: Path) -> None:
        self._catalog, self._heard = catalog, os.fspath(data_dir / "listened")
        self._lock, self._soon = threading.Lock(), Soon(_BATCH_SECONDS)
        self._turn = threading.Lock()  # of whoever writes: what failed goes before what came since
        self._is_over = self._fails = False
        self._waiting: dict[str, list[tuple[Any, ...]]] = {}  # by tenant, what `Told` takes
        self._said = -_SAID_SECONDS

    def ended(self, tenant: str, outcome: Outcome) -> None:
        """An execution is over; one whose outcome is an earlier one's was told then."""
        if outcome.replayed or not self._is_heard():
            return
        told = (outcome.session_id, "execution", now_ms(), outcome.execution_id, told_of(outcome, None))
        with self._lock:
            self._waiting.setdefault(tenant, []).append(told)
        self._soon.ask(self.flush)

    def flush(self) -> None:
        """Tell all of it now; what cannot be told is told later, or logged where there is no later."""
        with self._turn:
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            if self._catalog.behind:
                return
            failed = [tenant for tenant, told in waiting.items() if not self._is_written(tenant, told)]
        self._fails = bool(failed)
        if failed and not self._is_over:
            self._soon.ask(self.flush)

    def _is_written(self, tenant: str, told: list[tuple[Any, ...]]) -> bool:
        try:
            self._write(tenant, told)
        except (CodemodeError, OSError) as error:  # the latter where no descriptor is left to load modules with
            if self._is_over:
                _log.error("%s events are lost: %s", len(told), error)
                return False
            if not self._fails:
                _log.error("%s events cannot be told, and wait: %s", len(told), error)
            with self._lock:
                self._waiting[tenant] = kept(told, self._waiting.get(tenant, []), error)
            return False
        return True

    def close(self) -> None:
        """Tell what is left."""
        self._is_over = True
        self.flush()
        self._soon.close()

    def _write(self, tenant: str, told: list[tuple[Any, ...]]) -> None:
        from codemode.catalog.bound import BoundStore
        from codemode.catalog.events import Events, Told  # most processes have nobody who listens

        Events(BoundStore(self._catalog, tenant)).append_all([Told(*each) for each in told])

    def listened(self) -> None:
        """Somebody listens here, now: said to every process on the data directory, once a minute."""
        now = time.monotonic()
        if now - self._said < _SAID_SECONDS:
            return
        self._said = now
        try:
            Path(self._heard).touch(mode=0o600)
        except OSError as error:
            _log.error("other processes cannot be told that somebody listens: %s", error)

    def _is_heard(self) -> bool:
        try:
            return time.time() - os.stat(self._heard).st_mtime < _HEARD_SECONDS  # noqa: PTH116 - half of Path.stat
        except OSError:
            return False
