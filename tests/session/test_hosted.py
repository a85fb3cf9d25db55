"""The third source system in a session: its tables name by name, its patterns by snippets, its errors repaired.

docs/how-to/schema-patterns.md has the patterns as blocks that run too; here is what they must also withstand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codemode import Session, Worker

SCRIPT = (Path(__file__).parents[1] / "cases" / "hosted.sql").read_text(encoding="utf-8")
COLUMNS = {
    "tenants": "id, name, plan, created_at, updated_at, deleted_at",
    "users": "id, tenant_id, email, auth0_id, created_at, deleted_at",
    "data_items": "id, tenant_id, user_id, content, created_at, deleted_at",
    "memories": "id, content, tags, metadata, embedding, importance, access_scope, source, created_at",
    "audit_logs": "id, tenant_id, user_id, action, resource_type, resource_id, old_values, new_values, ip_address,"
    " user_agent, created_at",
    "sessions": "id, tenant_id, user_id, mcp_client_id, connected_at, last_activity_at, metadata, expired_at",
}
FILL = """
helpers.db.script(schema)
helpers.db.script(schema)
insert = helpers.db.batch_insert
insert("tenants", [{"id": f"t{n}", "name": f"Tenant {n}", "plan": ("free", "pro", "team")[n]} for n in range(3)])
insert("users", [{"id": f"u{n}", "tenant_id": f"t{n % 3}", "email": f"user{n}@x.test"} for n in range(30)])
insert("data_items", ({"tenant_id": f"t{n % 3}", "user_id": f"u{n % 30}", "content": f"item {n}",
                       "created_at": f"2025-01-{n % 28 + 1:02} 00:00:00"} for n in range(3000)))
insert("memories", ({"content": f"The client prefers {('tea', 'coffee')[n % 2]}", "tags": ["client", f"t{n % 5}"],
                     "metadata": {"lang": ("en", "de")[n % 2]}, "embedding": bytes([n % 256]) * 8,
                     "importance": 1 + n % 10, "source": f"Source {n % 50}"} for n in range(500)))
insert("sessions", [{"id": f"s{n}", "tenant_id": f"t{n % 3}", "user_id": f"u{n % 30}",
                     "connected_at": "2025-01-01 10:00:00",
                     "last_activity_at": ("2025-01-01 11:30:00", "2999-01-01 00:00:00")[n % 2]} for n in range(60)])
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Worker() as worker:
        session = worker.session("hosted")
        outcome = session.run(FILL, inputs={"schema": SCRIPT})
        assert outcome.ok, outcome.error
        yield session


def tried(session: Session, code: str) -> Any:
    """What a snippet answers, with everything that it did undone."""
    outcome = session.run(code, dry_run=True)
    assert outcome.ok, outcome.error
    return outcome.result


def test_the_tables_have_the_columns_that_are_listed(session: Session) -> None:
    found = {name: ", ".join(column["name"] for column in session.get_columns(name)) for name in COLUMNS}
    assert found == COLUMNS


def test_a_tenant_s_rows_go_with_it_and_its_log_stays_without_the_user(session: Session) -> None:
    code = """
x, q = helpers.db.exec, helpers.db.query_one
x("UPDATE acting SET user_id = 'u1', ip_address = '10.0.0.7', user_agent = 'agent/1'")
x("UPDATE users SET email = 'new@x.test' WHERE id = 'u1'")
x("UPDATE users SET deleted_at = CURRENT_TIMESTAMP WHERE id = 'u4'")
logged = q("SELECT action, old_values ->> '$.email' AS was, new_values ->> '$.email' AS now, ip_address, user_agent "
           "FROM audit_logs ORDER BY id")
living = q("SELECT (SELECT count(*) FROM live_users) AS users, (SELECT count(*) FROM live_items) AS items")
x("INSERT INTO users (id, tenant_id, email) VALUES ('again', 't1', 'user4@x.test')")
x("DELETE FROM tenants WHERE id = 't1'")
left = q('''SELECT (SELECT count(*) FROM users WHERE tenant_id = 't1') AS users,
    (SELECT count(*) FROM data_items WHERE tenant_id = 't1') AS items, (SELECT count(*) FROM sessions) AS sessions,
    (SELECT count(*) FROM audit_logs WHERE tenant_id = 't1' AND user_id IS NULL) AS logged''')
return list(logged.values()), list(living.values()), list(left.values())
"""
    assert tried(session, code) == [
        ["update", "user1@x.test", "new@x.test", "10.0.0.7", "agent/1"], [29, 2900], [0, 0, 40, 2]
    ]  # fmt: skip


def test_memories_are_found_by_number_and_their_tags_appended(session: Session) -> None:
    code = """
x, v = helpers.db.exec, helpers.db.value
tea = "SELECT count(*) FROM memories_fts JOIN memories AS m ON m.id = memories_fts.rowid WHERE memories_fts MATCH ?"
seen = [v(tea, ["prefer AND tea"]), v(tea, ["tags: urgent"])]
append = "UPDATE memories SET tags = json_insert(tags, '$[#]', ?) WHERE id = ? RETURNING tags"
seen += [x(append, ["urgent", 1])["rows"][0]["tags"], v(tea, ["tags: urgent"])]
others = "(SELECT json_group_array(value) FROM json_each(tags) WHERE value <> 'client')"
x(f"UPDATE memories SET tags = {others} WHERE id = 1")
x("UPDATE memories SET metadata = json_set(metadata, '$.seen.by', json('[1]')) WHERE id = 1")
seen += helpers.db.query_one("SELECT tags, metadata ->> '$.seen.by[0]' AS by FROM memories WHERE id = 1").values()
x("INSERT OR REPLACE INTO memories (id, content) VALUES (1, 'replaced')")
x("INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)")
return [*seen, v(tea, ["tags: urgent"]), v("SELECT hex(embedding) FROM memories WHERE id = 3")]
"""
    assert tried(session, code) == [
        250, 0, '["client","t0","urgent"]', 1, '["t0","urgent"]', 1, 0, "0202020202020202"
    ]  # fmt: skip


ERRORS = {
    "INSERT INTO tenants (id, name, plan) VALUES ('x', 'X', 'gold')": "takes for plan: 'free', 'pro', 'team'",
    "UPDATE memories SET importance = 11 WHERE id = 1": "importance BETWEEN 1 AND 10",
    "UPDATE memories SET source = NULL, access_scope = 'global' WHERE id = 1": "access_scope <> 'global' OR source IS",
    "UPDATE memories SET tags = 'a, b' WHERE id = 1": "json_valid",
    "INSERT INTO users (id, tenant_id, email) VALUES ('x', 't0', 'USER0@x.test')": "WHERE deleted_at IS NULL DO UPDATE",
    "INSERT INTO users (id, tenant_id) VALUES ('x', 't0')": "give the column a value",
    "INSERT INTO data_items (tenant_id, user_id, content) VALUES ('t0', 'u1', 'x')": "none with this tenant_id and id",
    "UPDATE users SET id = 'x' WHERE id = 'u1'": "data_items.tenant_id refers to users",
    "INSERT INTO acting (one) VALUES (2)": "one = 1",
    "SELECT id FROM memories WHERE memories MATCH 'tea'": "memories_fts MATCH",
}


def test_what_breaks_a_rule_is_told_what_would_be_right(session: Session) -> None:
    code = """
def hint(sql):
    try:
        helpers.db.exec(sql)
    except helpers.Error as error:
        return error.hint

ok = ["INSERT INTO users (id, tenant_id, email) VALUES ('x', 't1', 'user0@x.test')",
      "UPDATE users SET auth0_id = NULL",
      "INSERT INTO memories (content, access_scope, source) VALUES ('x', 'global', 's')"]
return [hint(sql) for sql in errors], [hint(sql) for sql in ok]
"""
    outcome = session.run(code, inputs={"errors": list(ERRORS)}, dry_run=True)
    assert outcome.ok, outcome.error
    hints, none = outcome.result
    assert none == [None] * 3
    for (sql, way), hint in zip(ERRORS.items(), hints, strict=True):
        assert way in (hint or ""), f"{sql}: {hint}"


INDEXED = {
    "SELECT id FROM data_items WHERE tenant_id = 't1' AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 9": (
        "data_items_live"
    ),
    "SELECT created_at FROM data_items WHERE tenant_id = 't1' AND user_id = 'u1'": "data_items_user",
    "SELECT id FROM memories WHERE metadata ->> '$.lang' = 'de'": "memories_lang",
    "SELECT id FROM memories WHERE lower(source) = 'source 7'": "memories_source",
    "SELECT id FROM users WHERE tenant_id = 't1' AND email = 'USER1@X.TEST' AND deleted_at IS NULL": "users_email",
    "UPDATE sessions SET expired_at = CURRENT_TIMESTAMP WHERE tenant_id = 't0' AND expired_at IS NULL"
    " AND last_activity_at < datetime('now', '-24 hours') RETURNING id": "sessions_active",
}


def test_the_usual_questions_use_their_indexes_and_one_says_when_none_is_fit(session: Session) -> None:
    code = """
return [helpers.db.explain(sql) for sql in questions]
"""
    asked = [*INDEXED, "SELECT id FROM memories WHERE upper(source) = 'SOURCE 7'"]
    *plans, unfit = session.run(code, inputs={"questions": asked}).result
    assert [plan["indexes"] for plan in plans] == [[index] for index in INDEXED.values()]
    assert [plan["scans"] + plan["sorts"] for plan in plans] == [[]] * len(plans)
    assert "COVERING INDEX" in plans[1]["query_plan"][0]
    assert unfit["scans"] == ["memories"]


def test_idle_sessions_expire_and_pages_by_key_see_every_row_once(session: Session) -> None:
    code = """
gone = helpers.db.exec("UPDATE sessions SET expired_at = CURRENT_TIMESTAMP WHERE expired_at IS NULL "
                       "AND last_activity_at < datetime('now', '-24 hours') RETURNING id")
page = '''SELECT id, created_at FROM live_items WHERE tenant_id = ? AND (created_at, id) < (?, ?)
          ORDER BY created_at DESC, id DESC LIMIT 300'''
seen, at = [], ["9999", 0]
while rows := helpers.db.query(page, ["t2", *at]):
    seen += [row["id"] for row in rows]
    at = [rows[-1]["created_at"], rows[-1]["id"]]
return gone["rows_read"], gone["changes"], len(seen), len(set(seen))
"""
    assert tried(session, code) == [30, 30, 1000, 1000]


def test_a_script_that_fails_half_way_leaves_nothing_though_it_is_caught(session: Session) -> None:
    code = """
try:
    helpers.db.script('''
        ALTER TABLE tenants ADD COLUMN seats INTEGER NOT NULL DEFAULT 1 CHECK (seats > 0);
        CREATE TRIGGER seats AFTER INSERT ON users BEGIN
            UPDATE tenants SET seats = seats + 1 WHERE id = new.tenant_id; SELECT 'not; the; end';
        END;
        UPDATE tenants SET seats = 0;''')
except helpers.Error as error:
    return error.code, helpers.schema.has_column("tenants", "seats"), helpers.schema.describe_table("users")["triggers"]
"""
    assert tried(session, code) == ["sql.constraint", False, ["users_audit"]]
