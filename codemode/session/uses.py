"""What sessions were used for since the catalogue was told last: executions, and the size of their databases.

Telling it at each execution would cost more than a short one does. It is told with the next note of a session's use,
a second after the first that is not told, before somebody asks for the figures, and at the end. A worker that is killed
loses the executions of its last second, until the session ends: then its log tells.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from codemode.session.soon import Soon

Key = tuple[str, str]  # tenant and id
_UNTOLD_SECONDS = 1.0


class Uses:
    """The uses of all sessions of a worker; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock, self._soon = threading.Lock(), Soon(_UNTOLD_SECONDS)
        self._uses: dict[Key, tuple[int, int]] = {}

    def add(self, key: Key, used: tuple[int, int]) -> None:
        """So many executions more, and the size of the database now."""
        executions, size_bytes = used
        with self._lock:
            self._uses[key] = self._uses.get(key, (0, 0))[0] + executions, size_bytes

    def remind(self, tell: Callable[[], None]) -> None:
        """Have `tell` called in a second, unless nothing is untold."""
        if self._uses:
            self._soon.ask(tell)

    def give_back(self, uses: dict[Key, tuple[int, int]]) -> None:
        """They could not be told: keep them for the next time."""
        with self._lock:
            for key, (executions, size_bytes) in uses.items():
                more = self._uses.get(key, (0, size_bytes))
                self._uses[key] = executions + more[0], more[1]

    def drop(self, key: Key) -> None:
        """The session is over: its log tells."""
        with self._lock:
            self._uses.pop(key, None)

    def take(self) -> dict[Key, tuple[int, int]]:
        """All of them, to be told."""
        with self._lock:
            taken, self._uses = self._uses, {}
        return taken
