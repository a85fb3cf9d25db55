"""State, checkpoints, fork and undo over HTTP, and the figures beside them."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS

from codemode import Worker

ODD_KEYS = ["a/b", "//", "..", ".", "%2F", "a?b=c#d", "ü ∞", "\n", " ", "+", "&key=x", "k" * 500]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_of_the_state_is_any_text(http: httpx2.Client, place: str, key: str) -> None:
    assert http.put(f"{place}/state/value", params={"key": key}, json={"value": key}).status_code == 204
    assert http.get(f"{place}/state").json() == {"keys": [key]}
    found = http.get(f"{place}/state/value", params={"key": key}).json()
    assert found == {"key": key, "found": True, "value": key}
    assert http.delete(f"{place}/state/value", params={"key": key}).json() == {"deleted": True}
    assert http.delete(f"{place}/state/value", params={"key": key}).json() == {"deleted": False}


@pytest.mark.parametrize(
    "value", [None, 2**53 + 1, 10**40, 0.1, [1, {"a": [None]}], {"$bytes": "AA=="}, "", {"default": 1}]
)
def test_a_value_of_the_state_is_exact(http: httpx2.Client, place: str, value: Any) -> None:
    http.put(f"{place}/state/value", params={"key": "k"}, json={"value": value})
    found = http.get(f"{place}/state/value", params={"key": "k"})
    assert json.loads(found.content) == {"key": "k", "found": True, "value": value}


def test_a_key_that_holds_nothing_is_told_from_a_null(http: httpx2.Client, place: str) -> None:
    found = http.get(f"{place}/state/value", params={"key": "k"}).json()
    assert found == {"key": "k", "found": False, "value": None}


@pytest.mark.parametrize("query", [{}, {"key": ""}])
def test_a_key_is_needed(http: httpx2.Client, place: str, query: dict[str, str]) -> None:
    answer = http.get(f"{place}/state/value", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")


def numbers(http: httpx2.Client, place: str) -> list[int]:
    found = http.post(f"{place}/query", json={"sql": "select a from t order by a"}).json()
    return [row["a"] for row in found["result"]]


def add(http: httpx2.Client, place: str, number: int) -> None:
    sql = "create table if not exists t (a)"
    assert http.post(f"{place}/exec", json={"sql": sql}).status_code == 200
    assert http.post(f"{place}/exec", json={"sql": "insert into t values (?)", "params": [number]}).status_code == 200


@pytest.mark.parametrize("name", ["one", "a:b@c-1.0", "_" + "x" * 63])
def test_a_checkpoint_is_made_restored_and_deleted(http: httpx2.Client, place: str, name: str) -> None:
    add(http, place, 1)
    made = http.post(f"{place}/checkpoints", json={"name": name})
    assert (made.status_code, made.json()["name"]) == (201, name)
    add(http, place, 2)
    assert http.post(f"{place}/restore", json={"name": name}).json()["name"] == name
    assert numbers(http, place) == [1]
    assert [each["name"] for each in http.get(f"{place}/checkpoints").json()["checkpoints"]] == [name]
    assert http.delete(f"{place}/checkpoints", params={"name": name}).status_code == 204
    assert http.delete(f"{place}/checkpoints", params={"name": name}).status_code == 404


@pytest.mark.parametrize("name", ["", "a b", "../x", "é", "x" * 65])
def test_a_bad_name_of_a_checkpoint_is_refused(http: httpx2.Client, place: str, name: str) -> None:
    answer = http.post(f"{place}/checkpoints", json={"name": name})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")


def test_errors_of_checkpoints_speak_of_the_request(http: httpx2.Client, place: str) -> None:
    http.post(f"{place}/checkpoints", json={"name": "one"})
    again = http.post(f"{place}/checkpoints", json={"name": "one"})
    assert (again.status_code, again.json()["code"]) == (409, "session.checkpoint_exists")
    assert http.post(f"{place}/checkpoints", json={"name": "one", "replace": True}).status_code == 201
    missing = http.post(f"{place}/restore", json={"name": "onee"})
    assert (missing.status_code, missing.json()["did_you_mean"]) == (404, ["one"])
    nothing = http.post(f"{place}/undo")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "session.cannot_undo")


def test_changes_are_undone_and_done_again(http: httpx2.Client, place: str) -> None:
    add(http, place, 1)
    add(http, place, 2)
    assert http.post(f"{place}/undo").json()["what"] == "host"
    assert numbers(http, place) == [1]
    assert http.post(f"{place}/redo").json()["what"] == "host"
    assert numbers(http, place) == [1, 2]


def test_a_fork_goes_its_own_way(http: httpx2.Client, place: str) -> None:
    add(http, place, 1)
    made = http.post(f"{place}/fork", json={})
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/sessions/{made.json()['id']}")
    add(http, made.headers["location"], 2)
    assert (numbers(http, place), numbers(http, made.headers["location"])) == ([1], [1, 2])
    taken = http.post(f"{place}/fork", json={"id": made.json()["id"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "session.exists")


def test_a_fork_of_a_user_belongs_to_the_user(guarded: str, worker: Worker) -> None:
    secret, _ = worker.create_token(user="ada")
    with httpx2.Client(base_url=guarded, headers={"Authorization": f"Bearer {secret}"}, timeout=HANG_SECONDS) as http:
        http.post("/v1/sessions", json={"id": "ada-1"})
        assert http.post("/v1/sessions/ada-1/fork", json={"id": "ada-2"}).status_code == 201
        assert http.get("/v1/sessions/ada-2").status_code == 200


def test_a_difference_is_told(http: httpx2.Client, place: str) -> None:
    add(http, place, 1)
    http.post(f"{place}/checkpoints", json={"name": "one"})
    add(http, place, 2)
    found = http.get(f"{place}/diff", params={"a": "one", "sample": 1}).json()
    assert [(table["table"], table["added"]) for table in found["tables"]] == [("t", 1)]
    assert http.get(f"{place}/diff", params={"a": "two"}).status_code == 404


def test_free_pages_are_given_back(http: httpx2.Client, place: str) -> None:
    sizes = http.post(f"{place}/compact").json()
    assert sizes["after"] <= sizes["before"]


def test_what_happened_is_told(http: httpx2.Client, place: str) -> None:
    add(http, place, 1)
    changes = http.get(f"{place}/table_changes", params={"table": "t"}).json()
    assert [(change["execution_id"], change["inserted"]) for change in changes] == [("host", 1)]
    assert http.get(f"{place}/slow_statements").json() == []
    assert http.get(f"{place}/usage").json()[0]["rows_written"] == 1
    assert http.get(f"{place}/sizes").json()[-1]["size_bytes"] > 0
    assert http.get("/v1/usage").json()[-1]["rows_written"] >= 1
    assert any(layer["name"] == "seccomp" and layer["active"] for layer in http.get("/v1/layers").json())


def test_nothing_runs_that_could_be_cancelled(http: httpx2.Client, place: str) -> None:
    assert http.post(f"{place}/cancel").json() == {"cancelled": False}


def test_only_an_administrator_sweeps(guarded: str, worker: Worker, http: httpx2.Client) -> None:
    secret, _ = worker.create_token(scopes=("read", "execute"))
    refused = httpx2.post(f"{guarded}/v1/sweep", headers={"Authorization": f"Bearer {secret}"}, timeout=HANG_SECONDS)
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.forbidden")
    assert http.post("/v1/sweep").json() == {"expired": []}


def test_tables_of_odd_names_are_described(http: httpx2.Client, place: str) -> None:
    name = "a/b ? .. %41"
    http.post(f"{place}/exec", json={"sql": f'create table "{name}" (price real)'})
    assert http.get(f"{place}/schema", params={"table": name}).json()["tables"][0]["columns"][0]["name"] == "price"
    assert http.get(f"{place}/describe", params={"table": name}).json()["row_count"] == 0
    found = http.get(f"{place}/find_column", params={"table": name, "meaning": "price"}).json()["found"]
    assert found["name"] == "price"
    assert http.get(f"{place}/schema", params={"table": "nothing"}).status_code == 422


def test_tables_are_listed_beside_a_view_of_what_is_gone(http: httpx2.Client, place: str) -> None:
    for sql in ("create table price_list (price real)", "create view dear as select nope from price_list"):
        http.post(f"{place}/exec", json={"sql": sql})
    listed = {each["name"]: len(each["columns"]) for each in http.get(f"{place}/schema").json()["tables"]}
    assert {name: listed[name] for name in ("price_list", "dear")} == {"price_list": 1, "dear": 0}
    assert http.get(f"{place}/schema", params={"table": "dear"}).json()["code"] == "sql.no_such_column"


def test_a_session_that_is_only_looked_for_is_not_made(http: httpx2.Client) -> None:
    answer = http.post("/v1/sessions", json={"id": "never-made", "create": False})
    assert (answer.status_code, answer.json()["code"]) == (404, "session.not_found")


def test_a_session_tells_its_limits(http: httpx2.Client, worker: Worker) -> None:
    made = http.post("/v1/sessions", json={"limits": {"rows": 7}}).json()
    assert (made["limits"]["rows"], made["limits"]["sql_bytes"]) == (7, worker.limits.sql_bytes)
