"""MCP sessions: which MCP servers a session is connected to, one connection to each."""

from __future__ import annotations

from typing import Any

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import CONTENT_BYTES, parse_name, parse_object
from codemode.catalog.found import no_record, no_session
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.rows import columns, only
from codemode.moments import moment
from codemode.values.records import McpSession

_WORD_CHARACTERS = 64
_FIELDS = columns(McpSession)


class McpSessions:
    """The MCP sessions of a tenant's sessions."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def put(
        self,
        session_id: str,
        mcp_server_id: str,
        mcp_version: str,
        *,
        now: int,
        context_data: dict[str, Any] | None = None,
        state: str | None = None,
    ) -> McpSession:
        """Record a connection, or what changed of it: what is not given stays, and begins as {} and "active".

        Raises RequestInvalid and SessionNotFound.
        """
        context = None if context_data is None else parse_object(context_data, "context_data", CONTENT_BYTES)
        rows = self._store.run(
            "INSERT INTO mcp_sessions (tenant, session_id, mcp_server_id, mcp_version, context_data, state,"  # noqa: S608
            " created_at, updated_at) SELECT s.tenant, s.id, ?3, ?4, coalesce(?5, '{}'), coalesce(?6, 'active'), ?7, ?7"
            " FROM sessions AS s WHERE s.tenant = ?1 AND s.id = ?2 AND s.expired_at IS NULL"
            " ON CONFLICT (tenant, session_id, mcp_server_id) DO UPDATE SET mcp_version = ?4,"
            " context_data = coalesce(?5, mcp_sessions.context_data), state = coalesce(?6, mcp_sessions.state),"
            f" updated_at = ?7 RETURNING {_FIELDS}",
            session_id, parse_name(mcp_server_id, "an MCP server's id"),
            parse_name(mcp_version, "a protocol version", _WORD_CHARACTERS), context,
            None if state is None else parse_name(state, "a state", _WORD_CHARACTERS), moment(now),
        )  # fmt: skip
        return only(McpSession, rows, no_session(session_id))

    def get(self, session_id: str, mcp_server_id: str) -> McpSession:
        """One of them; raises RecordNotFound."""
        sql = f"SELECT {_FIELDS} FROM mcp_sessions WHERE tenant = ?1 AND session_id = ?2 AND mcp_server_id = ?3"  # noqa: S608
        rows = self._store.look(sql, session_id, mcp_server_id)
        return only(McpSession, rows, no_record("MCP session", mcp_server_id))

    def page(
        self, session_id: str, *, state: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page[McpSession]:
        """Those of a session by server, all or in one state; raises RequestInvalid."""
        asked = Asked().that("session_id = {}", session_id).that("state = {}", state)
        return self._page(asked, "mcp_server_id", after, limit)

    def of_server(
        self, mcp_server_id: str, *, state: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page[McpSession]:
        """Those of a server by session; raises RequestInvalid."""
        asked = Asked().that("mcp_server_id = {}", mcp_server_id).that("state = {}", state)
        return self._page(asked, "session_id", after, limit)

    def _page(self, asked: Asked, order: str, after: str | None, limit: int) -> Page[McpSession]:
        asked.that(f"{order} > {{}}", parse_after(after))
        return asked.page(self._store, McpSession, f"{_FIELDS} FROM mcp_sessions", order, limit, key=(order,))

    def remove(self, session_id: str, mcp_server_id: str) -> None:
        """Forget the connection; raises RecordNotFound."""
        sql = "DELETE FROM mcp_sessions WHERE tenant = ?1 AND session_id = ?2 AND mcp_server_id = ?3 RETURNING 1"
        if not self._store.run(sql, session_id, mcp_server_id):
            raise no_record("MCP session", mcp_server_id)
