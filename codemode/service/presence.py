"""That a service lives, as other processes on its data directory see it: a lock file, held until the process ends.

A process id would not do: it is given again, and means nothing in another container. A lock of flock belongs to the
open file, and the kernel gives it back however the process ends.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from codemode.moments import ulid
from codemode.session.files import storage_errors


class Presence:
    """This service's own lock below `data_dir`, and a look at those of others."""

    def __init__(self, data_dir: Path) -> None:
        self.id = f"svc_{ulid()}"
        self._directory = data_dir / "services"
        self._held: int | None = None

    def begin(self) -> None:
        """Hold the lock from now on, and remove those of services that are gone; raises StorageFull."""
        with storage_errors(self._directory):
            self._directory.mkdir(mode=0o700, exist_ok=True)
            for each in list(self._directory.glob("*.lock")):
                self.is_gone(each.stem)
            beside = self._directory / f".{self.id}"
            self._held = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)
            beside.rename(self._path(self.id))  # locked before anybody can see it, and take it for a dead one's

    def end(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            self._path(self.id).unlink(missing_ok=True)
            os.close(self._held)
            self._held = None

    def is_gone(self, service: str | None) -> bool:
        """Whether the service of this id has ended; what it left of its lock is removed."""
        if service is None or service == self.id:
            return service is None
        try:
            handle = os.open(self._path(service), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            with suppress(FileNotFoundError):
                self._path(service).unlink()
            return True
        finally:
            os.close(handle)

    def _path(self, service: str) -> Path:
        return self._directory / f"{service}.lock"
