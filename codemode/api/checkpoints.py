"""A session's ways back over HTTP: checkpoints, restore, fork, difference, undo; and making its file smaller."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode import cells
from codemode.api import bodies, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, in_session, service_of
from codemode.session.session import Session
from codemode.values import Checkpoint, Differences, SessionInfo, Undone

_SAMPLE, _MOST_ASKED = 5, 10**9  # what is too many, the session says


class NewCheckpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A checkpoint to make; `replace` one of that name."""

    name: str
    replace: bool = False


class CheckpointList(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoints of a session, the oldest first."""

    checkpoints: list[Checkpoint]


class Restore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The checkpoint to go back to."""

    name: str


class Fork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new session: its id, else a minted one, and the checkpoint that it begins with, else the data of now."""

    id: str | None = None
    checkpoint: str | None = None


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """The size of the database's file in bytes, before and after."""

    before: int
    after: int


async def every(request: Request) -> Response:
    """The checkpoints of a session, the oldest first."""
    return answer(CheckpointList(checkpoints=await in_session(request, Session.checkpoints)))


async def make(request: Request) -> Response:
    """Keep a copy of the data as it is now under a name."""
    body = await bodies.decode(request, NewCheckpoint)
    made = await in_session(request, lambda session: session.checkpoint(body.name, replace=body.replace))
    return answer(made, 201)


async def delete(request: Request) -> Response:
    """Delete a checkpoint."""
    name = queries.text(request, "name")
    await in_session(request, lambda session: session.delete_checkpoint(name))
    return Response(status_code=204)


async def restore(request: Request) -> Response:
    """Make the data what it was at a checkpoint, wholly or not at all; `undo` takes it back."""
    body = await bodies.decode(request, Restore)
    return answer(await in_session(request, lambda session: session.restore(body.name)))


async def fork(request: Request) -> Response:
    """A new session with this one's data as it is now, or as it was at a checkpoint."""
    service, caller = service_of(request), caller_of(request)
    body = await bodies.decode(request, Fork)

    info = await service.call(service.fork, caller, request.path_params["id"], body.id, checkpoint=body.checkpoint)
    return answer(info, 201, {"Location": f"/v1/sessions/{info.id}"})


async def diff(request: Request) -> Response:
    """What leads from one checkpoint to another, or to the data as it is now."""
    a, b = (request.query_params.get(name) for name in ("a", "b"))
    sample = queries.whole(request, "sample", _SAMPLE, least=0, most=_MOST_ASKED)
    found = await in_session(request, lambda session: session.diff(a, b, sample=sample))
    return answer(cells.all_to_json(msgspec.to_builtins(found, builtin_types=(bytes,))))


async def undo(request: Request) -> Response:
    """Take the last change back."""
    return answer(await in_session(request, Session.undo))


async def redo(request: Request) -> Response:
    """Do again what was undone last."""
    return answer(await in_session(request, Session.redo))


async def compact(request: Request) -> Response:
    """Give free pages back to the disk."""
    return answer(await in_session(request, Session.compact))


_PATH = "/v1/sessions/{id}"
_TURN = (404, 409, 410, 429, 507)
OPERATIONS = (
    Operation(
        method="GET", path=f"{_PATH}/checkpoints", name="list_checkpoints", handler=every, scope="read",
        about="The checkpoints of a session.", answers={200: CheckpointList}, problems=(404, 410),
    ),
    Operation(
        method="POST", path=f"{_PATH}/checkpoints", name="make_checkpoint", handler=make, scope="execute",
        about="Keep a copy of the data as it is now.", body=NewCheckpoint, answers={201: Checkpoint}, problems=_TURN,
    ),
    Operation(
        method="DELETE", path=f"{_PATH}/checkpoints", name="delete_checkpoint", handler=delete, scope="execute",
        does="execute", about="Delete a checkpoint.", answers={204: None}, problems=_TURN,
        parameters=(Parameter(name="name", about="The checkpoint.", required=True),),
    ),
    Operation(
        method="POST", path=f"{_PATH}/restore", name="restore", handler=restore, scope="execute", body=Restore,
        about="Go back to a checkpoint.", answers={200: Checkpoint}, problems=_TURN,
    ),
    Operation(
        method="POST", path=f"{_PATH}/fork", name="fork", handler=fork, scope="execute", body=Fork,
        about="A new session with this one's data.", answers={201: SessionInfo}, problems=_TURN,
    ),
    Operation(
        method="GET", path=f"{_PATH}/diff", name="diff", handler=diff, scope="read",
        about="What changed between two checkpoints, or since one.", answers={200: Differences},
        problems=(404, 409, 410),
        parameters=(
            Parameter(name="a", about="A checkpoint; without it the data as it is now."),
            Parameter(name="b", about="A checkpoint; without it the data as it is now."),
            Parameter(name="sample", about=f"Rows shown of each kind; {_SAMPLE} by default.", kind=int),
        ),
    ),
    Operation(
        method="POST", path=f"{_PATH}/undo", name="undo", handler=undo, scope="execute", does="execute",
        about="Take the last change back.", answers={200: Undone}, problems=_TURN,
    ),
    Operation(
        method="POST", path=f"{_PATH}/redo", name="redo", handler=redo, scope="execute",
        about="Do again what was undone last.", answers={200: Undone}, problems=_TURN,
    ),
    Operation(
        method="POST", path=f"{_PATH}/compact", name="compact", handler=compact, scope="execute", does="execute",
        about="Give free pages back to the disk.", answers={200: Compacted}, problems=_TURN,
    ),
)  # fmt: skip
