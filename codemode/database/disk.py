"""Tell a full disk from a session that reached its own quota: SQLite says SQLITE_FULL to both."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

_HELD = 8 * 1024 * 1024  # of pages in memory: beyond 2 MB SQLite writes them
_LEAST_FREE = 1024 * 1024  # a disk with less than this left is what stopped the statement


def disk_is_full(connection: apsw.Connection) -> bool:
    """Whether the file system of the session's file, or of temporary files, has no room left."""
    import tempfile  # only where something fails

    places = {str(Path(connection.filename).parent), tempfile.gettempdir()}
    return any(_free(place) < _LEAST_FREE for place in places)


def may_be_at_limit(connection: apsw.Connection) -> bool:
    """Whether the transaction that was just undone can have reached max_page_count: by the pages that it had room for.

    They were held in memory, or had gone to the write-ahead log.
    """
    log = Path(f"{connection.filename}-wal")
    written = log.stat().st_size if log.exists() else 0
    pages = int(connection.pragma("page_count")) + (_HELD + written) // int(connection.pragma("page_size"))
    return pages >= int(connection.pragma("max_page_count"))


def _free(place: str) -> int:
    try:
        found = os.statvfs(place)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize
