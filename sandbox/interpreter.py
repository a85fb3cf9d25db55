"""The fresh interpreter that becomes the launcher, and then the zygote's parent.

It loads everything before it is told what it is for, so a process that knows from its first line that it will run a
snippet begins one `ahead`, and loads what itself needs meanwhile.
"""

from __future__ import annotations

import _socket  # what `socket` is made of: it loads three times as long as all else that is needed here
import importlib.util
import os
import sys

from sandbox.boot import CONTROL
from sandbox.errors import SandboxUnavailable
from sandbox.process import Process

_PACKAGES = ("sandbox", "RestrictedPython", "msgpack", "msgspec", "tzdata")

_BOOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "boot.py")  # noqa: PTH118, PTH120 - as below


class Interpreter:
    """One that was started, and the descriptor of our end of its control socket: its holder's from then on."""

    def __init__(self, entry: str | None = None) -> None:
        self.worker = os.getpid()
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        try:
            self.process = _start(theirs.fileno(), entry)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.control = ours.detach()


_ahead: Interpreter | None = None


def begin() -> None:
    """Start the interpreter of this process's first sandbox now; it ends with the process, used or not."""
    global _ahead
    _ahead = Interpreter()


def taken(entry: str | None) -> Interpreter:
    """The interpreter that was begun ahead, for the first who asks; a new one for everybody else."""
    global _ahead
    found, _ahead = _ahead, None
    # It ends unless whoever started it is its parent, and it has its entry already.
    if found is not None and found.worker == os.getpid() and entry is None:
        return found
    return Interpreter(entry)


def search_path() -> list[str]:
    """The folders in which this process finds what a zygote needs: no more, whatever else is on its own path."""
    folders: dict[str, None] = {}
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            # Not by pathlib: a command does this first, and everything that it loads before makes it wait.
            folders[os.path.dirname(os.path.realpath(place))] = None  # noqa: PTH120
    return list(folders)


def _command(entry: str | None) -> list[str]:
    if not sys.executable:
        raise SandboxUnavailable("this Python does not know its own executable (sys.executable is empty)")
    flags = ["-I", "-S", "-X", "utf8"]
    if sys.flags.dont_write_bytecode:
        flags.append("-B")
    arguments = [str(os.getpid()), entry or "", *search_path()]
    return [sys.executable, *flags, _BOOT, *arguments]


def _environment() -> dict[str, str]:
    # Empty, but for what an interpreter built as a shared library may need to start at all.
    path = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": path} if path else {}


def _start(descriptor: int, entry: str | None) -> Process:
    try:
        return Process(_command(entry), _environment(), descriptor, CONTROL)
    except OSError as error:
        raise SandboxUnavailable(f"the sandbox's interpreter cannot be started: {error}") from error
