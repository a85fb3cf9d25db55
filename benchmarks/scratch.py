"""Directories for many files, whose names stay until the process ends.

Before ext4 without a journal takes an inode for a new file it passes by all that were deleted in the last minutes
(`recently_deleted` in the kernel's fs/ext4/ialloc.c). Who makes files would pay for what the contender before deleted.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp


@contextmanager
def directory() -> Iterator[str]:
    """A new directory; what is in its files is dropped after use, their names when the process ends."""
    path = mkdtemp(dir=_root())
    try:
        yield path
    finally:
        for folder, _, names in os.walk(path):
            for name in names:
                os.truncate(Path(folder, name), 0)


@cache
def _root() -> str:
    root = TemporaryDirectory(prefix="codemode-bench-")
    atexit.register(root.cleanup)
    return root.name
