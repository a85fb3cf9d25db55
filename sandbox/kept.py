"""One child as the worker holds it: its socket, the descriptor to kill it by, and what the kernel says of its use."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.errors import ProtocolViolation
from sandbox.protocol import FrameReader, decode_hostile

Reason = Literal["timeout", "cancelled", "closed", "violation", "done"]
_TIMEVAL = struct.Struct("@ll")
_REARM_SECONDS = 0.05
_LONGEST_SECONDS = 1e6  # the kernel's field is finite, a limit need not be


class DeadlinePassed(Exception):
    """The child's time is over; its run must end it."""


@dataclass(frozen=True, slots=True)
class Usage:
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
        self._reader = FrameReader(self._receive, frame_bytes)
        self._deadline = float("inf")
        self._armed = float("inf")
        # Guards the two descriptors against being used after `close`: their numbers would be somebody else's by then,
        # and a late cancel would kill or cut off a stranger.
        self._lock = threading.Lock()
        self._closed = False

    def set_deadline(self, deadline: float) -> None:
        """From now on no send or receive waits beyond this moment of the monotonic clock."""
        self._deadline = deadline
        self._armed = float("inf")

    def _arm(self) -> None:
        # The kernel's own timeouts on a blocking socket: one system call for each operation, where a poll before it
        # would make two. A child that drips bytes makes each receive start anew, so the timeout is lowered as time
        # goes by, and the overrun stays below _REARM_SECONDS.
        remaining = min(self._deadline - time.monotonic(), _LONGEST_SECONDS)
        if remaining <= 0:
            raise DeadlinePassed
        if self._armed - remaining > _REARM_SECONDS:
            value = _TIMEVAL.pack(int(remaining), int(remaining % 1 * 1e6) or 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
            self._armed = remaining

    def _receive(self, most: int) -> bytes:
        self._arm()
        try:
            return self._socket.recv(most)
        except BlockingIOError:
            raise DeadlinePassed from None
        except OSError:  # reset: it died with frames of ours unread
            return b""

    def read(self) -> list[object] | None:
        """The next frame; None when the child is gone. Raises ProtocolViolation, DeadlinePassed."""
        body = self._reader.read()
        return None if body is None else decode_hostile(body)

    def send(self, frame: bytes) -> bool:
        """Send a whole frame; False when the child is gone. Raises DeadlinePassed: a child may stop reading."""
        left: bytes | memoryview = frame
        while left:
            self._arm()
            try:
                sent = self._socket.send(left)
                if sent == len(left):
                    return True
                left = memoryview(left)[sent:]
            except BlockingIOError:
                raise DeadlinePassed from None
            except OSError:
                return False
        return True

    def start(self, request: bytes, deadline: float) -> bool:
        """Hand it its request and wait until it is confined and about to read it; False when it is gone.

        Raises DeadlinePassed. The request goes first: a child that finds it spares itself the warming.
        """
        self.set_deadline(deadline)
        frame = self.read() if self.send(request) else None
        if frame is None:
            return False
        match frame:
            case ["ready", {"cpu_ns": int(spent)}]:
                self.started_cpu_ns = spent
                return True
        raise ProtocolViolation("a child's first frame does not say that it is ready")

    def resume(self, request: bytes, number: int, deadline: float) -> bool:
        """Hand a child that waits its next request, and wait until it has read it; False when it is gone.

        Its use is counted from here. Raises DeadlinePassed, and ProtocolViolation for anything that it sent before it
        had the request, and so the request's unguessable number.
        """
        self.started_cpu_ns = self.spent_ns() or 0
        self.set_deadline(deadline)
        frame = self.read() if self.send(request) else None
        if frame is not None and frame != ["again", number]:
            raise ProtocolViolation("a kept child's first frame does not name its request")
        return frame is not None

    def is_quiet(self) -> bool:
        """Whether a child that should wait does: it lives, and has sent nothing after its last frame."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not self._reader.pending and not poll.poll(0) and self.alive()

    def alive(self) -> bool:
        """Whether the process still runs."""
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return not poll.poll(0)

    def end(self, reason: Reason) -> None:
        """Kill it, from any thread; the first reason given stays."""
        with self._lock:
            if self._closed:
                return
            self.ended = self.ended or reason
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            with contextlib.suppress(OSError):
                # Wakes the thread that waits on the socket, whatever the process does about its signal.
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self, reason: Reason = "done") -> None:
        """Kill it and let go of its descriptors; idempotent."""
        self.end(reason)
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._pidfd)
                self._socket.close()

    def process_id(self) -> int | None:
        """Its process id as this process's /proc names it; None where that does not tell."""
        try:
            lines = Path(f"/proc/self/fdinfo/{self._pidfd}").read_text().splitlines()
        except OSError:
            return None
        pid = next((int(line[4:]) for line in lines if line.startswith("Pid:")), 0)
        return pid if pid > 0 else None

    def spent_ns(self) -> int | None:
        """The CPU time of its whole life; None where /proc does not tell, or not of this process any more."""
        pid = self.process_id()
        if pid is None:
            return None
        try:
            spent = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return spent if self.alive() else None  # else its number may have been given to another process meanwhile

    def usage(self) -> Usage | None:
        """The kernel's figures while it lives; the peak of memory is its whole life's. None as for `spent_ns`."""
        pid, spent = self.process_id(), self.spent_ns()
        if pid is None or spent is None:
            return None
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return None
        if not self.alive():
            return None
        peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
        return Usage(max(0, spent - self.started_cpu_ns) / 1e9, peak * 1024)
