"""What sessions were used for since the catalogue was told last: executions, and the size of their databases.

Telling it at each execution would cost more than a short one does. It is told with the next note of a session's use,
at most once a second for each session, before somebody asks for the figures, at each sweep and at the end. A worker
that is killed loses what it had not told, until the session ends: then its log tells.
"""

from __future__ import annotations

import threading

Key = tuple[str, str]  # tenant and id


class Uses:
    """The uses of all sessions of a worker; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[Key, tuple[int, int]] = {}

    def add(self, key: Key, used: tuple[int, int]) -> None:
        """So many executions more, and the size of the database now."""
        executions, size_bytes = used
        with self._lock:
            self._uses[key] = self._uses.get(key, (0, 0))[0] + executions, size_bytes

    def drop(self, key: Key) -> None:
        """The session is over: its log tells."""
        with self._lock:
            self._uses.pop(key, None)

    def take(self) -> dict[Key, tuple[int, int]]:
        """All of them, to be told."""
        with self._lock:
            taken, self._uses = self._uses, {}
        return taken
