"""Panels of a session over HTTP: what it shows, in the order that people give."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import added, answer, served
from codemode.service import panels
from codemode.values.records import Panel


class NewPanel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A panel with a `query` of the session's database or a `document`; the last one, unless it has a `position`."""

    title: str
    kind: str = "table"
    query: str | None = None
    document: Any = None
    position: int | None = None
    id: str | None = None


class PanelChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a panel; what is not named stays, and a query takes the place of a document."""

    title: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    document: Any = UNSET
    position: int | UnsetType = UNSET


class PanelList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of panels in their order; `next` is the `after` of the page that follows."""

    panels: list[Panel]
    next: str | None = None


async def every(request: Request) -> Response:
    """The panels of a session in their order."""
    page = await served(request, panels.page, request.path_params["id"], **lists.asked(request, "kind"))
    return answer(PanelList(panels=page.rows, next=page.next))


async def create(request: Request) -> Response:
    """Add a panel to a session: 201 with the panel as it is stored. Members and owners may."""
    body = await bodies.decode(request, NewPanel)
    fields = msgspec.structs.asdict(body)
    found = await served(request, panels.create, request.path_params["id"], panel_id=fields.pop("id"), **fields)
    place = {"Location": f"/v1/sessions/{found.session_id}/panels/{found.id}"}
    return added(request, found, f"{found.session_id} {found.id}", place)


async def show(request: Request) -> Response:
    """One panel."""
    return answer(await served(request, panels.get, request.path_params["id"], request.path_params["panel"]))


async def change(request: Request) -> Response:
    """Change what is named of a panel."""
    body = await bodies.decode(request, PanelChange)
    session_id, panel_id = request.path_params["id"], request.path_params["panel"]
    found, request.state.change = await served(request, panels.update, session_id, panel_id, **lists.given(body))
    request.state.about = f"{session_id} {panel_id}"
    return answer(found)


async def remove(request: Request) -> Response:
    """Remove a panel; subscriptions to it go with it."""
    session_id, panel_id = request.path_params["id"], request.path_params["panel"]
    request.state.change = await served(request, panels.remove, session_id, panel_id)
    request.state.about = f"{session_id} {panel_id}"
    return Response(status_code=204)


_PATH = "/v1/sessions/{id}/panels"
OPERATIONS = (
    Operation(
        method="GET", path=_PATH, name="list_panels", handler=every, scope="read",
        about="The panels of a session in their order.", answers={200: PanelList}, problems=(404,),
        parameters=(Parameter(name="kind", about="Only of this kind."), *lists.PARAMETERS),
    ),
    Operation(
        method="POST", path=_PATH, name="create_panel", handler=create, scope="execute", does="execute",
        about="Add a panel to a session.", body=NewPanel, answers={201: Panel}, problems=(404, 409, 410),
    ),
    Operation(
        method="GET", path=_PATH + "/{panel}", name="get_panel", handler=show, scope="read",
        about="Look at one panel.", answers={200: Panel}, problems=(404,),
    ),
    Operation(
        method="PATCH", path=_PATH + "/{panel}", name="change_panel", handler=change, scope="execute", does="execute",
        about="Change a panel.", body=PanelChange, answers={200: Panel}, problems=(404, 409),
    ),
    Operation(
        method="DELETE", path=_PATH + "/{panel}", name="remove_panel", handler=remove, scope="execute",
        does="execute", about="Remove a panel.", answers={204: None}, problems=(404,),
    ),
)  # fmt: skip
