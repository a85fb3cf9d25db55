"""A catalogue of two tenants that holds a row of each in every table; every text of a row names its tenant."""

from __future__ import annotations

from typing import Any

TENANTS = ("mine", "theirs")
NOW = 1_750_000_000_000
SECRET = "sealed-value"
_USER, _SESSION, _OBJECT = "{0}-user", "{0}-session", '{{"of": "{0}"}}'
# Table → columns of one row; {0} is the tenant. In the order of their references.
ROWS: dict[str, dict[str, Any]] = {
    "users": {"id": _USER, "kind": "agent", "email": "{0}@host", "outside_id_hash": "hash-of-{0}"},
    "workspaces": {"id": "{0}-workspace", "name": "{0}"},
    "groups": {"id": "{0}-group", "name": "{0}"},
    "group_members": {"group_id": "{0}-group", "user_id": _USER, "joined_at": NOW},
    "sessions": {
        "id": _SESSION, "created_at": NOW, "last_activity": NOW, "idle_ms": 9, "owner": _USER, "metadata": _OBJECT,
    },
    "messages": {
        "session_id": _SESSION, "id": "{0}-message", "user_id": _USER, "message_type": "chat", "content": "said by {0}",
    },
    "panels": {"session_id": _SESSION, "id": "{0}-panel", "title": "{0}", "kind": "table", "query": "select '{0}'"},
    "subscriptions": {"user_id": _USER, "session_id": _SESSION, "panel_id": "{0}-panel"},
    "mcp_sessions": {"session_id": _SESSION, "mcp_server_id": "{0}-server", "mcp_version": "1"},
    "signals": {
        "session_id": _SESSION, "id": "{0}-signal", "signal_type": "offer", "from_participant": _USER,
        "signal_data": _OBJECT, "expires_at": NOW + 1,
    },
    "preferences": {"user_id": _USER, "category": "c", "key": "{0}", "value": _OBJECT},
    "configuration": {"key": "{0}", "value": SECRET, "sensitive": 1},
    "tokens": {"id": "{0}-token", "hash": b"hash-of-{0}", "name": "{0}", "scopes": '["read"]'},
    "audit": {"at": NOW, "actor": "{0}-token", "action": "read", "resource": _SESSION},
    "background": {"id": "{0}-execution", "session_id": _SESSION, "started_at": NOW, "outcome": b"outcome of {0}"},
    "usage_by_day": {"day": "2026-01-01", "totals": _OBJECT},
}  # fmt: skip
_TIMES = ("created_at", "updated_at")


def statements(columns: dict[str, list[str]]) -> list[tuple[str, list[Any]]]:
    """What fills a catalogue whose tables have `columns`: statements with `?` and their values."""
    found: list[tuple[str, list[Any]]] = []
    for tenant in TENANTS:
        found.append(("INSERT INTO tenants (id, created_at) VALUES (?, ?)", [tenant, NOW]))
        for table, row in ROWS.items():
            values = {"tenant": tenant, **{name: _of(value, tenant) for name, value in row.items()}}
            values |= {name: NOW for name in _TIMES if name in columns[table] and name not in values}
            marks = ", ".join("?" * len(values))
            found.append((f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())))
    return found


def _of(value: Any, tenant: str) -> Any:
    if isinstance(value, bytes):
        return value.replace(b"{0}", tenant.encode())
    return value.format(tenant) if isinstance(value, str) else value
