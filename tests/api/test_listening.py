"""Streams of events: each event once whatever becomes of the connection, for whom may hear it, and to their end."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS

from codemode import Settings, Worker
from tests.api.conftest import listening
from tests.api.listening import in_two_connections, listening_to

Firm = dict[str, httpx2.Client]


@pytest.fixture
def firm(worker: Worker, guarded: str, request: pytest.FixtureRequest) -> Any:
    """Clients of one tenant, by user; "" is a token of the tenant. Ann has the session `plan`."""
    tenant = f"listeners-{abs(hash(request.node.name))}"
    with ExitStack() as clients:
        found = {}
        for user in ("", "ann", "bob"):
            secret, _ = worker.create_token(tenant, scopes=("read", "execute", "admin"), user=user or None)
            headers = {"Authorization": f"Bearer {secret}"}
            found[user] = clients.enter_context(httpx2.Client(base_url=guarded, headers=headers, timeout=HANG_SECONDS))
        found["ann"].post("/v1/sessions", json={"id": "plan"})
        yield found


def test_each_event_is_heard_once_though_connections_are_lost(http: httpx2.Client) -> None:
    paths = ["/v1/sessions/lossy/messages", "/api/session/lossy/messages"]
    in_two_connections(http, http, "lossy", paths)


def test_all_that_happens_in_a_session_is_heard_in_order(firm: Firm) -> None:
    ann = firm["ann"]
    with listening_to(ann, "/v1/sessions/plan/events") as events:
        ann.post("/v1/sessions/plan/participants", json={"user_id": "bob", "role": "viewer"})
        ann.post("/v1/sessions/plan/messages", json={"content": "hello"})
        panel = ann.post("/v1/sessions/plan/panels", json={"title": "T", "query": "SELECT 1"}).json()["id"]
        ann.patch(f"/v1/sessions/plan/panels/{panel}", json={"title": "U"})
        signal = {"signal_type": "offer", "signal_data": "secret", "to_participant": "bob"}
        ann.post("/v1/sessions/plan/signals", json=signal)
        ann.delete(f"/v1/sessions/plan/panels/{panel}")
        ann.delete("/v1/sessions/plan/participants", params={"user_id": "bob"})
        outcome = ann.post("/v1/sessions/plan/execute", json={"code": "1 / 0"}).json()
        heard = list(islice(events, 8))
    assert [each.name for each in heard] == [
        "join",
        "message",
        "panel",
        "panel",
        "signal",
        "panel",
        "leave",
        "execution",
    ], heard
    bodies = [each.data["body"] for each in heard]
    assert [body["change"] for body in bodies if "change" in body] == ["created", "updated", "removed"]
    assert bodies[1]["user_id"] == "ann"
    assert "secret" not in str(heard[4])
    assert heard[-1].data["subject"] == outcome["execution_id"]
    assert bodies[-1] == {"status": "error", "error": "code.runtime", "user_id": "ann", "rows_written": 0}


def test_executions_that_no_service_was_asked_for_are_heard(worker: Worker, http: httpx2.Client) -> None:
    http.post("/v1/sessions", json={"id": "beside"})
    with Worker(data_dir=worker.data_dir) as other, listening_to(http, "/v1/sessions/beside/events") as events:
        session = other.session("beside")
        outcomes = [session.run("1 / 0"), session.run("return 1")]
        heard = [next(events) for _ in outcomes]
    assert [(each.name, each.data["subject"]) for each in heard] == [("execution", o.execution_id) for o in outcomes]
    assert heard[0].data["body"] == {"status": "error", "error": "code.runtime", "user_id": None, "rows_written": 0}


def test_a_user_hears_what_he_subscribed_to_and_nothing_else(firm: Firm) -> None:
    ann, bob = firm["ann"], firm["bob"]
    for session in ("heard", "unheard"):
        ann.post("/v1/sessions", json={"id": session})
        ann.post(f"/v1/sessions/{session}/participants", json={"user_id": "bob", "role": "viewer"})
        ann.post(f"/v1/sessions/{session}/panels", json={"id": "one", "title": "One", "query": "SELECT 1"})
    assert bob.post("/v1/subscriptions", json={"session_id": "heard"}).status_code == 201
    assert bob.post("/v1/subscriptions", json={"session_id": "unheard", "panel_id": "one"}).status_code == 201
    assert bob.post("/v1/subscriptions", json={"session_id": "heard", "user_id": "ann"}).status_code == 403
    with listening_to(bob, "/v1/events") as events:
        for session in ("heard", "unheard"):
            ann.post(f"/v1/sessions/{session}/messages", json={"content": "hello"})
            ann.patch(f"/v1/sessions/{session}/panels/one", json={"position": 3})
        found = [(each.data["session_id"], each.name) for each in islice(events, 3)]
    assert found == [("heard", "message"), ("heard", "panel"), ("unheard", "panel")]


def test_who_takes_part_no_more_hears_no_more(firm: Firm) -> None:
    ann, bob = firm["ann"], firm["bob"]
    ann.post("/v1/sessions/plan/participants", json={"user_id": "bob", "role": "viewer"})
    with listening_to(bob, "/v1/sessions/plan/events") as events:
        ann.delete("/v1/sessions/plan/participants", params={"user_id": "bob"})
        ann.post("/v1/sessions/plan/messages", json={"content": "he is gone"})
        found = list(events)
    assert [(each.name, each.data["code"]) for each in found] == [("problem", "session.not_found")]


def test_a_revoked_token_hears_no_more(firm: Firm) -> None:
    ann, admin = firm["ann"], firm[""]
    (token,) = [each for each in admin.get("/v1/tokens").json()["tokens"] if each["user"] == "ann"]
    with listening_to(ann, "/v1/sessions/plan/events") as events:
        assert admin.delete(f"/v1/tokens/{token['id']}").status_code == 204
        admin.post("/v1/sessions/plan/messages", json={"content": "not for her"})
        found = list(events)
    assert [(each.name, each.data["code"]) for each in found] == [("problem", "auth.invalid")]


def test_who_begins_after_a_number_that_there_is_not_is_told_so(firm: Firm) -> None:
    with firm["ann"].stream("GET", "/v1/sessions/plan/events", params={"after": 10**9, "seconds": 1}) as answer:
        text = answer.read().decode()
    assert '"missed":true' in text
    head = firm["ann"].head("/v1/sessions/plan/events")
    assert (head.status_code, head.content) == (200, b"")


@pytest.fixture
def small(tmp_path: Path) -> Any:
    settings = msgspec.structs.replace(Settings(), threads=4, listeners=40, shutdown_seconds=HANG_SECONDS)
    with (
        Worker(tmp_path, settings=settings) as worker,
        listening(worker, open_to_all=True) as (address, server),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http,
    ):
        http.post("/v1/sessions", json={"id": "plan"})
        yield http, server


def test_listeners_hold_no_thread_and_are_bounded_and_end_with_the_service(small: Any) -> None:
    http, server = small
    threads = threading.active_count()
    with ExitStack() as all_of_them:
        streams = [all_of_them.enter_context(listening_to(http, "/v1/sessions/plan/events")) for _ in range(40)]
        refused = http.get("/v1/sessions/plan/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "quota.listeners")
        assert threading.active_count() <= threads + 4
        assert http.post("/v1/sessions/plan/messages", json={"content": "to all"}).status_code == 201
        assert {next(each).data["body"]["content"] for each in streams} == {"to all"}
        begun = time.monotonic()
        server.should_exit = True
        ends = [next(each).data["code"] for each in streams]
        assert time.monotonic() - begun < HANG_SECONDS / 2  # sooner than what is forgotten would be cut off
    assert set(ends) == {"worker.unavailable"}
