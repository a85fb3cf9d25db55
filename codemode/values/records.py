"""What the catalogue holds besides sessions: users, workspaces, groups, and what is said and shown in a session.

Fields are the columns of their tables. Times are ISO 8601 UTC; ids sort by the time at which they were made, unless
somebody chose them.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MessageType = Literal["chat", "mcp_request", "mcp_response", "system"]
SignalType = Literal["offer", "answer", "ice"]
UserKind = Literal["human", "agent"]
SessionStatus = Literal["active", "closed", "expired"]


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
