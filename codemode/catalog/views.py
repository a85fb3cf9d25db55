"""What a question to the catalogue sees: views that show one tenant's rows, as data.

Nothing else of the catalogue can be read by a question. What is secret is not in them: hashes of tokens and of ids of
other systems, sealed values. The tenant's own name is in no view, since every row has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from codemode.database.names import literal


@dataclass(frozen=True, slots=True)
class View:
    """One of them: `columns` are name → what it holds; `table` is where they come from, by an expression or as named.

    `key` is the column of the table that names the tenant.
    """

    name: str
    about: str
    table: str
    columns: Mapping[str, str]
    expressions: Mapping[str, str] = field(default_factory=dict)
    key: str = "tenant"

    def shown(self, known: Collection[str]) -> View | None:
        """This view of a catalogue whose table has the columns `known`: one that was not migrated yet lacks some.

        None where it lacks the table.
        """
        if self.key not in known:
            return None
        columns = {name: what for name, what in self.columns.items() if name in known or name in self.expressions}
        return replace(self, columns=columns)

    def select(self, tenant: str, schema: str) -> str:
        """The rows of `tenant` from the table in `schema`."""
        columns = ", ".join(f'{self.expressions.get(name, name)} AS "{name}"' for name in self.columns)
        return f'SELECT {columns} FROM "{schema}".{self.table} WHERE {self.key} = {literal(tenant)}'  # noqa: S608


def shown(tables: Mapping[str, Collection[str]]) -> list[View]:
    """The views of a catalogue with these tables (table → its columns)."""
    found = (view.shown(tables.get(view.table, ())) for view in VIEWS)
    return [view for view in found if view is not None]


_ID = "id of the session"
_MADE = "when it was made"
_CHANGED = "when it was changed last"
_METADATA = "JSON object of the tenant's own"

VIEWS: tuple[View, ...] = (
    View(
        "sessions", "Sessions, expired ones too as long as their ids are remembered.", "sessions",
        {
            "id": "its name", "owner": "id of the user whom it belongs to",
            "workspace_id": "the workspace that it is in", "type": "a word of the tenant's own",
            "status": "active, closed or expired", "metadata": _METADATA,
            "limits": "JSON: limits of its own; where it names `others`, those are the worker's",
            "pinned": "1: it never expires", "stateful": "1: variables stay between executions",
            "created_at": _MADE, "updated_at": "when type, workspace, metadata or status were changed last",
            "last_activity": "when it was used last", "last_activity_at": "the same",
            "idle_ms": "it expires so long after its last use", "expires_at": "when that is; NULL: never",
            "expired_at": "when its data went", "closed_at": "when it was closed",
            "mcp_client_id": "the MCP client that it belongs to", "connected_at": "when that client connected",
            "executions": "how many ran in it", "bytes": "of its database at its last use",
        },
        {
            "last_activity_at": "last_activity",
            "expires_at": "CASE WHEN pinned = 1 THEN NULL ELSE last_activity + idle_ms END",
        },
    ),
    View(
        "participants", "Who takes part in a session, or did.", "participants",
        {
            "session_id": _ID, "user_id": "who", "role": "owner, member or viewer", "joined_at": "since when",
            "left_at": "until when", "metadata": _METADATA,
        },
    ),
    View(
        "messages", "What was said in sessions.", "messages",
        {
            "id": "begins with its time: orders messages", "session_id": _ID,
            "user_id": "who said it; NULL: nobody in particular, or one who is gone",
            "message_type": "chat, mcp_request, mcp_response or system", "content": "the text",
            "metadata": _METADATA, "thread": "id of the message that began its thread", "created_at": _MADE,
        },
    ),
    View(
        "users", "People and agents.", "users",
        {
            "id": "his name", "kind": "human or agent", "display_name": "as people read it", "email": "or NULL",
            "metadata": _METADATA, "active_in": "active sessions that he takes part in", "created_at": _MADE,
            "updated_at": _CHANGED, "deleted_at": "when he was deleted",
        },
    ),
    View(
        "workspaces", "Where sessions belong together.", "workspaces",
        {
            "id": "its id", "name": "its name", "description": "for people", "metadata": _METADATA,
            "created_at": _MADE, "updated_at": _CHANGED,
        },
    ),
    View(
        "groups", "Users who belong together.", "groups",
        {
            "id": "its id", "name": "its name", "description": "for people", "metadata": _METADATA,
            "created_at": _MADE, "updated_at": _CHANGED,
        },
    ),
    View(
        "group_members", "Who is in which group.", "group_members",
        {"group_id": "the group", "user_id": "who", "joined_at": "since when"},
    ),
    View(
        "panels", "Named views of a session.", "panels",
        {
            "id": "its id", "session_id": _ID, "title": "its title", "kind": "a word such as table or chart",
            "query": "SQL of the session's database, or NULL", "document": "JSON, or NULL",
            "position": "its place among the others", "created_at": _MADE, "updated_at": _CHANGED,
        },
    ),
    View(
        "subscriptions", "Who is told of what happens in a session or panel.", "subscriptions",
        {
            "user_id": "who", "session_id": _ID, "panel_id": "NULL: all of the session", "created_at": _MADE,
        },
    ),
    View(
        "mcp_sessions", "MCP servers that a session is connected to.", "mcp_sessions",
        {
            "session_id": _ID, "mcp_server_id": "the server", "mcp_version": "of its protocol",
            "context_data": "JSON: its tools and resources", "state": "a word such as active",
            "created_at": _MADE, "updated_at": _CHANGED,
        },
    ),
    View(
        "signals", "Call signals that have not expired.", "signals",
        {
            "id": "begins with its time", "session_id": _ID, "signal_type": "offer, answer or ice",
            "from_participant": "who sent it", "to_participant": "NULL: whoever else takes it first",
            "signal_data": "JSON", "created_at": _MADE, "expires_at": "until when it can be taken",
            "taken_at": "when it was taken",
        },
    ),
    View(
        "audit", "Who did what.", "audit",
        {
            "id": "counts up", "at": "when", "actor": "id of a token, or os:NAME, or local",
            "user_id": "whom the token was bound to", "action": "what was done", "resource": "to what",
            "outcome": "ok, or an error code", "address": "of the client", "agent": "what the client says it is",
            "old_values": "JSON", "new_values": "JSON",
        },
    ),
    View(
        "preferences", "What users prefer.", "preferences",
        {
            "user_id": "who", "category": "of the preference", "key": "its name", "value": "JSON",
            "updated_at": _CHANGED,
        },
    ),
    View(
        "configuration", "The configuration of the tenant; sensitive values are NULL.", "configuration",
        {
            "key": "its name", "value": "JSON; NULL where it is sensitive", "description": "for people",
            "sensitive": "1: the value is sealed", "updated_at": _CHANGED,
        },
        {"value": "CASE WHEN sensitive = 0 THEN value END"},
    ),
    View(
        "tokens", "Tokens of the tenant, without what they open.", "tokens",
        {
            "id": "its id", "name": "its name", "scopes": "JSON list of read, execute, admin",
            "user_id": "whom it is bound to", "created_at": _MADE, "expires_at": "until when it is valid",
            "revoked_at": "since when it is refused", "last_used_at": "to the minute",
        },
    ),
    View(
        "background", "Executions in the background; forgotten an hour after their end.", "background",
        {
            "id": "of the execution", "session_id": _ID, "user_id": "whose it is", "started_at": "since when",
            "finished_at": "NULL while it waits or runs",
        },
    ),
    View(
        "usage_by_day", "What sessions that are gone cost, by day.", "usage_by_day",
        {"day": "ISO date, UTC", "totals": "JSON: executions, rows_read, rows_written and more"},
    ),
    View(
        "statistics", "How many there are of what, in one row.", "counters",
        {
            "agentCount": "agents", "humanCount": "people", "sessionCount": "sessions that have not expired",
            "panelCount": "panels", "messageCount": "messages", "workspaceCount": "workspaces",
            "agents": "the same as agentCount", "active_agents": "agents in an active session",
            "people": "the same as humanCount", "users": "agents and people", "sessions": "as sessionCount",
            "panels": "as panelCount", "messages": "as messageCount", "workspaces": "as workspaceCount",
            "executions": "that ran, all together", "bytes": "of the databases of sessions",
        },
        {
            "agentCount": "agents", "humanCount": "people", "sessionCount": "sessions", "panelCount": "panels",
            "messageCount": "messages", "workspaceCount": "workspaces", "users": "agents + people",
        },
    ),
    View(
        "tenant", "The tenant itself, in one row.", "tenants",
        {
            "id": "its name", "name": "as people read it", "plan": "free, pro or team",
            "quotas": "JSON: quotas of its own", "created_at": _MADE, "updated_at": _CHANGED,
            "deleted_at": "when it was deleted",
        },
        key="id",
    ),
)  # fmt: skip
