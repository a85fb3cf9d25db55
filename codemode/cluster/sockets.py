"""The directory of the workers' sockets: private, and known to be in use as long as its front lives."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codemode.errors import RequestInvalid

_PREFIX = "codemode-workers-"
_LONGEST_PATH = 107  # bytes of a unix socket's path on Linux


class SocketDirectory:
    """A new directory, open to nobody else: who can reach a worker's socket needs no front."""

    def __init__(self) -> None:
        _sweep()
        self.path, self._lock = _made()

    def remove(self) -> None:
        """Delete it with what is left in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _made() -> tuple[str, int]:
    """The path of a directory, and the descriptor that keeps it locked."""
    while True:
        made = tempfile.mkdtemp(prefix=_PREFIX)
        if len(os.fsencode(made)) > _LONGEST_PATH - 12:
            Path(made).rmdir()
            raise RequestInvalid(f"{made} is too long a path for a socket", hint="set TMPDIR to a shorter directory")
        with contextlib.suppress(FileNotFoundError):  # swept by another front that starts now, before it was locked
            lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if Path(made).exists():
                return made, lock
            os.close(lock)


def _sweep() -> None:
    """Delete what fronts of this user that were killed have left.

    Only what a front that is dead, by its lock, had for sockets to which nobody listens; no link is followed.
    """
    for found in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _unused(found):
            for each in filter(_is_dead, found.iterdir()):
                each.unlink()
            found.rmdir()


def _is_dead(path: Path) -> bool:
    """Whether this is a socket of a worker that has ended."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        return path.is_socket() and asking.connect_ex(str(path)) == errno.ECONNREFUSED


@contextmanager
def _unused(directory: Path) -> Iterator[None]:
    """Hold the lock of this user's directory; raises OSError where somebody else has it, or it is none of his."""
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            raise PermissionError
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
