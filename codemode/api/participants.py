"""Who takes part in a session, over HTTP."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, served
from codemode.service import participants
from codemode.values import ParticipantInfo


class NewParticipant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user or agent of the tenant, and what he may do: a viewer reads, a member works, an owner decides.

    Metadata that are not given stay as they are.
    """

    user_id: str
    role: Literal["owner", "member", "viewer"] = "member"
    metadata: dict[str, Any] | None = None


class ParticipantList(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part in a session, or did, in the order in which they came; `next` is the `after` of the next page."""

    participants: list[ParticipantInfo]
    next: str | None = None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether he took part."""

    removed: bool


async def every(request: Request) -> Response:
    """Everybody who takes part in a session, and who left it when."""
    asked = lists.asked(request, "role", page=lists.MOST)
    page = await served(request, participants.participants, request.path_params["id"], **asked)
    return answer(ParticipantList(participants=page.rows, next=page.next))


async def add(request: Request) -> Response:
    """Let a user take part in a session, or change his role: 201 with what is stored.

    An owner of the session may, and a token that is bound to nobody.
    """
    session_id = request.path_params["id"]
    body = await bodies.decode(request, NewParticipant)
    added, request.state.change = await served(
        request, participants.share, session_id, body.user_id, body.role, body.metadata
    )
    request.state.about = f"{session_id} {added.user_id} {added.role}"
    return answer(added, 201)


async def remove(request: Request) -> Response:
    """End a user's part in a session; who takes part may leave by himself."""
    session_id, user = request.path_params["id"], queries.text(request, "user_id")
    removed, request.state.change = await served(request, participants.unshare, session_id, user)
    request.state.about = f"{session_id} {user}"
    return answer(Removed(removed=removed))


_PATH = "/v1/sessions/{id}/participants"
OPERATIONS = (
    Operation(
        method="GET", path=_PATH, name="list_participants", handler=every, scope="read",
        about="Who takes part in a session.", answers={200: ParticipantList}, problems=(404,),
        parameters=(
            Parameter(name="role", about="Only those with this role."),
            *lists.parameters(lists.MOST),
        ),
    ),
    Operation(
        method="POST", path=_PATH, name="add_participant", handler=add, scope="execute", does="manage",
        about="Let a user take part in a session, or change his role.", body=NewParticipant,
        answers={201: ParticipantInfo}, problems=(404, 410),
    ),
    Operation(
        method="DELETE", path=_PATH, name="remove_participant", handler=remove, scope="execute", does="manage",
        about="End a user's part in a session.", answers={200: Removed}, problems=(404,),
        parameters=(Parameter(name="user_id", about="The user: any name, so not in the path.", required=True),),
    ),
)  # fmt: skip
