"""What a host does with a session as a whole: checkpoint it, go back, fork it.

Each call is a turn of its own and an entry of the execution log. None of them runs inside a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from codemode.asked import parse_session_id
from codemode.catalog.participants import parse_user
from codemode.catalog.sessions import SessionRecord
from codemode.database import copies
from codemode.database.clock import in_ms, now
from codemode.database.journal import Entry, bounded
from codemode.errors import CodemodeError, shown
from codemode.limits import Limits
from codemode.loading import loading_late
from codemode.session import ids
from codemode.session.accounts import write_log
from codemode.session.checkpoints import Checkpoints
from codemode.session.files import copy_file
from codemode.session.forking import fork
from codemode.session.opened import OpenSession
from codemode.session.provenance import HOST
from codemode.session.registry import Registry
from codemode.session.slots import Key
from codemode.values import Checkpoint, Differences, Totals, Undone

if TYPE_CHECKING:
    from codemode.session.going_back import Journey
    from codemode.session.session import Session


class CheckpointCalls:
    """The calls; a subclass says which session of which registry is meant."""

    limits: Limits
    _registry: Registry
    _key: Key

    def checkpoint(self, name: str, *, replace: bool = False) -> Checkpoint:
        """Keep a copy of the data as it is now under `name`: 1 to 64 letters, digits, `_ . : @ -`.

        Readers do not wait. Raises CheckpointExists unless `replace`, CheckpointLimit, StorageFull.
        """
        with self._alone("checkpoint", name) as opened:
            return self._kept(opened.record).take(name, copies.unless(opened.deadline.is_over), replace=replace)

    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints of the session, the oldest first."""
        return self._kept(self._registry.record(self._key)).all()

    def list_checkpoints(self) -> list[Checkpoint]:
        """The same as `checkpoints`: the name that snippets know."""
        return self.checkpoints()

    def delete_checkpoint(self, name: str) -> None:
        """Delete a checkpoint; raises NoSuchCheckpoint."""
        with self._alone("delete_checkpoint", name) as opened:
            self._kept(opened.record).delete(name)

    def restore(self, name: str) -> Checkpoint:
        """Make the data what it was at the checkpoint `name`, wholly or not at all; the checkpoint stays.

        `undo` takes it back. Raises NoSuchCheckpoint, SessionNewer, and SessionDamaged for a damaged checkpoint; the
        session is unchanged then.
        """
        with self._alone("restore", name) as opened:
            kept = self._kept(opened.record)
            found = kept.get(name)
            self._journey(opened).to_checkpoint(kept.path(name), name)
            return found

    def undo(self) -> Undone:
        """Take the last change back: the last execution that wrote, call of the host, import or restore.

        Another `undo` goes back further; `redo` takes an undo back. Raises CannotUndo, with the reason.
        """
        with self._alone("undo", "") as opened:
            return self._journey(opened).along("undo")

    def redo(self) -> Undone:
        """Do again what was undone last, where nothing was written since; raises CannotUndo."""
        with self._alone("redo", "") as opened:
            return self._journey(opened).along("redo")

    def fork(
        self, new_session_id: str | None = None, *, checkpoint: str | None = None, owner: str | None = None
    ) -> Session:
        """A new session with this one's data as it is now, or as it was at `checkpoint`; with the same lowered limits.

        Without an id it gets a minted one. Its log and its checkpoints begin empty. `owner` as in `Worker.session`.
        Raises RequestInvalid for a bad id or owner, and SessionExists.
        """
        target = ids.new_session_id() if new_session_id is None else parse_session_id(new_session_id)
        owned_by = None if owner is None else parse_user(owner)
        with self._alone("fork", target) as opened:

            def copy(path: Path) -> None:
                if checkpoint is None:
                    copies.take(opened.files.database, path, copies.unless(opened.deadline.is_over))
                else:
                    copy_file(self._kept(opened.record).path(checkpoint), path)

            fork(self._registry, self._key, (self._key[0], target), copy, owned_by)
        return self._sibling(target)

    def diff(self, a: str | None, b: str | None = None, *, sample: int = 5) -> Differences:
        """What leads from the checkpoint `a` to `b`; None is the data as it is now. At most `sample` rows of each kind.

        Waits for nobody. Ends after `execution_seconds` with `complete` False. Raises NoSuchCheckpoint.
        """
        kept = self._kept(self._registry.record(self._key))
        until = time.monotonic() + self.limits.execution_seconds
        return kept.diff(a, b, lambda: time.monotonic() > until, sample)

    def _journey(self, opened: OpenSession) -> Journey:
        with loading_late():
            from codemode.session.going_back import Journey

        return Journey(opened, copies.unless(opened.deadline.is_over), time.monotonic() + self.limits.execution_seconds)

    def _sibling(self, session_id: str) -> Session:
        raise AssertionError("a session provides this")

    def _kept(self, record: SessionRecord) -> Checkpoints:
        """The checkpoints, under the limits that the session has now."""
        return Checkpoints(self._registry.files(self._key), self._registry.limits(record))

    @contextmanager
    def _alone(self, kind: str, text: str) -> Iterator[OpenSession]:
        """The session's turn for something that takes at most `execution_seconds`, and its entry in the log."""
        with self._registry.turn(self._key, self.limits.queue_seconds) as opened:
            # What was given for a name may be anything: the log has it as text, before it is looked at and refused.
            said, started = text if isinstance(text, str) else shown(text), time.monotonic()
            entry = Entry(HOST, now(), kind, bounded(said), 0.0)
            try:
                with opened.deadline.until(time.monotonic() + self.limits.execution_seconds):
                    yield opened
            except CodemodeError as error:
                entry.error_code = error.code
                raise
            finally:
                entry.duration_ms = in_ms(time.monotonic() - started)
                write_log(opened, [entry], Totals(), opened.size_bytes())
