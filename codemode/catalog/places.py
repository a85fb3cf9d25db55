"""Sessions as places that people and agents share: what they are for, where they belong, who is connected.

Their data, limits and expiry are `codemode.catalog.sessions`, which every execution reads; this is what people list.
A session whose time is over counts as active until the next sweep.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from codemode.catalog.bound import BoundStore
from codemode.catalog.changes import Changes, Given
from codemode.catalog.fields import parse_name, parse_object
from codemode.catalog.found import check_session, no_record, no_session
from codemode.catalog.pages import Asked, Page, parse_after, parse_pair_after
from codemode.catalog.rows import only, record
from codemode.catalog.sessions import narrowed
from codemode.moments import moment
from codemode.values.records import Place

_TYPE_CHARACTERS = 64
_OWN = {
    "updated_at": "coalesce({0}updated_at, {0}created_at)",
    "last_activity_at": "{0}last_activity",
    "expires_at": "CASE WHEN {0}pinned = 1 THEN NULL ELSE {0}last_activity + {0}idle_ms END",
}


def _columns(table: str) -> str:
    return ", ".join(_OWN.get(name, "{0}" + name).format(table) for name in Place.__struct_fields__)


class Places:
    """The sessions of a tenant, as places."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def get(self, session_id: str) -> Place:
        """One session, expired ones too; raises SessionNotFound."""
        sql = f"SELECT {_columns('')} FROM sessions WHERE tenant = ?1 AND id = ?2"  # noqa: S608
        rows = self._store.look(sql, session_id)
        return only(Place, rows, no_session(session_id))

    def page(
        self,
        *,
        status: str | None = None,
        workspace_id: str | None = None,
        type: str | None = None,  # noqa: A002
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Place]:
        """The sessions of the tenant, latest use first: all, or of a status, workspace, type; raises RequestInvalid."""
        asked = narrowed(Asked(), workspace_id=workspace_id, type=type, status=status)
        asked.those("(last_activity, id) < ({}, {})", parse_pair_after(after))
        return asked.page(
            self._store,
            Place,
            f"{_columns('')} FROM sessions",
            "last_activity DESC, id DESC",
            limit,
            key=("last_activity_at", "id"),
        )

    def of_user(self, user_id: str, *, after: str | None = None, limit: int = 50) -> Page[Place]:
        """The sessions that a user takes part in, by their ids, the last one first; raises RequestInvalid."""
        asked = Asked("p.tenant = ?1 AND p.left_at IS NULL").that("p.user_id = {}", user_id)
        asked.that("p.session_id < {}", parse_after(after))
        both = "participants AS p JOIN sessions AS s ON s.tenant = p.tenant AND s.id = p.session_id"
        return asked.page(self._store, Place, f"{_columns('s.')} FROM {both}", "p.session_id DESC", limit)

    def update(
        self,
        session_id: str,
        *,
        now: int,
        workspace_id: Given[str | None] = UNSET,
        type: Given[str] = UNSET,  # noqa: A002
        metadata: Given[dict[str, Any]] = UNSET,
        mcp_client_id: Given[str | None] = UNSET,
    ) -> Place:
        """Change what is given of a session that has not expired; an `mcp_client_id` connects it now.

        Raises RequestInvalid, SessionNotFound, and RecordNotFound for a workspace that there is not.
        """
        changes = (
            Changes(session_id, None if workspace_id is UNSET else workspace_id)
            .to("updated_at", now, moment)
            .to("type", type, _type)
        )
        changes.to("workspace_id", workspace_id).to("metadata", metadata, parse_object)
        changes.to("mcp_client_id", mcp_client_id, _client)
        changes.to("connected_at", mcp_client_id, lambda client: None if client is None else now)
        rows = self._store.run(
            f"UPDATE sessions SET {changes.text} WHERE tenant = ?1 AND id = ?2 AND expired_at IS NULL"  # noqa: S608
            " AND (CAST(?3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM workspaces AS w WHERE w.tenant = ?1"
            f" AND w.id = ?3)) RETURNING {_columns('')}",
            *changes.params,
        )
        if not rows:
            check_session(self._store, session_id)
            raise no_record("workspace", str(workspace_id))
        return record(Place, rows[0])

    def close(self, session_id: str, *, now: int) -> Place:
        """Close it: its data stays until it expires, and nobody counts as active in it. Raises SessionNotFound."""
        return self._closed(session_id, "coalesce(closed_at, ?3)", now)

    def reopen(self, session_id: str, *, now: int) -> Place:
        """Have a closed session be active again; raises SessionNotFound."""
        return self._closed(session_id, "NULL", now)

    def _closed(self, session_id: str, closed_at: str, now: int) -> Place:
        rows = self._store.run(
            f"UPDATE sessions SET closed_at = {closed_at}, updated_at = ?3"  # noqa: S608
            f" WHERE tenant = ?1 AND id = ?2 AND expired_at IS NULL RETURNING {_columns('')}",
            session_id, moment(now),
        )  # fmt: skip
        return only(Place, rows, no_session(session_id))


def check_place(*, type: Given[str] = UNSET, metadata: Given[dict[str, Any]] = UNSET, **_others: Any) -> None:  # noqa: A002
    """Raise RequestInvalid for what a session cannot be, or cannot know of itself, before there is one."""
    if type is not UNSET:
        _type(type)
    if metadata is not UNSET:
        parse_object(metadata)


def _type(value: Any) -> str:
    return parse_name(value, "a type of session", _TYPE_CHARACTERS)


def _client(value: Any) -> str | None:
    return None if value is None else parse_name(value, "an MCP client's id")
