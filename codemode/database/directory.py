"""A session's directory stays in its place while files in it are opened or closed.

SQLite finds a file's write-ahead log and the index of it by their paths: at the first read, and at the last close,
which deletes them. Had the directory been removed and made anew in between, the old file would be read with the new
one's log, its index would be written for the old one's, or the new one's log deleted. So whoever opens or closes holds
the directory, shared, and whoever moves it or a database in it waits for that.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from codemode.errors import SessionBusy

_MOVING_SECONDS = 10.0  # opening and closing take milliseconds; putting away a long write-ahead log, a second or two
_POLL_SECONDS = 0.001


class _Hold:
    """A lock on a directory while a `with` block runs.

    Given back with the object too: Ctrl-C between two lines must not keep a session from being removed.
    """

    _handle: int | None = None

    def __init__(self, directory: str | Path) -> None:
        self._directory = directory

    def __exit__(self, *_: object) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __del__(self) -> None:
        self.__exit__()

    def _open(self) -> int:
        self._handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._handle


class staying(_Hold):  # noqa: N801 - used like a function
    """Nobody moves `directory` while the block runs; where there is none, there is nothing to hold."""

    def __enter__(self) -> None:
        while True:
            try:
                handle = self._open()
            except OSError:  # none, or none that can be opened: then nor can the files in it
                return
            fcntl.flock(handle, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):  # else it was moved while we waited
                if os.path.samestat(os.stat(self._directory), os.fstat(handle)):  # noqa: PTH116 - half of Path.stat
                    return
            self.__exit__()


class moving(_Hold):  # noqa: N801 - used like a function
    """Nobody opens or closes files in `directory` while the block runs; only for whoever has the session's lock.

    Raises SessionBusy where somebody does for too long, and FileNotFoundError where there is none.
    """

    def __enter__(self) -> None:
        handle, late = self._open(), time.monotonic() + _MOVING_SECONDS
        while not _taken(handle):
            if time.monotonic() > late:
                raise SessionBusy("another process opens or closes this session's files", hint="try again")
            time.sleep(_POLL_SECONDS)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
