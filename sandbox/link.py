"""One zygote as the worker holds it: how it is started, asked, listened to and ended."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox.confine import LayerReport
from sandbox.errors import SandboxUnavailable
from sandbox.limits import SandboxLimits

START_SECONDS = 60.0  # importing everything takes half a second; a loaded machine may take many
MOST_NUMBERS = 200  # of children in one request: the zygote reads 4,096 bytes
_MESSAGE_BYTES = 65_536
_SEND_TIMEOUT = struct.pack("@ll", 10, 0)
_PACKAGES = ("sandbox", "RestrictedPython", "msgpack", "tzdata")

# All that the fresh interpreter gets: the number of its control socket. Where modules are, it is told there, not by
# the environment, which is empty, and not by `site`, which would run every .pth file of the installation.
_BOOT = """
import json, socket, sys
control = socket.socket(fileno=int(sys.argv[1]))
settings = json.loads(control.recv(65536) or "null")
if settings is None: raise SystemExit
sys.path += [path for path in settings["path"] if path not in sys.path]
from sandbox.zygote import main
main(control, settings)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygoteSettings:
    """What one zygote is started with."""

    limits: SandboxLimits
    enforced: bool
    without: tuple[str, ...]
    entry: str | None  # a file with a `serve` of its own: for tests of the confinement alone


def search_path() -> list[str]:
    """The folders in which this process finds what a zygote needs: no more, whatever else is on its own path."""
    folders: dict[str, None] = {}
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            folders[str(Path(place).resolve().parent)] = None
    return list(folders)


def _command(descriptor: int) -> list[str]:
    if not sys.executable:
        raise SandboxUnavailable("this Python does not know its own executable (sys.executable is empty)")
    flags = ["-I", "-S", "-X", "utf8"]
    if sys.flags.dont_write_bytecode:
        flags.append("-B")
    return [sys.executable, *flags, "-c", _BOOT, str(descriptor)]


def _environment() -> dict[str, str]:
    # Empty, but for what an interpreter built as a shared library may need to start at all.
    path = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": path} if path else {}


class Link:
    """A running zygote. Made by the thread that its life hangs on; used by any."""

    def __init__(self, settings: ZygoteSettings) -> None:
        self.layers: tuple[LayerReport, ...] = ()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Reentrant: the garbage collector may close a forgotten sandbox inside `ask` of its own keeper.
        self._send_lock = threading.RLock()
        self._zygote: int | None = None  # its pidfd
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        try:
            with theirs:
                self._process = self._start(theirs.fileno())
            self._configure(settings)
        except BaseException:
            self.close()
            self.release()
            raise

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - this interpreter, with arguments of our own
                _command(descriptor),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(),
                cwd="/",
                pass_fds=(descriptor,),
                start_new_session=True,  # a Ctrl-C in the worker's terminal is not for it
            )
        except OSError as error:
            raise SandboxUnavailable(f"the sandbox's interpreter cannot be started: {error}") from error

    def _configure(self, settings: ZygoteSettings) -> None:
        # Never wait for ever on a zygote that is stopped or stuck.
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_TIMEOUT)
        self._control.setblocking(True)
        fields = {
            "worker": os.getpid(),
            "path": search_path(),
            "limits": asdict(settings.limits),
            "enforced": settings.enforced,
            "without": settings.without,
            "entry": settings.entry,
        }
        with contextlib.suppress(OSError):
            self._control.send(json.dumps(fields).encode())
        message, descriptors = self._first_message()
        if "hello" not in message or not descriptors:
            raise SandboxUnavailable(f"the sandbox did not start: {message.get('fatal') or self._last_words()}")
        self._zygote = descriptors[0]
        self.layers = tuple(LayerReport(*fields) for fields in message["hello"]["layers"])
        self._close_errors()

    def _first_message(self) -> tuple[dict[str, Any], list[int]]:
        if not self.wait(START_SECONDS):
            raise SandboxUnavailable(f"the sandbox did not start within {START_SECONDS:.0f} seconds")
        return self.receive() or ({}, [])

    def _last_words(self) -> str:
        """What the interpreter wrote before it gave up, its last lines."""
        process = self._process
        if process is None or process.stderr is None:
            return "no reason is known"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        os.set_blocking(process.stderr.fileno(), False)
        said = (process.stderr.read() or b"").decode(errors="replace").strip()
        return said[-2000:] or f"its interpreter ended with {process.returncode}"

    def _close_errors(self) -> None:
        if self._process is not None and self._process.stderr is not None:
            self._process.stderr.close()

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next message with its descriptors; None when the zygote is gone. One thread only."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 2, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            return None
        if not data:
            return None
        message: dict[str, Any] = json.loads(data)
        return message, descriptors

    def wait(self, seconds: float | None) -> bool:
        """Whether there is something to receive within this time; None waits for ever. One thread only."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return bool(poll.poll(None if seconds is None else math.ceil(seconds * 1000)))

    def ask(self, message: dict[str, int] | dict[str, list[int]]) -> bool:
        """Send a request, from any thread; False when the zygote is gone or does not read."""
        with self._send_lock:
            if self._closed:
                return False
            try:
                self._control.send(json.dumps(message).encode())
            except OSError:
                return False
            return True

    def close(self) -> None:
        """End the zygote and every child of it, and wait until they are gone; idempotent, from any thread."""
        # First wake whoever waits on the socket; closing its number under them would leave them on somebody else's.
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        with self._send_lock:
            if self._closed:
                return
            self._closed = True
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            self._kill_zygote(zygote)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._close_errors()

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
