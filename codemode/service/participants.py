"""Who takes part in a session, as the faces answer it; the owner, or a token of the whole tenant, decides."""

from __future__ import annotations

from typing import Any

from codemode.database.clock import now_ms
from codemode.service.auditing import Change, before
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values import ParticipantInfo
from codemode.values.records import Page


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


def unshare(service: Service, caller: Caller, session_id: str, user: str) -> bool:
    """The user takes part no more; whether he did. Everybody may leave by himself."""
    service.check_reach(caller, session_id, "read" if user == caller.user else "manage")
    return service.worker.participants.remove(caller.tenant, session_id, user, now_ms())
