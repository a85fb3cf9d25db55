"""The same questions in PostgreSQL: its planner takes the index of each by itself, policies or not.

The rows are so many that it matters, and of shapes that a wrong plan shows in: the tenant, the session and the user who
are asked for have hundreds of rows where others have one. Nothing is switched off, and the plans are made as a tenant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from postgres_cluster import Cluster
from test_plans import QUESTIONS

from codemode.catalog.bound import BoundStore
from codemode.catalog.opening import open_catalogue
from codemode.catalog.seal import Seal
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.errors import RecordNotFound

# Every second row is of the tenant `acme`, the others are of 2,000. `few` numbers those of `acme` from 0 to 9.
FILL = """
SET session_replication_role = replica;
INSERT INTO tenants (id, created_at) SELECT 't' || n, 1 FROM generate_series(1, 2000) AS n;
INSERT INTO tenants (id, created_at) VALUES ('acme', 1);
INSERT INTO counters (tenant) SELECT id FROM tenants ON CONFLICT DO NOTHING;
CREATE TEMP TABLE whose AS SELECT n, n % 2 = 0 AS mine, n / 2 % 10 AS few, 1700000000000 + n AS at,
    CASE WHEN n % 2 = 0 THEN 'acme' ELSE 't' || (n % 2000 + 1) END AS tenant FROM generate_series(1, 12000) AS n;
ALTER TABLE whose ADD session TEXT, ADD who TEXT;
UPDATE whose SET session = CASE WHEN mine AND few < 3 THEN 's1' ELSE 'r_' || n END,
    who = CASE WHEN mine AND few IN (0, 5) THEN 'ann' ELSE 'u' || n END;
INSERT INTO users (tenant, id, email, outside_id_hash, created_at, updated_at)
    SELECT tenant, 'u' || n, 'u' || n || '@b.c', 'h' || n, at, at FROM whose;
INSERT INTO group_members (tenant, group_id, user_id, joined_at) SELECT tenant, 'g' || n, who, at FROM whose;
INSERT INTO sessions (tenant, id, created_at, last_activity, idle_ms, expired_at, workspace_id, type)
    SELECT tenant, 'r_' || n, at, at, 1000, CASE WHEN few IN (1, 2) THEN at END,
        CASE WHEN few IN (3, 4) THEN 'w' END, CASE WHEN few IN (5, 6) THEN 't' ELSE 'work' END FROM whose;
INSERT INTO participants (tenant, session_id, user_id, role, joined_at, left_at)
    SELECT tenant, 'r_' || n, who, 'member', at, CASE WHEN few = 4 THEN at END FROM whose
    UNION ALL SELECT tenant, 's1', 'u' || n, 'member', at, CASE WHEN few = 4 THEN at END FROM whose WHERE mine;
INSERT INTO messages (tenant, session_id, id, user_id, message_type, content, created_at)
    SELECT tenant, session, 'm_' || lpad(n::text, 26, '0'), who,
        (ARRAY['chat', 'mcp_request', 'mcp_response', 'system'])[few % 4 + 1], 'word rare' || n % 500, at FROM whose;
INSERT INTO message_words SELECT position, words FROM messages_as_indexed;
INSERT INTO panels (tenant, session_id, id, title, kind, query, created_at, updated_at)
    SELECT tenant, 'r_' || n / 40, 'p' || n, 'p' || n, 'x', 'x', at, at FROM whose
    UNION ALL SELECT 'acme', 's1', 'p' || n, 'p' || n, 'x', 'x', 1, 1 FROM generate_series(1, 20) AS n;
INSERT INTO mcp_sessions (tenant, session_id, mcp_server_id, mcp_version, created_at, updated_at)
    SELECT tenant, 'r_' || n, CASE WHEN mine AND few < 3 THEN 'files' ELSE 'x' || n END, '1', at, at FROM whose;
INSERT INTO signals (tenant, session_id, id, signal_type, from_participant, signal_data, created_at, expires_at,
    taken_at) SELECT tenant, session, 'g_' || lpad(n::text, 26, '0'), (ARRAY['offer', 'answer', 'ice'])[few % 3 + 1],
        'ann', '1', at, at + 90000000, CASE WHEN n % 8 = 0 THEN at END FROM whose;
INSERT INTO subscriptions (tenant, user_id, session_id, created_at) SELECT tenant, who, 'r_' || n, at FROM whose;
INSERT INTO events (tenant, seq, session_id, kind, body, at) SELECT tenant, n, session, 'x', '{}', at FROM whose;
INSERT INTO audit (at, tenant, actor, action) SELECT at, tenant, 'x', 'x' FROM whose;
ANALYZE;
"""
INDEXES = {
    "active sessions of a tenant": "sessions_by_status",
    "sessions of a tenant": "sessions_by_use",
    "sessions of a workspace": "sessions_by_workspace",
    "sessions of a type": "sessions_by_type",
    "sessions of a user": "participants_by_user",
    "active participants of a session": "participants_active",
    "newest messages of a session": "messages_tenant_session_id_id_key",
    "newest messages of a type": "messages_by_type",
    "newest messages of a session and a type": "messages_of_session_by_type",
    "newest messages of a user": "messages_by_user",
    "panels of a session": "panels_",
    "MCP sessions of a server": "mcp_sessions_by_server",
    "untaken signals of a type": "signals_untaken",
    "events of a session": "events_by_session",
    "events of a user": "events_",
    "statistics": "counters_pkey",
    "a user by his e-mail": "users_by_email",
    "a user by his outside id": "users_by_outside_id",
    "groups of a user": "group_members_by_user",
}
# Those whose order is no index's: a session has few panels; what is heard of several sessions is put together.
SORTED = {"panels of a session", "events of a user"}


@pytest.fixture(scope="module")
def large(postgres: Cluster) -> Iterator[Store]:
    address = postgres.database("migrated")
    postgres.sql(FILL, database=address.partition("?")[0].rpartition("/")[2])
    store = open_catalogue(address, Path())
    yield store
    store.close()
    postgres.drop(address)


@pytest.fixture
def plans(large: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def planned(self: BoundStore, sql: str, *params: object) -> list[object]:
        plan = self._acting.look(f"EXPLAIN {sql}", self.tenant, *params)
        found.append("\n".join(line for (line,) in plan))
        return self._acting.look(sql, self.tenant, *params) if "to_tsquery" in sql else []

    monkeypatch.setattr(BoundStore, "look", planned)
    return found


@pytest.mark.parametrize("question", [each for each in QUESTIONS if not each.startswith("words")])
def test_a_question_goes_by_its_index_in_postgresql(large: Store, plans: list[str], question: str) -> None:
    assert question in INDEXES, "say by which index PostgreSQL answers this"
    ask, _ = QUESTIONS[question]
    with suppress(RecordNotFound):
        ask(TenantRecords(large, "acme", Seal(["k" * 43])))
    (plan,) = plans
    assert INDEXES[question] in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Sort" not in plan or question in SORTED, plan


@pytest.mark.parametrize(("text", "index"), [("rare8", "message_words_by_word"), ("word", "message_words_pkey")])
def test_words_are_looked_for_in_their_index_or_from_the_newest_message_on(
    large: Store, plans: list[str], text: str, index: str
) -> None:
    TenantRecords(large, "acme", Seal(["k" * 43])).messages.page(text=text)
    assert index in plans[-1], plans[-1]
    assert "Seq Scan" not in plans[-1], plans[-1]


def test_plans_are_made_for_the_tenant_who_asks(large: Store) -> None:
    assert large.look("SHOW plan_cache_mode") == [("force_custom_plan",)]


def test_the_newest_entries_of_the_audit_log_are_read_in_the_order_of_its_index(large: Store) -> None:
    sql = "EXPLAIN SELECT * FROM audit WHERE tenant = ?1 AND id < ?2 ORDER BY id DESC LIMIT 50"
    plan = "\n".join(line for (line,) in large.acting_for("acme").look(sql, "acme", 9_000))
    assert "audit_by_tenant" in plan or "audit_pkey" in plan, plan
    assert "Sort" not in plan, plan
