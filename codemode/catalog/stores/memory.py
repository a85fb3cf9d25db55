"""The catalogue of one process, gone with it: for tests and services that are thrown away.

It is the store of a file, and so has its reader that waits for no writer, which SQLite's `:memory:` cannot give. The
file lies in memory (`/dev/shm`), or in a temporary directory on hosts without that, and has no name any more once it is
open: nothing of it stays, however the process ends.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import apsw

from codemode.catalog.store import Kind, Look
from codemode.catalog.stores.sqlite import SqliteStore
from codemode.catalog.stores.sqlite_asking import SqliteAsking, asking_on
from codemode.catalog.stores.template import new_catalogue
from codemode.database.engine_file import open_engine_file
from codemode.database.template import put
from codemode.limits import Limits

_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of this process's own is made in it


class MemoryStore(SqliteStore):
    """An open catalogue that no other process sees."""

    kind: Kind = "memory"
    _asked: apsw.Connection

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self._one_question = threading.Lock()

    @classmethod
    def make(cls) -> Self:
        """A new, empty one in the newest form; raises StorageFull."""
        place = Path(tempfile.mkdtemp(prefix="codemode-", dir=_MEMORY if _MEMORY.is_dir() else None))
        try:
            path = place / "catalog.db"
            put(new_catalogue(), path)
            store = cls(open_engine_file(path, None, gives_back=True))
            store._connection.pragma("synchronous", "off")
            store._asked = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            store._searcher = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            for connection in (store._reader, store._asked, store._searcher):  # opens what it needs by name
                connection.execute("SELECT count(*) FROM sqlite_schema", can_cache=False).fetchall()
            return store
        finally:
            shutil.rmtree(place, ignore_errors=True)

    @property
    def where(self) -> str:
        """What it is."""
        return "memory"

    @contextmanager
    def snapshot(self) -> Iterator[Look]:
        """One moment: nobody writes meanwhile, since the file has no name to open it by once more."""
        with self.at_once():
            yield self.run

    @contextmanager
    def asking(self, limits: Limits) -> Iterator[SqliteAsking]:
        """What one question needs; see `Store.asking`. The file has no name by which to open it: one asks at a time."""
        with self._one_question:
            with self._errors():
                asking = asking_on(self._asked, limits)
            yield asking

    def close(self) -> None:
        """Close it."""
        with self._one_question:
            self._asked.close(True)
        super().close()

    def _check_is_there(self) -> None:
        """It is there as long as its process."""
