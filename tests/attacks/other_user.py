"""Runs a command as the user nobody, where this process is root.

The interpreter may lie below a folder that only root can enter (a home directory). In a mount namespace of its own,
such a folder is covered by one that anybody can enter and that holds just what is needed; the host sees none of it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.kernel import mount, unshare

_NEW_MOUNTS, _PRIVATE, _RECURSIVE, _BIND = 0x00020000, 1 << 18, 16384, 4096
NOBODY = 65534


def _closed_folder(path: Path) -> Path | None:
    return next((each for each in reversed(path.parents) if not each.stat().st_mode & 0o001), None)


def _open_way_to(path: Path) -> None:
    """Make `path` reachable for everybody, in this mount namespace."""
    closed = _closed_folder(path)
    if closed is None:
        return
    # The kernel's own way to the folder: it stays when the folder above is covered, and leaves nothing to clean up.
    kept = os.open(path, os.O_PATH | os.O_DIRECTORY)
    mount("tmpfs", str(closed), "tmpfs", 0, "mode=755")
    path.mkdir(parents=True)
    mount(f"/proc/self/fd/{kept}", str(path), None, _BIND | _RECURSIVE)
    os.close(kept)


def main() -> None:
    """Arguments: folders that must be reachable, --, the command."""
    split = sys.argv.index("--")
    unshare(_NEW_MOUNTS)
    mount("none", "/", None, _PRIVATE | _RECURSIVE)
    for folder in dict.fromkeys(Path(name).resolve() for name in sys.argv[1:split]):
        _open_way_to(folder)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execve(sys.argv[split + 1], sys.argv[split + 1 :], {**os.environ, "HOME": "/"})


if __name__ == "__main__":
    main()
