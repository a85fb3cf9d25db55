"""Make a session of its own from another one's data: a copy, with a record, a log and a life of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from codemode.database import copies
from codemode.errors import SessionExists
from codemode.session.registry import Registry
from codemode.session.slots import Key
from codemode.session.turn import file_lock


def fork(registry: Registry, source: Key, target: Key, copy: Callable[[Path], None], owner: str | None) -> None:
    """Make the new session `target`, whose data `copy` writes to the path that it is given.

    It has the lowered limits of `source`, whose turn the caller has. Raises SessionExists where there is one of
    that id, expired or not.
    """
    origin = registry.record(source)
    _expect_none(registry, target)
    files = registry.files(target)
    files.prepare()
    with file_lock(files.lock, registry.storage.limits.queue_seconds):
        _expect_none(registry, target)
        with files.unfinished() as fresh:
            copy(fresh)
            limits = registry.limits(origin)
            copies.make_ready(fresh, None, limits, time.monotonic() + limits.execution_seconds, renew=True)
            files.adopt(fresh)
        registry.enrol(target, origin.limits, owner)
        registry.uses.add(target, (0, files.database.stat().st_size))


def _expect_none(registry: Registry, target: Key) -> None:
    if registry.catalog.get(*target) is not None:
        raise SessionExists(f"there is a session {target[1]} already", hint="choose another id, or remove that one")
    if registry.files(target).database.exists():
        # Of a session that a lost catalogue has forgotten, or of a fork that was killed before it was recorded.
        raise SessionExists(
            f"there is a database of session {target[1]} without its record",
            hint="choose another id, or open the session under this one to keep it or remove it",
        )
