"""Loading modules: when a process starts, and when it first needs what few processes do."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage while the block imports, and afterwards never in what it has loaded.

    Then there is none, only more and more to look through for it.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()


@contextmanager
def loading_late() -> Iterator[None]:
    """In the block a call imports what most processes never need.

    Raises WorkerUnavailable where a module cannot be read, as where no descriptor is left: nothing was done then.
    """
    try:
        yield
    except OSError as error:
        from codemode.errors import WorkerUnavailable

        raise WorkerUnavailable(
            f"a part of this program cannot be loaded: {error.strerror}",
            hint="try again; where it stays so, raise the limit of open files",
        ) from None
