"""One session as of one moment, for a backup: its data, its log and its checkpoints, and nobody waits meanwhile.

The moment is one between two executions: the session's lock is held while a read transaction begins on each file and
the checkpoints are opened, some milliseconds. What is copied afterwards is what SQLite shows these transactions,
whatever is committed in between. Where the lock cannot be had for a while (an execution runs on and on), the moment is
one inside an execution: the data is a committed state all the same, and the log may be an execution ahead or behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from codemode.database import copies
from codemode.database.clock import now_ms
from codemode.database.execute import Connection
from codemode.errors import NoSuchCheckpoint, SessionBusy, SessionDamaged
from codemode.session.checkpoints import Checkpoints
from codemode.session.files import SessionFiles
from codemode.session.turn import moments_lock

LOCK_SECONDS = 10.0  # most executions are over by then; a backup of many sessions must come to an end


@dataclass(frozen=True, slots=True)
class OpenCheckpoint:
    """A checkpoint that can be read to its end, deleted meanwhile or not; `created_at` in nanoseconds since 1970."""

    name: str
    created_at: int
    file: BinaryIO


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is to be copied; `log` is None where there is none yet, or it is damaged."""

    taken_at: int  # milliseconds since 1970
    between_executions: bool
    database: Connection
    log: Connection | None
    log_damaged: bool
    checkpoints: tuple[OpenCheckpoint, ...]


@contextmanager
def snapshot(files: SessionFiles, checkpoints: Checkpoints) -> Iterator[Snapshot]:
    """The session's files as they are at one moment, while the block lasts.

    Waits for a running execution for a while. Raises FileNotFoundError for a session that is gone, and
    SessionDamaged.
    """
    with ExitStack() as held:
        with ExitStack() as lock:
            try:
                lock.enter_context(moments_lock(files.lock, LOCK_SECONDS))
                between = True
            except SessionBusy:
                between = False
            found = _begun(files, checkpoints, between, held)
        yield found


def _begun(files: SessionFiles, checkpoints: Checkpoints, between: bool, held: ExitStack) -> Snapshot:
    if not files.database.exists():
        raise FileNotFoundError(files.database)
    with copies.explained(files.database):
        database = held.enter_context(closing(copies.hold(files.database)))
    log, damaged = _log(files.log, held)
    return Snapshot(now_ms(), between, database, log, damaged, tuple(_opened(checkpoints, held)))


def _log(path: Path, held: ExitStack) -> tuple[Connection | None, bool]:
    """The log, and whether it is damaged: the session's next use sets it aside and goes on, and so does its backup."""
    if not path.exists():
        return None, False
    try:
        with copies.explained(path):
            return held.enter_context(closing(copies.hold(path))), False
    except SessionDamaged:
        return None, True


def _opened(checkpoints: Checkpoints, held: ExitStack) -> Iterator[OpenCheckpoint]:
    for each in checkpoints.all():
        with suppress(NoSuchCheckpoint, FileNotFoundError):  # deleted a moment ago, where no lock is held
            file = held.enter_context(checkpoints.path(each.name).open("rb"))
            yield OpenCheckpoint(each.name, os.fstat(file.fileno()).st_mtime_ns, file)
