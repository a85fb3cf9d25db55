"""Sessions by id: made on first use, opened on first use, closed when others were used more recently.

A session is looked up in the catalogue at every turn, under its file lock: what another process did to it in the
meantime (removed it, expired it, made it anew) is seen, and an expired one is never used by accident.
"""

from __future__ import annotations

import logging
import os
import resource
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from codemode.catalog.promotion import Promotion
from codemode.catalog.retention import Retention
from codemode.catalog.sessions import REMEMBER_MS, SessionRecord, Sessions
from codemode.database.clock import iso, now_ms, sure_ms
from codemode.database.template import log_template, session_template
from codemode.database.usage import days_of
from codemode.errors import CodemodeError, SessionBusy, SessionDamaged, SessionExpired, SessionNotFound
from codemode.limits import Limits
from codemode.session.accounts import Account
from codemode.session.files import SessionFiles, sweep_rubbish
from codemode.session.opened import Guarded, LogBounds, OpenSession, Reader
from codemode.session.slots import Key, Slot, Slots
from codemode.session.telling import Telling
from codemode.session.turn import file_lock, take_file_lock
from codemode.session.uses import Uses
from codemode.values import Day, summed

_log = logging.getLogger("codemode")
Files = TypeVar("Files", bound=Guarded)
_CLOSE_SECONDS = 10.0  # a run whose child was killed needs milliseconds to roll back
_ATTEMPTS = 5
# Of an open session with its reader: at most three for each of six SQLite connections to files, two for its history.
_DESCRIPTORS = 20
_LEFT_MS = 2 * 86_400_000  # for so long it is looked whether a removal that was killed has left something
_AT_A_SWEEP = 10_000  # expired sessions that one sweep looks at; the next one goes on
_TOUCH_MS = 1_000  # how exact the time of last use is; expiry is counted in hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where sessions live, and what bounds them."""

    data_dir: Path
    limits: Limits
    log: LogBounds
    record_ms: int = REMEMBER_MS  # how long what is known of an expired session stays
    promotion: Promotion | None = None  # which sessions are pinned without being asked


class Registry:
    """The sessions of one worker."""

    def __init__(self, storage: Storage, catalog: Sessions) -> None:
        self.storage, self.catalog = storage, catalog
        self.slots = Slots(affordable(storage.limits.open_sessions))
        self.account = Account()
        self.uses = Uses()
        self.telling = Telling(catalog.file, storage.data_dir)
        self._opened: weakref.WeakSet[Guarded] = weakref.WeakSet()
        self._opened_lock = threading.Lock()
        self.on_gone: Callable[[Key], object] = lambda key: None  # the data of a session is gone, at its own turn

    def files(self, key: Key) -> SessionFiles:
        """Where the session's files are."""
        return SessionFiles.of(self.storage.data_dir, *key)

    def ensure(
        self, key: Key, *, create: bool, renew: bool, limits: Limits | None, owner: str | None = None
    ) -> SessionRecord:
        """The session's record, made on first use; raises SessionNotFound or SessionExpired."""
        record = self.catalog.get(*key)
        if record is None:
            if not create:
                raise not_found(key[1])
            self._create(key, limits, owner)
        elif record.is_over(sure_ms()):
            self.expire(record)
            if not renew:
                raise _expired(record)
            self._create(key, limits, owner)
        elif renew and self._is_damaged(key):
            self._set_aside(key)
        elif limits is not None:
            self._lower(key, record, limits)
        else:
            return record
        found = self.catalog.get(*key)
        if found is None:
            raise not_found(key[1])
        return found

    def _create(self, key: Key, limits: Limits | None, owner: str | None) -> None:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # the directory was removed by somebody else before it was locked
                self._make(key, limits, owner)
                return
        raise SessionBusy(f"session {key[1]} is being removed again and again", hint="try again")

    def _make(self, key: Key, limits: Limits | None, owner: str | None) -> None:
        files = self.files(key)
        files.prepare()
        with file_lock(files.lock, self.storage.limits.queue_seconds):
            if not files.database.exists():
                files.create(session_template(), log_template())
            # A file without a record is kept as it is: a lost catalogue must not empty its sessions.
            self.enrol(key, {} if limits is None else _lowered(limits), owner)

    def enrol(self, key: Key, own: dict[str, Any], owner: str | None = None) -> None:
        """Record a session whose file is in its place, with its lowered limits; only under its lock."""
        idle = self._limits(own).idle_seconds
        self.catalog.create(*key, now=now_ms(), idle_ms=int(idle * 1000), limits=own, owner=owner)

    def _lower(self, key: Key, record: SessionRecord, limits: Limits) -> None:
        own = _lowered(limits)
        if own == record.limits:
            return
        self.catalog.set_limits(*key, own, int(self._limits(own).idle_seconds * 1000))
        with self.slots.turn(key, self.storage.limits.queue_seconds) as slot:
            slot.close()

    def limits(self, record: SessionRecord) -> Limits:
        """The session's limits: the worker's, and lower where the session itself lowered them."""
        return self._limits(record.limits)

    def _limits(self, own: dict[str, Any]) -> Limits:
        return Limits(**own).within(self.storage.limits) if own else self.storage.limits

    def _is_damaged(self, key: Key) -> bool:
        try:
            with self.turn(key, self.storage.limits.queue_seconds) as opened:
                return not opened.is_sound()
        except SessionDamaged:
            return True

    def _set_aside(self, key: Key) -> None:
        """Keep the damaged file beside the new one that takes its place: renewing was asked for on purpose."""
        files = self.files(key)
        files.prepare()
        with file_lock(files.lock, self.storage.limits.queue_seconds):
            aside = f"damaged-{now_ms()}"
            files.set_aside_database(aside)
            self.on_gone(key)
            _log.warning("session %s is made anew; its damaged file is kept as %s.%s", key[1], files.database, aside)
            files.create(session_template(), log_template())
            self.catalog.touch(*key, now_ms())

    @contextmanager
    def turn(self, key: Key, seconds: float, *, granted: bool = False) -> Iterator[OpenSession]:
        """The session, open and nobody else's, for one execution or call.

        `granted` says that the caller has the turn already (from its queue), and gives it back by leaving this block.

        Raises SessionBusy after `seconds`, SessionNotFound, SessionExpired, SessionDamaged.
        """
        until = time.monotonic() + seconds
        with self.slots.turn(key, seconds, granted=granted) as slot:
            files = self.files(key) if slot.opened is None else slot.opened.files
            lock = self._lock(key, files, until)
            try:
                record = self.record(key)
                opened = self._open(slot, files, record)
                opened.record = record
                try:
                    yield opened
                finally:
                    self._turn_over(key, slot, opened)
            finally:
                os.close(lock)

    def _lock(self, key: Key, files: SessionFiles, until: float) -> int:
        try:
            return take_file_lock(files.lock, until)
        except FileNotFoundError:
            self.record(key)
            raise missing() from None

    def _turn_over(self, key: Key, slot: Slot, opened: OpenSession) -> None:
        if not opened.is_settled():
            slot.close()
        if opened.used is not None:
            self.uses.add(key, opened.used)
            opened.used = None
        self._touch(opened.record)
        self.uses.remind(self._tell_in_time)

    @contextmanager
    def reading(self, key: Key) -> Iterator[Reader]:
        """The session's reader, for a moment: without a turn, so it waits for no execution in any process."""
        with self.slots.used(key) as slot:
            while True:
                reader = self._reader(slot, key)
                with reader.lock:
                    if reader.closed:  # between the two lines, by whoever removed the session: look again
                        continue
                    yield reader
                    return

    def _reader(self, slot: Slot, key: Key) -> Reader:
        record = self.record(key)
        with slot.reader_lock:
            reader = slot.reader
            if reader is not None and (
                reader.closed or not reader.is_current() or reader.limits != self.limits(record)
            ):
                reader.close()
                slot.reader = None
            if slot.reader is None:
                slot.reader = self.new_reader(key, record)
            return slot.reader

    def new_reader(self, key: Key, record: SessionRecord | None = None) -> Reader:
        """A reader of the caller's own, to be closed by it."""
        record = record or self.record(key)
        try:
            return self._known(Reader(self.files(key), self.limits(record), self.storage.log))
        except FileNotFoundError:
            self.record(key)
            raise missing() from None

    def is_free(self, key: Key, *, granted: bool) -> bool:
        """Whether the turn of an open session without variables is likely to come at once, or was `granted`."""
        slot = self.slots.find(key)
        if slot is None or (slot.queue.busy and not granted):
            return False
        opened = slot.opened
        return opened is not None and not opened.record.stateful

    def cancel(self, key: Key) -> bool:
        """End the session's running execution, if there is one; whether there was."""
        slot = self.slots.find(key)
        opened = None if slot is None else slot.opened
        return opened is not None and opened.deadline.cancel_running()

    def interrupt(self) -> None:
        """End every statement that runs in this process: its worker is about to close, and nobody waits any more."""
        with self._opened_lock:
            opened = list(self._opened)
        for each in opened:
            each.deadline.interrupt()

    def _known(self, opened: Files) -> Files:
        with self._opened_lock:
            self._opened.add(opened)
        return opened

    def record(self, key: Key) -> SessionRecord:
        """The session's record; raises SessionNotFound and SessionExpired."""
        record = self.catalog.get(*key)
        if record is None:
            raise not_found(key[1])
        if record.is_over(sure_ms()):
            raise _expired(record)
        return record

    def _open(self, slot: Slot, files: SessionFiles, record: SessionRecord) -> OpenSession:
        opened = slot.opened  # limits are compared, since another process may have lowered them
        if opened is not None and (not opened.is_current() or opened.record.limits != record.limits):
            slot.close()
        if slot.opened is None:
            storage = self.storage
            try:
                opened = self._known(OpenSession(files, self._limits(record.limits), storage.log))
            except FileNotFoundError:
                raise missing() from None
            opened.record = record  # before anybody sees it
            slot.opened = opened
        return slot.opened

    def touch(self, key: Key) -> None:
        """The session was used just now."""
        self._touch(self.record(key))

    def _touch(self, record: SessionRecord) -> None:
        now = now_ms()
        if now - record.last_activity >= min(_TOUCH_MS, record.idle_ms // 20):
            try:
                self.catalog.touch(record.tenant, record.id, now)
                self.tell_uses()
            except CodemodeError as error:  # what was committed stays so, and its outcome must reach the caller
                _log.warning("the last use of session %s is not recorded: %s", record.id, error)

    def tell_uses(self) -> None:
        """Tell the catalogue what sessions were used for since it was told last."""
        if (uses := self.uses.take()) and not self.catalog.file.behind:
            try:
                self.catalog.note_uses(uses, self.storage.promotion)
            except CodemodeError:
                self.uses.give_back(uses)
                raise

    def _tell_in_time(self) -> None:
        try:
            self.tell_uses()
        except CodemodeError as error:
            _log.warning("the last uses of sessions are not recorded: %s", error)

    def expire(self, record: SessionRecord) -> bool:
        """End a session whose time is over, with its database, log, checkpoints and spills; False when it is in use.

        Decided again under the session's lock: it may have been used since `record` was read.
        """
        key = (record.tenant, record.id)
        with suppress(SessionBusy), self.slots.turn(key, 0.0) as slot:
            files = self.files(key)
            with suppress(FileNotFoundError), file_lock(files.lock, 0.0):
                fresh = self.catalog.get(*key)
                if fresh is None or not fresh.is_over(sure_ms()):
                    return False
                # The record first: from here on nobody opens what is about to be deleted.
                if fresh.expired_at is None:
                    self.uses.drop(key)
                    self.catalog.expire(*key, now_ms(), days_of(files.log))
                slot.close()
                files.remove()
                self.on_gone(key)
                return True
            # There is no directory: it was removed, or whoever makes the session anew has not made it yet.
            fresh = self.catalog.get(*key)
            if fresh is None or not fresh.is_over(sure_ms()):
                return False
            if fresh.expired_at is None:
                self.catalog.expire(*key, now_ms())
            return True
        return False

    def remove(self, key: Key, seconds: float) -> None:
        """Delete a session and its record, expired or not; raises SessionNotFound or SessionBusy."""
        if self.catalog.get(*key) is None:
            raise not_found(key[1])
        with self.slots.turn(key, seconds) as slot:
            files = self.files(key)
            with suppress(FileNotFoundError), file_lock(files.lock, seconds):
                # Killed between these lines, the id answers "expired" and the sweep removes what is left: never a
                # session without its file, nor a file that comes back without its record.
                self.uses.drop(key)
                self.catalog.expire(*key, now_ms(), days_of(files.log))
                slot.close()
                files.remove()
                self.on_gone(key)
            self.catalog.forget(*key)

    def usage_by_day(self, tenant: str, user: str | None = None) -> list[Day]:
        """What the tenant's sessions cost, by day: read from the log of each, and from the catalogue for those gone.

        With a `user` only those that he takes part in; whose the ones that are gone were is not kept.
        """
        # The catalogue first: a session that goes meanwhile is missing for once, and never counted twice.
        found = self.catalog.days(tenant) if user is None else []
        for record in self.catalog.page(tenant, user, None, 2**62):
            if record.expired_at is None:
                found += days_of(self.files((tenant, record.id)).log)
        return summed(found)

    def sweep(self, tenant: str | None = None) -> list[str]:
        """Expire what is over and forget what expired long ago; the ids that expired now, of one tenant or of all."""
        now = sure_ms()
        expired = [record for record in self.catalog.over(now) if self._swept(record)]
        forgotten = now - self.storage.record_ms
        for record in self.catalog.expired(max(forgotten, now - _LEFT_MS), now + 1, _AT_A_SWEEP):
            self._is_gone(record)
        for record in self.catalog.expired(0, forgotten, _AT_A_SWEEP):
            if self._is_gone(record):
                self._forget(record, forgotten)
        self.tell_uses()
        sweep_rubbish(self.storage.data_dir)
        return [each.id for each in expired if tenant in (None, each.tenant)]

    def _is_gone(self, record: SessionRecord) -> bool:
        """Whether nothing is left of an expired session's directory: of a removal that was killed there may be."""
        return not self.files((record.tenant, record.id)).directory.exists() or self._swept(record)

    def _forget(self, record: SessionRecord, before: int) -> None:
        """Forget one whose directory is gone: while that is there, without a record, it would be found again, full."""
        if not self.catalog.file.behind:
            Retention(self.catalog.file).empty(record.tenant, record.id, before)
        self.catalog.forget_expired(record.tenant, record.id, before)

    def _swept(self, record: SessionRecord) -> bool:
        try:
            return self.expire(record)
        except CodemodeError as error:  # one that cannot be removed must not keep the others
            _log.warning("session %s is over and cannot be removed: %s", record.id, error)
            return False

    def close(self) -> None:
        """Close every open session, after what runs in it has ended."""
        self.slots.close(_CLOSE_SECONDS)
        self.telling.flush()
        self._tell_in_time()  # the figures are behind where that fails; nothing else is


def affordable(sessions: int) -> int:
    """As many of `sessions` open ones as the process's limit on descriptors bears, with half of it left to others."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return sessions
    return max(1, min(sessions, descriptors // 2 // _DESCRIPTORS))


def _lowered(limits: Limits) -> dict[str, Any]:
    """The limits that differ from the defaults: what a session asked for on purpose."""
    asked, default = msgspec.to_builtins(limits), msgspec.to_builtins(Limits())
    return {name: value for name, value in asked.items() if value != default[name]}


def missing() -> SessionDamaged:
    """The error for a session that is known and has no file."""
    return SessionDamaged("the session's database file is missing", hint="restore it from a copy, or renew the session")


def not_found(session_id: str) -> SessionNotFound:
    """The error for an id that no session has."""
    return SessionNotFound(f"there is no session {session_id}", hint="`codemode sessions ls` lists those there are")


def _expired(record: SessionRecord) -> SessionExpired:
    when = record.expired_at if record.expired_at is not None else record.expires_at
    return SessionExpired(
        f"session {record.id} expired {iso(when or 0)}; its data is gone",
        hint="make it anew on purpose (renew=True, `codemode run --renew`), or use another id",
    )
