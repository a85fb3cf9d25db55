"""One zygote as the worker holds it: how it is started, asked, listened to and ended."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import struct
import threading
from typing import Any, NamedTuple

from sandbox.errors import SandboxUnavailable
from sandbox.interpreter import taken
from sandbox.layers import LayerReport
from sandbox.limits import SandboxLimits

START_SECONDS = 60.0  # importing everything takes half a second; a loaded machine may take many
MOST_NUMBERS = 200  # of children in one request: the zygote reads 4,096 bytes
_MESSAGE_BYTES = 65_536
_SEND_TIMEOUT = struct.pack("@ll", 10, 0)


class ZygoteSettings(NamedTuple):
    """What one zygote is started with."""

    limits: SandboxLimits
    enforced: bool
    without: tuple[str, ...]
    once: bool  # for one run, which waits for it
    entry: str | None  # a file with a `serve` of its own: for tests of the confinement alone


def received(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message on a control socket with its descriptors; None when the other end is gone."""
    try:
        try:
            data, descriptors, _, _ = _receive(control)
        except ConnectionResetError:
            # It ended without reading all that we sent, which the kernel tells once, before what it had said last.
            data, descriptors, _, _ = _receive(control)
    except OSError:
        return None
    if not data:
        return None
    message: dict[str, Any] = json.loads(data)
    return message, descriptors


def _receive(control: socket.socket) -> tuple[bytes, list[int], int, Any]:
    return socket.recv_fds(control, _MESSAGE_BYTES, 2, socket.MSG_CMSG_CLOEXEC)


class Link:
    """A running zygote. Made by the thread that its life hangs on; used by any."""

    def __init__(self, settings: ZygoteSettings) -> None:
        self.layers: tuple[LayerReport, ...] = ()
        interpreter = taken(settings.entry)
        self._control = socket.socket(fileno=interpreter.control)
        # Reentrant: the garbage collector may close a forgotten sandbox inside `ask` of its own keeper.
        self._send_lock = threading.RLock()
        self._zygote: int | None = None  # its pidfd
        self._closed = False
        self._process = interpreter.process
        try:
            self._configure(settings)
        except BaseException:
            self.close()
            self.release()
            raise

    def _configure(self, settings: ZygoteSettings) -> None:
        # Never wait for ever on a zygote that is stopped or stuck.
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        self._control.setblocking(True)
        fields = {
            "limits": settings.limits._asdict(),
            "enforced": settings.enforced,
            "without": settings.without,
            "once": settings.once,
        }
        with contextlib.suppress(OSError):
            self._control.send(json.dumps(fields).encode())
        message, descriptors = self._first_message()
        if "hello" not in message or not descriptors:
            raise SandboxUnavailable(f"the sandbox did not start: {message.get('fatal') or self._last_words()}")
        self._zygote = descriptors[0]
        self.layers = tuple(LayerReport(*fields) for fields in message["hello"]["layers"])
        self._process.errors.close()

    def _first_message(self) -> tuple[dict[str, Any], list[int]]:
        if not self.wait(START_SECONDS):
            raise SandboxUnavailable(f"the sandbox did not start within {START_SECONDS:.0f} seconds")
        return self.receive() or ({}, [])

    def _last_words(self) -> str:
        """What the interpreter wrote before it gave up, its last lines."""
        process = self._process
        process.wait(2)
        os.set_blocking(process.errors.fileno(), False)
        said = (process.errors.read() or b"").decode(errors="replace").strip()
        return said[-2000:] or f"its interpreter ended with {process.returncode}"

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next message with its descriptors; None when the zygote is gone. One thread only."""
        return received(self._control)

    def wait(self, seconds: float | None) -> bool:
        """Whether there is something to receive within this time; None waits for ever. One thread only."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return bool(poll.poll(None if seconds is None else math.ceil(seconds * 1000)))

    def ask(self, kind: str, what: int | list[int]) -> bool:
        """Send a request, from any thread; False when the zygote is gone or does not read."""
        message = f'{{"{kind}": {what}}}'  # numbers, and lists of them, are spelled in JSON as they are here
        with self._send_lock:
            if self._closed:
                return False
            try:
                self._control.send(message.encode())
            except OSError:
                return False
            return True

    def hang_up(self) -> None:
        """Have whoever listens or sends find the zygote gone, and end it; from any thread, at once."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the zygote and every child of it, and wait until they are gone; idempotent, from any thread."""
        # First wake whoever waits on the socket; closing its number under them would leave them on somebody else's.
        self.hang_up()
        with self._send_lock:
            if self._closed:
                return
            self._closed = True
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            self._kill_zygote(zygote)
        self._process.kill()
        self._process.wait()
        self._process.errors.close()

    @staticmethod
    def _kill_zygote(pidfd: int) -> None:
        # Its children end with it: all of a pid namespace at once, else each by its own "dies with parent".
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(5000)
        os.close(pidfd)

    def release(self) -> None:
        """Close the socket; for the listening thread alone, when it has stopped listening."""
        with self._send_lock:
            self._closed = True
            self._control.close()
