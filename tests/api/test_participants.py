"""Participants: sessions that users share, and what each role may do there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from codemode import Worker


class Firm:
    """One tenant with a client for each user; "" is a token of the whole tenant."""

    def __init__(self, worker: Worker, address: str, tenant: str) -> None:
        self._worker, self._address, self.tenant = worker, address, tenant
        self._clients: dict[tuple[str, tuple[str, ...]], httpx2.Client] = {}

    def __call__(self, user: str = "", *scopes: str) -> httpx2.Client:
        scopes = scopes or ("read", "execute")
        if (user, scopes) not in self._clients:
            secret, _ = self._worker.create_token(self.tenant, scopes=scopes, user=user or None)
            headers = {"Authorization": f"Bearer {secret}"}
            self._clients[user, scopes] = httpx2.Client(base_url=self._address, headers=headers, timeout=60)
        return self._clients[user, scopes]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture
def firm(worker: Worker, guarded: str, request: pytest.FixtureRequest) -> Iterator[Firm]:
    firm = Firm(worker, guarded, f"firm-{abs(hash(request.node.nodeid))}")
    yield firm
    firm.close()


@pytest.fixture
def shared(firm: Firm) -> Firm:
    """A firm whose ann has the session `plans`, with bob as a member and vera as a viewer."""
    firm("ann").post("/v1/sessions", json={"id": "plans"})
    for user, role in (("bob", "member"), ("vera", "viewer")):
        body = {"user_id": user, "role": role}
        assert firm("ann").post("/v1/sessions/plans/participants", json=body).status_code == 201
    return firm


def outcome(answer: httpx2.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code") or answer.json().get("result")


def test_who_takes_part_finds_the_session_and_works_in_it(shared: Firm) -> None:
    bob = shared("bob")
    assert [each["id"] for each in bob.get("/v1/sessions").json()["sessions"]] == ["plans"]
    assert outcome(bob.post("/v1/sessions/plans/execute", json={"code": "return 7"})) == (200, 7)
    assert bob.get("/v1/sessions/plans").json()["owner"] == "ann"
    assert bob.post("/v1/sessions", json={"id": "plans"}).status_code == 200


def test_a_viewer_reads_and_does_not_run(shared: Firm) -> None:
    vera = shared("vera")
    assert vera.post("/v1/sessions/plans/query", json={"sql": "select 1 as one"}).json()["result"] == [{"one": 1}]
    for mode in ("sync", "stream", "background"):
        body = {"code": "return 7", "mode": mode}
        assert outcome(vera.post("/v1/sessions/plans/execute", json=body)) == (403, "auth.forbidden")
    for asking in (vera, shared("vera", "read")):
        writing = asking.post("/v1/sessions/plans/query", json={"sql": "create table t (a)", "read_only": False})
        assert outcome(writing) == (403, "auth.forbidden")
        assert "`read_only`" in writing.json()["hint"]


@pytest.mark.parametrize("user", ["bob", "vera"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/participants", {"user_id": "eve"}),
        ("DELETE", "/participants?user_id=ann", None),
        ("DELETE", "", None),
        ("PATCH", "", {"pinned": True}),
    ],
)
def test_only_its_owner_decides_over_a_session(shared: Firm, user: str, method: str, path: str, body: Any) -> None:
    answer = shared(user).request(method, f"/v1/sessions/plans{path}", json=body)
    assert outcome(answer) == (403, "auth.forbidden")


@pytest.mark.parametrize(("user", "scopes"), [("", ()), ("bob", ("execute", "admin"))])
def test_so_does_a_token_of_the_tenant_or_an_administrator(shared: Firm, user: str, scopes: tuple[str, ...]) -> None:
    asking = shared(user, *scopes)
    assert asking.post("/v1/sessions/plans/participants", json={"user_id": "eve"}).status_code == 201
    assert shared("eve").get("/v1/sessions/plans").status_code == 200


def test_who_was_removed_reaches_it_no_more_and_stays_on_the_list(shared: Firm) -> None:
    assert shared("ann").delete("/v1/sessions/plans/participants?user_id=bob").json() == {"removed": True}
    assert shared("bob").get("/v1/sessions/plans").status_code == 404
    assert shared("bob").get("/v1/sessions").json()["sessions"] == []
    assert shared("ann").delete("/v1/sessions/plans/participants?user_id=bob").json() == {"removed": False}
    found = shared("ann").get("/v1/sessions/plans/participants").json()["participants"]
    assert [(each["user_id"], each["role"], each["left_at"] is not None) for each in found] == [
        ("ann", "owner", False),
        ("bob", "member", True),
        ("vera", "viewer", False),
    ]


def test_who_takes_part_may_leave(shared: Firm) -> None:
    assert shared("vera").delete("/v1/sessions/plans/participants?user_id=vera").json() == {"removed": True}
    assert shared("vera").get("/v1/sessions/plans").status_code == 404


@pytest.mark.parametrize(("user", "scopes"), [("", ()), ("bob", ("execute", "admin"))])
def test_a_session_without_an_owner_gets_one_again(shared: Firm, user: str, scopes: tuple[str, ...]) -> None:
    ann = shared("ann")
    ann.post("/v1/sessions/plans/participants", json={"user_id": "ann", "role": "viewer"})
    for who in ("ann", "vera"):
        again = {"user_id": who, "role": "owner"}
        assert outcome(shared(who).post("/v1/sessions/plans/participants", json=again)) == (403, "auth.forbidden")
    again = {"user_id": "ann", "role": "owner"}
    assert shared(user, *scopes).post("/v1/sessions/plans/participants", json=again).status_code == 201
    assert ann.delete("/v1/sessions/plans").status_code == 204


def test_a_role_is_changed_by_sharing_again(shared: Firm) -> None:
    shared("ann").post("/v1/sessions/plans/participants", json={"user_id": "bob", "role": "viewer"})
    assert shared("bob").post("/v1/sessions/plans/execute", json={"code": "1"}).status_code == 403
    shared("ann").post("/v1/sessions/plans/participants", json={"user_id": "bob", "role": "owner"})
    assert shared("bob").delete("/v1/sessions/plans").status_code == 204


def test_a_session_that_goes_takes_its_participants_with_it(shared: Firm, worker: Worker) -> None:
    assert shared("ann").delete("/v1/sessions/plans").status_code == 204
    assert worker.participants.all(shared.tenant, "plans") == []
    assert shared("bob").post("/v1/sessions", json={"id": "plans"}).status_code == 201
    assert shared("ann").get("/v1/sessions/plans").status_code == 404


def test_a_session_that_is_made_anew_begins_with_its_owner_alone(shared: Firm, worker: Worker) -> None:
    worker._catalog.run("UPDATE sessions SET last_activity = 0 WHERE tenant = ? AND id = 'plans'", shared.tenant)
    assert shared("bob").post("/v1/sessions", json={"id": "plans", "renew": True}).status_code == 403
    assert shared("ann").post("/v1/sessions", json={"id": "plans", "renew": True}).status_code == 201
    assert shared("bob").get("/v1/sessions/plans").status_code == 404


@pytest.mark.parametrize("change", [{"limits": {"rows": 5}}, {"renew": True}, {"stateful": True}], ids=str)
def test_asking_for_a_known_session_changes_nothing_for_a_viewer(shared: Firm, change: dict[str, Any]) -> None:
    answer = shared("vera").post("/v1/sessions", json={"id": "plans", **change})
    assert outcome(answer) == (403, "auth.forbidden")
    assert shared("vera").post("/v1/sessions", json={"id": "plans"}).status_code == 200


def test_a_fork_is_the_own_session_of_who_made_it(shared: Firm) -> None:
    made = shared("bob").post("/v1/sessions/plans/fork", json={}).json()
    assert made["owner"] == "bob"
    assert shared("ann").get(f"/v1/sessions/{made['id']}").status_code == 404


def test_the_list_is_paged_with_what_is_shared_in_it(shared: Firm) -> None:
    for number in range(3):
        shared("bob").post("/v1/sessions", json={"id": f"own-{number}"})
        shared("ann").post("/v1/sessions", json={"id": f"hers-{number}"})
    found: list[str] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = shared("bob").get("/v1/sessions", params=query).json()
        found += [each["id"] for each in page["sessions"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert sorted(found) == ["own-0", "own-1", "own-2", "plans"]


@pytest.mark.parametrize("name", ["", " ann", "a\x00b", "a\nb", "a\u202eb", "x" * 201, "\ud800"], ids=repr)
def test_a_name_that_terminals_and_logs_cannot_show_is_refused(shared: Firm, name: str) -> None:
    body = json.dumps({"user_id": name})
    answer = shared("ann").post(
        "/v1/sessions/plans/participants", content=body, headers={"Content-Type": "application/json"}
    )
    assert outcome(answer) == (400, "request.invalid")


@pytest.mark.parametrize("name", ["zoë", "auth0|5f7c", "o'brien", "a b", "日本", "100%", "../..", "a/b"])
def test_any_other_name_is_taken_as_it_is(shared: Firm, name: str) -> None:
    assert shared("ann").post("/v1/sessions/plans/participants", json={"user_id": name}).json()["user_id"] == name
    assert shared(name).get("/v1/sessions/plans").status_code == 200
    answer = shared("ann").delete("/v1/sessions/plans/participants", params={"user_id": name})
    assert answer.json() == {"removed": True}


def test_sharing_is_on_record(shared: Firm, worker: Worker) -> None:
    acts = [(act.action, act.resource) for act in worker.audit.read(shared.tenant)]
    assert ("add_participant", "plans bob member") in acts
