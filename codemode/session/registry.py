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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, NamedTuple, TypeVar

from msgspec import structs

from codemode.catalog.sessions import ALL, SessionRecord, Sessions
from codemode.catalog.tenants import Tenants
from codemode.database.clock import iso, now_ms, sure_ms
from codemode.database.template import log_template, session_template
from codemode.database.usage import days_of
from codemode.errors import CodemodeError, SessionBusy, SessionDamaged, SessionExpired
from codemode.limits import Limits, held
from codemode.session.accounts import Account
from codemode.session.ending import Ending, not_found
from codemode.session.files import SessionFiles
from codemode.session.opened import Guarded, OpenSession, Reader
from codemode.session.slots import Key, Slot, Slots
from codemode.session.storage import Storage
from codemode.session.telling import Telling
from codemode.session.turn import file_lock, take_file_lock
from codemode.session.uses import Uses
from codemode.values import Day, summed
from sandbox import Cancel

_log = logging.getLogger("codemode")
Files = TypeVar("Files", bound=Guarded)
_CLOSE_SECONDS = 10.0  # a run whose child was killed needs milliseconds to roll back
_ATTEMPTS = 5
# Of an open session with its reader: at most three for each of six SQLite connections to files, two for its history.
_DESCRIPTORS = 20
_TOUCH_MS = 1_000  # how exact the time of last use is; expiry is counted in hours


class Ensured(NamedTuple):
    """The record of a session that was asked for, and whether it was made for that: for the first time, or anew."""

    record: SessionRecord
    made: bool


class Registry:
    """The sessions of one worker."""

    def __init__(self, storage: Storage, catalog: Sessions) -> None:
        self.storage, self.catalog = storage, catalog
        self.slots = Slots(affordable(storage.limits.open_sessions))
        self.account = Account()
        self.uses = Uses(catalog, storage.promotion)
        self.ending = Ending(storage, catalog, self.slots, self.uses)
        self.telling = Telling(catalog.file, storage.data_dir)
        self._opened: weakref.WeakSet[Guarded] = weakref.WeakSet()
        self._opened_lock = threading.Lock()

    def files(self, key: Key) -> SessionFiles:
        """Where the session's files are."""
        return self.storage.files(key)

    def ensure(
        self,
        key: Key,
        *,
        create: bool,
        renew: bool,
        own: dict[str, Any] | None,
        owner: str | None = None,
        stateful: bool | None = None,
        place: Mapping[str, Any] | None = None,
        check: Callable[[], object] | None = None,
    ) -> Ensured:
        """The session, made on first use and, to `renew` it, anew where it is over or damaged.

        `own` are the limits that it asks for, as `limits.asked` has them; `place` is what one that is made is, as
        `Places.update` has it. `check` raises where a session that is there is none that the caller may change: it
        may be somebody's who has made it a moment ago. Raises SessionNotFound, SessionExpired, RecordNotFound for the
        workspace of `place`, and RequestInvalid for a tenant that there is not.
        """
        record = self.catalog.get(*key)
        if record is None or record.is_removed:
            if not create:
                raise not_found(key)
            if record is not None:  # after whoever removes it, or with what he left
                self.ending.expire(record, self.storage.limits.queue_seconds)
            Tenants(self.catalog.file).get(key[0])  # a slip of the pen gets no directory
            record, made = None, self._create(key, own or {}, owner, place)
        elif record.is_over(sure_ms()):
            self.ending.expire(record)
            if not renew:
                raise _expired(record)
            record, made = None, self._create(key, own or {}, owner, place)
        else:
            made = renew and self.is_damaged(key)
            if made:
                if check is not None:
                    check()
                self._set_aside(key)
                self._put(key, place)
        found = self.known(key) if record is None or made else record
        return Ensured(self.change(found, own, stateful, None if made else check), made)

    def change(
        self,
        record: SessionRecord,
        own: dict[str, Any] | None,
        stateful: bool | None = None,
        check: Callable[[], object] | None = None,
    ) -> SessionRecord:
        """The session with these limits, and with or without variables; None leaves them. `check` is as above."""
        bounds = record.limits if own is None else own
        stays = record.stateful if stateful is None else stateful
        if (bounds, stays) == (record.limits, record.stateful):
            return record
        key, idle_ms = (record.tenant, record.id), record.idle_ms
        # Or it could become somebody else's after the check; for one that nobody else has, no other tenant has to wait.
        with nullcontext() if check is None else self.catalog.file.at_once():
            if check is not None:
                check()
            if bounds != record.limits:  # heeded from the next turn on, which compares them
                idle_ms = int(held(bounds, self.storage.limits).idle_seconds * 1000)
                self.catalog.set_limits(*key, bounds, idle_ms)
            if stays != record.stateful:
                self.catalog.set_stateful(*key, stays)
        return structs.replace(record, limits=bounds, idle_ms=idle_ms, stateful=stays)

    def _create(self, key: Key, own: dict[str, Any], owner: str | None, place: Mapping[str, Any] | None) -> bool:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # the directory was removed by somebody else before it was locked
                return self._make(key, own, owner, place)
        raise SessionBusy(f"session {key[1]} is being removed again and again", hint="try again")

    def _make(self, key: Key, own: dict[str, Any], owner: str | None, place: Mapping[str, Any] | None) -> bool:
        files = self.files(key)
        files.prepare()
        with file_lock(files.lock, self.storage.limits.queue_seconds):
            if not files.database.exists():
                files.create(session_template(), log_template())
            # A file without a record is kept as it is: a lost catalogue must not empty its sessions.
            # At once: whoever is killed in between leaves no session that is nowhere and that a retry only finds.
            with self.catalog.file.at_once() if place else nullcontext():
                made = self.enrol(key, own, owner)
                if made:
                    self._put(key, place)
            return made

    def _put(self, key: Key, place: Mapping[str, Any] | None) -> None:
        if place:
            from codemode.catalog.tenant import TenantRecords  # most sessions have no place

            tenant, session_id = key
            TenantRecords(self.catalog.file, tenant).sessions.update(session_id, now=now_ms(), **place)

    def enrol(self, key: Key, own: dict[str, Any], owner: str | None) -> bool:
        """Record a session whose file is in its place, with its lowered limits; only under its lock.

        False where another process has recorded it first.
        """
        idle = held(own, self.storage.limits).idle_seconds
        return self.catalog.create(*key, now=now_ms(), idle_ms=int(idle * 1000), limits=own, owner=owner)

    def limits(self, record: SessionRecord) -> Limits:
        """The session's limits: the worker's, and lower where the session itself lowered them."""
        return held(record.limits, self.storage.limits)

    def is_damaged(self, key: Key) -> bool:
        """Whether the session's file cannot be trusted, which takes reading all of it."""
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
            self.ending.on_gone(key)
            _log.warning("session %s is made anew; its damaged file is kept as %s.%s", key[1], files.database, aside)
            files.create(session_template(), log_template())
            self.catalog.touch(*key, now_ms())

    @contextmanager
    def turn(
        self, key: Key, seconds: float, *, granted: bool = False, stop: Cancel | None = None
    ) -> Iterator[OpenSession]:
        """The session, open and nobody else's, for one execution or call.

        `granted` says that the caller has the turn already (from its queue), and gives it back by leaving this block.

        `stop` is what `cancel` ends it by, and ends waiting for other processes with GivenUp.

        Raises SessionBusy after `seconds`, SessionNotFound, SessionExpired, SessionDamaged.
        """
        until = time.monotonic() + seconds
        with self.slots.turn(key, seconds, granted=granted) as slot:
            files = self.files(key) if slot.opened is None else slot.opened.files
            slot.stop = stop
            lock = None
            try:
                lock = self._lock(key, files, until, stop)
                record = self.record(key)
                opened = self._open(slot, files, record)
                opened.record = record
                try:
                    yield opened
                finally:
                    self._turn_over(key, slot, opened)
            finally:
                slot.stop = None
                if lock is not None:
                    os.close(lock)

    def _lock(self, key: Key, files: SessionFiles, until: float, stop: Cancel | None) -> int:
        while True:
            try:
                return take_file_lock(files.lock, until, stop)
            except FileNotFoundError:
                self.record(key)
                if not files.directory.exists():  # else it was made anew between the two lines above
                    raise missing(files) from None

    def _turn_over(self, key: Key, slot: Slot, opened: OpenSession) -> None:
        if not opened.is_settled():
            slot.close()
        elif opened.holds_much():  # alone: the reader may be read from
            opened.close()
            slot.opened = None
        if opened.used is not None:
            self.uses.add(key, opened.used)
            opened.used = None
        self._touch(opened.record)
        self.uses.remind()

    @contextmanager
    def reading(self, key: Key) -> Iterator[Reader]:
        """The session's reader, for a moment: without a turn, so it waits for no execution in any process."""
        with self.slots.used(key) as slot:
            while True:
                reader = self._reader(slot, key)
                with reader.lock:
                    if reader.closed:  # between the two lines, by whoever removed the session: look again
                        continue
                    try:
                        yield reader
                    finally:
                        if reader.holds_much():
                            reader.close()
                    return

    def _reader(self, slot: Slot, key: Key) -> Reader:
        record = self.record(key)
        with slot.reader_lock:
            self.slots.check_open()
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
        while True:
            try:
                return self._known(Reader(self.files(key), self.limits(record), self.storage.log))
            except FileNotFoundError:  # no removal waits for a reader
                record = self.record(key)
                if not self.files(key).database.exists():  # else it was made anew between the two lines above
                    raise missing(self.files(key)) from None

    def is_free(self, key: Key, *, granted: bool) -> bool:
        """Whether the turn of an open session without variables is likely to come at once, or was `granted`."""
        slot = self.slots.find(key)
        if slot is None or (slot.queue.busy and not granted):
            return False
        opened = slot.opened
        return opened is not None and not opened.record.stateful

    def cancel(self, key: Key) -> bool:
        """End the session's running execution, if there is one; whether it ends cancelled: not what is over."""
        slot = self.slots.find(key)
        if slot is None:
            return False
        opened = slot.opened  # whoever has the turn may close it any moment
        if opened is not None and opened.deadline.cancel_running():
            return True
        stop = slot.stop  # its snippet does not run yet, or not any more
        return stop is not None and stop.cancel()

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

    def known(self, key: Key) -> SessionRecord:
        """The session's record, also of one that has expired; raises SessionNotFound."""
        record = self.catalog.get(*key)
        if record is None or record.is_removed:
            raise not_found(key)
        return record

    def record(self, key: Key) -> SessionRecord:
        """The session's record; raises SessionNotFound and SessionExpired."""
        record = self.known(key)
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
                opened = self._known(OpenSession(files, self.limits(record), storage.log))
            except FileNotFoundError:
                raise missing(files) from None
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
                self.uses.tell()
            except CodemodeError as error:  # what was committed stays so, and its outcome must reach the caller
                _log.warning("the last use of session %s is not recorded: %s", record.id, error)

    def usage_by_day(self, tenant: str, user: str | None = None) -> list[Day]:
        """What the tenant's sessions cost, by day: read from the log of each, and from the catalogue for those gone.

        With a `user` only those that he takes part in; whose the ones that are gone were is not kept.
        """
        # The catalogue first: a session that goes meanwhile is missing for once, and never counted twice.
        found = self.catalog.days(tenant) if user is None else []
        for record in self.catalog.page(tenant, user, None, ALL):
            if record.expired_at is None:
                found += days_of(self.files((tenant, record.id)).log)
        return summed(found)

    def close(self) -> None:
        """Close every open session, after what runs in it has ended."""
        try:
            self.slots.close(_CLOSE_SECONDS)
        finally:
            self.telling.close()
            self.uses.close()


def affordable(sessions: int) -> int:
    """As many of `sessions` open ones as the process's limit on descriptors bears, with half of it left to others."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return sessions
    return max(1, min(sessions, descriptors // 2 // _DESCRIPTORS))


def missing(files: SessionFiles) -> SessionDamaged:
    """The error for a session that is known and has no file; the log says where it should be."""
    _log.error("the session's file %s is missing", files.database)
    return SessionDamaged("the session's database file is missing", hint="restore it from a copy, or renew the session")


def _expired(record: SessionRecord) -> SessionExpired:
    when = record.expires_at if record.expires_at is not None else record.expired_at
    return SessionExpired(
        f"session {record.id} expired {iso(when or 0)}; its data is gone",
        hint="make it anew on purpose (renew=True, `codemode run --renew`), or use another id",
    )
