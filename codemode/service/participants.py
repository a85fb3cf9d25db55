"""Who takes part in a session, as the faces answer it; the owner, or a token of the whole tenant, decides."""

from __future__ import annotations

from typing import Any

from codemode.database.clock import now_ms
from codemode.service.auditing import Change, before
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values import ParticipantInfo
from codemode.values.records import Page
from codemode.worker import Worker


def participants(service: Service, caller: Caller, /, session_id: str, **asked: Any) -> Page[ParticipantInfo]:
    """Everybody who takes part in the caller's session, or did, in the order in which they came."""
    service.check_reach(caller, session_id, "read")
    return service.worker.of(caller.tenant).participants.page(session_id, left=True, **asked)


def share(
    service: Service, caller: Caller, session_id: str, user: str, role: str, metadata: dict[str, Any] | None
) -> tuple[ParticipantInfo, Change]:
    """Let a user of the tenant take part in the caller's session, or change how; metadata of None stay.

    Raises SessionExpired, and RequestInvalid for a name or a role that is none.
    """
    service.session(caller, session_id, "manage")
    records = service.worker.of(caller.tenant)
    with records.at_once():
        old = before(records.participants.get, session_id, user)
        added = records.participants.put(session_id, user, now=now_ms(), role=role, metadata=metadata)
    return added, Change(old, added)


def unshare(service: Service, caller: Caller, session_id: str, user: str) -> tuple[bool, Change | None]:
    """The user takes part no more; whether he did, and what that changed. Everybody may leave by himself."""
    service.check_reach(caller, session_id, "read" if user == caller.user else "manage")
    return left(service.worker, caller.tenant, session_id, user)


def left(worker: Worker, tenant: str, session_id: str, user: str) -> tuple[bool, Change | None]:
    """The same of a session that somebody else has checked; a catalogue that is to be migrated tells no change."""
    if worker.catalogue.behind:
        return worker.participants.remove(tenant, session_id, user, now_ms()), None
    records = worker.of(tenant)
    with records.at_once():
        old = before(records.participants.get, session_id, user)
        if old is None or old.left_at is not None:
            return False, None
        return True, Change(old, records.participants.leave(session_id, user, now=now_ms()))
