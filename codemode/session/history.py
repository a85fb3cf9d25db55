"""What each turn changed, kept so that it can be undone: the pages as they were, for the last changes of a session.

Whoever has the session's turn alone writes to its file and alone moves pages from the write-ahead log into it. So the
pages of before a turn all stand where they were until this file has looked: a commit is followed by no checkpoint of
SQLite's own, the changed pages that were there before are copied, and only then the log may be emptied. Pages that a
turn adds cost nothing. What a turn did in several commits (`commit()`, atomic=False) is one way back.

The id of the state changes in the first commit itself. A crash before the pages are kept leaves a state from which no
way leads: undo says so, and never goes a wrong one.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Self

from msgspec import structs

from codemode.database import undo
from codemode.database.clock import now
from codemode.database.execute import Connection, DatabaseError
from codemode.database.frames import FrameError, Position, WriteAheadLog
from codemode.database.migrate import SESSION, migrations
from codemode.database.ways import Way, Ways, WayWriter
from codemode.errors import CodemodeError, DiskQuotaExceeded, SessionDamaged
from codemode.guard import Guard
from codemode.limits import Limits
from codemode.session.files import SessionFiles

_EMPTY_FRAMES = 1_000  # the log is copied into the file from here on: SQLite's own bound, 4 MB
_SEGMENT_FRAMES = 4_000  # a turn of many commits does it in between: its log must not grow with its length
_FAULTS = (DatabaseError, FrameError, OSError, CodemodeError)
_log = logging.getLogger("codemode")


class History:
    """The ways back from what one open connection changes."""

    def __init__(self, connection: Connection, guard: Guard, files: SessionFiles, limits: Limits) -> None:
        self._connection, self._guard, self._files, self._limits = connection, guard, files, limits
        self._ways = Ways(files.undo)
        with guard.engine():
            self._frames_of = WriteAheadLog(connection)
            self._id_page = undo.id_page(connection)
        self._form = len(migrations(*SESSION))  # who opened it has brought it there
        self._known: tuple[Position, int] | None = None  # where the last turn here left the log, and its state
        self._start: Position | None = None
        self._seen: Position | None = None  # where the log stood at the last look, or when this connection was done
        self._opening = True  # this is the turn in which the connection was opened
        self._first_pages = self._commits = self._settled = self._frames = self._before = 0
        self._begun, self._of = False, ("", "")
        self._hurried = True  # SQLite waits for the disk wherever it has to
        self._marked: int | None = None
        self._writer: WayWriter | None = None
        self._reason: str | None = None
        connection.set_wal_hook(self._committed)  # instead of SQLite's own, which would move pages at once

    def recording(self, execution_id: str, what: str) -> Self:
        """For `with`: keep the way back from what the block commits after `begin`.

        A fault is logged and fails nothing.
        """
        self._begun, self._commits, self._of = False, 0, (execution_id, what)
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._begun = False
        self._hurry()
        if self._commits:
            execution_id, what = self._of
            self._end(Way(kind="undo", start=0, end=0, what=what, execution_id=execution_id, timestamp=now()))

    def unhurried(self) -> None:
        """Before a transaction: let it begin an empty write-ahead log without a wait for the disk, at its header.

        `Journal` says why nothing is lost by that. It holds until the log has something that is committed: then, and
        before anything of it goes into the file, SQLite waits again.
        """
        if self._begun and self._start is not None and self._start.salt == b"" and not self._commits:
            with self._guard.engine():
                self._connection.execute("PRAGMA synchronous = off", can_cache=False)
            self._hurried = False

    def expect_room(self) -> None:
        """Before a transaction: raise DiskQuotaExceeded where a reader has let the log grow past its bound.

        The log begins anew only when nobody reads what is in it. Whoever keeps a download open, and writes meanwhile,
        would fill the disk: each commit appends what it changed, whatever the size of the database.
        """
        if self._frames * self._frames_of.page_size <= 2 * self._limits.database_bytes:
            return
        if not self._commits:  # else the pages of before stand in it, and `settle` has tried
            with suppress(*_FAULTS):
                if self._frames_of.empty():
                    return
        raise DiskQuotaExceeded(
            "the session's write-ahead log is twice as large as its database may be: somebody reads since long ago",
            hint="wait until downloads and page iterators of this session are over, or close them",
        )

    def _hurry(self) -> None:
        if not self._hurried:
            # Refused in a transaction, which only a turn that was cut short leaves open: its connection is closed.
            with suppress(DatabaseError), self._guard.engine():
                self._connection.execute("PRAGMA synchronous = normal", can_cache=False)
                self._hurried = True

    def mark(self) -> None:
        """Inside a transaction that is about to commit: name the state that it makes."""
        if self._marked is not None:
            return
        with self._guard.engine():
            if self._known is not None and self._known[0] == self._start:
                self._before = self._known[1]
            else:
                self._before = undo.current_id(self._connection)
            fresh = undo.new_id()
            undo.set_id(self._connection, fresh)
        self._marked = fresh

    def unmark(self) -> None:
        """The transaction was rolled back after all."""
        if not self._commits:
            self._marked = None

    def settle(self) -> None:
        """After a commit: keep what is known so far where the log has grown long, by many in one turn."""
        self._hurry()
        grown = self._frames - self._settled  # below zero: the log began anew since
        if self._start is None or self._frames < _SEGMENT_FRAMES or 0 <= grown < _EMPTY_FRAMES:
            return
        self._settled = self._frames
        try:
            end = self._frames_of.position()
            self._capture(self._start, end)
            self._frames_of.empty()
            self._start = self._frames_of.position()
        except DatabaseError as error:  # a page iterator is open: at a later commit, then
            _log.debug("the write-ahead log of %s cannot be emptied now: %s", self._files.database, error)
        except (FrameError, OSError) as error:  # half of it may be written: what is left is of no use
            self._reason = f"what it changed could not be kept: {error}"
            self._discard()

    def cut(self, reason: str) -> None:
        """The pages were changed as a whole, beside this connection: there is no way back, for `reason`."""
        self._look()
        self._bump()
        way = Way(kind="undo", start=self._marked or 0, end=self._before, timestamp=now(), reason=reason)
        try:
            self._ways.clear()
            self._keep(way)
        except _FAULTS as error:  # no way leads from the new id, with the reason or without
            _log.warning("why %s cannot be undone is not kept: %s", self._files.database, error)
        finally:
            self._discard()

    def size_bytes(self) -> int:
        """The size of the database as it is committed; may raise apsw.LockedError while a cursor is open."""
        known = self._start if self._begun and not self._commits else None  # nobody else writes in this turn
        return (known or self._frames_of.position()).pages * self._frames_of.page_size

    def close(self) -> None:
        """Close what is open besides the connection."""
        self._frames_of.close()

    def _committed(self, connection: Connection, name: str, frames: int) -> int:
        if name == "main":
            self._commits, self._frames = self._commits + 1, frames
        return 0

    def begin(self) -> None:
        """In the block of `recording`, before anything is committed: look where the file stands, once."""
        if not self._begun:
            self._begun = True
            self._look()

    def _look(self) -> None:
        self._commits, self._settled, self._marked, self._reason = 0, 0, None, None
        try:
            self._start = self._frames_of.position()
        except FrameError as error:  # what was committed on top of it would be lost
            raise SessionDamaged(
                f"somebody else changed the session's write-ahead log: {error}",
                hint="restore the session from a copy, or renew it, which sets its file aside",
            ) from None
        except _FAULTS as error:
            _log.warning("what happens now in %s cannot be undone: %s", self._files.database, error)
            self._start = None
        if self._start is None or not (self._opening or self._start == self._seen):
            self._guard.doubt()  # another process had a turn since
        self._seen, self._opening = self._start, False
        self._first_pages, self._frames = (self._start.pages, self._start.frames) if self._start else (0, 0)

    def _end(self, way: Way) -> None:
        try:
            if self._marked is None:
                self._bump()
            if self._start is not None:
                end = self._frames_of.position()
                self._capture(self._start, end)
                hollow = self._reason is None and self._pages().keys() <= {self._id_page}
                self._keep(self._complete(way, hollow))
                self._known, self._seen = (end, self._marked or 0), end
        except _FAULTS as error:
            _log.warning("what was done in %s cannot be undone: %s", self._files.database, error)
        finally:
            self._discard()
            self._empty()

    def _complete(self, way: Way, hollow: bool) -> Way:
        return structs.replace(
            way, start=self._marked or 0, end=self._before,
            pages=self._first_pages, form=self._form, hollow=hollow, reason=self._reason,
        )  # fmt: skip

    def _bump(self) -> None:
        """Name the state in a transaction of its own: the engine committed without `mark`."""
        with self._guard.engine():
            self._connection.execute("BEGIN IMMEDIATE", can_cache=False)
            try:
                self._before = undo.current_id(self._connection)
                self._marked = undo.new_id()
                undo.set_id(self._connection, self._marked)
                self._connection.execute("COMMIT", can_cache=False)
            except BaseException:
                if self._connection.in_transaction:  # not where SQLite undid all by itself, as on a full disk
                    self._connection.execute("ROLLBACK", can_cache=False)
                raise

    def _capture(self, start: Position, end: Position) -> None:
        """Copy what changed between the two and was there before the turn, unless it is too much to keep."""
        done = self._pages()
        pages = [page for page in self._frames_of.changed(start, end, self._first_pages) if page not in done]
        size = (len(done) + len(pages)) * self._frames_of.page_size
        if size > self._limits.undo_bytes:
            self._reason = (
                f"it changed {size:,} bytes of what was there before, more than the {self._limits.undo_bytes:,} bytes"
                " of limit undo_bytes"
            )
        if self._reason is not None:
            self._discard()
            return
        writer = self._writing()
        for page, image in zip(pages, self._frames_of.images(pages, start, end), strict=True):
            writer.add(page, image)

    def _pages(self) -> dict[int, None]:
        return {} if self._writer is None else self._writer.pages

    def _writing(self) -> WayWriter:
        if self._writer is None:
            self._writer = WayWriter(self._files.fresh)
        return self._writer

    def _keep(self, way: Way) -> None:
        limits = self._limits
        self._ways.keep(self._writing(), way, self._files.fresh, limits.undo_executions, limits.undo_bytes)

    def _discard(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _empty(self) -> None:
        if self._frames >= _EMPTY_FRAMES:
            try:
                self._frames_of.empty()
            except _FAULTS as error:
                _log.debug("the write-ahead log of %s cannot be emptied now: %s", self._files.database, error)
