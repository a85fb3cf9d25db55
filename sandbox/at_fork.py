"""Leave out at each fork what the library does there for threads.

`threading` and `logging` make their locks anew in a forked child, since a thread that is not there any more may hold
one. The zygote has one thread, so no lock is held when it forks; doing it anyway takes a child 100 pages. Everything
else is kept: that `random` begins anew in each child most of all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

_OF_THREADS = frozenset({"threading", "logging", "concurrent.futures.thread"})


def without_threads() -> None:
    """From here on modules that are loaded register nothing of the kind. For a process that never starts a thread."""
    register = os.register_at_fork

    def register_others(**steps: Callable[[], Any]) -> None:
        if sys._getframe(1).f_globals["__name__"] not in _OF_THREADS:
            register(**steps)

    os.register_at_fork = register_others  # type: ignore[assignment]
