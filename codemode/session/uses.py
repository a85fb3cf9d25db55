"""What sessions were used for since the catalogue was told last: executions, and the size of their databases.

Telling it at each execution would cost more than a short one does. It is told with the next note of a session's use,
within a second of the first that is not told, before somebody asks for the figures, and at the end. A worker that is
killed loses the executions of its last second, until the session ends: then its log tells.
"""

from __future__ import annotations

import logging
import threading

from codemode.catalog.promotion import Promotion
from codemode.catalog.sessions import Sessions
from codemode.errors import CodemodeError
from codemode.session.slots import Key
from codemode.session.soon import Soon

_log = logging.getLogger("codemode")
_UNTOLD_SECONDS = 1.0


class Uses:
    """The uses of all sessions of a worker; safe to use from several threads."""

    def __init__(self, catalog: Sessions, promotion: Promotion | None) -> None:
        self._catalog, self._promotion = catalog, promotion
        self._lock, self._soon = threading.Lock(), Soon(_UNTOLD_SECONDS)
        self._uses: dict[Key, tuple[int, int]] = {}

    def add(self, key: Key, used: tuple[int, int]) -> None:
        """So many executions more, and the size of the database now."""
        executions, size_bytes = used
        with self._lock:
            self._uses[key] = self._uses.get(key, (0, 0))[0] + executions, size_bytes

    def remind(self) -> None:
        """Tell the catalogue within a second, unless nothing is untold."""
        if self._uses:
            self._soon.ask(self.tell_in_time)

    def tell(self) -> None:
        """Tell the catalogue what sessions were used for since it was told last."""
        if (uses := self._take()) and not self._catalog.file.behind:
            try:
                self._catalog.note_uses(uses, self._promotion)
            except CodemodeError:
                self._give_back(uses)
                raise

    def tell_in_time(self) -> None:
        """The same where nobody waits for it: what fails is logged, and told the next time."""
        try:
            self.tell()
        except CodemodeError as error:
            _log.warning("the last uses of sessions are not recorded: %s", error)

    def close(self) -> None:
        """Tell what is left; the figures are behind where that fails, and nothing else is."""
        self.tell_in_time()
        self._soon.close()

    def drop(self, key: Key) -> None:
        """The session is over: its log tells."""
        with self._lock:
            self._uses.pop(key, None)

    def _take(self) -> dict[Key, tuple[int, int]]:
        with self._lock:
            taken, self._uses = self._uses, {}
        return taken

    def _give_back(self, uses: dict[Key, tuple[int, int]]) -> None:
        with self._lock:
            for key, (executions, size_bytes) in uses.items():
                more = self._uses.get(key, (0, size_bytes))
                self._uses[key] = executions + more[0], more[1]
