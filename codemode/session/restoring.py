"""Restore sessions from a backup: all is extracted, checked and brought to the newest form before anything is touched.

A session that is not there is put in place by one rename of its whole directory. One that is there is changed in its
turn, in one transaction, as a restore of a checkpoint does it: `undo` takes it back. So a crash leaves each session as
it was or as it was in the backup; what was only prepared is swept away later.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from codemode.catalog.copying import is_untouched, take_over
from codemode.catalog.participants import Participants, parse_user
from codemode.catalog.sessions import SessionRecord
from codemode.catalog.tenants import check_tenant
from codemode.database import copies
from codemode.database.clock import iso, now, now_ms, sure_ms
from codemode.database.engine_file import open_engine_file
from codemode.database.journal import Entry
from codemode.database.migrate import migrations
from codemode.errors import (
    BackupDamaged,
    RequestInvalid,
    SessionBusy,
    SessionDamaged,
    SessionExists,
    SessionNotFound,
    StorageFull,
)
from codemode.guard import foreign
from codemode.limits import Limits
from codemode.session.accounts import write_log
from codemode.session.archive import CATALOG, ArchiveReader, Member, SessionCopy
from codemode.session.backups import CHECK_SECONDS, Progress, nothing_to_tell
from codemode.session.checkpoints import checked_name, until_now
from codemode.session.files import RESTORING, SessionFiles, storage_errors
from codemode.session.going_back import Journey
from codemode.session.ids import directory_name, parse_session_id, ulid
from codemode.session.provenance import HOST
from codemode.session.registry import Registry
from codemode.session.slots import Key
from codemode.session.turn import file_lock
from codemode.values import Restored, RestoredSession, Totals

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
    A restored session expires as one that is used now. Raises BackupDamaged, SessionNewer, SessionNotFound,
    SessionExists, SessionBusy, StorageFull; sessions that were restored before such an error stay so.
    """
    with ArchiveReader(archive) as reader:
        chosen = [(each, _record(each, new_id)) for each in selected(reader, tenant, session_id, new_id)]
        there = {(record.tenant, record.id) for _, record in chosen if _is_there(registry, record)}
        if there and existing == "error":
            raise _exist(sorted(there))
        wanted = [pair for pair in chosen if existing == "replace" or (pair[1].tenant, pair[1].id) not in there]
        whole = tenant is None and session_id is None
        with _stage(registry.storage.data_dir) as stage:
            restoring = _Restoring(registry, reader, stage, progress)
            catalog = restoring.staged_catalog() if whole else None
            staged = [restoring.staged(copy, record) for copy, record in wanted]
            if catalog is not None:
                take_over(registry.catalog.file, catalog)
            done = [restoring.place(each, archive.name, existing) for each in staged]
    passed = [_told(copy, record, "skipped") for copy, record in chosen if (copy, record) not in wanted]
    return Restored(file=str(archive), sessions=(*done, *passed), catalog=catalog is not None)


def selected(
    reader: ArchiveReader, tenant: str | None, session_id: str | None, new_id: str | None = None
) -> list[SessionCopy]:
    """The sessions of a backup that are meant; raises SessionNotFound and RequestInvalid."""
    if new_id is not None and session_id is None:
        raise RequestInvalid("one session can have a new id", hint="name it: -s SESSION")
    found = [
        each for each in reader.manifest.sessions if tenant in (None, each.tenant) and session_id in (None, each.id)
    ]
    if session_id is not None and not found:
        known = sorted({each.id for each in reader.manifest.sessions if tenant in (None, each.tenant)})
        raise SessionNotFound(f"there is no session {session_id} in {reader.path}", available=known)
    if session_id is not None and len(found) > 1:
        raise RequestInvalid(
            f"several tenants have a session {session_id} in {reader.path}",
            hint="name one of them: --tenant", available=[each.tenant for each in found],
        )  # fmt: skip
    return found


def check_databases(reader: ArchiveReader, place: Path, progress: Progress = nothing_to_tell) -> None:
    """Extract each database of a backup, one at a time, and look at every page of it; raises what `restore` raises."""
    manifest, done = reader.manifest, 0
    kinds = {each.log.name: foreign.LOG for each in manifest.sessions if each.log is not None}
    if manifest.catalog is not None:
        kinds[manifest.catalog.name] = foreign.CATALOG
    total = sum(member.size_bytes for member in manifest.members())

    def step(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    for member in manifest.members():
        with _extracted(reader, member, place / "checked.db", step) as path:
            _check(path, kinds.get(member.name))


@dataclass
class _Restoring:
    """One restore under way, with the directory that it prepares things in."""

    registry: Registry
    reader: ArchiveReader
    stage: Path
    progress: Progress
    _done: int = 0

    def __post_init__(self) -> None:
        self._total = sum(member.size_bytes for member in self.reader.manifest.members())

    def step(self, size: int) -> None:
        self._done += size
        self.progress(min(self._done, self._total), self._total)

    def staged_catalog(self) -> Path | None:
        """The backup's catalogue, checked, where it is to be taken over."""
        member = self.reader.manifest.catalog
        if member is None or not is_untouched(self.registry.catalog.file):
            return None
        path = self.stage / CATALOG
        self.reader.extract(member, path, self.step)
        _check(path, foreign.CATALOG)
        open_engine_file(path, migrations(*foreign.CATALOG)).close(True)
        return path

    def staged(self, copy: SessionCopy, record: SessionRecord) -> _Staged:
        """Extract a session, check it, and bring it to the newest form."""
        files = SessionFiles(self.stage / directory_name(record.tenant, record.id))
        limits = self.registry.limits(record)
        with storage_errors(files.directory):
            _expect_space(self.stage, sum(member.size_bytes for member in copy.members()))
            files.directory.mkdir(mode=0o700)
            files.checkpoints.mkdir(mode=0o700)
        self.reader.extract(copy.database, files.database, self.step)
        _check(files.database, None, limits)
        with _in_backup():
            copies.make_ready(files.database, None, limits, until_now(CHECK_SECONDS), renew=True, whole=True)
        copies.sync(files.database)
        if copy.log is not None:
            self.reader.extract(copy.log, files.log, self.step)
            _check(files.log, foreign.LOG)
        for each in copy.checkpoints:
            path = files.checkpoints / f"{checked_name(each.name).encode().hex()}.db"
            self.reader.extract(each.file, path, self.step)
            _check(path, None, limits)
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
                raise _exist([staged.key])
        raise SessionBusy(f"session {staged.record.id} is being made and removed again and again", hint="try again")

    def _rename(self, staged: _Staged) -> bool:
        """Move the staged directory to where there is none; whether there was none."""
        registry, seconds = self.registry, self.registry.storage.limits.queue_seconds
        over = registry.catalog.get(*staged.key)
        if over is not None and not registry.expire(over) and over.expired_at is None:
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
            registry.catalog.put(staged.record)
            Participants(registry.catalog.file).replace(*staged.key, staged.copy.participants)
            return True

    def _replace(self, staged: _Staged, name: str) -> None:
        registry, seconds = self.registry, self.registry.storage.limits.queue_seconds
        if registry.catalog.get(*staged.key) is None:  # a file whose record was lost
            registry.catalog.put(staged.record)
        try:
            with registry.turn(staged.key, seconds) as opened:
                entry, started = Entry(HOST, now(), "restore", f"backup {name}", 0.0), time.monotonic()
                until = until_now(CHECK_SECONDS)
                with opened.deadline.until(until):
                    journey = Journey(opened, lambda: self.step(0), until)
                    journey.to_copy(staged.files.database, f"restore {name}")
                entry.duration_ms = round((time.monotonic() - started) * 1000, 3)
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
            self.registry.on_gone(staged.key)
            self.registry.catalog.touch(*staged.key, now_ms())


def _record(copy: SessionCopy, new_id: str | None) -> SessionRecord:
    """The record that a session gets, of what an archive says: it is checked as what a caller says is."""
    moment = now_ms()
    try:
        msgspec.convert(copy.limits, Limits)
        tenant, session_id = check_tenant(copy.tenant), parse_session_id(copy.id)
        if (
            not 0 < copy.idle_ms < 2**53
            or not 0 <= copy.created_at <= moment + 86_400_000
            or len(copy.owner or "") > 1_000
        ):
            raise RequestInvalid("a figure of it is out of bounds")
        for each in copy.checkpoints:
            checked_name(each.name)
        for one in copy.participants:
            parse_user(one.user)
        if len({one.user for one in copy.participants}) != len(copy.participants):
            raise RequestInvalid("somebody takes part in it twice")
    except (RequestInvalid, msgspec.ValidationError) as error:
        raise BackupDamaged(f"the backup describes no session: {error}", hint="use another backup") from None
    return SessionRecord(
        tenant=tenant, id=session_id if new_id is None else parse_session_id(new_id), created_at=copy.created_at,
        last_activity=moment, idle_ms=copy.idle_ms, pinned=copy.pinned, limits=copy.limits, expired_at=None,
        stateful=copy.stateful, owner=copy.owner,
    )  # fmt: skip


def _is_there(registry: Registry, record: SessionRecord) -> bool:
    """Whether there is a session of this id that has not expired, or a database that only lacks its record."""
    known = registry.catalog.get(record.tenant, record.id)
    if known is not None:
        return not known.is_over(sure_ms())
    return registry.files((record.tenant, record.id)).database.exists()


def _exist(keys: list[Key]) -> SessionExists:
    names = ", ".join(key[1] for key in keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
    return SessionExists(
        f"there is a session {names} already" if len(keys) == 1 else f"there are sessions {names} already",
        hint="restore one as another id, replace what is there on purpose (--force), or leave it (--skip-existing)",
    )


def _clear_rest(files: SessionFiles, seconds: float) -> None:
    """Remove a directory without a database, as a session whose making was cut short leaves it."""
    if not files.directory.exists() or files.database.exists():
        return
    with file_lock(files.lock, seconds):
        if not files.database.exists():
            files.remove()


def _told(copy: SessionCopy, record: SessionRecord, done: Literal["made", "replaced", "skipped"]) -> RestoredSession:
    return RestoredSession(tenant=record.tenant, id=record.id, done=done, as_of=iso(copy.taken_at))


def _check(path: Path, kind: tuple[str, str] | None, limits: Limits | None = None) -> None:
    """Look at every page of an extracted database: `kind` is that of a file of the engine, None a session's."""
    until = until_now(CHECK_SECONDS)
    with _in_backup():
        if kind is None:
            foreign.check_session(path, limits or Limits(), until)
        else:
            foreign.check_engine_file(path, kind, until)


@contextmanager
def _in_backup() -> Iterator[None]:
    """What is wrong with a database of the backup is said of the backup: no session is damaged."""
    try:
        yield
    except SessionDamaged as error:
        raise BackupDamaged(f"a database in the backup: {error.message}", hint="use another backup") from None


@contextmanager
def _extracted(reader: ArchiveReader, member: Member, path: Path, step: Callable[[int], None]) -> Iterator[Path]:
    try:
        reader.extract(member, path, step)
        yield path
    finally:
        path.unlink(missing_ok=True)


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
        shutil.rmtree(stage, ignore_errors=True)
