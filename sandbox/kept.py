"""One child as the worker holds it: its socket, the descriptor to kill it by, and what the kernel says of its use."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from sandbox.errors import ProtocolViolation
from sandbox.protocol import FrameReader, decode_hostile

Reason = Literal["timeout", "cancelled", "closed", "violation", "done"]
_TIMEVAL = struct.Struct("@ll")
_REARM_SECONDS = 0.05
_FIRST_SECONDS = 20.0  # does for taking a child, and then for snippets that have 20 to 160 seconds
_SHORTER = 8  # times shorter than it may be, a timeout of the kernel's is left as it is
_LONGEST_SECONDS = 1e6  # the kernel's field is finite, a limit need not be
_TOLD_BYTES = 8_192
_PID = re.compile(rb"^Pid:\s*([1-9]\d*)$", re.MULTILINE)
_PEAK = re.compile(rb"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


class DeadlinePassed(Exception):
    """The child's time is over; its run must end it."""


class Usage(NamedTuple):
    """What the kernel counted for a child since it was ready."""

    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


class Child:
    """A forked child. One thread talks to it; any thread may end it."""

    def __init__(self, number: int, connection: socket.socket, pidfd: int, frame_bytes: int) -> None:
        self.number = number
        self.ended: Reason | None = None  # why the worker ended it; None while it lives or when it ended by itself
        self.started_cpu_ns = 0
        self._socket = connection
        self._pidfd = pidfd
        self.process_id = _process_id(pidfd)  # as this process's /proc names it; None where that does not tell
        self._figures: tuple[int, ...] | None = None  # the kernel's files of it, which stay its own when it is gone
        self._reader = FrameReader(self._receive, frame_bytes)
        self._deadline = float("inf")
        self._set_timeout(socket.SO_RCVTIMEO, _FIRST_SECONDS)  # now, while nobody waits for it
        self._armed = _FIRST_SECONDS  # the kernel's timeout for receiving
        self._exit = select.poll()
        self._exit.register(pidfd, select.POLLIN)
        # Guards the two descriptors against being used after `close`: their numbers would be somebody else's by then,
        # and a late cancel would kill or cut off a stranger.
        self._lock = threading.Lock()
        self._closed = False

    def set_deadline(self, deadline: float) -> None:
        """From now on no send or receive waits beyond this moment of the monotonic clock."""
        self._deadline = deadline

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlinePassed
        return min(remaining, _LONGEST_SECONDS)

    def _receive(self, most: int) -> bytes:
        # The kernel's own timeouts on a blocking socket: one system call for each operation, where a poll before it
        # would make two. A child that drips bytes makes each receive start anew, so the timeout is lowered as time
        # goes by, and the overrun stays below _REARM_SECONDS; one that is a little short only means to wait again.
        while True:
            remaining = self._remaining()
            if not remaining / _SHORTER < self._armed <= remaining + _REARM_SECONDS:
                self._set_timeout(socket.SO_RCVTIMEO, remaining)
                self._armed = remaining
            try:
                return self._socket.recv(most)
            except BlockingIOError:
                continue
            except OSError:  # reset: it died with frames of ours unread
                return b""

    def _set_timeout(self, which: int, seconds: float) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, which, _TIMEVAL.pack(int(seconds), int(seconds % 1 * 1e6) or 1))

    def read(self) -> list[object] | None:
        """The next frame; None when the child is gone. Raises ProtocolViolation, DeadlinePassed."""
        body = self._reader.read()
        return None if body is None else decode_hostile(body)

    def send(self, frame: bytes) -> bool:
        """Send a whole frame; False when the child is gone. Raises DeadlinePassed: a child may stop reading."""
        left: bytes | memoryview = frame
        flags: int = socket.MSG_DONTWAIT  # nearly always there is room for all of it
        while left:
            remaining = self._remaining()
            if not flags:
                self._set_timeout(socket.SO_SNDTIMEO, remaining)
            try:
                sent = self._socket.send(left, flags)
            except BlockingIOError:
                flags = 0
                continue
            except OSError:
                return False
            if sent == len(left):
                return True
            left = memoryview(left)[sent:]
        return True

    def start(self, frame: bytes, deadline: float, meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Hand it its request, or leave to run the one it has, and wait until it says that it was confined before.

        False when it is gone. Raises DeadlinePassed. The request goes first: a child that finds it spares itself the
        warming. `meanwhile` is called when it has been sent.
        """
        self.set_deadline(deadline)
        sent = self.send(frame)
        meanwhile()
        first = self.read() if sent else None
        if first is None:
            return False
        match first:
            case ["ready", {"cpu_ns": int(spent)}]:
                self.started_cpu_ns = spent
                return True
        raise ProtocolViolation("a child's first frame does not say that it is ready")

    def resume(self, request: bytes, number: int, deadline: float, meanwhile: Callable[[], None]) -> bool:
        """Hand a child that waits its next request, and wait until it has read it; False when it is gone.

        Its use is counted from here; `meanwhile` as in `start`. Raises DeadlinePassed, and ProtocolViolation for
        anything that it sent before it had the request, and so the request's unguessable number.
        """
        self.started_cpu_ns = self.spent_ns() or 0
        self.set_deadline(deadline)
        sent = self.send(request)
        meanwhile()
        frame = self.read() if sent else None
        if frame is not None and frame != ["again", number]:
            raise ProtocolViolation("a kept child's first frame does not name its request")
        return frame is not None

    def is_quiet(self) -> bool:
        """Whether a child that should wait does: it lives, and has sent nothing after its last frame."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not self._reader.pending and not poll.poll(0) and self.alive()

    def alive(self) -> bool:
        """Whether the process still runs; not once this was closed, when the descriptor may be something else's."""
        return not self._closed and not self._exit.poll(0)

    def end(self, reason: Reason) -> None:
        """Kill it, from any thread; the first reason given stays."""
        with self._lock:
            if self._closed:
                return
            self._kill(reason)
            with contextlib.suppress(OSError):
                # Wakes the thread that waits on the socket, whatever the process does about its signal.
                self._socket.shutdown(socket.SHUT_RDWR)

    def _kill(self, reason: Reason) -> None:
        self.ended = self.ended or reason
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self, reason: Reason = "done") -> None:
        """Kill it and let go of its descriptors; idempotent. Nobody waits on its socket any more."""
        with self._lock:
            if not self._closed:
                self._kill(reason)
                self._closed = True
                os.close(self._pidfd)
                self._socket.close()
                self._reader.close()
                for descriptor in self._figures or ():
                    os.close(descriptor)
                self._figures = None

    def open_figures(self) -> None:
        """Open what `spent_ns` and `usage` will read; they do it themselves otherwise, when somebody waits for them."""
        if self._figures is not None or self.process_id is None:
            return
        with self._lock:
            if self._figures is None and not self._closed:
                self._figures = _opened(f"/proc/{self.process_id}/status", f"/proc/{self.process_id}/schedstat")

    def spent_ns(self) -> int | None:
        """The CPU time of its whole life; None where /proc does not tell, or when it has ended."""
        self.open_figures()
        told = _told(self._figures[1]) if self._figures is not None else b""
        # Opened by a number that may have become another process's, if it has ended: not before it does.
        return int(told.split()[0]) if told and self.alive() else None

    def usage(self) -> Usage | None:
        """The kernel's figures while it lives; the peak of memory is its whole life's. None as for `spent_ns`."""
        self.open_figures()
        status = _told(self._figures[0]) if self._figures is not None else b""
        spent = self.spent_ns()
        if spent is None:
            return None
        peak = _PEAK.search(status)
        return Usage(max(0, spent - self.started_cpu_ns) / 1e9, int(peak[1]) * 1024 if peak else 0)


def _process_id(pidfd: int) -> int | None:
    opened = _opened(f"/proc/self/fdinfo/{pidfd}")
    if opened is None:
        return None
    found = _PID.search(_told(opened[0]))
    os.close(opened[0])
    return int(found[1]) if found else None


def _opened(*paths: str) -> tuple[int, ...] | None:
    """The files, open; None where one of them cannot be."""
    descriptors: list[int] = []
    try:
        for path in paths:
            descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))  # noqa: PERF401 - those before a fault are closed
    except OSError:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    return tuple(descriptors)


def _told(descriptor: int) -> bytes:
    """What one of the kernel's short files says now; nothing where its process is gone."""
    try:
        return os.pread(descriptor, _TOLD_BYTES, 0)
    except OSError:
        return b""
