"""Which worker a session belongs to: a pure function of names, so that every process finds the same one.

Knows names alone, not processes: a name may stand for a process, or one day for a machine. Nothing that must hold
depends on it (the lock on a session's directory does that): a session that is looked for in the wrong place is slower
there, not wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol


class Placement(Protocol):
    """Where sessions live."""

    def place(self, tenant: str, session_id: str) -> str:
        """The name of the worker that a session belongs to."""
        ...


class Rendezvous:
    """Each session goes to the worker whose name, hashed with the session's, gives the highest number.

    A worker that joins or leaves moves only the sessions that it gets or had: about one in as many as there are
    workers. Nothing has to be remembered or agreed on but the names.
    """

    def __init__(self, workers: Sequence[str]) -> None:
        if not workers or len(set(workers)) != len(workers):
            raise ValueError(f"placement needs workers with names of their own, not {workers!r}")
        # A keyed hash for each name: what is hashed with it cannot be chosen to look like another worker's.
        self._hashes = [(name, blake2b(digest_size=8, key=blake2b(name.encode()).digest())) for name in workers]

    def place(self, tenant: str, session_id: str) -> str:
        """The name of the worker that a session belongs to."""
        session = f"{tenant}\0{session_id}".encode()  # neither of them can hold a NUL

        def score(hashed: tuple[str, blake2b]) -> bytes:
            copy = hashed[1].copy()
            copy.update(session)
            return copy.digest()

        return max(self._hashes, key=score)[0]
