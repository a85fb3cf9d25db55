"""How sessions end: their time is over, somebody removes them, and a sweep clears away what is left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from codemode.catalog.retention import Retention
from codemode.catalog.sessions import SessionRecord, Sessions
from codemode.catalog.tenants import TENANT
from codemode.database.clock import now_ms, sure_ms
from codemode.database.usage import days_of
from codemode.errors import CodemodeError, SessionBusy, SessionNotFound, StorageFull
from codemode.session.files import SessionFiles, sweep_rubbish
from codemode.session.slots import Key, Slot, Slots
from codemode.session.storage import Storage
from codemode.session.turn import file_lock
from codemode.session.uses import Uses

_log = logging.getLogger("codemode")
_LEFT_MS = 2 * 86_400_000  # for so long it is looked whether a removal that was killed has left something
_AT_A_SWEEP = 10_000  # expired sessions that one sweep looks at; the next one goes on


class Ending:
    """Ends the sessions of one worker, each at its own turn."""

    def __init__(self, storage: Storage, catalog: Sessions, slots: Slots, uses: Uses) -> None:
        self._storage, self._catalog, self._slots, self._uses = storage, catalog, slots, uses
        self.on_gone: Callable[[Key], object] = lambda key: None  # the data of a session is gone, at its own turn

    def expire(self, record: SessionRecord, seconds: float = 0.0) -> bool:
        """End a session whose time is over, with its database, log, checkpoints and spills; False when it is in use.

        `seconds` is how long to wait for whoever uses it.
        """
        return self._expire(record, seconds) is not None

    def _expire(self, record: SessionRecord, seconds: float) -> bool | None:
        """Whether it expired by this, and not before; None when it is in use.

        Decided again under the session's lock: it may have been used since `record` was read.
        """
        key = (record.tenant, record.id)
        with suppress(SessionBusy), self._slots.turn(key, seconds) as slot:
            files = self._storage.files(key)
            with suppress(FileNotFoundError), file_lock(files.lock, seconds):
                fresh = self._catalog.get(*key)
                if fresh is None or not fresh.is_over(sure_ms()):
                    return None
                self._end(key, slot, files, known=fresh.expired_at is None)
                return self._told(fresh)
            # There is no directory: it was removed, or whoever makes the session anew has not made it yet.
            fresh = self._catalog.get(*key)
            if fresh is None or not fresh.is_over(sure_ms()):
                return None
            if fresh.expired_at is None:
                self._catalog.expire(*key, now_ms())
            return self._told(fresh)
        return None

    @staticmethod
    def _told(record: SessionRecord) -> bool:
        """Whether it had not expired yet; that is logged, by the one of several processes that ended it."""
        if record.expired_at is None:
            _log.info("session %s expired and was removed", record.id, extra={"fields": {"tenant": record.tenant}})
        return record.expired_at is None

    def remove(self, key: Key, seconds: float) -> None:
        """Delete a session and its record, expired or not; raises SessionNotFound or SessionBusy."""
        record = self._catalog.get(*key)
        if record is None:
            raise not_found(key)
        with self._slots.turn(key, seconds) as slot:
            files = self._storage.files(key)
            with suppress(FileNotFoundError), file_lock(files.lock, seconds):
                self._end(key, slot, files)
            self._catalog.forget(*key, record.created_at)

    def _end(self, key: Key, slot: Slot, files: SessionFiles, *, known: bool = True) -> None:
        """Record that a session is over, as long as it is `known`, and delete what it had: under its lock, at its turn.

        The record first: from then on nobody opens what is about to be deleted. Killed in between, the id answers
        "expired", or "not found" where it was removed before its time, and the sweep removes what is left: never a
        session without its file, nor a file that comes back without its record. On a full disk the files are first,
        since it is they that make room for the record: whoever deletes something there has to get anywhere. Killed in
        between, the id answers "damaged" until it is removed.
        """
        days = days_of(files.log) if known else []
        full = False
        if known:
            self._uses.drop(key)
            try:
                self._catalog.expire(*key, now_ms(), days)
            except StorageFull:
                full = True
        slot.close()
        files.remove()
        self.on_gone(key)
        if full:
            self._catalog.expire(*key, now_ms(), days)

    def sweep(self, tenant: str | None = None) -> list[str]:
        """Expire what is over and forget what expired long ago; the ids that expired now, of one tenant or of all."""
        now = sure_ms()
        expired = [record for record in self._catalog.over(now) if self._swept(record)]
        self._slots.let_go()
        sweep_rubbish(self._storage.data_dir)
        forgotten = now - self._storage.record_ms
        for record in self._catalog.expired(max(forgotten, now - _LEFT_MS), now + 1, _AT_A_SWEEP):
            self._is_gone(record)
        for record in self._catalog.expired(0, forgotten, _AT_A_SWEEP):
            if self._is_gone(record):
                self._forget(record, forgotten)
        self._uses.tell()
        return [each.id for each in expired if tenant in (None, each.tenant)]

    def _is_gone(self, record: SessionRecord) -> bool:
        """Whether nothing is left of an expired session's directory: of a removal that was killed there may be."""
        directory = self._storage.files((record.tenant, record.id)).directory
        return not directory.exists() or self._swept(record) is not None

    def _forget(self, record: SessionRecord, before: int) -> None:
        """Forget one whose directory is gone: while that is there, without a record, it would be found again, full."""
        if not self._catalog.file.behind:
            Retention(self._catalog.file).empty(record.tenant, record.id, before)
        self._catalog.forget_expired(record.tenant, record.id, before)

    def _swept(self, record: SessionRecord) -> bool | None:
        try:
            return self._expire(record, 0.0)
        except CodemodeError as error:  # one that cannot be removed must not keep the others
            _log.warning(
                "session %s is over and cannot be removed: %s", record.id, error,
                extra={"fields": {"tenant": record.tenant}},
            )  # fmt: skip
            return None


def not_found(key: Key) -> SessionNotFound:
    """The error for an id that no session of the tenant has."""
    tenant, session_id = key
    ls = "codemode sessions ls" if tenant == TENANT else f"codemode sessions ls --tenant {tenant}"
    return SessionNotFound(f"there is no session {session_id}", hint=f"`{ls}` lists those there are")
