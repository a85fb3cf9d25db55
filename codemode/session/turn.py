"""Whose turn it is: one execution at a time in a session, first come, first served, and one process at a time.

Two locks make a turn. The queue orders the callers of this process; a caller waits on a future, so that an
asynchronous one holds no thread while it waits. The file lock (flock on the session's directory, taken inside
the turn and given back with it) keeps other processes out: the command line beside a running server, two
workers by mistake on one data directory. flock belongs to the open file description, so it is released by the
kernel when the process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from codemode.errors import SessionBusy
from codemode.session.files import storage_full

_log = logging.getLogger(__name__)
_TOLD_SECONDS = 1.0  # after which a wait for another process is told
_POLL_SECONDS = 0.01  # another process's turn is rare; flock itself cannot wait with a bound


class Stop(Protocol):
    """What says that nobody wants the turn any more."""

    @property
    def cancelled(self) -> bool:
        """Whether it has said so."""
        ...


class GivenUp(Exception):
    """Whoever waited for another process's turn to end was told to stop waiting."""


class TurnQueue:
    """A fair lock whose waiters are futures."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[Future[None]] = deque()

    def request(self) -> Future[None]:
        """A future that is done when the turn is the caller's; give it back with `release`, or `withdraw` it."""
        granted: Future[None] = Future()
        with self._lock:
            if self._taken:
                self._waiting.append(granted)
                return granted
            self._taken = True
        granted.set_result(None)
        return granted

    def release(self, claim: Claim | None = None) -> None:
        """Hand the turn, `claim`'s where one is named, to whoever waits longest."""
        while True:
            with self._lock:
                if claim is not None:
                    claim.is_met = False
                if not self._waiting:
                    self._taken = False
                    return
                heir = self._waiting.popleft()
            # An heir that was cancelled between popleft and here refuses the turn: try the next one.
            if heir.set_running_or_notify_cancel():
                heir.set_result(None)
                return

    def withdraw(self, request: Future[None]) -> None:
        """Stop waiting; a turn granted at the same moment is passed on, so that it is never lost."""
        if not request.cancel():
            # cancel() fails when release() has already taken the request out of the queue: the turn is ours
            # or about to be. Wait for that instant, then pass it on.
            request.result()
            self.release()
            return
        with self._lock, suppress(ValueError):
            self._waiting.remove(request)

    def take_if_free(self, claim: Claim | None = None) -> bool:
        """Take the turn if nobody has it; whether it is the caller's now."""
        with self._lock:
            free, self._taken = not self._taken, True
            if claim is not None:
                claim.is_met = free
        return free

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """The turn while the block runs, if nobody has it; whether it is had."""
        claim = Claim(self)
        try:
            yield self.take_if_free(claim)
        finally:
            claim.give_back()

    @property
    def busy(self) -> bool:
        """Whether somebody has the turn."""
        return self._taken

    def take(self, seconds: float, claim: Claim | None = None) -> None:
        """Wait for the turn at most `seconds`; raises SessionBusy."""
        if self.take_if_free(claim):
            return
        request = self.request()
        try:
            request.result(timeout=seconds)
            if claim is not None:
                claim.is_met = True
        except BaseException as error:  # Ctrl-C too: a turn handed to one who has left would never end
            self.withdraw(request)
            if isinstance(error, TimeoutError):
                raise waited_too_long(seconds) from None
            raise


class Claim:
    """A claim to the turn of a queue; one that is met goes back with this object too, wherever Ctrl-C comes.

    `is_met` changes together with the queue's own mark: no signal is heard between two assignments.
    """

    is_met = False

    def __init__(self, queue: TurnQueue) -> None:
        self._queue = queue

    def give_back(self) -> None:
        """Hand the turn on; called again, or where it never came, it does nothing."""
        if self.is_met:
            self._queue.release(self)

    def __del__(self) -> None:
        if self.is_met:
            self.give_back()


def waited_too_long(seconds: float) -> SessionBusy:
    """The error of a caller whose turn did not come within `seconds`."""
    return SessionBusy(
        f"another execution has had this session for over {seconds:g} s",
        hint="wait for it, cancel it, or use another session; queue_seconds bounds the wait",
    )


@contextmanager
def file_lock(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock file `path` (made when missing); raises what `take_file_lock` raises."""
    handle = take_file_lock(path, time.monotonic() + seconds)
    try:
        yield
    finally:
        os.close(handle)


def take_file_lock(path: Path, until: float, stop: Stop | None = None) -> int:
    """A descriptor that holds the lock file `path` (made when missing) until it is closed; the only one of its file.

    Raises SessionBusy at `until` (time.monotonic), naming the process that has it, and GivenUp on `stop`. A directory
    that is gone raises FileNotFoundError: its session was removed.
    """
    place = os.fspath(path)
    while True:
        handle = _opened(place)
        try:
            _lock(handle, until, stop)
            # Whoever held the lock may have removed the session and its lock file: a lock on a deleted file
            # keeps nobody out, since the next one to come makes a new file.
            if _same_file(handle, place):
                _tell_who(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


@contextmanager
def moments_lock(path: Path, seconds: float) -> Iterator[None]:
    """The same for one who needs it for a moment only, between two turns of whoever has it again and again.

    Who polls rarely finds that moment; the kernel wakes a waiting thread when it comes.
    """
    until = time.monotonic() + seconds
    while True:
        waiter = _Waiter(_opened(os.fspath(path)))
        waiter.wait(until)
        try:
            if _same_file(waiter.handle, os.fspath(path)):
                yield
                return
        finally:
            os.close(waiter.handle)


class _Waiter:
    """A thread that waits for the lock, since flock cannot wait with a bound; given up, it lets go of what it gets."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._lock = threading.Lock()
        self._granted, self._given_up = threading.Event(), False

    def wait(self, until: float) -> None:
        """Return with the lock; raises SessionBusy at `until`. Where it raises, the file is closed, now or later."""
        threading.Thread(target=self._take, name="codemode-lock", daemon=True).start()
        try:
            granted = self._granted.wait(max(0.0, until - time.monotonic())) or not self._gave_up()
        except BaseException:  # Ctrl-C, say: a lock that is granted to nobody would be held for good
            if not self._gave_up():
                os.close(self.handle)
            raise
        if not granted:
            raise SessionBusy("another process holds this session", hint="wait until it is done, or stop that process")

    def _gave_up(self) -> bool:
        """Wait no more, and leave the file to the thread; False where the lock was granted at this very moment."""
        with self._lock:
            self._given_up = not self._granted.is_set()
            return self._given_up

    def _take(self) -> None:
        fcntl.flock(self.handle, fcntl.LOCK_EX)
        with self._lock:
            if self._given_up:
                os.close(self.handle)
            else:
                self._granted.set()


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_full(Path(path), error) from None


def _tell_who(handle: int) -> None:
    with suppress(OSError):  # who holds it is told to people only: a full disk must not keep the lock away
        os.pwrite(handle, f"{os.getpid():<12d}".encode(), 0)


def _same_file(handle: int, path: str) -> bool:
    try:
        there = os.stat(path)  # noqa: PTH116 - at every turn: half of what Path.stat takes
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(handle))


def _lock(handle: int, until: float, stop: Stop | None) -> None:
    tell_at = time.monotonic() + _TOLD_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if stop is not None and stop.cancelled:
                raise GivenUp from None
            if (now := time.monotonic()) >= until:
                raise SessionBusy(
                    f"process {_holder(handle)} holds this session",
                    hint="wait until it is done, or stop that process",
                ) from None
            if now >= tell_at:
                tell_at = until
                _log.info("process %s holds this session: waiting for up to %.0f s", _holder(handle), until - now)
            time.sleep(_POLL_SECONDS)


def _holder(handle: int) -> str:
    return os.pread(handle, 12, 0).decode(errors="replace").strip() or "unknown"
