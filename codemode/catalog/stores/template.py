"""A new catalogue: made by its steps, once a process and in memory, then copied.

It is made of the steps that its reader knows, so it is never of another form; and a copy is looked at as any catalogue
is when it is opened, its checksums too.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import apsw

from codemode.catalog.migrating import Migration, known, migrate
from codemode.catalog.stores.sqlite import SqliteStore
from codemode.database.clock import now_ms
from codemode.database.template import in_wal_mode


def new_catalogue() -> bytes:
    """The bytes of an empty catalogue's file, to whose form it was brought just now."""
    return _made(known("sqlite")).copied()


@lru_cache(maxsize=1)
def _made(steps: tuple[Migration, ...]) -> _Blank:
    blank = _Blank()
    migrate(blank)
    return blank


class _Blank(SqliteStore):
    """An empty catalogue in memory, to be copied; of one connection, since nobody waits for another here."""

    def __init__(self) -> None:
        self._connection = self._reader = apsw.Connection(":memory:")
        self._connection.pragma("auto_vacuum", "incremental")  # as `open_engine_file` has it for a new file
        self._lock, self._reading = threading.RLock(), threading.Lock()
        self._path = self._connection.filename or ":memory:"

    def copied(self) -> bytes:
        """Its bytes, as a file in WAL mode that is made now."""
        now = now_ms()
        with self._lock:
            self.run("UPDATE migrations SET applied_at = ?1", now)
            self.run("UPDATE tenants SET created_at = ?1", now)  # "local", whom the first step makes
            return in_wal_mode(self._connection)

    def _check_is_there(self) -> None:
        """It is there as long as its process."""
