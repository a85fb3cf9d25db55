"""The ready children: a few forked, confined and warm ones that wait, each for one run.

One lock guards what is counted here: the children ready, the forks asked for, the runs that wait. Two kinds of thread
meet at it: runs, which take a child, and the keeper, which starts the zygote and receives from it.

How many are wanted follows the need: more for a while after runs found none ready, so that a burst of them, or a few
at once, finds one each. Making a child takes more than a short run does, and the zygote that makes one may do it on the
very core of the thread that asked. So those that are used up are replaced when it is quiet, and at once only where a
run waits: one for it and one for the next, so that under load that lasts children are made beside the runs.

What may block for long (starting a zygote, sending to it, ending it) is done without the lock, so
that a run can time out, and the sandbox can close, while another thread hangs.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sandbox.errors import SandboxUnavailable
from sandbox.forks import Forks
from sandbox.keeper import Keeper
from sandbox.kept import Child
from sandbox.link import MOST_NUMBERS, Link, ZygoteSettings

_log = logging.getLogger("codemode")
TAKE_SECONDS = 20.0  # how long a run waits for a child before it is told that there is none
STATUS_SECONDS = 5.0
_RETRY_SECONDS = 0.1
_BEHIND_SECONDS = 0.5  # the same for those who are not first: they are called when they are
_UNWANTED_SECONDS = 30.0  # a zygote that could not be started is tried again by then where nobody wants a child
# A zygote that owes a child and has sent nothing for so long is stopped, or stuck in the kernel: it does not end by
# itself, and nobody would get a child again. Making one takes milliseconds, and a run waits twice as long as this.
_HANG_SECONDS = 10.0
_STARVED_SECONDS = 2.0  # without descriptors for so long, a run is told: waiting longer frees none
_LEAST_READY = 1  # with fewer than these, or fewer on their way, a child is asked for at once


class Children:
    """Keeps `usual` children ready while anybody holds it open, and up to `most` for a while after more were needed."""

    def __init__(self, settings: ZygoteSettings, usual: int, most: int, accept: Callable[[Link], None]) -> None:
        self._frame_bytes = settings.limits.frame_bytes
        self._forks = Forks(usual, most)
        # Reentrant: `close` may be called by the garbage collector inside any method of this very thread.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._link: Link | None = None
        self._ready: deque[Child] = deque()
        # Runs that wait, first come, first served, each with a condition of its own: one that woke all of them for
        # every child would spend more on waking than on running, and let the last one in first. Weakly: nobody may
        # wait behind a run that is gone, wherever in `take` Ctrl-C came.
        self._waiting: deque[weakref.ref[threading.Condition]] = deque()
        self._spent: deque[Child] = deque()  # those that have answered, and are to be ended
        self._asking = threading.Lock()  # the zygote sees requests in the order in which they were counted
        self._failure: str | None = None  # why there is no zygote, or no new child
        self._starved: float | None = None  # since when children come without their descriptors (time.monotonic)
        self.closed = False
        self._statuses: dict[int, dict[str, Any] | None] = {}  # asked for; None until answered
        self._owner = os.getpid()
        self._keeper = Keeper(settings, accept, self)

    def __len__(self) -> int:
        """How many are ready."""
        return len(self._ready)

    def begin(self) -> None:
        """Have the zygote started."""
        self._keeper.start()

    def wait(self) -> None:
        """Wait until the zygote has started. Raises SandboxUnavailable."""
        with self._changed:
            self._changed.wait_for(lambda: self._link or self._failure or self.closed)
            if self._link is None:
                raise SandboxUnavailable(self._failure or "the sandbox was closed")

    def take(self) -> Child:
        """A ready child, for the caller alone. Raises SandboxUnavailable."""
        deadline = time.monotonic() + TAKE_SECONDS
        child = self._try_take(None)
        if child is not None:
            return child
        place = threading.Condition(self._lock)
        try:
            with self._lock:
                self._forks.grow()
                self._waiting.append(weakref.ref(place))
                self._changed.notify_all()  # the keeper may have given up until somebody wants a child
            while child is None:
                child = self._try_take(place)
                if child is None:
                    self._wait(place, deadline)
        finally:
            with self._lock:
                with suppress(ValueError):  # Ctrl-C came before it had one
                    self._waiting.remove(weakref.ref(place))
                self._call_next()
        return child

    def take_one_ready(self) -> Child | None:
        """The same where one is ready and nobody waits; asks for none and waits for none."""
        with self._lock:
            self._require_open()
            return self._pop_alive() if self._first() is None else None

    def replace(self) -> None:
        """Ask for children in place of those that were taken, for when it is quiet: one that was taken is at work."""
        self._ask(0, least=0)

    def bury(self, child: Child) -> None:
        """End a child that has answered, at the latest when the next message of the zygote comes.

        Taking a process apart keeps a core busy for as long as a short snippet does, and often that core is where the
        child of the next one wakes up. Those that are to replace it are made when it is quiet: the first of them
        comes then. Until then a child that has escaped computes on for some milliseconds, in all its confinement.
        """
        with self._lock:
            waits = bool(self._forks) and not self.closed and len(self._spent) < self._forks.most
            if waits:
                self._spent.append(child)
        if not waits:
            child.close()

    def _bury_all(self) -> None:
        with self._lock:
            spent, self._spent = self._spent, deque()
        for child in spent:
            child.close()

    def _try_take(self, place: threading.Condition | None) -> Child | None:
        """A ready child for whoever is first: the run at `place`, or one that has none while nobody waits."""
        with self._lock:
            self._require_open()
            child = self._pop_alive() if self._first() is place else None
            waiting = len(self._waiting)
        if child is None:
            self._ask(waiting)
        return child

    def _first(self) -> threading.Condition | None:
        while self._waiting:
            first = self._waiting[0]()
            if first is not None:
                return first
            self._waiting.popleft()
        return None

    def _call_next(self) -> None:
        if self._ready and (first := self._first()) is not None:
            first.notify()

    def _tell_all(self) -> None:
        self._changed.notify_all()
        for each in list(self._waiting):
            if (place := each()) is not None:
                place.notify()

    def _wait(self, place: threading.Condition, deadline: float) -> None:
        with self._lock:
            # In slices: a fork that failed leaves no event behind, and is asked for again by the next round.
            pause = _RETRY_SECONDS if self._first() is place else _BEHIND_SECONDS
            place.wait_for(lambda: self.closed or (self._ready and self._first() is place), pause)
            if self.closed or (self._ready and self._first() is place):
                return
            if self._link is not None and self._forks.overdue() > _HANG_SECONDS:
                self._forks.clear()  # told once
                _log.error("the sandbox's zygote has made no child for %.0f s, and is ended", _HANG_SECONDS)
                self._link.hang_up()
            now = time.monotonic()
            started = deadline - TAKE_SECONDS
            if self._starved is not None and now - max(self._starved, started) > _STARVED_SECONDS:
                raise SandboxUnavailable(self._failure or "this process has no descriptor left")
            if now > deadline:
                raise SandboxUnavailable(f"no child within {TAKE_SECONDS:.0f} seconds: {self._failure or 'busy'}")

    def _require_open(self) -> None:
        if os.getpid() != self._owner:
            raise SandboxUnavailable(
                "this sandbox belongs to the process that this one was forked from; make a new one"
            )
        if self.closed:
            raise SandboxUnavailable("the sandbox is closed")

    def _pop_alive(self) -> Child | None:
        while self._ready:
            child = self._ready.popleft()
            if child.alive():
                return child
            child.close()  # something ended it while it waited: memory pressure, or an operator
        return None

    def _ask(self, waiting: int, least: int = _LEAST_READY) -> None:
        """Have the zygote make what is missing where so many runs wait: at once what is needed at once."""
        with self._asking:
            with self._lock:
                link = self._link
                now, later = ([], []) if link is None else self._forks.claim(len(self._ready), waiting, least)
            for kind, numbers in (("fork", now), ("later", later)):
                for start in range(0, len(numbers), MOST_NUMBERS):
                    self._order(link, kind, numbers[start : start + MOST_NUMBERS])

    def _order(self, link: Link | None, kind: str, numbers: list[int]) -> None:
        if link is not None and not link.ask(kind, numbers):
            link.hang_up()  # gone, or it has not read for as long as a send may wait
            with self._lock:
                for number in numbers:
                    self._forks.answered(number)

    def status(self, child: Child) -> dict[str, Any] | None:
        """How a child ended that ended by itself, as the zygote reaped it; None when that is not to be learnt."""
        with self._changed:
            link = self._link
            self._statuses[child.number] = None
        try:
            if link is None or not link.ask("status", child.number):
                return None
            with self._changed:
                self._changed.wait_for(
                    lambda: self._statuses[child.number] or self._link is not link or self.closed, STATUS_SECONDS
                )
                return self._statuses[child.number]
        finally:
            with self._changed:
                del self._statuses[child.number]

    def close(self) -> None:
        """End every ready child and the zygote, and with it all others; idempotent."""
        if os.getpid() != self._owner:
            return  # forked from the owner: the descriptors are copies, and the processes are not ours to end
        with self._changed:
            self.closed = True
            link = self._link
            self._tell_all()
        if link is not None:
            link.close()
        self._bury_all()
        if self._keeper.is_alive() and threading.current_thread() is not self._keeper:
            self._keeper.join(10)

    def connected(self, link: Link) -> bool:
        """For the keeper, as are the following: a zygote runs now; False when `close` came first and did not see it."""
        with self._changed:
            if self.closed:
                return False
            self._link, self._failure = link, None
            waiting = len(self._waiting)
            self._tell_all()
        self._ask(waiting)
        return True

    def disconnected(self) -> None:
        """The zygote is gone, and every child with it."""
        with self._changed:
            self._link = None
            self._forks.clear()
            dead = list(self._ready)
            self._ready.clear()
            self._failure = self._failure or "the sandbox's zygote ended and is being started again"
            self._tell_all()
        self._bury_all()
        for child in dead:
            child.close()

    def failed(self, why: str) -> None:
        """There is no zygote, and why; runs that wait are told."""
        with self._changed:
            self._failure = why
            self._tell_all()

    def rest(self, seconds: float, *, until_wanted: bool) -> None:
        """Return after this pause, and then when a run waits where that is asked; at once when it is closed.

        And in the end although none waits: a service that says that it is not ready is asked for none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.closed, seconds)
            if until_wanted and not self.closed:
                self._changed.wait_for(lambda: self.closed or self._waiting, _UNWANTED_SECONDS)

    def listen(self, link: Link) -> None:
        """Take what the zygote sends, until it is gone."""
        while True:
            if not link.wait(self._calm_down()):
                continue
            received = link.receive()
            self._bury_all()
            if received is None:
                return
            message, descriptors = received
            if "child" in message:
                self._arrived(message["child"], descriptors)
            elif "status" in message:
                with self._changed:
                    if message["status"] in self._statuses:
                        self._statuses[message["status"]] = message
                        self._changed.notify_all()
            else:
                with self._changed:
                    self._forks.answered(message.get("no_child", 0))
                    self._failure = message.get("why") or message.get("fatal")

    def _arrived(self, number: int, descriptors: list[int]) -> None:
        with self._changed:
            self._forks.answered(number)
            if len(descriptors) != 2:
                # Out of descriptors: the kernel dropped one or both. The child sees its socket closed and ends.
                for descriptor in descriptors:
                    os.close(descriptor)
                self._failure = "this process has no descriptor left (see ulimit -n)"
                self._starved = self._starved or time.monotonic()
                return
            self._starved = None
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, descriptors[0])
            connection.setblocking(True)
            child = Child(number, connection, descriptors[1], self._frame_bytes)
            if self.closed:
                child.close("closed")
                return
            self._ready.append(child)
            self._call_next()
        child.open_figures()  # while nobody waits for it, as a rule, and not before it can be taken

    def _calm_down(self) -> float | None:
        """End what is ready beyond the usual number when it was not needed for long; seconds until then, or None."""
        with self._lock:
            many, left = self._forks.calm_down(len(self._ready))
            surplus = [self._ready.popleft() for _ in range(many)]
        for child in surplus:
            child.close()
        return left
