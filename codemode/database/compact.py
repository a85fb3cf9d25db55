"""Give a session's free pages back to the disk."""

from __future__ import annotations

from pathlib import Path

import apsw


def compact(path: Path) -> dict[str, int]:
    """VACUUM the file; its size in bytes before and after.

    On a connection of its own: VACUUM attaches a scratch file, which the session's connection never may, and it
    cannot run inside a transaction. Only whoever has the session's turn may call it.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(10_000)
        before = _size(connection)
        connection.execute("VACUUM")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return {"before": before, "after": _size(connection)}
    finally:
        connection.close(True)


def _size(connection: apsw.Connection) -> int:
    return int(connection.pragma("page_count")) * int(connection.pragma("page_size"))
