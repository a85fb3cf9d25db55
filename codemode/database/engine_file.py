"""Open one of the engine's own files (log.db, catalog.db): no statement of a snippet ever runs on it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import apsw

from codemode.database.migrate import migrate
from codemode.errors import StorageFull

CHECKPOINT_FRAMES = 1_000  # SQLite's own default: the write-ahead log goes into the file from 4 MB on
_BUSY_MS = 10_000  # other processes write for milliseconds; waiting longer than this means that one hangs


def open_engine_file(path: Path, steps: tuple[str, ...] | None, *, gives_back: bool = False) -> apsw.Connection:
    """Open `path` (made when missing) in its newest form, or where `steps` is None in the form that it has.

    `gives_back`: a new file can give free pages back, a few at a time (`PRAGMA incremental_vacuum`).

    Raises StorageFull when the file cannot be written and SessionNewer when it is of a later format;
    a file that is no database raises apsw.NotADBError or apsw.CorruptError, for the caller to set aside.
    """
    try:
        connection = apsw.Connection(str(path))
    except apsw.CantOpenError:
        hint = "check the directory's permissions, and the limit of open files"
        if path.is_dir():
            hint = "a directory stands where a file should be: move it away"
        raise StorageFull(f"{path} cannot be opened for writing", hint=hint) from None
    try:
        connection.set_busy_timeout(_BUSY_MS)
        if gives_back and not path.stat().st_size:
            # Before the first page is written. On a file that has pages it would write to it, at each opening: 20 ms.
            connection.pragma("auto_vacuum", "incremental")
        _keep_a_wal(connection)
        connection.pragma("synchronous", "normal")
        connection.pragma("foreign_keys", True)
        connection.pragma("journal_size_limit", 4 * 1024 * 1024)
        connection.wal_autocheckpoint(CHECKPOINT_FRAMES)
        if steps is not None:
            migrate(connection, steps)
    except (apsw.ReadOnlyError, apsw.FullError, apsw.IOError, apsw.CantOpenError, apsw.BusyError) as error:
        connection.close(True)
        hint = "free space, make the data directory writable, or raise the limit of open files"
        raise StorageFull(f"{path} cannot be written: {_reason(path, error)}", hint=hint) from None
    except BaseException:
        connection.close(True)
        raise
    return connection


def identity(path: str | Path) -> tuple[int, int] | None:
    """Which file lies at `path`: its device and inode; None where there is none, or it is out of reach."""
    try:
        found = os.stat(path)  # noqa: PTH116 - at every statement of a catalogue: half of what Path.stat takes
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _reason(path: Path, error: apsw.Error) -> str:
    """What the disk says, which SQLite calls an I/O error or a file that it is unable to open."""
    disk = os.statvfs(path.parent)
    if disk.f_flag & os.ST_RDONLY:
        return "the file system is read-only"
    return str(error) if disk.f_bavail else "the disk is full"


def _keep_a_wal(connection: apsw.Connection) -> None:
    """Turn the file to WAL mode, whoever else does so now.

    Two that open a new file at once hold a shared lock each and ask for more: SQLite refuses one of them at once,
    without its busy timeout, since waiting would never end. Asking anew does (test_two_at_once_migrate_once).
    """
    late = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
            return
        except apsw.BusyError:
            if time.monotonic() > late:
                raise
        time.sleep(0.002)
