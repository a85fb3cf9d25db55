"""Tokens: who may do what, and that nobody learns of anybody else's sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS

from codemode import Worker
from codemode.database.clock import now_ms


def client(address: str, secret: str | None) -> httpx2.Client:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=60)


def token(worker: Worker, tenant: str, *scopes: str, **more: Any) -> str:
    return worker.create_token(tenant, scopes=scopes or ("read", "execute"), **more)[0]


def test_the_secret_is_not_in_the_catalogue(worker: Worker) -> None:
    secret = token(worker, "acme")
    assert secret.startswith("cm_")
    for path in Path(worker.data_dir).glob("catalog.db*"):
        assert secret.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "auth.missing"),
        ("Basic YTpi", "auth.invalid"),
        ("Bearer", "auth.invalid"),
        ("Bearer cm_short", "auth.invalid"),
        ("Bearer cm_" + "A" * 43, "auth.invalid"),
        ("Bearer ' OR 1=1 --", "auth.invalid"),
        ("Bearer " + "x" * 5_000, "auth.invalid"),
    ],
)
def test_without_a_valid_token_there_is_nothing(guarded: str, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx2.get(f"{guarded}/v1/sessions", headers=headers, timeout=HANG_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    why = ', error="invalid_token"' if header else ""
    assert answer.headers["www-authenticate"] == f'Bearer realm="codemode"{why}'
    assert httpx2.get(f"{guarded}/health", timeout=HANG_SECONDS).status_code == 200


def test_scopes_bound_what_a_token_may_do(worker: Worker, guarded: str) -> None:
    with client(guarded, token(worker, "acme", "read")) as reader:
        answer = reader.post("/v1/sessions", json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "auth.forbidden")
        assert reader.get("/v1/sessions").status_code == 200


def test_revoked_and_expired_tokens_are_told_alike(worker: Worker, guarded: str) -> None:
    secret, made = worker.create_token("acme")
    with client(guarded, secret) as http:
        assert http.get("/v1/sessions").status_code == 200
        assert worker.tokens.revoke(made.id, now_ms())
        revoked = http.get("/v1/sessions").json()
    soon, short = worker.create_token("acme", expires_at=now_ms() + 60_000)
    with client(guarded, soon) as http:
        assert http.get("/v1/sessions").status_code == 200
        worker._catalog.run("UPDATE tokens SET expires_at = ?2 WHERE id = ?1", short.id, now_ms())
        assert http.get("/v1/sessions").json() == revoked
    assert not worker.tokens.revoke(made.id, now_ms())


def test_the_same_id_is_another_session_for_another_tenant(worker: Worker, guarded: str) -> None:
    for tenant in ("one", "two"):
        with client(guarded, token(worker, tenant)) as http:
            assert http.post("/v1/sessions", json={"id": "same"}).status_code == 201
            code = f"helpers.db.save_state('who', {tenant!r})"
            assert http.post("/v1/sessions/same/execute", json={"code": code}).json()["ok"]
    with client(guarded, token(worker, "one")) as http:
        outcome = http.post("/v1/sessions/same/execute", json={"code": "return helpers.db.get_state('who')"}).json()
    assert outcome["result"] == "one"


def test_a_token_of_a_user_reaches_that_user_s_sessions_alone(worker: Worker, guarded: str) -> None:
    with client(guarded, token(worker, "firm", user="ann")) as ann:
        ann.post("/v1/sessions", json={"id": "ann-s"})
        background = ann.post("/v1/sessions/ann-s/execute", json={"code": "return 1", "mode": "background"}).json()
    with client(guarded, token(worker, "firm", user="bob")) as bob:
        assert bob.get("/v1/sessions").json()["sessions"] == []
        assert bob.get("/v1/sessions/ann-s").status_code == 404
        assert bob.get(f"/v1/executions/{background['execution_id']}").status_code == 404
        taken = bob.post("/v1/sessions", json={"id": "ann-s"})
        assert (taken.status_code, taken.json()["code"]) == (409, "session.exists")
    with client(guarded, token(worker, "firm")) as everybody:
        assert [each["id"] for each in everybody.get("/v1/sessions").json()["sessions"]] == ["ann-s"]


def test_who_did_what_is_on_record(worker: Worker, guarded: str) -> None:
    secret, made = worker.create_token("audited", scopes=("execute",))
    with client(guarded, secret) as http:
        http.post("/v1/sessions", json={"id": "a"})
        http.post("/v1/sessions/a/execute", json={"code": "1 / 0"})
        http.get("/v1/sessions")
    acts = [(act.actor, act.action, act.resource, act.outcome) for act in worker.audit.read("audited")]
    assert acts == [
        (made.id, "list_sessions", "", "auth.forbidden"),
        (made.id, "execute", "a", "code.runtime"),
        (made.id, "create_session", "a", "ok"),
    ]


@pytest.mark.parametrize("mode", ["stream", "background"])
@pytest.mark.parametrize(("code", "outcome"), [("return 1", "ok"), ("1 / 0", "code.runtime")])
def test_an_execution_is_on_record_when_it_is_over(
    worker: Worker, guarded: str, mode: str, code: str, outcome: str
) -> None:
    tenant = f"{mode}-{outcome}"
    with client(guarded, token(worker, tenant)) as http:
        http.post("/v1/sessions", json={"id": "a"})
        answer = http.post("/v1/sessions/a/execute", json={"code": code, "mode": mode})
        if mode == "background":
            http.get(answer.headers["location"], params={"wait": 30})
    [act] = [act for act in worker.audit.read(tenant) if act.action == "execute"]
    assert (act.resource, act.outcome) == ("a", outcome)


def test_strangers_cannot_fill_the_audit_log(worker: Worker, guarded: str) -> None:
    before = worker.audit.read(limit=1)
    assert httpx2.post(f"{guarded}/v1/sessions", json={}, timeout=HANG_SECONDS).status_code == 401
    assert (
        httpx2.get(f"{guarded}/v1/sessions", headers={"Authorization": "Bearer cm_x"}, timeout=HANG_SECONDS).status_code
        == 401
    )
    assert worker.audit.read(limit=1) == before


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}], ids=str
)
def test_a_web_page_cannot_use_a_service_without_tokens(address: str, headers: dict[str, str]) -> None:
    with httpx2.Client(base_url=address, headers=headers, timeout=HANG_SECONDS) as page:
        answer = page.post("/v1/sessions", content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (403, "auth.forbidden")
        assert page.get("/v1/sessions").status_code == 403
        assert "access-control-allow-origin" not in answer.headers
