"""What a scraper reads: series that are documented, labels that no request can add to, and who may read them."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS, soon
from prometheus_client.parser import text_string_to_metric_families

from codemode import Settings, Worker
from codemode.api.series import SERIES, Seen
from codemode.api.traffic import Traffic
from codemode.session.durations import BOUNDS, Durations
from codemode.values import Outcome, Problem, Totals

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
WRITES = "CREATE TABLE w AS SELECT 1; INSERT INTO w VALUES (2); DROP TABLE w"
SUFFIXES = re.compile(r"_(bucket|count|sum)$")


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figure(http: httpx2.Client, name: str, **labels: str) -> float:
    answer = http.get("/metrics")
    assert answer.status_code == 200
    return samples(answer.text).get((name, frozenset(labels.items())), 0)


@pytest.fixture
def session(http: httpx2.Client) -> str:
    http.post("/v1/sessions", json={"id": "measured"})
    return "/v1/sessions/measured"


def test_every_series_is_documented_and_every_documented_one_is_there(http: httpx2.Client, session: str) -> None:
    http.post(f"{session}/execute", json={"code": "return 1"})
    found = {SUFFIXES.sub("", name) for name, _ in samples(http.get("/metrics").text)}
    documented = {
        name
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(("| `codemode_", "| `process_"))
        for name in re.findall(r"`((?:codemode|process)_\w+)`", line.split("|")[1])
    }
    assert documented == found


def test_what_alerts_watch_is_there_before_it_happens(tmp_path: Path, serve: Any) -> None:
    """The rate of a series that begins with 1 is 0: the first fault would raise no alarm."""
    settings = Settings(metrics_open=True)
    with Worker(tmp_path, settings=settings) as worker, serve(worker, open_to_all=True) as (address, server):
        found = samples(httpx2.get(f"{address}/metrics", timeout=HANG_SECONDS).text)
        operations = {*server.config.app.state.traffic.seconds}
    assert {"execute", "none"} < operations
    for operation in operations:
        assert found["codemode_http_requests_total", frozenset({("operation", operation), ("status", "5xx")})] == 0
    assert found["codemode_executions_total", frozenset({("status", "error"), ("error", "worker")})] == 0


def test_executions_are_counted_by_how_they_ended(http: httpx2.Client, session: str) -> None:
    ended = {("completed", "none"): "return 1", ("error", "code"): "1 / 0", ("rejected", "code"): "def"}
    ended["error", "sql"] = "helpers.db.query('SELECT * FROM nowhere')"
    for (status, error), code in ended.items():
        before = figure(http, "codemode_executions_total", status=status, error=error)
        assert http.post(f"{session}/execute", json={"code": code}).json()["status"] == status
        assert figure(http, "codemode_executions_total", status=status, error=error) == before + 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("codemode_rows_written_total", f"helpers.db.script('{WRITES}')"),
        ("codemode_rows_read_total", "helpers.db.query('SELECT 1')"),
        ("codemode_helper_calls_total", "helpers.db.list_state()"),
        ("codemode_stdout_bytes_total", "print('x')"),
        ("codemode_result_bytes_total", "return 'x'"),
        ("codemode_execution_run_seconds_count", "return 1"),
        ("codemode_execution_queue_seconds_count", "return 1"),
        ("codemode_execution_run_seconds_sum", "return 1"),
    ],
)  # fmt: skip
def test_what_executions_do_is_counted(http: httpx2.Client, session: str, name: str, code: str) -> None:
    before = figure(http, name)
    assert http.post(f"{session}/execute", json={"code": code}).json()["ok"]
    assert figure(http, name) > before


def test_warnings_are_counted_by_their_kind(http: httpx2.Client, session: str) -> None:
    asked = {
        "result": {"code": "return 'x' * 5_000", "max_result_bytes": 1_000, "read_only": True},
        "stdout_bytes": {"code": "print('x' * 250_000)"},
        "value": {"code": "return float('nan')"},
    }
    others = figure(http, "codemode_warnings_total", kind="other")
    for kind, body in asked.items():
        before = figure(http, "codemode_warnings_total", kind=kind)
        assert http.post(f"{session}/execute", json=body).json()["warnings"]
        assert figure(http, "codemode_warnings_total", kind=kind) == before + 1
    assert figure(http, "codemode_warnings_total", kind="other") == others


def test_bytes_are_those_of_the_bodies_that_were_sent(http: httpx2.Client) -> None:
    plain, ways = {"Accept-Encoding": "identity"}, ("received", "sent")
    before = http.get("/metrics", headers=plain)
    shown = http.get("/health", headers=plain)
    assert http.head("/health", headers=plain).content == b""
    created = http.post("/v1/sessions", content=b'{"id": "weighed"}', headers=plain)
    first, then = (samples(scrape.text) for scrape in (before, http.get("/metrics", headers=plain)))
    received, sent = (
        then[name, frozenset()] - first[name, frozenset()]
        for name in (f"codemode_http_{way}_bytes_total" for way in ways)
    )
    assert received == len(b'{"id": "weighed"}')
    assert sent == sum(len(answer.content) for answer in (before, shown, created))


def test_what_the_service_holds_is_shown(http: httpx2.Client, session: str) -> None:
    assert http.post(f"{session}/execute", json={"code": "return 1"}).json()["ok"]  # the sandbox has started
    assert figure(http, "codemode_sessions", state="active") >= 1
    assert figure(http, "codemode_isolation_layer", layer="seccomp") == 1
    assert figure(http, "codemode_http_requests_in_progress") == 1  # this one


def test_what_waits_in_the_background_is_shown(http: httpx2.Client, session: str) -> None:
    body = {"code": "while True: pass", "mode": "background"}
    accepted = http.post(f"{session}/execute", json=body).json()
    assert figure(http, "codemode_background_pending") == 1
    http.delete(f"/v1/executions/{accepted['execution_id']}")
    assert figure(http, "codemode_background_pending") == 0


HOSTILE = [
    ("GET", "/etc/passwd", {}), ("GET", "/v1/sessions/" + "x" * 500, {}), ("PROPFIND", "/v1/sessions", {}),
    ("GET", "/v1/stats?operation=evil", {"X-Request-Id": "evil\tid"}), ("DELETE", "/metrics", {"User-Agent": "evil"}),
    ("POST", "/v1/sessions/evil/execute", {"Content-Type": "evil/evil"}), ("GET", "/v1/executions/evil", {}),
]  # fmt: skip


def test_hostile_requests_make_no_series(http: httpx2.Client, session: str) -> None:
    for method, path, headers in HOSTILE:
        http.request(method, path, headers=headers)
    shapes = set(samples(http.get("/metrics").text))
    for method, path, headers in HOSTILE * 3:
        http.request(method, f"{path}", headers=headers)
        http.request(method, f"/{'evil' * 9}{path}", headers=headers)
    http.post(f"{session}/query", json={"sql": "SELECT 'evil'"})
    text = http.get("/metrics").text
    added = {found for found in samples(text).keys() - shapes if ("operation", "query") not in found[1]}
    assert not added - {found for found in added if ("operation", "prometheus") in found[1]}
    assert "evil" not in text
    assert "measured" not in text


def test_a_child_cannot_make_a_series(worker: Worker) -> None:
    account = worker.registry.account
    problem = Problem(code="evil.code", message="")
    account.ended(
        Outcome(ok=False, status="evil", execution_id="e", session_id="s", error=problem),  # type: ignore[arg-type]
        Totals(warnings={"evil": 1}),
    )
    seen = Seen(account, Traffic([]), worker.holdings(), 0)
    assert "evil" not in repr([each.figure(seen) for each in SERIES if each.labels])


def test_a_histogram_counts_what_took_at_most_each_bound() -> None:
    durations = Durations()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1], BOUNDS[-1] * 2):
        durations.add(seconds)
    counts, total = durations.read()
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (2, 3, 4, 5)
    assert total == pytest.approx(BOUNDS[0] * 2.01 + BOUNDS[-1] * 3)


TOKENS = [
    ("local", ("read", "execute"), None, 403), ("local", ("admin",), "ann", 403),
    ("acme", ("read", "execute", "admin"), None, 403), ("local", ("admin",), None, 200),
]  # fmt: skip


def test_the_operator_s_token_may_read_them_and_others_may_not(worker: Worker, guarded: str) -> None:
    with httpx2.Client(base_url=guarded, timeout=HANG_SECONDS) as http:
        assert http.get("/metrics").status_code == 401
        for tenant, scopes, user, status in TOKENS:
            secret, _ = worker.create_token(tenant, scopes=scopes, user=user)
            assert http.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == status


def test_the_setting_opens_them(tmp_path: Path, serve: Any) -> None:
    settings = msgspec.structs.replace(Settings(), metrics_open=True)
    with Worker(tmp_path, settings=settings) as worker, serve(worker, open_to_all=False) as (address, _):
        text = httpx2.get(f"{address}/metrics", timeout=HANG_SECONDS).text
        assert (
            samples(text)["codemode_children", frozenset({("state", "ready")})] == 0
        )  # and nothing was started for it


def test_who_left_before_the_answer_is_counted_as_such(http: httpx2.Client, session: str) -> None:
    def counted(status: str) -> float:
        return figure(http, "codemode_http_requests_total", operation="execute", status=status)

    begun = "helpers.db.exec('create table begun (a)')\nhelpers.db.commit()"
    body = json.dumps({"code": f"{begun}\nimport time\ntime.sleep(30)"})
    left, answered = counted("none"), counted("2xx")
    with socket.create_connection((http.base_url.host, http.base_url.port), HANG_SECONDS) as client:
        head = f"POST {session}/execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(f"{head}{body}".encode())
        while "begun" not in http.get(f"{session}/schema").text:
            pass
    assert soon(lambda: counted("none") > left)
    assert (counted("none"), counted("2xx")) == (left + 1, answered)


@pytest.mark.parametrize("path", ["/nowhere", "/v1/sessions", "/metrics"])
def test_every_answer_has_a_request_id(http: httpx2.Client, path: str) -> None:
    assert http.get(path).headers["x-request-id"].startswith("req_")
    assert http.get(path, headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"


def test_a_fault_has_a_request_id_too(worker: Worker, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "stats", lambda tenant, user: 1 / 0)
    answer = http.get("/v1/stats?usage=true", headers={"X-Request-Id": "mine-2"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "mine-2")
    assert figure(http, "codemode_http_requests_total", operation="stats", status="5xx") == 1
