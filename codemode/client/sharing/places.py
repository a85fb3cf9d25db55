"""Calls about what is said, shown and signalled in a session, and who takes part in it."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from codemode.client.ask import Ask, Call, converted, document
from codemode.client.sharing.calls import changed, get, made, page, path, removed
from codemode.moments import moment
from codemode.values import ParticipantInfo
from codemode.values.records import McpSession, Message, Page, Panel, Place, Signal


def get_place(session_id: str) -> Call[Place]:
    """One session as a place, expired ones too; raises SessionNotFound."""
    return _place(get(path("sessions", session_id), dict))


def update_place(
    session_id: str,
    *,
    workspace_id: str | UnsetType | None = UNSET,
    type: str | UnsetType = UNSET,  # noqa: A002
    metadata: dict[str, Any] | UnsetType = UNSET,
    mcp_client_id: str | UnsetType | None = UNSET,
) -> Call[Place]:
    """Change what is given of a session; raises SessionNotFound, RecordNotFound for a workspace that is none."""
    return _changed_place(
        session_id, workspace_id=workspace_id, type=type, metadata=metadata, mcp_client_id=mcp_client_id
    )


def close_place(session_id: str) -> Call[Place]:
    """Close a session: its data stays until it expires, and nobody counts as active in it; raises SessionNotFound."""
    return _changed_place(session_id, closed=True)


def reopen_place(session_id: str) -> Call[Place]:
    """Have a closed session be active again; raises SessionNotFound."""
    return _changed_place(session_id, closed=False)


def _changed_place(session_id: str, **fields: Any) -> Call[Place]:
    return _place(changed(path("sessions", session_id), dict, **fields))


def _place(call: Call[dict[str, Any]]) -> Call[Place]:
    read = converted(Place)
    return Call(call.ask, lambda found: read(found["place"]))


def post_message(
    session_id: str,
    content: str,
    *,
    message_type: str = "chat",
    user_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    thread: str | None = None,
) -> Call[Message]:
    """Add a message to a session that has not expired; `thread` is a message that it answers."""
    return made(
        path("sessions", session_id, "messages"), Message, content=content, message_type=message_type, user_id=user_id,
        metadata=metadata or {}, thread=thread,
    )  # fmt: skip


def get_message(session_id: str, message_id: str) -> Call[Message]:
    """One message; raises RecordNotFound."""
    return get(path("sessions", session_id, "messages", message_id), Message)


def messages(
    session_id: str,
    *,
    message_type: str | None = None,
    user_id: str | None = None,
    since: int | None = None,
    until: int | None = None,
    text: str | None = None,
    thread: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Call[Page[Message]]:
    """The newest messages of a session, newest first; `since` and `until` are in milliseconds since 1970."""
    # Of so many digits they are no date, whatever they are.
    first, end = (None if each is None else f"{moment(each):015}" for each in (since, until))
    return page(
        path("sessions", session_id, "messages"), "messages", Message, message_type=message_type, user_id=user_id,
        since=first, until=end, text=text, thread=thread, after=after, limit=limit,
    )  # fmt: skip


def remove_message(session_id: str, message_id: str) -> Call[None]:
    """Remove a message, and with one that began a thread its answers; raises RecordNotFound."""
    return removed(path("sessions", session_id, "messages", message_id))


def create_panel(
    session_id: str,
    title: str,
    *,
    kind: str = "table",
    query: str | None = None,
    document: Any = None,
    position: int | None = None,
    panel_id: str | None = None,
) -> Call[Panel]:
    """A new panel with a `query` or a `document`, the last one unless its `position` is given."""
    return made(
        path("sessions", session_id, "panels"), Panel, title=title, kind=kind, query=query, document=document,
        position=position, id=panel_id,
    )  # fmt: skip


def get_panel(session_id: str, panel_id: str) -> Call[Panel]:
    """One panel; raises RecordNotFound."""
    return get(path("sessions", session_id, "panels", panel_id), Panel)


def panels(session_id: str, *, kind: str | None = None, after: str | None = None, limit: int = 50) -> Call[Page[Panel]]:
    """The panels of a session in their order, all or of one kind."""
    return page(path("sessions", session_id, "panels"), "panels", Panel, kind=kind, after=after, limit=limit)


def update_panel(
    session_id: str,
    panel_id: str,
    *,
    title: str | UnsetType = UNSET,
    kind: str | UnsetType = UNSET,
    query: str | UnsetType = UNSET,
    document: Any | UnsetType = UNSET,
    position: int | UnsetType = UNSET,
) -> Call[Panel]:
    """Change what is given; a query takes the place of a document, and the other way round."""
    return changed(
        path("sessions", session_id, "panels", panel_id), Panel, title=title, kind=kind, query=query,
        document=document, position=position,
    )  # fmt: skip


def remove_panel(session_id: str, panel_id: str) -> Call[None]:
    """Remove it; raises RecordNotFound."""
    return removed(path("sessions", session_id, "panels", panel_id))


def put_mcp_session(
    session_id: str,
    mcp_server_id: str,
    mcp_version: str,
    *,
    context_data: dict[str, Any] | None = None,
    state: str | None = None,
) -> Call[McpSession]:
    """Record a connection, or what changed of it: what is not given stays, and begins as {} and "active"."""
    return made(
        path("sessions", session_id, "mcp"), McpSession, mcp_server_id=mcp_server_id, mcp_version=mcp_version,
        context_data=context_data, state=state,
    )  # fmt: skip


def mcp_sessions(
    session_id: str, *, state: str | None = None, after: str | None = None, limit: int = 50
) -> Call[Page[McpSession]]:
    """The MCP sessions of a session by server, all or in one state."""
    where = path("sessions", session_id, "mcp")
    return page(where, "mcp_sessions", McpSession, state=state, after=after, limit=limit)


def post_signal(
    session_id: str,
    signal_type: str,
    from_participant: str,
    signal_data: Any,
    *,
    to_participant: str | None = None,
    kept_ms: int = 60_000,
) -> Call[Signal]:
    """Leave a signal for a participant, or for whoever else takes it first."""
    return made(
        path("sessions", session_id, "signals"), Signal, signal_type=signal_type, from_participant=from_participant,
        signal_data=signal_data, to_participant=to_participant, kept_ms=kept_ms,
    )  # fmt: skip


def take_signals(
    session_id: str, participant: str, *, signal_type: str | None = None, limit: int = 50
) -> Call[list[Signal]]:
    """Take what is there for a participant, the oldest first: nobody gets it again."""
    body = document(participant=participant, signal_type=signal_type, limit=limit)
    read = converted(list[Signal])
    return Call(
        Ask(method="POST", path=path("sessions", session_id, "signals", "take"), body=body),
        lambda found: read(found["signals"]),
    )


def put_participant(
    session_id: str, user_id: str, *, role: str = "member", metadata: dict[str, Any] | None = None
) -> Call[ParticipantInfo]:
    """Let a user take part in a session, or change how: metadata that is not given stay. One who left joins anew."""
    where = path("sessions", session_id, "participants")
    return made(where, ParticipantInfo, user_id=user_id, role=role, metadata=metadata)


def participants(
    session_id: str, *, role: str | None = None, after: str | None = None, limit: int = 50
) -> Call[Page[ParticipantInfo]]:
    """Everybody who takes part in a session, or did, in the order in which they came."""
    where = path("sessions", session_id, "participants")
    return page(where, "participants", ParticipantInfo, role=role, after=after, limit=limit)


def remove_participant(session_id: str, user_id: str) -> Call[bool]:
    """He takes part no more; whether he did."""
    where = path("sessions", session_id, "participants")
    return Call(removed(where, user_id=user_id).ask, lambda found: bool(found["removed"]))
