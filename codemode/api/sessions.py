"""Sessions over HTTP: create, list, look at, change, delete."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, structs
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, service_of, session_of
from codemode.limits import Limits, told
from codemode.service import places
from codemode.service.auditing import Change
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values import SessionInfo
from codemode.values.records import Place

PAGE = 100
PLACE = ("workspace_id", "type", "metadata", "mcp_client_id")


class NewSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session to create; with an id that the caller chose the call can be repeated.

    `workspace_id`, `type` and `metadata` are those of one that is made now, or made anew to `renew` it; what is there
    keeps its own.
    """

    id: str | None = None
    limits: dict[str, Any] | None = None
    renew: bool = False
    create: bool = True
    stateful: bool | None = None
    workspace_id: str | UnsetType | None = UNSET
    type: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class SessionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be changed of a session; what is not named stays, among `limits` too, where null is the worker's again.

    `workspace_id`, `type`, `metadata` and `mcp_client_id` say where it belongs, what it is and who is connected to it.
    A `closed` one keeps its data until it expires, and nobody counts as active in it.
    """

    pinned: bool | None = None
    limits: dict[str, Any] | None = None
    workspace_id: str | UnsetType | None = UNSET
    type: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    mcp_client_id: str | UnsetType | None = UNSET
    closed: bool | UnsetType = UNSET


class SessionDetails(SessionInfo, frozen=True, kw_only=True):
    """One session, with the limits that hold for it, and what it is as a place that people share."""

    limits: Limits
    place: Place | None


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of sessions, latest use first; `next` is the `after` of the page that follows."""

    sessions: tuple[SessionInfo, ...]
    next: str | None = None


async def create(request: Request) -> Response:
    """Create a session, or find the one of this id: 201 for one that is made, or made anew, else 200."""
    service, caller = service_of(request), caller_of(request)
    body = await bodies.decode(request, NewSession)
    shared = _shared(body)

    def make() -> tuple[SessionDetails, bool]:
        places.check(service, caller, **shared)  # first: of a session that is refused nothing is made
        old = None if body.limits is None else _own_limits(service, caller, body.id)
        info, new = service.create(
            caller, body.id, limits=body.limits, renew=body.renew, create=body.create, stateful=body.stateful,
            place=shared,
        )  # fmt: skip
        if new:
            request.state.change = Change(None, places.seen(service.worker, info.id, caller.tenant))
        elif body.limits is not None:
            request.state.change = Change(old, _own_limits(service, caller, info.id))
        return _details(service, caller, info), new

    info, new = await service.call(make)
    request.state.resource = info.id
    return answer(info, 201 if new else 200, {"Location": f"/v1/sessions/{info.id}"})


async def every(request: Request) -> Response:
    """The caller's sessions, latest use first."""
    service, caller = service_of(request), caller_of(request)
    asked = lists.asked(request, "workspace_id", "type", "status", page=PAGE)
    found, after = await service.call(service.worker.session_page, caller.tenant, user=caller.user, **asked)
    return answer(SessionList(sessions=tuple(found), next=after))


async def show(request: Request) -> Response:
    """One session."""
    service, caller, session_id = service_of(request), caller_of(request), request.path_params["id"]

    def look() -> SessionDetails:
        service.check_reach(caller, session_id, request.state.reach)
        return _details(service, caller, service.worker.info(session_id, caller.tenant))

    return answer(await service.call(look))


async def change(request: Request) -> Response:
    """Pin a session or let it expire again, lower its limits, say where it belongs and what it is, close it."""
    service, caller = service_of(request), caller_of(request)
    body = await bodies.decode(request, SessionChange)

    def apply() -> SessionDetails:
        session = session_of(request)
        request.state.change = places.change(
            service, caller, session.id, closed=body.closed, pinned=body.pinned, bounds=body.limits, **_shared(body)
        )
        return _details(service, caller, service.worker.info(session.id, caller.tenant))

    return answer(await service.call(apply))


async def remove(request: Request) -> Response:
    """Delete a session with everything in it; an expired one too."""
    service, caller = service_of(request), caller_of(request)
    session_id = request.path_params["id"]

    def delete() -> None:
        service.check_reach(caller, session_id, request.state.reach)
        request.state.change = Change(places.seen(service.worker, session_id, caller.tenant), None)
        service.worker.remove(session_id, caller.tenant)

    await service.call(delete)
    return Response(status_code=204)


def _details(service: Service, caller: Caller, info: SessionInfo) -> SessionDetails:
    registry = service.worker.registry
    record = registry.catalog.get(caller.tenant, info.id)
    bounds = service.worker.limits if record is None else registry.limits(record)
    return SessionDetails(**structs.asdict(info), limits=bounds, place=places.place(service, caller, info.id))


def _own_limits(service: Service, caller: Caller, session_id: str | None) -> dict[str, Any] | None:
    record = None if session_id is None else service.worker.registry.catalog.get(caller.tenant, session_id)
    return None if record is None else {"limits": told(record.limits)}


def _shared(body: NewSession | SessionChange) -> dict[str, Any]:
    return {name: value for name, value in lists.given(body).items() if name in PLACE}


OPERATIONS = (
    Operation(
        method="POST", path="/v1/sessions", name="create_session", handler=create, scope="execute",
        about="Create a session, or find the one of this id.", body=NewSession,
        answers={201: SessionDetails, 200: SessionDetails}, problems=(404, 409, 410, 429, 507),
    ),
    Operation(
        method="GET", path="/v1/sessions", name="list_sessions", handler=every, scope="read",
        about="List the sessions of the tenant, latest use first.", answers={200: SessionList},
        parameters=(
            Parameter(name="workspace_id", about="Only those of this workspace."),
            Parameter(name="type", about="Only those of this type."),
            Parameter(
                name="status", about="Only those that are active, closed or expired; one whose time is over is expired "
                "from the next sweep on.",
            ),
            *lists.parameters(PAGE),
        ),
    ),
    Operation(
        method="GET", path="/v1/sessions/{id}", name="get_session", handler=show, scope="read",
        about="Look at one session.", answers={200: SessionDetails}, problems=(404,),
    ),
    Operation(
        method="PATCH", path="/v1/sessions/{id}", name="change_session", handler=change, scope="execute",
        does="manage",
        about="Change what a session is, how long it lives and how much it may use.", body=SessionChange,
        answers={200: SessionDetails}, problems=(404, 410, 429),
    ),
    Operation(
        method="DELETE", path="/v1/sessions/{id}", name="delete_session", handler=remove, scope="execute",
        does="manage",
        about="Delete a session with everything in it.", answers={204: None}, problems=(404, 429),
    ),
)  # fmt: skip
