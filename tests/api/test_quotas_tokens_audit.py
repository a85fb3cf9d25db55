"""What a tenant may use, its tokens and its audit log, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker
from codemode.catalog.tokens import Token
from codemode.database.clock import now_ms
from codemode.service.auditing import REFUSALS_A_MINUTE

DAY_MS = 86_400_000


def client(address: str, secret: str) -> httpx2.Client:
    return httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=60)


def token(worker: Worker, tenant: str, *scopes: str, **more: Any) -> tuple[str, Token]:
    return worker.create_token(tenant, scopes=scopes or ("read", "execute", "admin"), **more)


def bounded(worker: Worker, tenant: str, **quotas: int) -> str:
    secret, _ = token(worker, tenant)
    worker.tenants.set_quotas(tenant, quotas)
    return secret


def run(http: httpx2.Client, code: str, **more: Any) -> httpx2.Response:
    return http.post("/v1/sessions/s/execute", json={"code": code, **more})


def refused(answer: httpx2.Response) -> tuple[int, str, bool]:
    return answer.status_code, answer.json()["code"], "retry-after" in answer.headers


@pytest.mark.parametrize("mode", ["sync", "stream", "background"])
def test_executions_at_once_are_bounded_in_every_mode(worker: Worker, guarded: str, mode: str) -> None:
    with client(guarded, bounded(worker, f"one-{mode}", executions=1)) as http:
        http.post("/v1/sessions", json={"id": "s"})
        long = http.post("/v1/sessions/s/execute", json={"code": "while True: pass", "mode": "background"}).json()
        assert http.get("/v1/tenant").json()["use"]["executions"] == 1
        assert refused(run(http, "return 1", mode=mode)) == (429, "quota.executions", True)
        http.delete(f"/v1/executions/{long['execution_id']}")
        # Over and gone is not the same instant: the slot is given back when its task has ended.
        assert soon(lambda: http.get("/v1/tenant").json()["use"]["executions"] == 0)
        assert run(http, "return 1", mode=mode).status_code in (200, 202)


def test_a_client_that_goes_away_gives_its_slot_back(worker: Worker, guarded: str) -> None:
    with client(guarded, bounded(worker, "leaver", executions=1)) as http:
        http.post("/v1/sessions", json={"id": "s"})
        with http.stream("POST", "/v1/sessions/s/execute", json={"code": "while True: pass", "mode": "stream"}) as body:
            next(body.iter_lines())
        assert soon(lambda: run(http, "return 1").json().get("result") == 1)


def test_executions_a_minute_are_bounded_and_retry_after_says_until_when(worker: Worker, guarded: str) -> None:
    with client(guarded, bounded(worker, "hasty", executions_per_minute=3)) as http:
        http.post("/v1/sessions", json={"id": "s"})
        answers = [run(http, "return 1") for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 20
        assert http.get("/v1/tenant").json()["use"]["executions_left"] == 0


def test_at_once_bounded_clients_in_threads_all_get_done(worker: Worker, guarded: str) -> None:
    secret = bounded(worker, "crowd", executions=2)
    with client(guarded, secret) as http:
        for name in "abcdef":
            http.post("/v1/sessions", json={"id": name})
    most, codes = [], []

    def one(name: str) -> None:
        with client(guarded, secret) as http:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                answer = http.post(f"/v1/sessions/{name}/execute", json={"code": "import time\ntime.sleep(0.1)"})
                codes.append(answer.status_code)
                most.append(http.get("/v1/tenant").json()["use"]["executions"])
                if answer.status_code == 200:
                    return
                time.sleep(0.02)

    threads = [threading.Thread(target=one, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert codes.count(200) == 6
    assert max(most) <= 2


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_an_upload_counts_as_an_execution_as_long_as_it_lasts(worker: Worker, guarded: str, accept: str) -> None:
    secret = bounded(worker, f"loader-{accept.partition('/')[0]}", executions=1)
    seen: list[tuple[int, str, bool]] = []

    def lines() -> Iterator[bytes]:
        with client(guarded, secret) as other:
            yield b'{"a": 1}\n'
            assert soon(lambda: other.get("/v1/tenant").json()["use"]["executions"])
            seen.append(refused(run(other, "return 1")))
        yield b'{"a": 2}\n'

    with client(guarded, secret) as http:
        http.post("/v1/sessions", json={"id": "s"})
        headers = {"Content-Type": "application/x-ndjson", "Accept": accept}
        query = {"table": "t", "create": "true"}
        answer = http.post("/v1/sessions/s/batch_insert", params=query, content=lines(), headers=headers)
        assert answer.status_code == 200
        assert seen == [(429, "quota.executions", True)]
        assert http.get("/v1/tenant").json()["use"]["executions"] == 0


def test_sessions_are_bounded_forks_too(worker: Worker, guarded: str) -> None:
    with client(guarded, bounded(worker, "few", sessions=2)) as http:
        assert [http.post("/v1/sessions", json={"id": name}).status_code for name in ("s", "t", "s")] == [201, 201, 200]
        assert refused(http.post("/v1/sessions", json={"id": "u"})) == (429, "quota.exceeded", True)
        assert refused(http.post("/v1/sessions/s/fork", json={})) == (429, "quota.exceeded", True)
        http.delete("/v1/sessions/t")
        assert http.post("/v1/sessions/s/fork", json={}).status_code == 201


WRITING = [
    ("/execute", {}, {"code": "return 1"}),
    ("/batch_insert", {}, {"table": "t", "records": [{"x": 1}]}),
    ("/import", {"table": "u", "format": "json"}, [{"a": 1}]),
    ("/exec", {}, {"sql": "insert into t values (1)"}),
    ("/checkpoints", {}, {"name": "more"}),
    ("/fork", {}, {}),
]


def test_bytes_are_bounded_and_reading_goes_on(worker: Worker, guarded: str) -> None:
    secret = bounded(worker, "heavy")
    with client(guarded, secret) as http:
        for name in ("s", "full"):
            http.post("/v1/sessions", json={"id": name})
            for sql in ("create table t (x)", "insert into t values (zeroblob(700000))"):
                assert http.post(f"/v1/sessions/{name}/exec", json={"sql": sql}).status_code == 200
        worker.tenants.set_quotas("heavy", {"bytes": 1_200_000})
        assert soon(lambda: http.get("/v1/tenant").json()["use"]["bytes"] >= 1_200_000)
        for path, query, body in WRITING:
            answer = http.post(f"/v1/sessions/s{path}", params=query, json=body)
            assert refused(answer) == (429, "quota.exceeded", True), path
        assert refused(http.post("/v1/sessions", json={})) == (429, "quota.exceeded", True)
        assert (
            http.post("/v1/sessions/s/query", json={"sql": "select count(*) as n from t"}).json()["result"][0]["n"] == 1
        )
        assert run(http, "return 5", read_only=True).json()["result"] == 5
        http.delete("/v1/sessions/full")
        assert soon(lambda: run(http, "return 6").json().get("result") == 6)


def test_a_tenant_of_its_own_is_what_a_caller_sees(worker: Worker, guarded: str) -> None:
    with client(guarded, bounded(worker, "seen", sessions=5, bytes=10**9)) as http:
        http.post("/v1/sessions", json={})
        found = http.get("/v1/tenant").json()
    assert found["id"] == "seen"
    assert found["quotas"] == {"sessions": 5, "bytes": 10**9, "executions": 0, "executions_per_minute": 0}
    assert found["use"]["sessions"] == 1
    assert (found["use"]["executions"], found["use"]["executions_left"]) == (None, None)


def test_an_open_service_bounds_nothing(worker: Worker, http: httpx2.Client) -> None:
    worker.tenants.set_quotas("local", {"sessions": 1, "executions_per_minute": 1})
    try:
        for name in ("free-1", "free-2"):
            http.post("/v1/sessions", json={"id": name})
            assert http.post(f"/v1/sessions/{name}/execute", json={"code": "return 1"}).json()["ok"]
    finally:
        worker.tenants.set_quotas("local", {})


# Tokens


def test_an_administrator_makes_lists_and_revokes_tokens(worker: Worker, guarded: str) -> None:
    secret, _ = token(worker, "makers")
    with client(guarded, secret) as http:
        made = http.post("/v1/tokens", json={"name": "ci", "scopes": ["read"], "expires_in": 3600}).json()
        with client(guarded, made["token"]) as other:
            assert other.get("/v1/sessions").status_code == 200
            assert other.get("/v1/tokens").status_code == 403
        listed = http.get("/v1/tokens").json()["tokens"]
        assert made["id"] in [each["id"] for each in listed]
        assert made["token"] not in str(listed)
        assert http.delete(f"/v1/tokens/{made['id']}").status_code == 204
        assert http.delete(f"/v1/tokens/{made['id']}").status_code == 204
        with client(guarded, made["token"]) as other:
            assert other.get("/v1/sessions").status_code == 401


@pytest.mark.parametrize(
    ("scopes", "more", "body", "status"),
    [
        (("admin",), {}, {"scopes": ["read"]}, 403),
        (("admin", "read"), {}, {"scopes": ["read", "execute"]}, 403),
        (("admin", "read"), {}, {"scopes": ["admin"]}, 201),
        (("admin", "read"), {"user": "ann"}, {"scopes": ["read"], "user": "bob"}, 403),
        (("admin", "read"), {"user": "ann"}, {"scopes": ["read"]}, 201),
        (("admin", "read"), {"expires_at": DAY_MS}, {"scopes": ["read"], "expires_in": 2 * 86_400}, 403),
        (("admin", "read"), {"expires_at": DAY_MS}, {"scopes": ["read"], "expires_in": 60}, 201),
        (("admin", "read"), {"expires_at": DAY_MS}, {"scopes": ["read"]}, 201),
        (("admin", "read"), {}, {"scopes": []}, 400),
        (("admin", "read"), {}, {"scopes": ["root"]}, 400),
        (("admin", "read"), {}, {"scopes": ["read"], "expires_in": -1}, 400),
        (("admin", "read"), {}, {"scopes": ["read"], "expires_in": 1e300}, 400),
        (("admin", "read"), {}, {"scopes": ["read"], "name": "a\nb"}, 400),
        (("admin", "read"), {}, {"scopes": ["read"], "user": "\x1b[31m"}, 400),
    ],
)
def test_a_token_makes_none_that_may_do_more_than_it_may(
    worker: Worker, guarded: str, scopes: tuple[str, ...], more: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    if "expires_at" in more:
        more = {"expires_at": now_ms() + more["expires_at"]}
    secret, maker = token(worker, "grants", *scopes, **more)
    with client(guarded, secret) as http:
        answer = http.post("/v1/tokens", json=body)
    assert answer.status_code == status
    if status == 201:
        made = worker.tokens.get(answer.json()["id"])
        assert made is not None
        assert (made.tenant, made.user) == (maker.tenant, maker.user)
        assert maker.expires_at is None or (made.expires_at or 0) <= maker.expires_at or "expires_in" not in body


def test_a_token_of_one_user_sees_that_user_s_tokens_and_no_audit_log(worker: Worker, guarded: str) -> None:
    secret, hers = token(worker, "firm", user="ann")
    _, other = token(worker, "firm", user="bob")
    with client(guarded, secret) as http:
        assert [each["id"] for each in http.get("/v1/tokens").json()["tokens"]] == [hers.id]
        assert http.delete(f"/v1/tokens/{other.id}").status_code == 404
        assert http.get("/v1/audit").status_code == 403


def test_a_token_of_one_user_sees_what_his_sessions_cost_and_nothing_of_the_others(
    worker: Worker, guarded: str
) -> None:
    ann, bob, everybody = (token(worker, "costs", user=user)[0] for user in ("ann", "bob", None))
    seen = {}
    for secret, executions in ((ann, 2), (bob, 1)):
        with client(guarded, secret) as http:
            place = f"/v1/sessions/{http.post('/v1/sessions', json={}).json()['id']}"
            for _ in range(executions):
                assert http.post(f"{place}/execute", json={"code": "return 1"}).json()["ok"]
    for name, secret in (("ann", ann), ("bob", bob), ("everybody", everybody)):
        with client(guarded, secret) as http:
            seen[name] = sum(day["executions"] for day in http.get("/v1/usage").json())
    assert seen == {"ann": 2, "bob": 1, "everybody": 3}


def test_tokens_are_listed_in_pages(worker: Worker, guarded: str) -> None:
    secret, first = token(worker, "many")
    ids = {first.id, *(token(worker, "many")[1].id for _ in range(4))}
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    with client(guarded, secret) as http:
        while True:
            page = http.get("/v1/tokens", params=query).json()
            found += [each["id"] for each in page["tokens"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
    assert (set(found), len(found)) == (ids, 5)


def test_a_service_without_tokens_makes_none(http: httpx2.Client, worker: Worker) -> None:
    before = len(worker.tokens.all())
    answer = http.post("/v1/tokens", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.forbidden")
    assert len(worker.tokens.all()) == before


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer {}"), ("Authorization", "Bearer {}")],
        [("Authorization", "Bearer {}"), ("authorization", "Bearer cm_" + "A" * 43)],
        [("Authorization", "Bearer {} {}")],
        [("Authorization", "Bearer {}\u00a0")],
        [("Authorization", "Bearer {}, Bearer {}")],
        [("Authorization", "Bearer cm_é" + "A" * 42)],
        [("Authorization", "Bearer \u00ff\u00fe")],
        [("Authorization", "Bearer " + "A" * 30_000)],
        [("Authorization", "Token {}")],
    ],
    ids=lambda headers: headers[-1][1][:24],
)
def test_a_header_that_is_not_one_token_is_refused(
    worker: Worker, guarded: str, headers: list[tuple[str, str]]
) -> None:
    secret, _ = token(worker, "headers")
    sent = [(name.encode(), value.replace("{}", secret).encode("latin-1")) for name, value in headers]
    answer = httpx2.get(f"{guarded}/v1/sessions", headers=sent, timeout=HANG_SECONDS)
    assert answer.status_code == 401
    assert secret not in answer.text


def test_a_header_of_a_megabyte_is_refused_and_the_service_goes_on(worker: Worker, guarded: str) -> None:
    headers = {"Authorization": "Bearer " + "A" * 2**20}
    with contextlib.suppress(httpx2.TransportError):  # where the server hangs up before it has all of it
        assert httpx2.get(f"{guarded}/v1/sessions", headers=headers, timeout=HANG_SECONDS).status_code >= 400
    assert httpx2.get(f"{guarded}/health", timeout=HANG_SECONDS).status_code == 200


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "../x", "é", "-a", "a" * 65, "a\x00b", "a\nb", "%2e"])
def test_a_tenant_s_name_is_plain(worker: Worker, name: str) -> None:
    with pytest.raises(Exception, match="cannot name a tenant"):
        worker.create_token(name)


@pytest.mark.parametrize("name", ["A", "_", "acme.example:eu-1", "0", "a" * 64])
def test_other_names_of_tenants_do(worker: Worker, guarded: str, name: str) -> None:
    with client(guarded, token(worker, name)[0]) as http:
        http.post("/v1/sessions", json={"id": "x"})
        assert http.get("/v1/sessions/x").json()["tenant"] == name


def test_a_token_ends_at_the_millisecond_that_it_names(worker: Worker) -> None:
    ends = now_ms() + 10_000
    secret, _ = token(worker, "ends", expires_at=ends)
    assert worker.tokens.find(secret, ends - 1) is not None
    assert worker.tokens.find(secret, ends) is None


def test_what_runs_when_its_token_is_revoked_runs_to_its_end(worker: Worker, guarded: str) -> None:
    secret, made = token(worker, "revoked")
    with client(guarded, secret) as http:
        http.post("/v1/sessions", json={"id": "s"})
        with http.stream(
            "POST", "/v1/sessions/s/execute",
            json={"code": "import time\nprint('on', flush=True)\ntime.sleep(0.5)\nreturn 'done'", "mode": "stream"},
        ) as body:  # fmt: skip
            lines = body.iter_lines()
            while "on" not in next(lines):
                pass
            assert worker.tokens.revoke(made.id, now_ms())
            assert '"result": "done"' in (rest := "".join(lines)) or '"result":"done"' in rest
        assert http.get("/v1/sessions").status_code == 401


def test_a_service_with_tokens_stays_closed_when_the_last_one_goes(worker: Worker, guarded: str) -> None:
    secret, _ = token(worker, "last")
    with client(guarded, secret) as http:
        assert http.get("/v1/sessions").status_code == 200
    kept = worker._catalog.run("SELECT id, revoked_at FROM tokens")
    worker._catalog.run("UPDATE tokens SET revoked_at = 1")
    try:
        assert not worker.tokens.any_valid(now_ms())
        for path in ("/v1/sessions", "/v1/tenant", "/v1/tokens"):
            assert httpx2.get(f"{guarded}{path}", timeout=HANG_SECONDS).status_code == 401
    finally:
        for token_id, revoked_at in kept:
            worker._catalog.run("UPDATE tokens SET revoked_at = ? WHERE id = ?", revoked_at, token_id)


# The audit log


def test_the_audit_log_is_read_in_pages_by_the_tenant_s_administrators(worker: Worker, guarded: str) -> None:
    secret, made = token(worker, "watched")
    with client(guarded, secret) as http:
        http.post("/v1/sessions", json={"id": "a"})
        http.post("/v1/sessions/a/execute", json={"code": "1 / 0"})
        http.patch("/v1/sessions/a", json={"pinned": True})
        http.post("/v1/tokens", json={})
        http.delete("/v1/sessions/a")
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = http.get("/v1/audit", params=query).json()
            found += page["acts"]
            if page["next"] is None:
                break
            query["before"] = page["next"]
    assert [(each["actor"], each["action"], each["outcome"]) for each in found] == [
        (made.id, "delete_session", "ok"),
        (made.id, "create_token", "ok"),
        (made.id, "change_session", "ok"),
        (made.id, "execute", "code.runtime"),
        (made.id, "create_session", "ok"),
    ]
    assert {each["tenant"] for each in found} == {"watched"}


def test_refusals_are_on_record_and_cannot_fill_the_log(
    worker: Worker, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = token(worker, "knocking", "read")
    passed = time.monotonic()
    monkeypatch.setattr("codemode.service.auditing.time", SimpleNamespace(monotonic=lambda: passed))
    with client(guarded, secret) as http:
        for _ in range(REFUSALS_A_MINUTE + 5):
            assert http.post("/v1/sessions", json={}).status_code == 403
        assert len(worker.audit.read("knocking", limit=1_000)) == REFUSALS_A_MINUTE
        passed += 61
        http.post("/v1/sessions", json={})
    last, counted, *_ = worker.audit.read("knocking", limit=1_000)
    assert (last.action, last.outcome) == ("create_session", "auth.forbidden")
    assert (counted.action, counted.resource) == ("refused", "5 more requests in a minute")


def test_what_was_done_is_recorded_however_often(worker: Worker, guarded: str) -> None:
    secret, _ = token(worker, "busy-bee")
    with client(guarded, secret) as http:
        http.post("/v1/sessions", json={"id": "s"})
        for _ in range(REFUSALS_A_MINUTE + 5):
            http.put("/v1/sessions/s/state/value", params={"key": "k"}, json={"value": 1})
    assert len(worker.audit.read("busy-bee", limit=1_000)) == REFUSALS_A_MINUTE + 6


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET outcome = 'ok'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (id, at, tenant, actor, action) SELECT id, 0, 'x', 'x', 'x' FROM audit",
        "REPLACE INTO audit (id, at, tenant, actor, action) SELECT max(id), 0, 'x', 'x', 'x' FROM audit",
    ],
    ids=lambda sql: sql[:20],
)
def test_nothing_in_the_audit_log_is_changed_or_removed(worker: Worker, sql: str) -> None:
    worker.audit.add(at=now_ms(), tenant="fixed", actor="x", action="x")
    before = worker.audit.read(limit=5)
    other = sqlite3.connect(worker.data_dir / "catalog.db", timeout=60)
    with contextlib.closing(other), pytest.raises(sqlite3.IntegrityError, match="only added to"):
        other.execute(sql)
    assert worker.audit.read(limit=5) == before


def test_the_retention_removes_what_is_old_and_nothing_else(worker: Worker) -> None:
    now = now_ms()
    for days in (500, 401, 399, 0):
        worker.audit.add(at=now - days * DAY_MS, tenant="old", actor="x", action=f"{days} days ago")
    while worker.audit.forget(now - 400 * DAY_MS, most=1):
        pass
    assert [act.action for act in worker.audit.read("old")] == ["0 days ago", "399 days ago"]


def test_a_long_agent_or_id_is_cut_in_the_log(worker: Worker, guarded: str) -> None:
    secret, _ = token(worker, "long-winded")
    with client(guarded, secret) as http:
        http.delete(f"/v1/sessions/{'x' * 5_000}", headers={"User-Agent": "y" * 5_000})
    [act] = worker.audit.read("long-winded")
    assert (len(act.resource), len(act.agent or "")) == (300, 300)


def test_an_admission_is_given_back_where_the_snippet_is_refused(worker: Worker, guarded: str) -> None:
    with client(guarded, bounded(worker, "refusals", executions=1)) as http:
        http.post("/v1/sessions", json={"id": "s"})
        for _ in range(3):
            assert run(http, "1", timeout_ms=-5).status_code == 400
        assert http.get("/v1/tenant").json()["use"]["executions"] == 0


def test_two_who_choose_one_id_at_once_do_not_share_it(worker: Worker, guarded: str) -> None:
    secrets = [token(worker, "race", user=user)[0] for user in ("ann", "bob")]

    async def both(number: int) -> list[int]:
        async with httpx2.AsyncClient(base_url=guarded, timeout=60) as http:
            asked = [
                http.post("/v1/sessions", json={"id": f"r{number}"}, headers={"Authorization": f"Bearer {secret}"})
                for secret in secrets
            ]
            return sorted(answer.status_code for answer in await asyncio.gather(*asked))

    assert {tuple(asyncio.run(both(number))) for number in range(8)} == {(201, 409)}
