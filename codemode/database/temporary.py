"""Bounds the temporary files that SQLite writes while it sorts and groups.

ORDER BY on more than a little spills to unlinked files that no SQLite limit counts: 250 MB a second, 2 GB in 8 s.
Sorting in memory instead is no way out: a sort of 8 million rows then runs 8 s in one step that nothing can stop.
So a progress handler looks at the size of the process's deleted temporary files ten times a second, and ends the
statement that is writing while their sum is above the bound.
"""

from __future__ import annotations

import os
import time
import weakref
from pathlib import Path

import apsw

MOST_BYTES = 1024 * 1024 * 1024  # of the whole process; the least bound, whatever a session's own limit
# Operations between two looks at the clock: about 50 µs, or 170 rows of a sort, which may have 2 MB each.
_STEPS = 5_000
_EVERY_SECONDS = 0.1
_WRITES_AT_LEAST = 1024 * 1024  # what a statement must have written since the last look to be the one that is ended

_watches: weakref.WeakKeyDictionary[apsw.Connection, _Watch] = weakref.WeakKeyDictionary()


class _Watch:
    """The progress handler of one connection."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.exceeded = False
        self._next = 0.0
        self._written = 0

    def look(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _EVERY_SECONDS
        self.exceeded = False
        before, self._written = self._written, written_by_this_thread()
        # Others' sorts count towards the sum, so a statement that writes nothing itself is let go on.
        if self._written - before < _WRITES_AT_LEAST:
            return False
        self.exceeded = temporary_bytes() > self.most
        return self.exceeded


def bound_temporary_files(connection: apsw.Connection, most: int) -> None:
    """End a statement of `connection` that spills while the process's temporary files are above `most` bytes."""
    watch = _Watch(max(most, MOST_BYTES))
    _watches[connection] = watch
    connection.set_progress_handler(watch.look, _STEPS, id="temporary")


def spent_too_much(connection: apsw.Connection) -> bool:
    """Whether the statement that was just interrupted was ended for its temporary files; forgets it."""
    watch = _watches.get(connection)
    if watch is None or not watch.exceeded:
        return False
    watch.exceeded = False
    return True


def temporary_bytes() -> int:
    """Bytes in this process's open files without a name; 0 where the system does not tell."""
    total = 0
    try:
        with os.scandir("/proc/self/fd") as entries:
            for entry in entries:
                total += _bytes_if_temporary(entry.path)
    except OSError:
        return 0
    return total


def _bytes_if_temporary(path: str) -> int:
    try:
        link = Path(path)
        name = str(link.readlink())
        # SQLite unlinks what it made, or asks the kernel for a file without a name (shown as "#" and its number).
        unnamed = name.endswith("(deleted)") and ("/etilqs_" in name or "/#" in name)
        return link.stat().st_blocks * 512 if unnamed else 0
    except OSError:
        return 0  # closed in between


def written_by_this_thread() -> int:
    """Bytes that the calling thread has handed to write(); grows without end where the system does not tell."""
    try:
        for line in Path("/proc/thread-self/io").read_text().splitlines():
            if line.startswith("wchar:"):
                return int(line[6:])
    except (OSError, ValueError):
        pass
    return time.monotonic_ns()  # unknown: every statement counts as writing
