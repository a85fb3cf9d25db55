"""Rows of each form of a catalogue, for the tests of migrations: whoever adds one says here what its form can hold.

`FILLED` has for each migration rows that a catalogue could not hold before it. Together with those of the migrations
before they leave no table empty and no column without a value, which the tests check.
"""

from __future__ import annotations

from typing import Any

from codemode.catalog.store import Store

T = 1_790_000_000_000
Row = tuple[str, dict[str, Any]]
_KEY = {"tenant": "acme", "session_id": "chat"}

FILLED: dict[int, tuple[Row, ...]] = {
    1: (
        ("tenants", {"id": "acme", "created_at": T}),
        ("sessions", {"tenant": "acme", "id": "chat", "created_at": T, "last_activity": T + 1, "idle_ms": 86_400_000,
                      "pinned": 1, "limits": '{"rows": 7}'}),
        ("sessions", {"tenant": "acme", "id": "gone", "created_at": T, "last_activity": T, "idle_ms": 1,
                      "expired_at": T + 9}),
    ),
    2: (("usage_by_day", {"tenant": "acme", "day": "2026-09-21", "totals": '{"executions": 3}'}),),
    3: (("sessions", {"tenant": "acme", "id": "kept", "created_at": T, "last_activity": T, "idle_ms": 1,
                      "stateful": 1}),),
    4: (
        ("sessions", {"tenant": "acme", "id": "of-ann", "created_at": T, "last_activity": T, "idle_ms": 1,
                      "owner": "ann"}),
        ("tokens", {"id": "tok_1", "hash": b"\x00\xff", "tenant": "acme", "name": "ci", "scopes": '["read"]',
                    "user_id": "bob", "created_at": T, "expires_at": T + 9, "revoked_at": T + 3,
                    "last_used_at": T + 2}),
        ("audit", {"at": T, "tenant": "acme", "actor": "tok_1", "action": "execute", "resource": "chat",
                   "outcome": "ok", "address": "127.0.0.1", "agent": "curl"}),
        ("background", {"id": "x1", "tenant": "acme", "session_id": "chat", "user_id": "bob", "started_at": T,
                        "finished_at": T + 1, "outcome": b"{}"}),
    ),
    5: (
        ("tenants", {"id": "bounded", "created_at": T, "quotas": '{"sessions": 5}'}),
        ("rates", {"tenant": "bounded", "level": 0.5, "at": 1_000}),
        ("participants", {**_KEY, "user_id": "eve", "role": "viewer", "joined_at": T, "left_at": T + 5,
                          "metadata": '{"from": "Bern"}'}),
    ),
    6: (("background", {"id": "x2", "tenant": "acme", "session_id": "chat", "started_at": T, "service": "svc_1",
                        "cancel_requested": 1}),),
    7: (
        ("tenants", {"id": "left", "created_at": T, "name": "Left", "plan": "pro", "updated_at": T + 1,
                     "deleted_at": T + 1}),
        ("users", {"tenant": "acme", "id": "robot", "kind": "agent", "display_name": "R2", "email": "r2@example.org",
                   "outside_id_hash": "h", "metadata": '{"a": 1}', "created_at": T, "updated_at": T + 1,
                   "deleted_at": T + 2}),
        ("workspaces", {"tenant": "acme", "id": "north", "name": "North", "description": "cold",
                        "metadata": '{"a": 1}', "created_at": T, "updated_at": T + 1}),
        ("groups", {"tenant": "acme", "id": "crew", "name": "Crew", "description": "all", "metadata": '{"a": 1}',
                    "created_at": T, "updated_at": T + 1}),
        ("group_members", {"tenant": "acme", "group_id": "crew", "user_id": "bob", "joined_at": T}),
        ("sessions", {"tenant": "acme", "id": "placed", "created_at": T, "last_activity": T, "idle_ms": 1,
                      "workspace_id": "north", "metadata": '{"a": 1}', "updated_at": T + 1, "closed_at": T + 2,
                      "mcp_client_id": "c", "connected_at": T + 1, "executions": 3, "bytes": 4_096}),
        ("messages", {**_KEY, "id": "m_1", "user_id": "bob", "message_type": "chat", "content": "the disk is full",
                      "metadata": '{"a": 1}', "created_at": T}),
        ("messages", {**_KEY, "id": "m_2", "user_id": "eve", "message_type": "system", "content": "cleared the disk",
                      "thread": "m_1", "created_at": T + 1}),
        ("panels", {**_KEY, "id": "p_1", "title": "Plan", "kind": "table", "query": "SELECT 1", "position": 1,
                    "created_at": T, "updated_at": T + 1}),
        ("panels", {**_KEY, "id": "p_2", "title": "Text", "kind": "text", "document": '"x"', "created_at": T,
                    "updated_at": T}),
        ("subscriptions", {**_KEY, "user_id": "bob", "panel_id": "p_1", "created_at": T}),
        ("mcp_sessions", {**_KEY, "mcp_server_id": "files", "mcp_version": "1", "context_data": '{"tools": []}',
                          "state": "closed", "created_at": T, "updated_at": T + 1}),
        ("signals", {**_KEY, "id": "s_1", "signal_type": "offer", "from_participant": "bob", "to_participant": "eve",
                     "signal_data": "1", "created_at": T, "expires_at": T + 9, "taken_at": T + 1}),
        ("preferences", {"tenant": "acme", "user_id": "bob", "category": "ui", "key": "theme", "value": '"dark"',
                         "updated_at": T}),
        ("configuration", {"tenant": "acme", "key": "region", "value": '"eu"', "description": "where",
                           "sensitive": 0, "updated_at": T}),
        ("audit", {"at": T, "tenant": "acme", "actor": "tok_1", "action": "change_user", "user_id": "bob",
                   "old_values": '{"a": 1}', "new_values": '{"a": 2}'}),
    ),
    8: (),  # records itself
    9: (("sessions", {"tenant": "acme", "id": "typed", "created_at": T, "last_activity": T, "idle_ms": 1,
                      "type": "analysis"}),),
    10: (),  # of the full-text index: what the messages above make of it
    11: (),  # indexes
    12: (),  # of the full-text index again
}  # fmt: skip


def fill(store: Store, number: int) -> None:
    """Put in what a catalogue can hold since migration `number`; what its triggers make by themselves comes with it."""
    for table, row in FILLED[number]:
        places = ", ".join(f"?{place}" for place in range(1, len(row) + 1))
        store.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())
