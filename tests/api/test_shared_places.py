"""What people share in a session, over HTTP: each route once as it should be asked, and all its wrong inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from codemode import Worker
from codemode.catalog.places import Places
from codemode.values.records import Statistics

ANY = object()  # a value that is there


@pytest.fixture(scope="module")
def place(worker: Worker, address: str) -> Iterator[httpx2.Client]:
    """A client of the tenant as a whole, with a session `plan` in which ann and bob take part."""
    with httpx2.Client(base_url=address, timeout=60) as http:
        assert http.post("/v1/sessions", json={"id": "plan"}).status_code == 201
        for user in ("ann", "bob"):
            made = http.post("/v1/sessions/plan/participants", json={"user_id": user, "metadata": {"from": "Bern"}})
            assert (made.status_code, made.json()["metadata"]) == (201, {"from": "Bern"})
        http.post("/v1/sessions/plan/panels", json={"id": "first", "title": "First", "query": "SELECT 1"})
        http.post("/v1/sessions/plan/panels", json={"title": "Taken", "document": 1, "position": 0})
        for noun in ("workspaces", "groups"):
            for name in ("North", "Taken"):
                http.post(f"/v1/{noun}", json={"id": name.lower(), "name": name})
        yield http


S = "/v1/sessions/plan"
# method, path, body, status, some fields of the answer
GOOD: list[tuple[str, str, Any, int, dict[str, Any]]] = [
    ("POST", f"{S}/messages", {"content": "the disk is full", "user_id": "ann", "metadata": {"n": 1}}, 201,
     {"content": "the disk is full", "user_id": "ann", "metadata": {"n": 1}, "message_type": "chat", "thread": None}),
    ("POST", f"{S}/messages", {"content": "{}", "message_type": "mcp_request"}, 201, {"message_type": "mcp_request"}),
    ("GET", f"{S}/messages?text=disk", None, 200, {"next": None}),
    ("POST", f"{S}/panels", {"title": "Second", "document": [1, {"a": None}]}, 201,
     {"position": 1, "query": None, "document": [1, {"a": None}]}),
    ("PATCH", f"{S}/panels/first", {"title": "One", "position": 7}, 200,
     {"title": "One", "position": 7, "id": "first"}),
    ("GET", f"{S}/panels/first", None, 200, {"title": "One", "query": "SELECT 1"}),
    ("POST", f"{S}/mcp", {"mcp_server_id": "github", "mcp_version": "2025-06-18", "context_data": {"tools": [1]}}, 201,
     {"mcp_server_id": "github", "state": "active", "context_data": {"tools": [1]}}),
    ("POST", f"{S}/mcp", {"mcp_server_id": "github", "mcp_version": "2025-06-18", "state": "closed"}, 201,
     {"state": "closed", "context_data": {"tools": [1]}}),
    ("GET", f"{S}/mcp?state=closed", None, 200, {"mcp_sessions": ANY}),
    ("POST", f"{S}/signals", {"signal_type": "offer", "signal_data": {"sdp": "v=0"}, "from_participant": "ann"}, 201,
     {"signal_type": "offer", "from_participant": "ann", "to_participant": None, "signal_data": {"sdp": "v=0"}}),
    ("GET", f"{S}/participants?role=member", None, 200, {"participants": ANY}),
    ("POST", "/v1/users", {"id": "robot", "kind": "agent", "email": "robot@example.org"}, 201, {"kind": "agent"}),
    ("PATCH", "/v1/users/robot", {"display_name": "R2", "metadata": {"a": 1}}, 200,
     {"display_name": "R2", "kind": "agent"}),
    ("GET", "/v1/users/robot", None, 200, {"email": "robot@example.org", "deleted_at": None}),
    ("GET", "/v1/users?email=ROBOT@example.org", None, 200, {"users": ANY}),
    ("GET", "/v1/users?email=nobody@example.org", None, 200, {"users": []}),
    ("GET", "/v1/users?email=robot@example.org&kind=human", None, 200, {"users": []}),
    ("POST", "/v1/workspaces", {"name": "South", "description": "warm"}, 201, {"name": "South", "description": "warm"}),
    ("PATCH", "/v1/workspaces/north", {"description": "cold"}, 200, {"name": "North", "description": "cold"}),
    ("POST", "/v1/groups/north/members", {"user_id": "ann"}, 201, {"group_id": "north", "user_id": "ann"}),
    ("GET", "/v1/groups/north/members", None, 200, {"members": ANY, "next": None}),
    ("DELETE", "/v1/groups/north/members?user_id=ann", None, 204, {}),
    ("POST", "/v1/subscriptions", {"user_id": "ann", "session_id": "plan", "panel_id": "first"}, 201,
     {"panel_id": "first"}),
    ("GET", "/v1/subscriptions?user_id=ann", None, 200, {"subscriptions": ANY}),
    ("DELETE", "/v1/subscriptions?user_id=ann&session_id=plan&panel_id=first", None, 204, {}),
    ("PUT", "/v1/preferences", {"user_id": "ann", "category": "ui", "key": "theme", "value": {"dark": True}}, 200,
     {"value": {"dark": True}}),
    ("GET", "/v1/preferences?user_id=ann&category=ui", None, 200, {"preferences": ANY}),
    ("GET", "/v1/preferences/categories?user_id=ann", None, 200, {"categories": ["ui"]}),
    ("DELETE", "/v1/preferences?user_id=ann&category=ui&key=theme", None, 204, {}),
    ("PUT", "/v1/configuration", {"key": "region", "value": "eu", "description": "where"}, 200, {"sensitive": False}),
    ("GET", "/v1/configuration", None, 200, {"configuration": ANY}),
    ("DELETE", "/v1/configuration?key=region", None, 204, {}),
    ("PATCH", S, {"workspace_id": "taken", "type": "analysis", "metadata": {"a": 1}, "mcp_client_id": "c"}, 200,
     {"id": "plan", "place": ANY}),
    ("PATCH", S, {"closed": True}, 200, {"state": "active", "pinned": False}),
    ("PATCH", S, {"closed": False, "workspace_id": None}, 200, {"id": "plan"}),
    ("DELETE", f"{S}/panels/first", None, 204, {}),
    ("DELETE", "/v1/groups/north", None, 204, {}),
    ("DELETE", "/v1/workspaces/north", None, 204, {}),
    ("DELETE", "/v1/users/robot", None, 204, {}),
    ("GET", "/v1/users/robot", None, 200, {"deleted_at": ANY}),
    ("POST", "/v1/users/robot/undelete", None, 200, {"deleted_at": None, "email": "robot@example.org"}),
    ("POST", "/api/session/plan/messages", {"content": "by the old path"}, 201, {"session_id": "plan"}),
    ("GET", "/api/session/plan/messages?limit=1", None, 200, {"messages": ANY, "next": ANY}),
    ("POST", "/api/session/plan/mcp/session", {"mcp_server_id": "jira", "mcp_version": "1"}, 201, {"state": "active"}),
    ("GET", "/api/session/plan/mcp/session", None, 200, {"mcp_sessions": ANY}),
]  # fmt: skip


def test_each_route_answers_as_it_should(place: httpx2.Client) -> None:
    for method, path, body, status, fields in GOOD:  # in this order: what one makes the next one changes
        answer = place.request(method, path, json=body) if body else place.request(method, path)
        assert answer.status_code == status, (path, answer.text)
        found = answer.json() if answer.content else {}
        for name, value in fields.items():
            assert found[name] if value is ANY else found[name] == value, (path, found)


BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", f"{S}/messages", {}, 400, "content"),
    ("POST", f"{S}/messages", {"content": 1}, 400, "content"),
    ("POST", f"{S}/messages", {"content": "a\0b"}, 400, "NUL"),
    ("POST", f"{S}/messages", {"content": "x", "message_type": "shout"}, 400, "message_type"),
    ("POST", f"{S}/messages", {"content": "x", "metadata": []}, 400, "metadata"),
    ("POST", f"{S}/messages", {"content": "x", "user_id": " ann"}, 400, "user"),
    ("POST", f"{S}/messages", {"content": "x", "thread": "m_none"}, 404, "m_none"),
    ("POST", "/v1/sessions/none/messages", {"content": "x"}, 404, "none"),
    ("GET", f"{S}/messages?since=yesterday", None, 400, "since"),
    ("GET", f"{S}/messages?until=9e99", None, 400, "until"),
    ("GET", f"{S}/messages?limit=0", None, 400, "limit"),
    ("GET", f"{S}/messages?message_type=shout", None, 400, "type of message"),
    ("GET", f"{S}/messages?text=%22%20%22", None, 400, "word"),
    ("GET", f"{S}/messages?after={'x' * 600}", None, 400, "after"),
    ("GET", f"{S}/messages/m_none", None, 404, "m_none"),
    ("DELETE", f"{S}/messages/m_none", None, 404, "m_none"),
    ("POST", f"{S}/panels", {"title": "Both", "query": "SELECT 1", "document": 1}, 400, "either"),
    ("POST", f"{S}/panels", {"title": "Neither"}, 400, "either"),
    ("POST", f"{S}/panels", {"title": "Taken", "query": "SELECT 1"}, 409, "Taken"),
    ("POST", f"{S}/panels", {"title": "x", "query": "SELECT 1", "position": -1}, 400, "position"),
    ("POST", f"{S}/panels", {"title": "x", "query": "SELECT 1", "id": "../x"}, 400, "id"),
    ("PATCH", f"{S}/panels/none", {"title": "x"}, 404, "none"),
    ("GET", f"{S}/panels?after=x", None, 400, "after"),
    ("POST", f"{S}/mcp", {"mcp_server_id": "", "mcp_version": "1"}, 400, "server"),
    ("POST", f"{S}/mcp", {"mcp_server_id": "a", "mcp_version": "1", "context_data": 7}, 400, "context_data"),
    ("POST", f"{S}/signals", {"signal_type": "offer", "signal_data": 1}, 400, "from_participant"),
    ("POST", f"{S}/signals", {"signal_type": "wave", "signal_data": 1, "from_participant": "ann"}, 400, "signal_type"),
    ("POST", f"{S}/signals", {"signal_type": "ice", "signal_data": 1, "from_participant": "a", "kept_ms": 0}, 400, ""),
    ("POST", f"{S}/signals/take", {}, 400, "participant"),
    ("POST", f"{S}/signals/take", {"participant": "ann", "limit": 0}, 400, "page"),
    ("GET", f"{S}/participants?role=king", None, 400, "role"),
    ("GET", f"{S}/events?after=-1", None, 400, "event"),
    ("GET", f"{S}/events?seconds=0", None, 400, "seconds"),
    ("GET", "/v1/events", None, 400, "user_id"),
    ("GET", "/v1/sessions/none/events", None, 404, "none"),
    ("POST", "/v1/users", {"email": "nobody"}, 400, "e-mail"),
    ("POST", "/v1/users", {"kind": "ghost"}, 400, "kind"),
    ("POST", "/v1/users", {"id": "ann"}, 409, "ann"),
    ("GET", "/v1/users?kind=ghost", None, 400, "kind"),
    ("GET", "/v1/users?email=a@b&outside_id=1", None, 400, "one of them"),
    ("PATCH", "/v1/users/nobody", {"display_name": "x"}, 404, "nobody"),
    ("DELETE", "/v1/users/nobody", None, 404, "nobody"),
    ("POST", "/v1/users/nobody/undelete", None, 404, "nobody"),
    ("POST", "/v1/workspaces", {"name": ""}, 400, "name"),
    ("POST", "/v1/workspaces", {"name": "Taken"}, 409, "Taken"),
    ("GET", "/v1/groups/none", None, 404, "none"),
    ("POST", "/v1/groups/none/members", {"user_id": "ann"}, 404, "none"),
    ("GET", "/v1/groups/none/members", None, 404, "none"),
    ("DELETE", "/v1/groups/none/members", None, 400, "user_id"),
    ("POST", "/v1/subscriptions", {"session_id": "plan"}, 400, "user_id"),
    ("POST", "/v1/subscriptions", {"session_id": "plan", "user_id": "eve"}, 404, "takes part"),
    ("POST", "/v1/subscriptions", {"session_id": "plan", "user_id": "ann", "panel_id": "none"}, 404, "none"),
    ("DELETE", "/v1/subscriptions?session_id=plan&user_id=bob", None, 404, "plan"),
    ("PUT", "/v1/preferences", {"user_id": "nobody", "category": "ui", "key": "k", "value": 1}, 404, "nobody"),
    ("GET", "/v1/preferences?user_id=ann", None, 400, "category"),
    ("PUT", "/v1/configuration", {"key": "secret", "value": 1, "sensitive": True}, 503, "secret_keys_file"),
    ("DELETE", "/v1/configuration?key=none", None, 404, "none"),
    ("PATCH", S, {"workspace_id": "none"}, 404, "none"),
    ("PATCH", S, {"type": ""}, 400, "type"),
    ("PATCH", S, {"closed": None}, 400, "closed"),
    ("POST", "/api/session/none/messages", {"content": "x"}, 404, "none"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "word"), BAD, ids=lambda value: str(value)[:60])
def test_what_is_wrong_is_named(
    place: httpx2.Client, method: str, path: str, body: Any, status: int, word: str
) -> None:
    answer = place.request(method, path) if body is None else place.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in f"{answer.json()['detail']} {answer.json().get('hint')}"


def test_messages_are_paged_from_the_newest_on_and_filtered(place: httpx2.Client) -> None:
    place.post("/v1/sessions", json={"id": "talk"})
    path = "/v1/sessions/talk/messages"
    posted = [
        place.post(path, json={"content": f"word{n}", "user_id": "ann" if n % 2 else None}).json() for n in range(7)
    ]
    answered = place.post(path, json={"content": "answer", "thread": posted[3]["id"]}).json()
    seen: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": "3", "until": str(2**42), **({"after": after} if after else {})}
        page = place.get(path, params=query).json()
        seen += [each["content"] for each in page["messages"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["answer", *(f"word{n}" for n in reversed(range(7)))]
    found = {
        name: [each["id"] for each in place.get(path, params={name: value}).json()["messages"]]
        for name, value in {
            "user_id": "ann",
            "text": "word4",
            "thread": posted[3]["id"],
            "since": posted[0]["created_at"],
        }.items()
    }
    assert found["user_id"] == [posted[n]["id"] for n in (5, 3, 1)]
    assert found["text"] == [posted[4]["id"]]
    assert found["thread"] == [answered["id"], posted[3]["id"]]
    assert len(found["since"]) == 8
    for later in ("2999-01-01", "29990101", "32472144000000"):
        assert place.get(path, params={"since": later}).json()["messages"] == []


def test_a_session_says_where_it_belongs_and_whether_it_is_closed(place: httpx2.Client) -> None:
    place.post("/v1/sessions", json={"id": "placed"})
    body = {"workspace_id": "taken", "type": "analysis", "metadata": {"a": 1}, "mcp_client_id": "c", "closed": True}
    changed = place.patch("/v1/sessions/placed", json=body).json()["place"]
    assert place.get("/v1/sessions/placed").json()["place"] == changed
    assert {name: changed[name] for name in body if name != "closed"} == {
        name: value for name, value in body.items() if name != "closed"
    }
    assert changed["status"] == "closed"
    assert changed["connected_at"]
    assert changed["closed_at"]
    assert place.patch("/v1/sessions/placed", json={"pinned": True, "workspace_id": "none"}).status_code == 404
    assert place.get("/v1/sessions/placed").json()["pinned"] is False  # of what is refused, nothing is done


def test_a_session_begins_as_what_it_was_asked_to_be_and_stays_it(place: httpx2.Client) -> None:
    asked = {"id": "begun", "workspace_id": "taken", "type": "analysis", "metadata": {"a": 1}}
    made = place.post("/v1/sessions", json=asked)
    assert made.status_code == 201
    assert {name: made.json()["place"][name] for name in asked} == asked
    assert (made.json()["type"], made.json()["workspace_id"]) == ("analysis", "taken")
    [act] = place.get("/v1/audit", params={"limit": 1}).json()["acts"]
    assert (act["action"], act["new_values"]["type"]) == ("create_session", "analysis")
    found = place.post("/v1/sessions", json=asked | {"type": "other"})
    assert (found.status_code, found.json()["place"]["type"]) == (200, "analysis")


@pytest.mark.parametrize("wrong", [{"workspace_id": "none"}, {"type": ""}, {"type": None}, {"metadata": [1]}])
def test_of_a_session_that_is_refused_nothing_is_made(place: httpx2.Client, wrong: dict[str, Any]) -> None:
    assert place.post("/v1/sessions", json={"id": "refused", **wrong}).status_code in (400, 404)
    assert place.get("/v1/sessions/refused").status_code == 404


def test_a_signal_is_taken_once_by_whom_it_is_for(place: httpx2.Client) -> None:
    path = f"{S}/signals"
    place.post(f"{path}/take", json={"participant": "nobody-else"})  # what others left
    for data in (1, 2):
        body = {"signal_type": "ice", "signal_data": data, "from_participant": "ann", "to_participant": "bob"}
        place.post(path, json=body)

    def taken(participant: str) -> list[Any]:
        answer = place.post(f"{path}/take", json={"participant": participant, "signal_type": "ice"})
        return [each["signal_data"] for each in answer.json()["signals"]]

    assert (taken("ann"), taken("bob"), taken("bob")) == ([], [1, 2], [])


def test_figures_are_kept_by_name_and_exactly_six_by_the_old_path(place: httpx2.Client) -> None:
    told = place.get("/v1/stats").json()
    assert set(told) == set(Statistics.__struct_fields__)
    counts = place.get("/api/stats").json()
    assert counts == {
        "agentCount": told["agents"], "humanCount": told["people"], "sessionCount": told["sessions"],
        "panelCount": told["panels"], "messageCount": told["messages"], "workspaceCount": told["workspaces"],
    }  # fmt: skip
    place.post(f"{S}/messages", json={"content": "one more"})
    assert place.get("/api/stats").json()["messageCount"] == counts["messageCount"] + 1


def test_the_audit_log_has_what_was_changed(place: httpx2.Client) -> None:
    place.post("/v1/groups", json={"id": "crew", "name": "Crew"})
    place.patch("/v1/groups/crew", json={"name": "Team", "metadata": {"long": "x" * 2_000}})
    place.delete("/v1/groups/crew")
    removed, changed, added = place.get("/v1/audit", params={"limit": 3}).json()["acts"]
    assert (added["action"], added["old_values"], added["new_values"]["name"]) == ("create_group", None, "Crew")
    assert (changed["action"], changed["resource"], changed["outcome"]) == ("change_group", "crew", "ok")
    assert changed["old_values"].items() >= {"name": "Crew", "metadata": {}}.items()
    assert changed["new_values"].items() >= {"name": "Team", "metadata": {"bytes": 2012}}.items()
    assert removed["old_values"]["name"] == "Team"
    assert removed["new_values"] is None


# method, path, body, resource, old values, new values
ON_RECORD: list[tuple[str, str, Any, str, dict[str, Any] | None, dict[str, Any] | None]] = [
    ("POST", f"{S}/messages", {"content": "kept here", "user_id": "ann"}, "plan m_", None,
     {"message_type": "chat", "user_id": "ann", "content": {"bytes": 11}}),
    ("POST", "/api/session/plan/messages", {"content": "x", "metadata": {"long": "x" * 2_000}}, "plan m_", None,
     {"content": {"bytes": 3}, "metadata": {"bytes": 2_012}}),
    ("POST", f"{S}/signals", {"signal_type": "ice", "signal_data": "secret", "from_participant": "ann"}, "plan sig_",
     None, {"signal_type": "ice", "from_participant": "ann", "signal_data": {"bytes": 8}}),
    ("POST", f"{S}/mcp", {"mcp_server_id": "told", "mcp_version": "1"}, "plan told", None, {"state": "active"}),
    ("POST", f"{S}/mcp", {"mcp_server_id": "told", "mcp_version": "1", "state": "idle"}, "plan told",
     {"state": "active"}, {"state": "idle"}),
    ("PUT", "/v1/preferences", {"user_id": "ann", "category": "ui", "key": "size", "value": 1}, "ann ui size", None,
     {"value": 1}),
    ("PUT", "/v1/preferences", {"user_id": "ann", "category": "ui", "key": "size", "value": 2}, "ann ui size",
     {"value": 1}, {"value": 2}),
    ("PUT", "/v1/preferences", {"user_id": "ann", "category": "ui", "key": "size", "value": [1]}, "ann ui size",
     {"value": 2}, {"value": [1]}),
    ("PUT", "/v1/preferences", {"user_id": "ann", "category": "ui", "key": "size", "value": [True]}, "ann ui size",
     {"value": [1]}, {"value": [True]}),
    ("DELETE", "/v1/preferences?category=ui&key=size&user_id=ann", None, "ann ui size", {"value": [True]}, None),
    ("POST", "/v1/subscriptions", {"user_id": "ann", "session_id": "plan"}, "ann plan", None, {"panel_id": None}),
    ("DELETE", "/v1/subscriptions?session_id=plan&user_id=ann", None, "ann plan", None, None),
    ("POST", f"{S}/participants", {"user_id": "eve"}, "plan eve member", None, {"user_id": "eve", "role": "member"}),
    ("DELETE", f"{S}/participants?user_id=eve", None, "plan eve", {"left_at": None}, {"left_at": ANY}),
]  # fmt: skip


def test_the_audit_log_has_what_is_said_and_set_without_what_is_none_of_its_business(place: httpx2.Client) -> None:
    for method, path, body, *_ in ON_RECORD:
        assert place.request(method, path, json=body).is_success, path
    acts = place.get("/v1/audit", params={"limit": len(ON_RECORD)}).json()["acts"]
    for act, (*_, resource, old, new) in zip(reversed(acts), ON_RECORD, strict=True):
        assert act["resource"].startswith(resource)
        for found, expected in ((act["old_values"], old), (act["new_values"], new)):
            assert (found is None) == (expected is None), act
            assert all(value is ANY or found[name] == value for name, value in (expected or {}).items())
    said = place.get(f"{S}/messages?text=kept&limit=1").json()["messages"][0]
    place.delete(f"{S}/messages/{said['id']}")
    [removed] = place.get("/v1/audit", params={"limit": 1}).json()["acts"]
    assert removed["old_values"]["content"] == "kept here"


def test_a_session_is_made_in_its_place_or_not_at_all(place: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    place.post("/v1/workspaces", json={"id": "at-once", "name": "At once"})
    asked = {"id": "placed-at-once", "workspace_id": "at-once", "type": "chat", "metadata": {"a": 1}}

    def killed(*_: Any, **__: Any) -> None:
        raise OSError("as good as killed here")

    with monkeypatch.context() as broken:
        broken.setattr(Places, "update", killed)
        assert place.post("/v1/sessions", json=asked).status_code == 500
    assert place.get("/v1/sessions/placed-at-once").status_code == 404
    again = place.post("/v1/sessions", json=asked)
    assert again.status_code == 201
    assert asked.items() <= (again.json()["place"] | {"id": again.json()["id"]}).items()
