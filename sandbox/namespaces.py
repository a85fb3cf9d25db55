"""Namespaces of their own and an empty root for the zygote and its children, where the host allows them.

Optional layers: each function raises OSError with the kernel's reason, and the caller reports it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sandbox.kernel import mount, pivot_root, unmount, unshare

_USER = 0x10000000
_KINDS = {  # name below /proc/self/ns -> clone flag
    "net": 0x40000000,
    "pid": 0x20000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
}

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 32, 16384, 1 << 18
_MNT_DETACH = 2

# Nobody's: above what distributions and containers hand out, below 2^31 where some tools misread a uid.
_FIRST_UNUSED_UID, _UNUSED_UIDS = 1_900_000_000, 100_000_000


def identities() -> dict[str, str]:
    """The namespaces of this process, by kind; empty where /proc does not tell."""
    found = {}
    for kind in ("user", *_KINDS):
        try:
            found[kind] = os.readlink(f"/proc/self/ns/{kind}")  # noqa: PTH115 - a magic link, not a path
        except OSError:
            continue
    return found


def enter() -> tuple[str, ...]:
    """Enter as many new namespaces as the host allows; answers their kinds.

    Root needs no user namespace for the others; everyone else gets its rights from one. The pid namespace holds from
    the next fork on: the forked process is its first.
    """
    entered = []
    refusal: OSError | None = None
    if os.geteuid() != 0:
        _enter_user_namespace()
        entered.append("user")
    for kind, flag in _KINDS.items():
        try:
            unshare(flag)
            entered.append(kind)
        except OSError as error:
            refusal = refusal or error
    if refusal and not set(entered) - {"user"}:
        raise refusal
    return tuple(entered)


def _enter_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    unshare(_USER)
    # Mapped to an id that is nobody's inside: nothing may rely on being uid 0 there.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"65534 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"65534 {gid} 1")


def empty_root() -> None:
    """Replace the file system by an empty, read-only one of a single inode; needs a mount namespace of its own."""
    mount("none", "/", None, _MS_REC | _MS_PRIVATE)  # nothing done below may reach the host's mounts
    place = next((path for path in ("/tmp", "/mnt", "/run", "/proc") if os.path.isdir(path)), "/dev")  # noqa: S108, PTH112
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    mount("tmpfs", place, "tmpfs", flags, "size=4k,nr_inodes=1,mode=555")
    os.chdir(place)
    pivot_root(".", ".")  # the old root now lies over the new one
    unmount(".", _MNT_DETACH)
    os.chdir("/")
    mount("tmpfs", "/", None, flags | _MS_REMOUNT | _MS_RDONLY)


def become_nobody() -> int:
    """Root only: become a user and group that own nothing and run nothing else; answers the id. Raises OSError."""
    uid = _unused_uid()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    return uid


def _unused_uid() -> int:
    wanted = _FIRST_UNUSED_UID + secrets.randbelow(_UNUSED_UIDS)
    mapped = _highest_mapped_uid()
    return wanted if mapped is None or mapped >= wanted else mapped


def _highest_mapped_uid() -> int | None:
    """In a container with a uid map of its own only the mapped ids exist; its last one is the least likely in use."""
    try:
        ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except OSError:
        return None
    return max((int(first) + int(count) - 1 for first, _outside, count in ranges), default=None)
