"""What a backup says that it holds, and what it really holds: judged before anything is made of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from codemode.asked import checkpoint_name, parse_session_id
from codemode.catalog.participants import parse_user
from codemode.catalog.sessions import SessionRecord
from codemode.catalog.tenants import check_tenant
from codemode.database.clock import now_ms
from codemode.database.migrate import LOG
from codemode.errors import BackupDamaged, RequestInvalid, SessionDamaged, SessionNotFound
from codemode.guard import foreign
from codemode.limits import Limits, asked
from codemode.session.archive import ArchiveReader, Member, SessionCopy
from codemode.session.backups import CHECK_SECONDS, Progress, nothing_to_tell


def selected(
    reader: ArchiveReader, tenant: str | None, session_id: str | None, new_id: str | None = None
) -> list[SessionCopy]:
    """The sessions of a backup that are meant; raises SessionNotFound and RequestInvalid."""
    if new_id is not None and session_id is None:
        raise RequestInvalid("one session can have a new id", hint="name it (session_id, -s SESSION)")
    found = [
        each for each in reader.manifest.sessions if tenant in (None, each.tenant) and session_id in (None, each.id)
    ]
    if session_id is not None and not found:
        known = sorted({each.id for each in reader.manifest.sessions if tenant in (None, each.tenant)})
        raise SessionNotFound(f"there is no session {session_id} in {reader.path}", available=known)
    if session_id is not None and len(found) > 1:
        raise RequestInvalid(
            f"several tenants have a session {session_id} in {reader.path}",
            hint="name one of them (tenant, --tenant)", available=[each.tenant for each in found],
        )  # fmt: skip
    return found


def check_databases(reader: ArchiveReader, place: Path, progress: Progress = nothing_to_tell) -> None:
    """Extract each database of a backup, one at a time, and look at every page of it; raises what `restore` raises."""
    manifest, done = reader.manifest, 0
    kinds = {each.log.name: LOG for each in manifest.sessions if each.log is not None}
    if manifest.catalogue is not None:
        kinds[manifest.catalogue.name] = foreign.CATALOG
    total = sum(member.size_bytes for member in manifest.members())

    def step(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    for member in manifest.members():
        with _extracted(reader, member, place / "checked.db", step) as path:
            check_database(path, kinds.get(member.name))


def record_of(copy: SessionCopy, new_id: str | None) -> SessionRecord:
    """The record that a session gets, of what an archive says: it is checked as what a caller says is."""
    moment = now_ms()
    try:
        own = asked({}, copy.limits)
        tenant, session_id = check_tenant(copy.tenant), parse_session_id(copy.id)
        if (
            not 0 < copy.idle_ms < 2**53
            or not 0 <= copy.created_at <= moment + 86_400_000
            or len(copy.owner or "") > 1_000
            or not all(0 <= moment < 2**53 for one in copy.participants for moment in (one.joined_at, one.left_at or 0))
        ):
            raise RequestInvalid("a figure of it is out of bounds")
        for each in copy.checkpoints:
            checkpoint_name(each.name)
        for one in copy.participants:
            parse_user(one.user)
        if len({one.user for one in copy.participants}) != len(copy.participants):
            raise RequestInvalid("somebody takes part in it twice")
    except RequestInvalid as error:
        raise BackupDamaged(f"the backup describes no session: {error}", hint="use another backup") from None
    return SessionRecord(
        tenant=tenant, id=session_id if new_id is None else parse_session_id(new_id), created_at=copy.created_at,
        last_activity=moment, idle_ms=copy.idle_ms, pinned=copy.pinned, limits=own, expired_at=None,
        stateful=copy.stateful, owner=copy.owner,
    )  # fmt: skip


def check_database(path: Path, kind: tuple[str, str] | None, limits: Limits | None = None) -> None:
    """Look at every page of an extracted database: `kind` is that of a file of the engine, None a session's."""
    until = time.monotonic() + CHECK_SECONDS
    with said_of_the_backup():
        if kind is None:
            foreign.check_session(path, limits or Limits(), until)
        else:
            foreign.check_engine_file(path, kind, until)


@contextmanager
def said_of_the_backup() -> Iterator[None]:
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
