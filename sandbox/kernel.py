"""The few kernel calls that Python's own modules do not offer, through ctypes.

Leaves the meaning of each call to its caller; knows only numbers, argument widths and how an error comes back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# These calls have one number on every architecture (they were added after the tables were unified).
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446

# These have not.
_OLD_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "capget": 125},
    "aarch64": {"pivot_root": 41, "capset": 91, "capget": 90},
}


def machine() -> str:
    """The architecture as the kernel names it for this process; a 32-bit interpreter on a 64-bit kernel is neither."""
    name = os.uname().machine
    return name if ctypes.sizeof(ctypes.c_void_p) == 8 else f"{name} with 32-bit pointers"


def number(name: str) -> int:
    """The number of an architecture-dependent call; OSError where it is not known."""
    try:
        return _OLD_NUMBERS[machine()][name]
    except KeyError:
        raise OSError(f"no number known for {name} on {machine()}") from None


def _checked(name: str, answer: int) -> int:
    if answer == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return answer


def syscall(name: str, number: int, *arguments: int | ctypes.Array[ctypes.c_char] | bytes | None) -> int:
    """Make a raw system call; integers are passed at full width, buffers by address. Raises OSError."""
    # The C function is variadic: an int passed as it is would leave the upper half of its register undefined.
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(name, int(_libc.syscall(ctypes.c_long(number), *passed)))


# Variadic too; with the types known beforehand a call makes no object for each argument.
_prctl, _prctl_text = _libc["prctl"], _libc["prctl"]
_prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
_prctl_text.argtypes = (ctypes.c_int, ctypes.c_char_p)


def prctl(option: int, first: int = 0, second: int = 0) -> int:
    """Change or read an attribute of this process; a buffer is passed by its address. Raises OSError."""
    return _checked("prctl", _prctl(option, first, second, 0, 0))


def call_process(name: bytes) -> None:
    """Give this process a name of at most 15 bytes, which `ps` and the kernel's messages show. Raises OSError."""
    _checked("prctl", _prctl_text(PR_SET_NAME, name))


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` names for new ones. Raises OSError."""
    _checked("unshare", int(_libc.unshare(ctypes.c_int(flags))))


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount; None stands for "not given". Raises OSError."""
    texts = [None if text is None else text.encode() for text in (source, target, kind, options)]
    answer = _libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
    _checked(f"mount {target}", int(answer))


def unmount(target: str, flags: int) -> None:
    """Unmount. Raises OSError."""
    _checked(f"umount {target}", int(_libc.umount2(target.encode(), ctypes.c_int(flags))))


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of this mount namespace and put the former root at `old`. Raises OSError."""
    syscall("pivot_root", number("pivot_root"), new.encode(), old.encode())


_CAPABILITY_HEADER = (0x20080522).to_bytes(4, "little") + bytes(4)  # version 3, this process


def drop_capabilities() -> None:
    """Give up every capability: ambient, bounding where permitted, and the three sets of this process."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # not permitted, or beyond the last: then nothing could be regained by it without exec either
            break
    with contextlib.suppress(OSError):  # before Linux 4.3 there is no ambient set
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    syscall("capset", number("capset"), _CAPABILITY_HEADER, bytes(24))


def holds_capabilities() -> bool:
    """Whether this process has any capability left in its effective or permitted set."""
    data = ctypes.create_string_buffer(24)
    syscall("capget", number("capget"), _CAPABILITY_HEADER, data)
    words = [int.from_bytes(data.raw[at : at + 4], "little") for at in range(0, 24, 4)]
    return any(words[index] for index in (0, 1, 3, 4))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class SeccompFilter:
    """A seccomp filter as the kernel takes it, made before the fork: making types of ctypes takes a child 0.3 ms."""

    def __init__(self, program: bytes, instructions: int) -> None:
        self._code = ctypes.create_string_buffer(program, len(program))
        self._described = _Program(instructions, ctypes.addressof(self._code))

    def install(self) -> None:
        """Install it on this thread, for good. Raises OSError."""
        prctl(PR_SET_SECCOMP, 2, ctypes.addressof(self._described))
