"""Compiled code of snippets that come again, so that no child compiles what another one did.

A child that is asked for its code hands it over before the snippet runs, and nothing that comes later is taken for it.
The worker keeps the bytes and never reads them: they go to a further child with the very text that they were made of,
and of the same owner. So a text that gets the better of the compiler reaches nobody but those who sent it. A text that
comes once costs a note of it, and the second time it comes its child is asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import blake2b
from typing import Any, NamedTuple

from sandbox.limits import CODE_BYTES
from sandbox.outcome import Snippet

_MOST = 1_000  # texts that are remembered, of all owners
_MOST_BYTES = 4 << 20  # of their code together

Place = tuple[Hashable, bytes]


class Known(NamedTuple):
    """What is known of a snippet's text: its place, its code, and whether a child is to be asked for it."""

    place: Place | None = None
    code: bytes | None = None
    wanted: bool = False


UNKNOWN = Known()


class Codes:
    """Code by owner and text, the last used ones; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # None: the text came, and its code is not here; empty: none that could be kept.
        self._codes: OrderedDict[Place, bytes | None] = OrderedDict()
        self._bytes = 0

    def look_up(self, snippet: Snippet) -> Known:
        """What is known of this text, which is noted where it is new."""
        if snippet.owner is None or len(snippet.code) > CODE_BYTES:  # its code has the text in it
            return UNKNOWN
        text = snippet.code.encode("utf-8", "surrogatepass")
        place = snippet.owner, blake2b(text, digest_size=16).digest()
        with self._lock:
            if place not in self._codes:
                self._codes[place] = None
                self._make_room()
                return UNKNOWN
            self._codes.move_to_end(place)
            code = self._codes[place]
        return Known(place, code or None, code is None)

    def learn(self, place: Place | None, code: Any) -> None:
        """Keep what a child says that it compiled; where it says nothing, no other is asked."""
        if place is None or type(code) is not bytes or len(code) > CODE_BYTES:
            return
        with self._lock:
            if place in self._codes and self._codes[place] is None:
                self._codes[place] = code
                self._bytes += len(code)
                self._make_room()

    def forget(self, whose: Callable[[Any], bool]) -> None:
        """Let go of what these owners sent."""
        with self._lock:
            for place in [place for place in self._codes if whose(place[0])]:
                self._drop(place)

    def clear(self) -> None:
        """Let go of all: who compiles now may do so in another way."""
        with self._lock:
            self._codes.clear()
            self._bytes = 0

    def _make_room(self) -> None:
        while len(self._codes) > _MOST or self._bytes > _MOST_BYTES:
            self._drop(next(iter(self._codes)))

    def _drop(self, place: Place) -> None:
        self._bytes -= len(self._codes.pop(place) or b"")
