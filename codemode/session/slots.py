"""The places of sessions in this process: whose turn it is, what is open, and what is closed to make room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from codemode.session.opened import OpenSession, Reader
from codemode.session.turn import TurnQueue

_WARM = 16  # places used last that keep their caches: each may have megabytes
Key = tuple[str, str]  # tenant and session id


@dataclass
class Slot:
    """One session's place: its turn queue, and its open files while they are open."""

    queue: TurnQueue = field(default_factory=TurnQueue)
    opened: OpenSession | None = None
    reader: Reader | None = None
    reader_lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0

    def rest(self) -> None:
        """Let what is open rest, unless it is used just now: then it was used too lately for that."""
        if self.queue.take_if_free():
            try:
                if self.opened is not None:
                    self.opened.rest()
            finally:
                self.queue.release()
        with self.reader_lock:
            if self.reader is not None:
                self.reader.rest()

    def close(self) -> None:
        """Close what is open; the reader after whoever reads just now.

        The writer last: who may only read leaves the write-ahead log beside the file when it is the last to close.
        """
        with self.reader_lock:
            if self.reader is not None:
                self.reader.close()
                self.reader = None
        if self.opened is not None:
            self.opened.close()
            self.opened = None


class Slots:
    """At most `most` places that nobody uses stay open; one in use is never closed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._slots: OrderedDict[Key, Slot] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._slots)

    @contextmanager
    def used(self, key: Key) -> Iterator[Slot]:
        """The place of `key`, which stays while the block runs; afterwards what is beyond the bound is closed."""
        with self._lock:
            slot = self._slots.get(key) or self._slots.setdefault(key, Slot())
            self._slots.move_to_end(key)
            slot.users += 1
        try:
            yield slot
        finally:
            with self._lock:
                slot.users -= 1
                if key in self._slots:
                    self._slots.move_to_end(key)
                cold = next(islice(reversed(self._slots.values()), _WARM, None), None)
            if cold is not None:
                cold.rest()
            self._make_room()

    @contextmanager
    def turn(self, key: Key, seconds: float, *, granted: bool = False) -> Iterator[Slot]:
        """The place of `key` and its turn, waited for at most `seconds` unless it was `granted` before."""
        with self.used(key) as slot:
            if not granted:
                slot.queue.take(seconds)
            try:
                yield slot
            finally:
                slot.queue.release()

    def find(self, key: Key) -> Slot | None:
        """The place of `key`, if it has one."""
        with self._lock:
            return self._slots.get(key)

    def _make_room(self) -> None:
        """Close the least recently used places beyond the bound."""
        while (slot := self._pop_idle()) is not None:
            slot.close()

    def _pop_idle(self) -> Slot | None:
        with self._lock:
            if len(self._slots) <= self._most:
                return None
            idle = next((key for key, slot in self._slots.items() if slot.users == 0), None)
            # Taken out under the lock: whoever comes next makes a place of its own, and opens the file anew.
            return None if idle is None else self._slots.pop(idle)

    def close(self, seconds: float) -> None:
        """Close every place; one that is in use gets at most `seconds` to end what runs in it."""
        with self._lock:
            slots = list(self._slots.values())
            self._slots.clear()
        for slot in slots:
            slot.queue.take(seconds)
            slot.close()
