"""The places of sessions in this process: whose turn it is, what is open, and what is closed to make room."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from codemode.catalog.store import closed
from codemode.errors import SessionBusy, StorageFull
from codemode.session.opened import OpenSession, Reader
from codemode.session.turn import Claim, TurnQueue
from sandbox import Cancel

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
    stop: Cancel | None = None  # of the execution that has the turn, also while it waits for another process's to end

    def rest(self) -> None:
        """Let what is open rest, unless it is used just now: then it was used too lately for that."""
        with self.queue.if_free() as free:
            if free and self.opened is not None:
                self.opened.rest()
        with self.reader_lock:
            if self.reader is not None:
                self.reader.rest()

    def let_go(self) -> bool:
        """Close files that are the session's no longer and that nobody uses just now; whether nothing is open then."""
        with self.queue.if_free() as free:
            if free and self.opened is not None and not self.opened.is_current():
                self.opened.close()
                self.opened = None
        with self.reader_lock:
            reader = self.reader
            # Whoever reads just now is not waited for, with `reader_lock` held: the next call finds it.
            if reader is not None and not reader.is_current() and reader.lock.acquire(blocking=False):
                try:
                    reader.close()
                finally:
                    reader.lock.release()
                self.reader = None
        return self.opened is None and self.reader is None

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


class Used:
    """`with` the place of a key: what `Slots.used` answers."""

    def __init__(self, slots: Slots, key: Key) -> None:
        self._slots, self._key = slots, key

    def __enter__(self) -> Slot:
        self._slot = self._slots.enter(self._key)
        return self._slot

    def __exit__(self, *_: object) -> None:
        self._slots.leave(self._key, self._slot)


class Turn(Used):
    """`with` the place of a key and its turn, which was granted before where there are no `seconds` to wait for it."""

    def __init__(self, slots: Slots, key: Key, seconds: float | None) -> None:
        super().__init__(slots, key)
        self._seconds = seconds

    def __enter__(self) -> Slot:
        self._slot = slot = self._slots.enter(self._key, granted=self._seconds is None)
        self._claim = claim = Claim(slot.queue)
        try:
            if self._seconds is None:
                claim.is_met = True
            else:
                slot.queue.take(self._seconds, claim)
            self._slots.check_open()
        except BaseException:
            self.__exit__()
            raise
        return slot

    def __exit__(self, *_: object) -> None:
        self._claim.give_back()
        super().__exit__()


class Slots:
    """At most `most` places that nobody uses stay open; one in use is never closed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._slots: OrderedDict[Key, Slot] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._slots)

    def used(self, key: Key) -> Used:
        """For `with`: the place of `key`, which stays while the block runs; then what is beyond the bound is closed."""
        return Used(self, key)

    def turn(self, key: Key, seconds: float, *, granted: bool = False) -> Turn:
        """The same with its turn, waited for at most `seconds` unless it was `granted` before."""
        return Turn(self, key, None if granted else seconds)

    def check_open(self) -> None:
        """Raise WorkerError when the worker is being closed: what is opened now nobody would close."""
        if self._closed:
            raise closed()

    def enter(self, key: Key, *, granted: bool = False) -> Slot:
        """The place of `key`, which stays until `leave`, which must follow; raises as `check_open` does.

        Not where its turn was `granted` before: that has to be given back.
        """
        with self._lock:
            if not granted:
                self.check_open()
            slot = self._slots.get(key) or self._slots.setdefault(key, Slot())
            self._slots.move_to_end(key)
            slot.users += 1
        return slot

    def leave(self, key: Key, slot: Slot) -> None:
        """It is not used any more: close what is beyond the bound. A place that holds nothing is none."""
        cold = None
        with self._lock:
            slot.users -= 1
            if self._slots.get(key) is slot:
                if slot.users or slot.opened is not None or slot.reader is not None:
                    self._slots.move_to_end(key)
                else:  # of a session that is gone, say: it would count, and close one that others come back to
                    del self._slots[key]
            open_now = len(self._slots)
            if open_now > _WARM:
                cold = next(islice(reversed(self._slots.values()), _WARM, None))
        if cold is not None:
            cold.rest()
        if open_now > self._most:
            self._make_room()

    def let_go(self) -> None:
        """Close what is open of files that another process has removed: they have their room on the disk until then."""
        with self._lock:
            slots = list(self._slots.items())
        for key, slot in slots:
            with suppress(StorageFull):  # they cannot be looked at just now
                if slot.let_go():
                    self.leave(key, self.enter(key))  # a place that holds nothing is none

    def find(self, key: Key) -> Slot | None:
        """The place of `key`, if it has one."""
        with self._lock:
            return self._slots.get(key)

    def _make_room(self) -> None:
        """Close the least recently used places beyond the bound."""
        while (slot := self._pop_idle()) is not None:
            slot.queue.take(threading.TIMEOUT_MAX)  # nobody uses it, but another thread may just have it rest
            slot.close()

    def _pop_idle(self) -> Slot | None:
        with self._lock:
            if len(self._slots) <= self._most:
                return None
            idle = next((key for key, slot in self._slots.items() if slot.users == 0), None)
            # Taken out under the lock: whoever comes next makes a place of its own, and opens the file anew.
            return None if idle is None else self._slots.pop(idle)

    def close(self, seconds: float) -> None:
        """Close every place, and let nobody in any more; those in use get `seconds` together to end what runs in them.

        Raises SessionBusy where something does not end (a host function that goes on), when all others are closed.
        """
        until, busy = time.monotonic() + seconds, None
        with self._lock:
            self._closed = True
            slots = list(self._slots.values())
        for slot in slots:
            if (stop := slot.stop) is not None:  # it may wait for another process
                stop.cancel()
        for slot in slots:
            try:
                slot.queue.take(max(0.0, until - time.monotonic()))
            except SessionBusy as error:
                busy = error
            else:
                slot.close()
                slot.queue.release()  # to who waits, and is told that all is over
        if busy is not None:
            raise busy
