"""Restore sessions from a backup: all is extracted, checked and brought to the newest form before anything is touched.

A session that is not there is put in place by one rename of its whole directory. One that is there is changed in its
turn, in one transaction, as a restore of a checkpoint does it: `undo` takes it back. So a crash leaves each session as
it was or as it was in the backup; what was only prepared is swept away later.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codemode.catalog.contents import is_untouched
from codemode.catalog.copying import opened, take_over, take_records
from codemode.catalog.opening import open_catalogue
from codemode.catalog.participants import Participants
from codemode.catalog.sessions import SessionRecord
from codemode.catalog.store import Look
from codemode.database import copies
from codemode.database.clock import in_ms, iso, now, now_ms, sure_ms
from codemode.database.journal import Entry
from codemode.database.migrate import LOG
from codemode.errors import SessionBusy, SessionDamaged, SessionExists, StorageFull
from codemode.guard import foreign
from codemode.moments import ulid
from codemode.session.accounts import write_log
from codemode.session.archive import CATALOG, ArchiveReader, SessionCopy
from codemode.session.backups import CHECK_SECONDS, Progress, nothing_to_tell
from codemode.session.checkpoints import file_name
from codemode.session.files import RESTORING, SessionFiles, clear, storage_errors
from codemode.session.going_back import Journey
from codemode.session.ids import directory_name
from codemode.session.offers import check_database, record_of, said_of_the_backup, selected
from codemode.session.provenance import HOST
from codemode.session.registry import Registry
from codemode.session.slots import Key
from codemode.session.turn import file_lock
from codemode.values import Restored, RestoredSession, Totals
from codemode.values.backup import Done

Existing = Literal["error", "replace", "skip"]
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class _Staged:
    """One session made ready: its directory beside the others, and the record that it gets."""

    copy: SessionCopy
    record: SessionRecord
    files: SessionFiles

    @property
    def key(self) -> Key:
        return self.record.tenant, self.record.id


def restore(
    registry: Registry,
    archive: Path,
    tenant: str | None = None,
    session_id: str | None = None,
    *,
    new_id: str | None = None,
    existing: Existing = "error",
    progress: Progress = nothing_to_tell,
) -> Restored:
    """Restore what a backup holds, what it holds of one tenant, or one session, under `new_id` where that is given.

    A session that is there is an error, before anything is changed; `existing` can have it replaced or left as it is.
    Where the catalogue was lost, and data that is there without a record is left, the record comes back.
    A restored session expires as one that is used now. Raises BackupDamaged, SessionNewer, SessionNotFound,
    SessionExists, SessionBusy, StorageFull; sessions that were restored before such an error stay so.
    """
    with ArchiveReader(archive) as reader:
        chosen = [(each, record_of(each, new_id)) for each in selected(reader, tenant, session_id, new_id)]
        there = {(record.tenant, record.id) for _, record in chosen if _is_there(registry, record)}
        lost = {key for key in there if registry.catalog.get(*key) is None}  # data without a record
        if there and existing == "error":
            raise _exist(sorted(there), bool(lost))
        left = there if existing == "skip" else set()
        wanted = [pair for pair in chosen if (pair[1].tenant, pair[1].id) not in left]
        rest = [pair for pair in chosen if (pair[1].tenant, pair[1].id) in left]
        with storage_errors(registry.storage.data_dir / "sessions"), _stage(registry.storage.data_dir) as stage:
            total = sum(member.size_bytes for copy, _ in wanted for member in copy.members())
            restoring = _Restoring(registry, reader, stage, total, progress)
            known = restoring.staged_catalogue() if wanted or lost else None
            whole = tenant is None and session_id is None and reader.manifest.catalog is not None
            catalog = whole and known is not None and is_untouched(registry.catalog.file)
            staged = [restoring.staged(copy, record) for copy, record in wanted]
            if catalog and known is not None:
                take_over(registry.catalog.file, known)
            with opened(known) if known is not None else nullcontext() as restoring.look:
                done = [restoring.place(each, archive.name, existing) for each in staged]
                passed = [restoring.left(copy, record) for copy, record in rest]
    return Restored(file=str(archive), sessions=(*done, *passed), catalog=catalog)


@dataclass
class _Restoring:
    """One restore under way, with the directory that it prepares things in."""

    registry: Registry
    reader: ArchiveReader
    stage: Path
    total: int
    progress: Progress
    look: Look | None = None  # into the backup's catalogue
    _done: int = 0

    def step(self, size: int) -> None:
        self._done += size
        self.progress(min(self._done, self.total), self.total)

    def staged_catalogue(self) -> Path | None:
        """What the backup has of a catalogue, checked and of the newest form; None where there is no use for it."""
        member = self.reader.manifest.catalogue
        if member is None or self.registry.catalog.file.behind:
            return None
        path = self.stage / CATALOG
        _expect_space(self.stage, member.size_bytes)
        self.reader.extract(member, path, self.step)
        check_database(path, foreign.CATALOG)
        open_catalogue("", self.stage, "all").close()
        return path

    def left(self, copy: SessionCopy, record: SessionRecord) -> RestoredSession:
        """Leave a session's data as it is; its record comes back where it was lost."""
        key, seconds = (record.tenant, record.id), self.registry.storage.limits.queue_seconds
        files = self.registry.files(key)
        if self.registry.catalog.get(*key) is None:
            with self.registry.slots.turn(key, seconds), file_lock(files.lock, seconds):
                if self.registry.catalog.get(*key) is None:  # nobody asked for it in between, which makes one
                    self._enrol(copy, record)
                    self.registry.uses.add(key, (0, files.database.stat().st_size))
                    return _told(copy, record, "recorded")
        return _told(copy, record, "skipped")

    def staged(self, copy: SessionCopy, record: SessionRecord) -> _Staged:
        """Extract a session, check it, and bring it to the newest form."""
        files = SessionFiles(self.stage / directory_name(record.tenant, record.id))
        limits = self.registry.limits(record)
        with storage_errors(files.directory):
            _expect_space(self.stage, sum(member.size_bytes for member in copy.members()))
            files.directory.mkdir(mode=0o700)
            files.checkpoints.mkdir(mode=0o700)
        self.reader.extract(copy.database, files.database, self.step)
        check_database(files.database, None, limits)
        with said_of_the_backup():
            copies.make_ready(files.database, None, limits, time.monotonic() + CHECK_SECONDS, renew=True, whole=True)
        copies.sync(files.database)
        if copy.log is not None:
            self.reader.extract(copy.log, files.log, self.step)
            check_database(files.log, LOG)
        for each in copy.checkpoints:
            path = files.checkpoints / file_name(each.name)
            self.reader.extract(each.file, path, self.step)
            check_database(path, None, limits)
            os.utime(path, ns=(each.created_at, each.created_at))
        for folder in (files.checkpoints, files.directory):
            copies.sync(folder)
        return _Staged(copy, record, files)

    def place(self, staged: _Staged, name: str, existing: Existing) -> RestoredSession:
        """Put a staged session in its place, as what is there now makes it necessary."""
        for _ in range(_ATTEMPTS):
            if not _is_there(self.registry, staged.record):
                if self._rename(staged):
                    return _told(staged.copy, staged.record, "made")
            elif existing == "replace":
                self._replace(staged, name)
                return _told(staged.copy, staged.record, "replaced")
            elif existing == "skip":
                return _told(staged.copy, staged.record, "skipped")
            else:
                raise _exist([staged.key], False)
        raise SessionBusy(f"session {staged.record.id} is being made and removed again and again", hint="try again")

    def _rename(self, staged: _Staged) -> bool:
        """Move the staged directory to where there is none; whether there was none."""
        registry, seconds = self.registry, self.registry.storage.limits.queue_seconds
        over = registry.catalog.get(*staged.key)
        if over is not None and not registry.ending.expire(over) and over.expired_at is None:
            return False
        files = registry.files(staged.key)
        # Its own lock goes with the directory: nobody uses the session before it is recorded as what it is.
        with registry.slots.turn(staged.key, seconds), file_lock(staged.files.lock, seconds):
            _clear_rest(files, seconds)
            try:
                staged.files.directory.rename(files.directory)
            except OSError:
                if files.directory.exists():
                    return False
                raise
            copies.sync(files.directory.parent)
            self._enrol(staged.copy, staged.record)
            registry.uses.add(staged.key, (0, files.database.stat().st_size))
            return True

    def _enrol(self, copy: SessionCopy, record: SessionRecord) -> None:
        """Record the session with all that the backup knows of it, at once."""
        store = self.registry.catalog.file
        with store.at_once():
            self.registry.catalog.put(record)
            Participants(store).replace(record.tenant, record.id, copy.participants)
            if self.look is not None:
                take_records(store, self.look, (copy.tenant, copy.id), record.id)

    def _replace(self, staged: _Staged, name: str) -> None:
        registry, seconds = self.registry, self.registry.storage.limits.queue_seconds
        if registry.catalog.get(*staged.key) is None:  # a file whose record was lost
            self._enrol(staged.copy, staged.record)
        try:
            with registry.turn(staged.key, seconds) as opened:
                entry, started = Entry(HOST, now(), "restore", f"backup {name}", 0.0), time.monotonic()
                until = time.monotonic() + CHECK_SECONDS
                with opened.deadline.until(until):
                    journey = Journey(opened, lambda: self.step(0), until)
                    journey.to_copy(staged.files.database, f"restore {name}")
                entry.duration_ms = in_ms(time.monotonic() - started)
                write_log(opened, [entry], Totals(), opened.size_bytes())
        except SessionDamaged:
            self._replace_damaged(staged, seconds)

    def _replace_damaged(self, staged: _Staged, seconds: float) -> None:
        """What cannot be opened is set aside, and kept; the session's log stays, where it has one."""
        files = self.registry.files(staged.key)
        files.prepare()
        with self.registry.slots.turn(staged.key, seconds) as slot, file_lock(files.lock, seconds):
            slot.close()
            files.set_aside_database(f"damaged-{now_ms()}")
            with storage_errors(files.directory):
                if not files.log.exists() and staged.files.log.exists():
                    staged.files.log.rename(files.log)
            files.adopt(staged.files.database)
            copies.sync(files.directory)
            self.registry.ending.on_gone(staged.key)
            self.registry.catalog.touch(*staged.key, now_ms())


def _is_there(registry: Registry, record: SessionRecord) -> bool:
    """Whether there is a session of this id that has not expired, or a database that only lacks its record."""
    known = registry.catalog.get(record.tenant, record.id)
    if known is not None:
        return not known.is_over(sure_ms())
    return registry.files((record.tenant, record.id)).database.exists()


def _exist(keys: list[Key], lost: bool) -> SessionExists:
    names = ", ".join(key[1] for key in keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
    leave = "leave it, with its record back where the catalogue lost it" if lost else "leave it"
    return SessionExists(
        f"there is a session {names} already" if len(keys) == 1 else f"there are sessions {names} already",
        hint="restore one as another id, replace what is there on purpose (existing='replace', --force), or"
        f" {leave} (existing='skip', --skip-existing)",
    )


def _clear_rest(files: SessionFiles, seconds: float) -> None:
    """Remove a directory without a database, as a session whose making was cut short leaves it."""
    if not files.directory.exists() or files.database.exists():
        return
    with file_lock(files.lock, seconds):
        if not files.database.exists():
            files.remove()


def _told(copy: SessionCopy, record: SessionRecord, done: Done) -> RestoredSession:
    return RestoredSession(tenant=record.tenant, id=record.id, done=done, as_of=iso(copy.taken_at))


def _expect_space(place: Path, size: int) -> None:
    free = shutil.disk_usage(place).free
    if size > free:
        raise StorageFull(f"{size:,} bytes are to be restored, and {free:,} are free", hint="free space")


@contextmanager
def _stage(data_dir: Path) -> Iterator[Path]:
    """A directory for what is made ready, locked: whoever finds one that is not locked may delete it."""
    stage = data_dir / "sessions" / f"{RESTORING}{ulid()}"
    with storage_errors(stage):
        stage.mkdir(mode=0o700)
    try:
        with file_lock(stage / "lock", 5.0):
            yield stage
    finally:
        clear(stage)
