"""The catalogue of one process, gone with it: for tests and services that are thrown away.

It is the store of a file, and so has its reader that waits for no writer, which SQLite's `:memory:` cannot give. The
file lies in memory (`/dev/shm`), or in a temporary directory on hosts without that, and has no name any more once it is
open: nothing of it stays, however the process ends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from codemode.catalog.store import Kind, Look
from codemode.catalog.stores.sqlite import SqliteStore
from codemode.database.engine_file import open_engine_file

_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of this process's own is made in it


class MemoryStore(SqliteStore):
    """An open catalogue that no other process sees."""

    kind: Kind = "memory"

    @classmethod
    def make(cls) -> Self:
        """A new, empty one; raises StorageFull."""
        place = Path(tempfile.mkdtemp(prefix="codemode-", dir=_MEMORY if _MEMORY.is_dir() else None))
        try:
            store = cls(open_engine_file(place / "catalog.db", None, gives_back=True))
            store._connection.pragma("synchronous", "off")
            store._connection.execute("CREATE TABLE opened (x); DROP TABLE opened")
            store._reader.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # opens what it needs by name
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

    def _check_is_there(self) -> None:
        """It is there as long as its process."""
