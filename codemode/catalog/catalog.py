"""The catalogue's open file: one connection that writes, one that only reads, and errors that say what to do.

Whoever asks never waits for whoever writes, here or in another process: the event loop of a service asks at each
request, and a write may wait for the disk. SQLite shows a reader what is committed when its statement begins, so that a
token that is revoked, by whichever process, is refused from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from codemode.errors import CatalogDamaged, StorageFull, WorkerError

_BUSY_MS = 10_000  # a reader waits only while another process recovers the file after a crash


class Catalog:
    """An open catalog.db; safe to use from several threads."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._path = Path(connection.filename)
        self._identity = _identity(self._path)
        self._lock = threading.RLock()
        self._reader = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        self._reader.set_busy_timeout(_BUSY_MS)
        self._reading = threading.Lock()

    def run(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement; raises CatalogDamaged, StorageFull, and WorkerError when it is closed."""
        self._check_is_there()
        with self._errors(), self._lock:
            return self._connection.execute(sql, params).fetchall()

    def look(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """The same for a statement that reads what is committed: it waits for nobody, and sees nothing of `at_once`."""
        self._check_is_there()
        with self._errors(), self._reading:
            return self._reader.execute(sql, params).fetchall()

    def _check_is_there(self) -> None:
        # What is written to a deleted file is lost with this process, and another one has made a new file by then.
        if _identity(self._path) != self._identity:
            raise catalog_damaged(str(self._path), "it was removed or replaced while this worker had it open")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What runs inside is one transaction, of this thread alone."""
        with self._lock:
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            finally:
                if self._connection.in_transaction:  # not where SQLite undid all by itself, as on a full disk
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except apsw.ConnectionClosedError:
            raise WorkerError("this worker is closed") from None
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError) as error:
            raise catalog_damaged(str(self._path), error) from None
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.BusyError) as error:
            raise StorageFull(
                f"the catalogue of sessions cannot be written: {error}",
                hint="free space below the data directory, or make it writable",
            ) from None

    def close(self) -> None:
        """Close the file."""
        with self._reading:
            self._reader.close(True)
        with self._lock:
            self._connection.close(True)


def catalog_damaged(path: str, why: object) -> CatalogDamaged:
    """The error for a catalogue that cannot be read: it is neither repaired nor replaced by guessing."""
    return CatalogDamaged(
        f"the catalogue of sessions cannot be read: {why} ({path})",
        hint="end this worker and restore the file from a copy, or move it away with its -wal file: the sessions are"
        " kept, and each is found again when it is asked for by its id",
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
