"""What the catalogue holds besides sessions: users, workspaces, groups, and what is said and shown in a session.

Fields are the columns of their tables. Times are ISO 8601 UTC; ids sort by the time at which they were made, unless
somebody chose them.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

Row = TypeVar("Row")

MessageType = Literal["chat", "mcp_request", "mcp_response", "system"]
SignalType = Literal["offer", "answer", "ice"]
UserKind = Literal["human", "agent"]
SessionStatus = Literal["active", "closed", "expired"]


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """Some rows of a list; `next` is where the page after them begins, None for the last one."""

    rows: list[Row]
    next: str | None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or an agent of a tenant; `outside_id_hash` is a keyed hash of what another system calls him."""

    id: str
    kind: UserKind
    display_name: str
    email: str | None
    outside_id_hash: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    deleted_at: str | None


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """Where sessions of a tenant belong together."""

    id: str
    name: str
    description: str
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Users of a tenant who belong together."""

    id: str
    name: str
    description: str
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class GroupMember(msgspec.Struct, frozen=True, kw_only=True):
    """A user of a group."""

    group_id: str
    user_id: str
    joined_at: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said in a session; `thread` is the message that began its thread, None for that one itself."""

    id: str
    session_id: str
    user_id: str | None
    message_type: MessageType
    content: str
    metadata: dict[str, Any]
    thread: str | None
    created_at: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A named view of a session: a query of its database, or a document, shown as its kind says."""

    id: str
    session_id: str
    title: str
    kind: str
    query: str | None
    document: Any
    position: int
    created_at: str
    updated_at: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a user is told of: a session, or one panel of it."""

    user_id: str
    session_id: str
    panel_id: str | None
    created_at: str


class McpSession(msgspec.Struct, frozen=True, kw_only=True):
    """An MCP server that a session is connected to: what it told of itself, and how the connection stands."""

    session_id: str
    mcp_server_id: str
    mcp_version: str
    context_data: dict[str, Any]
    state: str
    created_at: str
    updated_at: str


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a call between participants; it is taken once, and soon forgotten."""

    id: str
    session_id: str
    signal_type: SignalType
    from_participant: str
    to_participant: str | None
    signal_data: Any
    created_at: str
    expires_at: str
    taken_at: str | None


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """What a user prefers."""

    user_id: str
    category: str
    key: str
    value: Any
    updated_at: str


class ConfigurationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """How a tenant is set up; the value of a sensitive one is shown masked."""

    key: str
    value: Any
    description: str
    sensitive: bool
    updated_at: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A session as a place: whose it is, what it is for, where it belongs, and who is connected to it."""

    id: str
    owner: str | None
    workspace_id: str | None
    type: str
    status: SessionStatus
    metadata: dict[str, Any]
    pinned: bool
    mcp_client_id: str | None
    connected_at: str | None
    created_at: str
    updated_at: str
    last_activity_at: str
    expires_at: str | None
    closed_at: str | None
    expired_at: str | None


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are of what: `sessions` that have not expired, all `executions` ever, `bytes` of databases now.

    An agent is active that takes part in an active session.
    """

    agents: int
    active_agents: int
    people: int
    users: int
    sessions: int
    panels: int
    messages: int
    workspaces: int
    executions: int
    bytes: int


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep would do now: `sessions` that expire, and how many `rows` of what are removed."""

    sessions: tuple[str, ...]
    rows: dict[str, int]


class SessionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the listeners of a session are told: `seq` counts on in the tenant, `subject` is what it is about."""

    seq: int
    session_id: str
    kind: str
    subject: str | None
    body: dict[str, Any]
    at: str
