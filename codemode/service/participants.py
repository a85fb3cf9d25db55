"""Who takes part in a session, as the faces answer it; the owner, or a token of the whole tenant, decides."""

from __future__ import annotations

from codemode.catalog.participants import ROLES, Participant, Role, parse_user
from codemode.database.clock import iso, now_ms
from codemode.errors import RequestInvalid
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values import ParticipantInfo


def participants(service: Service, caller: Caller, session_id: str) -> list[ParticipantInfo]:
    """Everybody who takes part in the caller's session, or did, in the order in which they came."""
    service.check_reach(caller, session_id, "read")
    return [described(each) for each in service.worker.participants.all(caller.tenant, session_id)]


def share(service: Service, caller: Caller, session_id: str, user: str, role: str) -> ParticipantInfo:
    """Let a user of the tenant take part in the caller's session, or change his role."""
    service.check_reach(caller, session_id, "manage")
    added = service.worker.participants.add(
        caller.tenant, session_id, parse_user(user), parse_role(role), now_ms()
    )  # fmt: skip
    return described(added)


def unshare(service: Service, caller: Caller, session_id: str, user: str) -> bool:
    """The user takes part no more; whether he did. Everybody may leave by himself."""
    service.check_reach(caller, session_id, "read" if user == caller.user else "manage")
    return service.worker.participants.remove(caller.tenant, session_id, user, now_ms())


def parse_role(text: str) -> Role:
    """`text` when it is a role; raises RequestInvalid otherwise."""
    for role in ROLES:
        if role == text:
            return role
    raise RequestInvalid(f"{text!r:.80} is no role", available=ROLES)


def described(participant: Participant) -> ParticipantInfo:
    """A participant as people and programs see him."""
    left = participant.left_at
    return ParticipantInfo(
        user_id=participant.user,
        role=participant.role,
        joined_at=iso(participant.joined_at),
        left_at=None if left is None else iso(left),
        metadata=participant.metadata,
    )
