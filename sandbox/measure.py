"""What a confined child really cannot do, tried in one before any snippet runs: `codemode doctor` prints this.

A report of what was asked for proves nothing. Each layer is tried by itself where that is possible, so the file and
network layers are tried before the system-call filter, which would hide them all, is installed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import socket
from collections.abc import Callable
from functools import partial

from sandbox.confine import Confinement, child_limits, confine_child, filter_calls, inherited_limits
from sandbox.kernel import (
    PR_GET_DUMPABLE,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_PDEATHSIG,
    holds_capabilities,
    prctl,
)
from sandbox.layers import REQUIRED, LayerReport


def _errno(attempt: Callable[[], object]) -> int:
    """The error number of an attempt; 0 when it succeeded."""
    try:
        attempt()
    except OSError as error:
        return error.errno or -1
    return 0


def _within_limits(confinement: Confinement) -> bool:
    return all(
        held[0] <= soft and held[1] <= hard
        for kind, (soft, hard) in (inherited_limits(confinement) | child_limits(confinement)).items()
        for held in (tuple(2**64 if value == resource.RLIM_INFINITY else value for value in resource.getrlimit(kind)),)
    )


def _dies_with_parent(_: Confinement) -> bool:
    signal = ctypes.create_string_buffer(4)
    prctl(PR_GET_PDEATHSIG, ctypes.addressof(signal))
    return int.from_bytes(signal.raw, "little") == 9


def _in_own_namespaces(confinement: Confinement) -> bool:
    # The other kinds were compared by identity when they were entered; a pid namespace shows itself by its first
    # process, which is the zygote, this child's parent.
    return bool(confinement.kinds) and ("pid" not in confinement.kinds or os.getppid() == 1)


def _sees_no_file(_: Confinement) -> bool:
    # stat, because Landlock does not restrict it: this is the empty root's own doing.
    return all(_errno(partial(os.stat, path)) == errno.ENOENT for path in ("/usr", "/etc", "/proc", "/dev"))


def _is_nobody(_: Confinement) -> bool:
    return 0 not in os.getresuid() + os.getresgid() and not os.getgroups()


def _files_denied(_: Confinement) -> bool:
    return _errno(lambda: os.open("/", os.O_RDONLY)) == errno.EACCES


# Where no descriptor can be had any more, every open fails for that reason alone.
BEFORE_LIMITS: tuple[tuple[str, Callable[[Confinement], bool]], ...] = (("landlock", _files_denied),)
BEFORE_FILTER: tuple[tuple[str, Callable[[Confinement], bool]], ...] = (
    ("namespaces", _in_own_namespaces),
    ("empty_root", _sees_no_file),
    ("uid", _is_nobody),
    ("capabilities", lambda _: not holds_capabilities()),
    ("not_dumpable", lambda _: prctl(PR_GET_DUMPABLE) == 0),
    ("no_new_privs", lambda _: prctl(PR_GET_NO_NEW_PRIVS) == 1),
    ("dies_with_parent", _dies_with_parent),
    ("rlimits", _within_limits),
)


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)  # the filter is not there: no second process may go on from here


def _filtered(_: Confinement) -> bool:
    # EPERM is the filter's own answer: Landlock says EACCES, an exhausted limit EMFILE or EAGAIN.
    attempts: tuple[Callable[[], object], ...] = (
        lambda: os.open("/", os.O_RDONLY),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        _fork,
        lambda: os.kill(os.getpid(), 0),
    )
    return all(_errno(attempt) == errno.EPERM for attempt in attempts)


_OWN_WORDS = {
    "dies_with_parent": "killed by the kernel when its parent is gone",
    "rlimits": "address space, CPU, processes, files, descriptors, core",
}


def _why(name: str, active: bool, confinement: Confinement) -> str:
    if name in confinement.refused:
        return confinement.refused[name]
    if active:
        return confinement.taken.get(name) or _OWN_WORDS[name]
    return f"asked for and not there when tried ({confinement.taken.get(name, 'no error was reported')})"


def _holds(check: Callable[[Confinement], bool], confinement: Confinement) -> bool:
    try:
        return check(confinement)
    except OSError:
        return False


def measure(confinement: Confinement) -> list[LayerReport]:
    """Every layer as it shows in this process, a child just forked, which takes its own layers on the way."""
    held = {name: _holds(check, confinement) for name, check in BEFORE_LIMITS}
    confine_child(confinement)
    held |= {name: _holds(check, confinement) for name, check in BEFORE_FILTER}
    filter_calls(confinement)
    held["seccomp"] = confinement.filter is not None and _holds(_filtered, confinement)
    # What was left out or refused is not reported as ours, even where the host happens to provide the like.
    held = {name: active and name not in confinement.refused for name, active in held.items()}
    return [
        LayerReport(name, active, name in REQUIRED, _why(name, active, confinement)) for name, active in held.items()
    ]
