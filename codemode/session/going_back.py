"""Put a session back: to a checkpoint, to before its last change, or to before that was undone.

Whatever the goal, a copy of it is made ready beside the session; the way back from there is kept, and only then the
copy is put in place, in one transaction. So a crash leaves one state or the other, and each of them knows its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from codemode.database import copies, undo
from codemode.database.clock import now
from codemode.database.ways import Kind, Way, WayFile, Ways, WayWriter
from codemode.errors import CannotUndo, SessionDamaged
from codemode.session.files import copy_file, storage_errors
from codemode.session.opened import OpenSession
from codemode.values import Undone

_HINT = "restore a checkpoint instead, where there is one"
_MOST_STEPS = 1_000  # hollow ways in a row


@dataclass(frozen=True, slots=True)
class Journey:
    """One way back about to be taken, by whoever has the session's turn."""

    opened: OpenSession
    check: Callable[[], None]  # raises when the time is over
    until: float  # time.monotonic

    def to_checkpoint(self, checkpoint: Path, name: str) -> None:
        """Put the session back to a checkpoint; `undo` then leads to what is there now."""
        with _about(name):
            self.to_copy(checkpoint, f"restore {name}")

    def to_copy(self, copy: Path, what: str) -> None:
        """Make the session what the database file `copy` is; `undo` then leads to what is there now."""
        with self._files() as (here, there):
            copies.take(self.opened.files.database, here, self.check)
            copy_file(copy, there)
            start = copies.make_ready(there, self.opened.files.database, self.opened.limits, self.until, renew=True)
            back = Way(kind="undo", start=start, end=self._id(), what=what, timestamp=now())
            self._keep_difference(here, undo.pages_of(here), there, back)
            self._arrive(there)

    def along(self, kind: Kind) -> Undone:
        """Take the last change back, or (redo) what was taken back last; raises CannotUndo."""
        with ExitStack() as held, self._files() as (here, there):
            chain = self._chain(kind, held)
            goal = chain[-1].way
            copies.take(self.opened.files.database, here, self.check)
            images = {page: file for file in chain for page in file.pages()}  # the last one is the oldest, and right
            copy_file(here, there)
            with storage_errors(there):
                undo.patch(there, images, goal)
            start = copies.make_ready(there, self.opened.files.database, self.opened.limits, self.until, renew=False)
            self._keep_ways(here, there, images, chain, start)
            self._arrive(there)
        return Undone(what=goal.what, execution_id=goal.execution_id or None, timestamp=goal.timestamp)

    def _keep_ways(self, here: Path, there: Path, images: dict[int, WayFile], chain: list[WayFile], start: int) -> None:
        kind, goal = chain[0].way.kind, chain[-1].way
        opposite: Kind = "redo" if kind == "undo" else "undo"
        back = structs.replace(goal, kind=opposite, start=start, end=self._id())
        self._keep_difference(here, undo.pages_of(here), there, back)
        if start == goal.end:
            return
        # The engine's own tables were carried over, so this is a state of its own: from it, too, one can go on.
        onward = Way(kind=kind, start=start, end=goal.end, hollow=True)
        self._keep_difference(here, goal.pages, there, onward, images)

    def _keep_difference(
        self, here: Path, pages: int, there: Path, way: Way, images: dict[int, WayFile] | None = None
    ) -> None:
        """Keep `way`, which leads from the pages of `there` to the first `pages` ones of `here`, or of `images`."""
        if self._ways.leads(way.kind, way.start, way.end):
            return
        files, limits = self.opened.files, self.opened.limits
        writer = WayWriter(files.fresh)
        with storage_errors(files.undo), closing(writer):
            undo.write_difference(writer, here, pages, there, images or {})
            whole = structs.replace(way, pages=pages, form=self._form())
            self._ways.keep(writer, whole, files.fresh, limits.undo_executions, limits.undo_bytes)

    def _chain(self, kind: Kind, held: ExitStack) -> list[WayFile]:
        """The ways to go, one after the other: through hollow ones to the first that changes something."""
        chain: list[WayFile] = []
        start = self._id()
        while len(chain) < _MOST_STEPS:
            found = self._ways.find(kind, start)
            if found is None:
                raise self._no_way(kind, chain)
            held.callback(found.close)
            if found.way.reason is not None:
                raise CannotUndo(f"the last change cannot be undone: {found.way.reason}", hint=_HINT)
            if found.way.form != self._form():
                raise CannotUndo("the last change was made by another version of codemode", hint=_HINT)
            try:
                found.check()
            except ValueError as error:
                raise CannotUndo(f"what is needed is damaged: {error}", hint=_HINT) from None
            chain.append(found)
            if not found.way.hollow:
                return chain
            start = found.way.end
        raise self._no_way(kind, chain)

    def _no_way(self, kind: Kind, chain: list[WayFile]) -> CannotUndo:
        if kind == "redo":
            return CannotUndo("there is nothing to redo: nothing was undone since the last change", hint=None)
        limits = self.opened.limits
        if (chain[-1].way.end if chain else self._id()) == undo.AS_MADE:
            return CannotUndo("there is nothing to undo yet", hint=None)
        most = limits.undo_executions
        kept = "the last change is" if most == 1 else f"the last {most:,} changes are"
        return CannotUndo(
            f"there is nothing more to undo: {kept} kept, at most"
            f" {limits.undo_bytes:,} bytes of them, and none that its process did not live to keep",
            hint=_HINT,
        )

    def _arrive(self, there: Path) -> None:
        copies.put_back(there, self.opened.files.database, self.check)
        self.opened.outdate()

    @property
    def _ways(self) -> Ways:
        return Ways(self.opened.files.undo)

    def _id(self) -> int:
        with self.opened.guard.engine():
            return undo.current_id(self.opened.connection)

    def _form(self) -> int:
        with self.opened.guard.engine():
            return int(self.opened.connection.pragma("user_version"))

    @contextmanager
    def _files(self) -> Iterator[tuple[Path, Path]]:
        """Two private files: for what the session is, and for what it is to be."""
        files = self.opened.files
        with files.unfinished() as here, files.unfinished() as there:
            yield here, there


@contextmanager
def _about(name: str) -> Iterator[None]:
    try:
        yield
    except SessionDamaged as error:
        raise SessionDamaged(
            f"checkpoint {name} is damaged, and the session is as it was: {error.message}",
            hint="restore another checkpoint, and delete this one",
        ) from None
