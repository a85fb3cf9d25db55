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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from codemode.errors import SessionBusy

_MOVING_SECONDS = 10.0  # opening and closing take milliseconds; putting away a long write-ahead log, a second or two
_POLL_SECONDS = 0.001


@contextmanager
def staying(directory: str | Path) -> Iterator[None]:
    """Nobody moves `directory` while the block runs; where there is none, there is nothing to hold."""
    handle = _held(directory)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def moving(directory: str | Path) -> Iterator[None]:
    """Nobody opens or closes files in `directory` while the block runs; only for whoever has the session's lock.

    Raises SessionBusy where somebody does for too long, and FileNotFoundError where there is none.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        late = time.monotonic() + _MOVING_SECONDS
        while not _taken(handle):
            if time.monotonic() > late:
                raise SessionBusy("another process opens or closes this session's files", hint="try again")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _held(directory: str | Path) -> int | None:
    while True:
        try:
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:  # none, or none that can be opened: then nor can the files in it
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):  # else it was moved while we waited
                if os.path.samestat(os.stat(directory), os.fstat(handle)):  # noqa: PTH116 - half of what Path.stat takes
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
