"""Make a backup: sessions as of one moment each, in one file that has been read back before it gets its name.

Each session is copied by SQLite's backup beside the target, checked there, packed, and deleted again: besides the
backup itself, room for one session is needed, and constant memory. Whoever works in a session does not wait.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from codemode import __version__
from codemode.catalog.copying import as_file, records_as_file
from codemode.catalog.participants import Participants
from codemode.catalog.sessions import SessionRecord
from codemode.database import copies
from codemode.database.clock import iso, now_ms
from codemode.database.execute import Connection
from codemode.database.migrate import LOG
from codemode.database.transfer import check_target, give_name
from codemode.errors import CodemodeError, RequestInvalid, StorageFull
from codemode.guard import foreign
from codemode.limits import Limits
from codemode.session.archive import (
    CATALOG,
    FORMAT,
    RECORDS,
    ArchiveReader,
    ArchiveWriter,
    CheckpointCopy,
    Manifest,
    Member,
    SessionCopy,
)
from codemode.session.checkpoints import Checkpoints, file_name
from codemode.session.ending import not_found
from codemode.session.files import beside, storage_errors
from codemode.session.ids import directory_name
from codemode.session.registry import Registry, missing
from codemode.session.slots import Key
from codemode.session.snapshots import Snapshot, snapshot
from codemode.values import Backup, LeftOut

Progress = Callable[[int, int], None]  # bytes done and bytes in all, both about; raises to give up
CHECK_SECONDS = 600.0  # for reading one database file through: a gibibyte takes seconds
_NEW = "name a new file: a backup is never written over another one"


def nothing_to_tell(done: int, total: int) -> None:
    """The progress of those who do not want to know."""


def back_up(
    registry: Registry,
    target: Path,
    tenant: str | None = None,
    session_id: str | None = None,
    progress: Progress = nothing_to_tell,
) -> Backup:
    """Write a backup of everything, of a tenant, or of one session of it, to the new file `target`.

    Sessions that cannot be read are left out and told of. Raises RequestInvalid where `target` exists, SessionNotFound
    and SessionExpired for the one session that was asked for, StorageFull. Nothing is left of a backup that fails.
    """
    target = target.absolute()
    check_target(target, force=True)
    if target.exists():
        raise RequestInvalid(f"{target} exists", hint=_NEW)
    if session_id is not None:
        keys = [(tenant or "", registry.record((tenant or "", session_id)).id)]
    else:
        keys = registry.catalog.keys(tenant)
    with beside(target) as place:
        making = _Making(registry, place, progress)
        manifest = making.all(keys, tenant, session_id)
        if session_id is not None and not manifest.sessions:
            raise making.errors[0]
        made = verified(making.archive, making.step)
        with storage_errors(target):
            size = making.archive.stat().st_size
            give_name(making.archive, target, force=False, otherwise=_NEW)
            copies.sync(target.parent)
    return described(target, made, size)


def verified(archive: Path, step: Callable[[int], None]) -> Manifest:
    """Read a backup through and compare every byte with its manifest; raises BackupDamaged."""
    with ArchiveReader(archive) as reader:
        reader.verify(step)
        return reader.manifest


def described(file: Path, manifest: Manifest, size_bytes: int) -> Backup:
    """What is told of a backup."""
    notes = [f"{each.id}: {note}" for each in manifest.sessions for note in each.notes]
    return Backup(
        file=str(file),
        created_at=iso(manifest.created_at),
        size_bytes=size_bytes,
        data_bytes=sum(member.size_bytes for member in manifest.members()),
        sessions=len(manifest.sessions),
        left_out=manifest.left_out,
        notes=tuple(notes),
    )


@dataclass
class _Making:
    """One backup under way, in the directory `place`."""

    registry: Registry
    place: Path
    progress: Progress
    _done: int = 0
    _total: int = 0
    errors: list[CodemodeError] = field(default_factory=list)
    _left_out: list[LeftOut] = field(default_factory=list)

    @property
    def archive(self) -> Path:
        return self.place / "archive"

    def step(self, size: int) -> None:
        self._done += size
        self.progress(min(self._done, self._total), self._total)

    def all(self, keys: list[Key], tenant: str | None, session_id: str | None) -> Manifest:
        self._total = 3 * sum(self.registry.files(key).size_bytes() for key in keys)  # copied, packed, read back
        # Its close too: what a full disk did not take is written once more there.
        with storage_errors(self.archive), closing(ArchiveWriter(self.archive)) as writer:
            catalog = self._catalog(writer) if tenant is None else None
            records = None if tenant is None else self._records(writer, keys)
            sessions = tuple(copied for key in keys if (copied := self._session(writer, key)) is not None)
            manifest = Manifest(
                format=FORMAT, codemode=__version__, created_at=now_ms(), tenant=tenant, session=session_id,
                sessions=sessions, left_out=tuple(self._left_out), catalog=catalog, records=records,
            )  # fmt: skip
            writer.finish(manifest)
            return manifest

    def _session(self, writer: ArchiveWriter, key: Key) -> SessionCopy | None:
        """The session as it went into the archive, or None with a word on why not."""
        try:
            record = self.registry.record(key)
            files = self.registry.files(key)
            with snapshot(files, Checkpoints(files, self.registry.limits(record))) as found:
                return self._copied(writer, record, found)
        except FileNotFoundError:
            known = self.registry.catalog.get(*key) is not None
            self._leave_out(key, missing(self.registry.files(key)) if known else not_found(key))
        except StorageFull:
            raise
        except CodemodeError as error:
            self._leave_out(key, error)
        return None

    def _leave_out(self, key: Key, error: CodemodeError) -> None:
        self.errors.append(error)
        self._left_out.append(LeftOut(tenant=key[0], id=key[1], code=error.code, message=error.message))

    def _copied(self, writer: ArchiveWriter, record: SessionRecord, found: Snapshot) -> SessionCopy:
        folder, limits = f"sessions/{directory_name(record.tenant, record.id)}", self.registry.limits(record)
        notes: list[str] = [] if found.between_executions else ["an execution had it for long: its log may be behind"]
        # All of it is copied and checked before anything is packed: a session is in the archive whole or not at all.
        with self._copy(found.database, "session.db") as data, self._log_copy(found, notes) as log:
            version = foreign.check_session(data, limits, time.monotonic() + CHECK_SECONDS)
            database = writer.add(f"{folder}/session.db", data, version, self.step)
            return SessionCopy(
                tenant=record.tenant, id=record.id, taken_at=found.taken_at,
                between_executions=found.between_executions, created_at=record.created_at, idle_ms=record.idle_ms,
                pinned=record.pinned, stateful=record.stateful, owner=record.owner, limits=record.limits,
                participants=tuple(Participants(self.registry.catalog.file).all(record.tenant, record.id)),
                database=database, log=log and writer.add(f"{folder}/log.db", *log, self.step),
                checkpoints=tuple(self._checkpoints(writer, folder, limits, found, notes)), notes=tuple(notes),
            )  # fmt: skip

    @contextmanager
    def _log_copy(self, found: Snapshot, notes: list[str]) -> Iterator[tuple[Path, int] | None]:
        if found.log is None:
            if found.log_damaged:
                notes.append("its log is damaged, and not in the backup")
            yield None
            return
        with self._copy(found.log, "log.db") as path:
            try:
                version = foreign.check_engine_file(path, LOG, time.monotonic() + CHECK_SECONDS)
            except CodemodeError as error:
                notes.append(f"its log is not in the backup: {error.message}")
                yield None
                return
            yield path, version

    def _checkpoints(
        self, writer: ArchiveWriter, folder: str, limits: Limits, found: Snapshot, notes: list[str]
    ) -> Iterator[CheckpointCopy]:
        for each in found.checkpoints:
            path = self.place / "checkpoint.db"
            try:
                _spooled(each.file, path)
                version = foreign.check_session(path, limits, time.monotonic() + CHECK_SECONDS)
                member = writer.add(f"{folder}/checkpoints/{file_name(each.name)}", path, version, self.step)
                yield CheckpointCopy(name=each.name, created_at=each.created_at, file=member)
            except StorageFull:
                raise
            except CodemodeError as error:
                notes.append(f"its checkpoint {each.name} is not in the backup: {error.message}")
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _copy(self, origin: Connection, name: str) -> Iterator[Path]:
        """The copy of one open file, deleted when the block ends."""
        path = self.place / name
        try:
            with copies.explained(path):
                copies.write(origin, path, lambda: self.step(0))
            self.step(path.stat().st_size)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _catalog(self, writer: ArchiveWriter) -> Member:
        """The catalogue, tokens as hashes included: their secrets are nowhere."""
        path, store = self.place / CATALOG, self.registry.catalog.file
        if store.kind == "sqlite":
            copies.take(self.registry.storage.data_dir / CATALOG, path, lambda: self.step(0))
        else:
            as_file(store, self.place)  # so that a backup is the same whatever the store, and comes back into any
        return self._packed_catalog(writer, CATALOG, path)

    def _records(self, writer: ArchiveWriter, keys: list[Key]) -> Member | None:
        """What the catalogue knows of these sessions; nothing where it is of a form that knows of no such things."""
        store = self.registry.catalog.file
        return None if store.behind else self._packed_catalog(writer, RECORDS, records_as_file(store, self.place, keys))

    def _packed_catalog(self, writer: ArchiveWriter, name: str, path: Path) -> Member:
        version = foreign.check_engine_file(path, foreign.CATALOG, time.monotonic() + CHECK_SECONDS)
        member = writer.add(name, path, version, self.step)
        path.unlink()
        return member


def _spooled(source: BinaryIO, target: Path) -> None:
    with storage_errors(target), target.open("xb") as file:
        shutil.copyfileobj(source, file)
