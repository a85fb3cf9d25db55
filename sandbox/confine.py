"""The layers around a child, in the order in which they can be had, each one reported.

The zygote takes those that children inherit; each child takes the rest, before it reads a byte of its snippet. The
order is not free: namespaces need the rights that the uid drop gives up, the uid drop clears dies-with-parent, the
empty root must come before Landlock forbids mounting, and the system-call filter forbids all the others.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox import landlock, namespaces, seccomp
from sandbox.kernel import (
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    SeccompFilter,
    drop_capabilities,
    prctl,
)
from sandbox.limits import MIB, SandboxLimits

_SIGKILL = 9

_ANY_CPU = 2**40  # seconds

# Between the soft limit, where a snippet gets its MemoryError, and the hard one, which nothing passes: room in which
# the child can still say what happened.
HEADROOM_BYTES = 16 * MIB

# Let go of first, so that moving the limit itself has what it needs: room for an arena of Python's. Never written to.
_RESERVE = [bytes(2 * MIB)]


@dataclass(slots=True)
class Confinement:
    """What the zygote has taken so far, and what its children will add."""

    limits: SandboxLimits
    without: frozenset[str] = frozenset()  # optional layers left out on purpose: for tests and diagnosis
    enforced: bool = True  # False is `isolation = "none"`: limits only
    baseline_bytes: int = 0  # the zygote's address space, which is no snippet's doing
    zygote_pid: int = 0  # as its children see it
    was_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    kinds: tuple[str, ...] = ()  # the namespaces entered
    taken: dict[str, str] = field(default_factory=dict)  # layer -> detail
    refused: dict[str, str] = field(default_factory=dict)  # layer -> why not
    filter: SeccompFilter | None = None
    child_limits: dict[int, tuple[int, int]] = field(default_factory=dict)  # by resource, that each child sets

    def take(self, name: str, step: Callable[[Confinement], str]) -> None:
        """Try one layer, and keep the kernel's answer."""
        if not self.enforced:
            self.refused[name] = 'left out: isolation is "none"'
        elif name in self.without:
            self.refused[name] = "left out on request"
        else:
            try:
                self.taken[name] = step(self)
            except OSError as error:
                # Without a number it is no word of the kernel's, but ours: there is nothing to take here.
                self.refused[name] = f"the host refuses it: {error}" if error.errno else str(error)


def _namespaces(confinement: Confinement) -> str:
    before = namespaces.identities()
    confinement.kinds = namespaces.enter()
    after = namespaces.identities()
    # The kernel's own word, not the absence of an error: an emulated kernel may accept the flags and do nothing.
    same = [k for k in confinement.kinds if k != "pid" and k in before and before[k] == after.get(k)]
    if same:
        raise OSError(f"the kernel accepted the call and changed nothing: {', '.join(same)}")
    return ", ".join(confinement.kinds)


def _empty_root(confinement: Confinement) -> str:
    if "mnt" not in confinement.kinds:
        raise OSError("there is no mount namespace to do it in")
    namespaces.empty_root()
    return "read-only, one empty directory"


def _uid(confinement: Confinement) -> str:
    if not confinement.was_root:
        raise OSError("nothing to drop: the worker is not root")
    return f"uid {namespaces.become_nobody()}, which owns nothing"


def _capabilities(_: Confinement) -> str:
    drop_capabilities()
    return "none held"


def _not_dumpable(_: Confinement) -> str:
    prctl(PR_SET_DUMPABLE, 0)
    return "no core, no attaching, /proc entries belong to root"


def _no_new_privs(_: Confinement) -> str:
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    return "no program can be run with more rights"


def _landlock(_: Confinement) -> str:
    return landlock.deny_everything()


def _seccomp(confinement: Confinement) -> str:
    confinement.filter = seccomp.assembled()
    return "27 system calls, some with fixed arguments; the rest refused or fatal"


ZYGOTE_STEPS = (
    ("empty_root", _empty_root),
    ("uid", _uid),
    ("capabilities", _capabilities),
    ("not_dumpable", _not_dumpable),
    ("no_new_privs", _no_new_privs),
    ("landlock", _landlock),
    ("seccomp", _seccomp),
)


def confine_launcher(confinement: Confinement) -> None:
    """What the launcher takes before it forks the zygote off: a pid namespace holds from the next fork on."""
    confinement.take("namespaces", _namespaces)


def confine_zygote(confinement: Confinement) -> None:
    """What children inherit from the zygote, and the filter that they install; nothing can be opened afterwards."""
    for name, step in ZYGOTE_STEPS:
        confinement.take(name, step)
    dies_with_parent()  # again: a change of uid clears it
    for kind, (soft, hard) in inherited_limits(confinement).items():
        set_limit(kind, soft, hard)
    confinement.child_limits = {kind: _possible(kind, *bounds) for kind, bounds in child_limits(confinement).items()}


def dies_with_parent() -> None:
    """Have the kernel kill this process when the thread that made it is gone."""
    prctl(PR_SET_PDEATHSIG, _SIGKILL)


def inherited_limits(confinement: Confinement) -> dict[int, tuple[int, int]]:
    """Resource -> soft and hard limit, set in the zygote, which can live with them, for all its children."""
    memory = confinement.baseline_bytes + confinement.limits.memory_bytes
    return {
        resource.RLIMIT_AS: (memory, memory + HEADROOM_BYTES),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_MEMLOCK: (0, 0),
        resource.RLIMIT_MSGQUEUE: (0, 0),
        resource.RLIMIT_SIGPENDING: (8, 8),
        resource.RLIMIT_RTPRIO: (0, 0),
        resource.RLIMIT_NICE: (0, 0),
    }


def _cpu_seconds(execution_seconds: float) -> int:
    # The deadline comes first; this is for when nobody is there to keep it.
    return int(min(execution_seconds, 1e9)) + 2


def child_limits(confinement: Confinement) -> dict[int, tuple[int, int]]:
    """Resource -> soft and hard limit that each child sets for itself."""
    return {
        # Without an end until the request is here, which says whether this child will have one run or many.
        resource.RLIMIT_CPU: (_cpu_seconds(confinement.limits.execution_seconds), _ANY_CPU),
        resource.RLIMIT_NPROC: (0, 0),  # says nothing to uid 0: there the filter alone stops a fork
        resource.RLIMIT_NOFILE: (0, 0),  # the socket is open already; no descriptor can be added, not even received
    }


def set_limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit of this process, never above what it has."""
    resource.setrlimit(kind, _possible(kind, soft, hard))


def _possible(kind: int, soft: int, hard: int) -> tuple[int, int]:
    _, ceiling = resource.getrlimit(kind)
    if ceiling != resource.RLIM_INFINITY:
        hard = min(hard, ceiling)
    return min(soft, hard), hard


def lower_memory(baseline: int, memory_bytes: int) -> None:
    """Give this child less memory than its siblings, for good: the snippet's own limit may be below the pool's."""
    set_limit(resource.RLIMIT_AS, baseline + memory_bytes, baseline + memory_bytes + HEADROOM_BYTES)


def bound_cpu(seconds: float, *, for_good: bool) -> None:
    """Bound the CPU time of this child's next run; `for_good` where it has one alone, and used next to none so far.

    Of a kept child the kernel counts over the whole life, so the bound moves along, and only the soft one: SIGXCPU ends
    an honest child, inside C code too, because nobody handles it. One that has escaped can lift it, and meets the
    worker's deadline while it runs and the watcher's look at its CPU time while it should wait.
    """
    used = 0 if for_good else int(time.process_time()) + 1
    soft = used + _cpu_seconds(seconds)
    set_limit(resource.RLIMIT_CPU, soft, soft if for_good else _ANY_CPU)


def use_headroom() -> None:
    """After a MemoryError: let this child use the room below its hard limit to report it."""
    _RESERVE.clear()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def confine_child(confinement: Confinement) -> None:
    """Complete the confinement in a freshly forked child. Raises OSError; the child must end then."""
    dies_with_parent()
    if os.getppid() != confinement.zygote_pid:
        # The zygote died between the fork and the line above: the signal that was to come never will.
        os._exit(0)
    for kind, bounds in confinement.child_limits.items():
        resource.setrlimit(kind, bounds)


def filter_calls(confinement: Confinement) -> None:
    """The last step of all: from here on this child computes and talks on its socket. Raises OSError."""
    if confinement.filter is not None:
        confinement.filter.install()
