"""Executions over HTTP: the outcome, the stream of events, the background, and clients that go away."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker


def run(http: httpx2.Client, session: str, code: str, **more: Any) -> httpx2.Response:
    return http.post(f"/v1/sessions/{session}/execute", json={"code": code, **more})


def test_a_snippet_s_outcome_is_the_answer(http: httpx2.Client, session: str) -> None:
    answer = run(http, session, "print(n)\nreturn {'twice': 2 * n, 'big': 2**70}", inputs={"n": 21})
    outcome = answer.json()
    assert answer.status_code == 200
    assert (outcome["ok"], outcome["result"], outcome["stdout"]) == (True, {"twice": 42, "big": 2**70}, "21\n")
    assert outcome["session_id"] == session
    assert outcome["execution_id"].startswith("ex_")


def test_an_integer_of_any_size_is_answered(http: httpx2.Client, session: str) -> None:
    text = run(http, session, "return 10**5000").text
    assert f'"result": 1{"0" * 5000}' in text or f'"result":1{"0" * 5000}' in text


def test_a_snippet_that_fails_is_a_200_whose_outcome_says_so(http: httpx2.Client, session: str) -> None:
    answer = run(http, session, "helpers.db.exec('create table t (a)')\nhelpers.db.query('select b from t')")
    outcome = answer.json()
    assert (answer.status_code, outcome["ok"], outcome["error"]["code"]) == (200, False, "sql.no_such_column")
    assert outcome["db"]["rolled_back"]


def test_the_options_of_a_run_are_fields_of_the_body(http: httpx2.Client, session: str) -> None:
    rows = "return helpers.db.query(\"select 1 as a, printf('%200c', 'x') as b\")"
    shaped = run(http, session, rows, result_format="columns", max_cell=10).json()["result"]
    assert shaped["columns"] == ["a", "b"]
    assert len(shaped["rows"][0][1]) < 50
    first = run(http, session, "return helpers.db.exec('create table once (a)')", idempotency_key="k").json()
    again = run(http, session, "return helpers.db.exec('create table once (a)')", idempotency_key="k").json()
    assert (first["ok"], again["ok"], again["replayed"]) == (True, True, True)


def test_a_stateful_session_keeps_its_variables(http: httpx2.Client) -> None:
    http.post("/v1/sessions", json={"id": "notebook", "stateful": True})
    assert run(http, "notebook", "x = 41").json()["variables"] == "fresh"
    outcome = run(http, "notebook", "return x + 1").json()
    assert (outcome["result"], outcome["variables"]) == (42, "kept")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": 7}, 400, "request.invalid"),
        ({"code": "1", "timeout": 3}, 400, "request.invalid"),
        ({"code": "1", "timeout_ms": 0}, 400, "request.invalid"),
        ({"code": "1", "mode": "later"}, 400, "request.invalid"),
        ({"code": "1", "inputs": {"helpers": 1}}, 400, "request.invalid"),
        ({"code": "1", "dry_run": True, "atomic": False}, 400, "request.invalid"),
        ({}, 400, "request.invalid"),
        ([], 400, "request.invalid"),
        ({"code": "#" * 100_001}, 413, "request.too_large"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_request_is_a_problem_document(
    http: httpx2.Client, session: str, body: Any, status: int, code: str
) -> None:
    answer = http.post(f"/v1/sessions/{session}/execute", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]


@pytest.mark.parametrize(
    ("path", "body", "meant", "available"),
    [
        ("execute", {"code": "return 1", "timeout": 5}, ["timeout_ms"], "timeout_ms"),
        ("execute", {"code": "return 1", "mode": "strem"}, ["stream"], "background"),
        ("batch_insert", {"table": "t", "records": [], "on_conflict": "nothing"}, None, "ignore"),
        ("batch", {"statements": [{"query": "SELECT 1"}]}, None, None),
        ("undo", {"steps": 2}, None, None),
        ("batch_insert?on_conflict=ignore", {"table": "t", "records": [{"a": 1}]}, None, None),
    ],
)
def test_a_wrong_field_is_answered_with_those_that_there_are(
    http: httpx2.Client, session: str, path: str, body: Any, meant: Any, available: str | None
) -> None:
    problem = http.post(f"/v1/sessions/{session}/{path}", json=body).json()
    assert (problem["status"], problem.get("did_you_mean")) == (400, meant)
    assert available is None or available in problem["available"]
    assert (available is None) == ("available" not in problem)


@pytest.mark.parametrize("content", [b"", b"{}", [b"{}"]])
def test_what_takes_no_body_takes_an_empty_one(http: httpx2.Client, session: str, content: Any) -> None:
    assert http.post(f"/v1/sessions/{session}/cancel", content=content).json() == {"cancelled": False}


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("POST", "/v1/sessions/s/import?table=t&if_exist=replace", ["if_exists"]),
        ("DELETE", "/v1/subscriptions?session_id=s&panel=first", ["panel_id"]),
        ("POST", "/v1/sessions?id=s", None),
        ("GET", "/v1/sessions?limti=5", ["limit"]),
        ("GET", "/v1/sessions/s/logs?error=true", ["errors"]),
        ("POST", "/v1/sessions/s/query?read_only=true", None),
        ("GET", "/v1/layers?_=1", None),
    ],
)
def test_a_query_parameter_that_there_is_not_is_refused(
    http: httpx2.Client, method: str, path: str, meant: list[str] | None
) -> None:
    problem = http.request(method, path).json()
    assert (problem["status"], problem.get("did_you_mean")) == (400, meant)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json", "/api/stats"])
def test_a_probe_may_add_what_no_cache_knows(http: httpx2.Client, path: str) -> None:
    assert http.get(f"{path}?_=1790000000").status_code == 200


def test_a_session_that_there_is_not_is_404(http: httpx2.Client) -> None:
    answer = run(http, "nobody", "1")
    assert (answer.status_code, answer.json()["code"]) == (404, "session.not_found")


def events(lines: Any) -> list[tuple[str, Any]]:
    found, name = [], ""
    for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    return found


def test_a_stream_tells_what_is_printed_and_then_the_outcome(http: httpx2.Client, session: str) -> None:
    code = "for n in range(3):\n    print(n)\nreturn 'done'"
    with http.stream("POST", f"/v1/sessions/{session}/execute", json={"code": code, "mode": "stream"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer.iter_lines())
    assert told[0][0] == "started"
    assert "".join(data["text"] for name, data in told if name == "stdout") == "0\n1\n2\n"
    assert told[-1][0] == "outcome"
    assert (told[-1][1]["result"], told[-1][1]["execution_id"]) == ("done", told[0][1]["execution_id"])


def test_a_stream_under_a_key_announces_the_execution_that_answers(http: httpx2.Client, session: str) -> None:
    body = {"code": "print('once')\nreturn 1", "mode": "stream", "idempotency_key": "k"}
    answers = []
    for _ in range(2):
        with http.stream("POST", f"/v1/sessions/{session}/execute", json=body) as answer:
            told = events(answer.iter_lines())
        assert [name for name, _ in told] == ["started", "stdout", "outcome"]
        assert told[0][1] == {"execution_id": told[-1][1]["execution_id"], "session_id": session}
        answers.append((told[-1][1]["execution_id"], told[-1][1]["replayed"]))
    assert answers == [(answers[0][0], False), (answers[0][0], True)]


def test_output_comes_while_the_snippet_runs(http: httpx2.Client, session: str) -> None:
    code = "import time\nprint('first', flush=True)\ntime.sleep(30)"
    with http.stream("POST", f"/v1/sessions/{session}/execute", json={"code": code, "mode": "stream"}) as answer:
        for line in answer.iter_lines():
            if "first" in line:
                break
    # Leaving the stream has ended the execution: the session's turn is free long before its 30 seconds are over.
    started = time.monotonic()
    assert run(http, session, "return 1").json()["result"] == 1
    assert time.monotonic() - started < 20


def test_a_client_that_goes_away_cancels_its_execution(http: httpx2.Client, session: str, worker: Worker) -> None:
    run(http, session, "helpers.db.exec('create table kept (a)')")
    begun = "helpers.db.exec('create table begun (a)')\nhelpers.db.commit()"
    code = f"{begun}\nhelpers.db.exec('insert into kept values (1)')\nimport time\ntime.sleep(30)"
    body = json.dumps({"code": code}).encode()
    head = f"POST /v1/sessions/{session}/execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((http.base_url.host, http.base_url.port), HANG_SECONDS) as client:
        client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        assert soon(lambda: "begun" in worker.session(session).get_tables())
    assert run(http, session, "return helpers.db.value('select count(*) from kept')").json()["result"] == 0
    [entry, *_] = [entry for entry in worker.session(session).logs(kind="execution") if entry.error_code]
    assert entry.error_code == "code.cancelled"


def test_an_execution_in_the_background_is_waited_for(http: httpx2.Client, session: str) -> None:
    answer = run(http, session, "import time\ntime.sleep(0.2)\nreturn 5", mode="background")
    accepted = answer.json()
    assert (answer.status_code, accepted["state"], accepted["outcome"]) == (202, "pending", None)
    place = answer.headers["location"]
    done = http.get(place, params={"wait": 30}).json()
    assert (done["state"], done["outcome"]["result"]) == ("done", 5)
    assert http.get(place).json() == done


def test_an_execution_in_the_background_is_cancelled(http: httpx2.Client, session: str) -> None:
    running = run(http, session, "while True: pass", mode="background").json()["execution_id"]
    waiting = run(http, session, "return 2", mode="background").json()["execution_id"]
    # The second has never run, the first is killed.
    for each in (waiting, running):
        ended = http.delete(f"/v1/executions/{each}").json()
        assert (ended["state"], ended["outcome"]["status"]) == ("done", "cancelled")
        assert ended["outcome"]["execution_id"] == each


def test_an_execution_that_there_is_not_is_404(http: httpx2.Client) -> None:
    answer = http.get("/v1/executions/ex_nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "execution.not_found")


def test_sessions_run_side_by_side(http: httpx2.Client, address: str) -> None:
    ids = [http.post("/v1/sessions", json={}).json()["id"] for _ in range(8)]
    results: list[Any] = []

    def one(session: str) -> None:
        with httpx2.Client(base_url=address, timeout=HANG_SECONDS) as client:
            results.extend(run(client, session, f"return {n}").json()["result"] for n in range(5))

    threads = [threading.Thread(target=one, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)
    assert sorted(results) == sorted([0, 1, 2, 3, 4] * 8)
