"""Questions to the catalogue over HTTP: who may ask, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from codemode import Worker

_QUERY, _TABLES = "/v1/catalog/query", "/v1/catalog/tables"


def client(worker: Worker, address: str, *scopes: str, user: str | None = None, tenant: str = "asks") -> httpx2.Client:
    secret, _ = worker.create_token(tenant, scopes=scopes, user=user)
    return httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=60)


@pytest.fixture
def admin(worker: Worker, guarded: str) -> Iterator[httpx2.Client]:
    for tenant in ("asks", "other"):
        worker.tenants.make(tenant, 1)
    worker.session("others", tenant="other")
    for name in ("a", "b", "c"):
        worker.session(name, tenant="asks", owner="ann")
    with client(worker, guarded, "read", "admin") as admin:
        yield admin


def test_one_statement_answers_across_sessions_and_users(admin: httpx2.Client) -> None:
    sql = "SELECT user_id, count(*) AS n FROM participants JOIN sessions AS s ON s.id = session_id"
    sql += " WHERE status = ? GROUP BY user_id"
    found = admin.post(_QUERY, json={"sql": sql, "params": ["active"]})
    assert found.status_code == 200
    assert found.json()["result"] == [{"user_id": "ann", "n": 3}]
    assert found.json()["columns"] == ["user_id", "n"]


def test_sessions_have_the_times_that_the_paths_tell(admin: httpx2.Client) -> None:
    sql = "SELECT last_activity_at - last_activity AS later, expires_at - last_activity_at - idle_ms AS apart"
    found = admin.post(_QUERY, json={"sql": f"{sql} FROM sessions WHERE id = 'a'"})
    assert found.json()["result"] == [{"later": 0, "apart": 0}]


def test_an_answer_is_bounded_and_says_so(admin: httpx2.Client) -> None:
    found = admin.post(_QUERY, json={"sql": "SELECT id FROM sessions ORDER BY id", "max_rows": 2}).json()
    assert found["result"] == [{"id": "a"}, {"id": "b"}]
    assert found["result_info"]["truncated"] is True
    assert admin.post(_QUERY, json={"sql": "SELECT 1", "max_rows": 0}).status_code == 400


def test_what_is_refused_says_the_way_out(admin: httpx2.Client) -> None:
    found = admin.post(_QUERY, json={"sql": "SELECT * FROM main.sessions"})
    assert (found.status_code, found.json()["code"]) == (422, "sql.refused")
    assert "sessions" in found.json()["available"]
    acts = admin.get("/v1/audit").json()["acts"]
    assert [(act["action"], act["outcome"]) for act in acts[:1]] == [("query_catalogue", "sql.refused")]


def test_the_tables_are_told_with_their_columns(admin: httpx2.Client) -> None:
    tables = {each["name"]: each for each in admin.get(_TABLES).json()["tables"]}
    assert {"sessions", "messages", "participants", "users", "audit", "statistics"} <= set(tables)
    assert "content" in [column["name"] for column in tables["messages"]["columns"]]


def test_only_a_token_of_the_whole_tenant_with_admin_may_ask(worker: Worker, guarded: str) -> None:
    for caller in (
        client(worker, guarded, "read", "execute"),
        client(worker, guarded, "read", "admin", user="ann"),
    ):
        with caller:
            answers = [caller.post(_QUERY, json={"sql": "SELECT 1"}), caller.get(_TABLES)]
        assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "auth.forbidden")] * 2
