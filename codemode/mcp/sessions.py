"""The tools for sessions as a whole: list, create, checkpoint, restore, fork."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from codemode.catalog.sessions import ORDINARY
from codemode.mcp import wire
from codemode.mcp.executing import SessionId
from codemode.mcp.tool import Call, Reply, Tool
from codemode.values import Checkpoint, SessionInfo
from codemode.values.records import SessionStatus

_PAGE, _MOST = 20, 100
CheckpointName = Annotated[str, Meta(description="Its name: letters, digits and _ . : @ -, 64 at most.")]


class ListSessions(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions, and which page of them."""

    workspace_id: Annotated[str | None, Meta(description="Only those of this workspace.")] = None
    type: Annotated[str | None, Meta(description="Only those of this type.")] = None
    status: Annotated[SessionStatus | None, Meta(description="Only those of this status.")] = None
    limit: Annotated[int, Meta(ge=1, le=_MOST, description=f"At most so many; {_PAGE} by default.")] = _PAGE
    after: Annotated[str | None, Meta(description="The `next` of the page before.")] = None


class SessionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions, latest use first; `next` is the `after` of the page that follows."""

    sessions: list[SessionInfo]
    next: str | None = None


class CreateSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session to create."""

    session_id: Annotated[
        str | None, Meta(description="An id of your own: letters, digits and _ . : @ -. One is made up without it.")
    ] = None
    stateful: Annotated[bool | None, Meta(description="Keep Python variables between snippets too.")] = None
    renew: Annotated[bool, Meta(description="Make an expired or damaged session anew, empty.")] = False


class CheckpointSession(msgspec.Struct, frozen=True, kw_only=True):
    """A copy to keep."""

    name: CheckpointName
    session_id: SessionId = None
    replace: Annotated[bool, Meta(description="Replace the checkpoint of this name.")] = False


class RestoreSession(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint to go back to."""

    name: CheckpointName
    session_id: SessionId = None


class ForkSession(msgspec.Struct, frozen=True, kw_only=True):
    """A copy to make."""

    session_id: SessionId = None
    new_session_id: Annotated[str | None, Meta(description="The id of the copy; one is made up without it.")] = None
    checkpoint: Annotated[str | None, Meta(description="Copy the data of this checkpoint, not that of now.")] = None


async def list_sessions(call: Call, given: ListSessions) -> Reply:
    """The caller's sessions, latest use first."""
    found, after = await call.service.call(
        call.service.worker.session_page,
        call.caller.tenant,
        user=call.caller.user,
        **msgspec.structs.asdict(given),
    )
    filtered = given.workspace_id or given.type or given.status
    yet = "no sessions yet: execute_code makes one" if call.makes_things else "no sessions yet"
    none = "no such sessions" if filtered else yet
    lines = [_in_words(info) for info in found] or [none]
    lines += [f"there are more: after={after}"] if after else []
    return Reply(wire.fit({"sessions": found, "next": after}), "\n".join(lines))


async def create_session(call: Call, given: CreateSession) -> Reply:
    """Create a session, or find the one of this id."""
    info, new = await call.service.call(
        call.service.create, call.caller, given.session_id, renew=given.renew, stateful=given.stateful
    )
    return Reply(wire.fit(info), f"{'created' if new else 'there is'} {_in_words(info)}", info.id)


async def checkpoint_session(call: Call, given: CheckpointSession) -> Reply:
    """Keep a named copy of a session's data."""
    session = await call.session(given.session_id, "write")
    made = await call.service.call(session.checkpoint, given.name, replace=given.replace)
    said = f"checkpoint {made.name} of session {session.id}: {made.size_bytes:,} bytes; restore_session goes back to it"
    return Reply(wire.fit(made), said, session.id)


async def restore_session(call: Call, given: RestoreSession) -> Reply:
    """Make a session's data what it was at a checkpoint."""
    session = await call.session(given.session_id, "write")
    found = await call.service.call(session.restore, given.name)
    said = f"session {session.id} is as it was at checkpoint {found.name}, made {found.created_at}"
    return Reply(wire.fit(found), said, session.id)


async def fork_session(call: Call, given: ForkSession) -> Reply:
    """Make a new session of another one's data."""
    source = call.named(given.session_id)
    info = await call.service.call(
        call.service.fork, call.caller, source, given.new_session_id, checkpoint=given.checkpoint
    )
    return Reply(wire.fit(info), f"forked {source} into {_in_words(info)}", info.id)


def _in_words(info: SessionInfo) -> str:
    life = "expired" if info.state == "expired" else "pinned" if info.pinned else f"expires {info.expires_at}"
    closed = ", closed" if info.status == "closed" else ""
    where = f", of workspace {info.workspace_id}" if info.workspace_id else ""
    kind = f", of type {info.type}" if info.type != ORDINARY else ""
    return f"session {info.id}{kind}{where}: {info.size_bytes:,} bytes, last used {info.last_activity}, {life}{closed}"


TOOLS = (
    Tool(
        name="list_sessions", title="List sessions", scope="read", run=list_sessions,
        about=f"Your sessions, latest use first, {_PAGE} unless limit says otherwise. A session holds the tables that "
        "snippets made.",
        takes=ListSessions, answers=SessionPage, read_only=True, idempotent=True,
    ),
    Tool(
        name="create_session", title="Create a session", scope="execute", run=create_session,
        about="Create an empty session with a database of its own ($database_bytes at most), or find the one of this "
        "id. It expires $idle_seconds seconds after its last use. execute_code makes one by itself.",
        takes=CreateSession, answers=SessionInfo, makes_session=True,
    ),
    Tool(
        name="checkpoint_session", title="Checkpoint a session", scope="execute", run=checkpoint_session,
        about="Keep a copy of a session's data as it is now under a name, before something risky. At most $checkpoints "
        "a session.",
        takes=CheckpointSession, answers=Checkpoint, destructive=True,
    ),
    Tool(
        name="restore_session", title="Restore a checkpoint", scope="execute", run=restore_session,
        about="Make a session's data what it was at a checkpoint, wholly or not at all: later changes are gone. The "
        "checkpoint stays.",
        takes=RestoreSession, answers=Checkpoint, destructive=True, idempotent=True,
    ),
    Tool(
        name="fork_session", title="Fork a session", scope="execute", run=fork_session,
        about="Make a new session with another one's data as it is now, or as it was at a checkpoint, to try something "
        "without touching the original.",
        takes=ForkSession, answers=SessionInfo,
    ),
)  # fmt: skip
