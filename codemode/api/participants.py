"""Who takes part in a session, over HTTP."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, service_of
from codemode.service import participants
from codemode.values import ParticipantInfo


class NewParticipant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user or agent of the tenant, and what he may do: a viewer reads, a member works, an owner decides."""

    user_id: str
    role: Literal["owner", "member", "viewer"] = "member"


class ParticipantList(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who takes part in a session, or did, in the order in which they came."""

    participants: list[ParticipantInfo]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether he took part."""

    removed: bool


async def every(request: Request) -> Response:
    """Everybody who takes part in a session, and who left it when."""
    service, caller = service_of(request), caller_of(request)
    found = await service.call(participants.participants, service, caller, request.path_params["id"])
    return answer(ParticipantList(participants=found))


async def add(request: Request) -> Response:
    """Let a user take part in a session, or change his role; its owner may, and a token that is bound to nobody."""
    service, caller, session_id = service_of(request), caller_of(request), request.path_params["id"]
    body = await bodies.decode(request, NewParticipant, service.settings.body_bytes)
    added = await service.call(participants.share, service, caller, session_id, body.user_id, body.role)
    request.state.about = f"{session_id} {added.user_id} {added.role}"
    return answer(added)


async def remove(request: Request) -> Response:
    """End a user's part in a session; who takes part may leave by himself."""
    service, caller = service_of(request), caller_of(request)
    session_id, user = request.path_params["id"], queries.text(request, "user_id")
    removed = await service.call(participants.unshare, service, caller, session_id, user)
    request.state.about = f"{session_id} {user}"
    return answer(Removed(removed=removed))


_PATH = "/v1/sessions/{id}/participants"
OPERATIONS = (
    Operation(
        method="GET", path=_PATH, name="list_participants", handler=every, scope="read",
        about="Who takes part in a session.", answers={200: ParticipantList}, problems=(404,),
    ),
    Operation(
        method="POST", path=_PATH, name="add_participant", handler=add, scope="execute", does="manage",
        about="Let a user take part in a session, or change his role.", body=NewParticipant,
        answers={200: ParticipantInfo}, problems=(404,),
    ),
    Operation(
        method="DELETE", path=_PATH, name="remove_participant", handler=remove, scope="execute", does="manage",
        about="End a user's part in a session.", answers={200: Removed}, problems=(404,),
        parameters=(Parameter(name="user_id", about="The user: any name, so not in the path.", required=True),),
    ),
)  # fmt: skip
