"""Who may use the service: tenants with their quotas, tokens, participants, and the record of what they did."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant may use of the service; 0 is no bound."""

    sessions: int = 0
    bytes: int = 0
    executions: int = 0
    executions_per_minute: int = 0


class TenantUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant uses now; None is not counted, since no quota bounds it."""

    sessions: int
    bytes: int
    executions: int | None = None
    executions_left: int | None = None


class TenantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant of the service: what it may use, and what it uses. One that was deleted has no valid token."""

    id: str
    name: str = ""
    plan: Literal["free", "pro", "team"] = "free"
    quotas: Quotas
    use: TenantUse
    created_at: str
    deleted_at: str | None = None


class ParticipantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A user or agent who takes part in a session, or did until `left_at`."""

    user_id: str
    role: Literal["owner", "member", "viewer"]
    joined_at: str
    left_at: str | None = None
    metadata: dict[str, Any] = {}


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be known of a token; its secret was shown once."""

    id: str
    tenant: str
    name: str
    scopes: tuple[str, ...]
    user: str | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act: who (a token's id, "local", or "os:" and a user of the machine) did what to what, when, how it ended.

    `user_id` is whom the token was bound to. `old_values` and `new_values` are what a change changed, before and after;
    long values are told by their size.
    """

    id: int
    at: str
    tenant: str
    actor: str
    action: str
    resource: str
    outcome: str
    address: str | None
    agent: str | None
    user_id: str | None = None
    old_values: dict[str, Any] | None = None
    new_values: dict[str, Any] | None = None
