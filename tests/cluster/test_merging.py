"""Figures of several workers as those of one service."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from codemode.api.series import SERIES
from codemode.cluster import merging
from codemode.cluster.refusals import Refusals
from codemode.errors import WorkerUnavailable, WorkerUnreachable

ONE = b"""# HELP codemode_sessions Sessions by state.
# TYPE codemode_sessions gauge
codemode_sessions{state="active"} 4.0
# HELP calls_total Calls of "helpers", all } of them.
# TYPE calls_total counter
calls_total{name="a } b",kind="x"} 1.0
calls_total 2.0
"""


def test_each_worker_s_samples_have_its_name_and_what_is_shared_is_told_once() -> None:
    text = merging.exposition({"0": ONE, "1": ONE}, {"0": 0, "1": 3}, {}).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert [(sample.labels, sample.value) for sample in families["codemode_sessions"].samples] == [
        ({"state": "active"}, 4.0)
    ]
    assert [sample.labels for sample in families["calls"].samples] == [
        {"worker": "0", "name": "a } b", "kind": "x"},
        {"worker": "0"},
        {"worker": "1", "name": "a } b", "kind": "x"},
        {"worker": "1"},
    ]
    restarts = families["codemode_worker_restarts"].samples
    assert [(sample.labels["worker"], sample.value) for sample in restarts] == [("0", 0.0), ("1", 3.0)]
    assert text.count("# TYPE") == 3


def test_an_answer_that_was_cut_is_logged_with_the_status_that_its_client_has(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    refusals.add("POST", "/v1/sessions/s/execute", "req_1", WorkerUnreachable("worker 1 ended"), time.monotonic(), 200)
    fields = caplog.records[0].fields  # type: ignore[attr-defined]
    assert (fields["status"], fields["outcome"]) == (200, "worker.unreachable")
    assert refusals.counts["none", "5xx"] == 1


def test_what_no_worker_answers_is_logged_and_counted_among_the_requests(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for path in ("/v1/sessions/s/execute", "/v1/sessions/s/execute", "/ready"):
        refusals.add("POST", path, "req_1", WorkerUnavailable("worker 1 ended"), time.monotonic())
    of_worker = b"# HELP codemode_http_requests_total Requests.\n# TYPE codemode_http_requests_total counter\n"
    text = merging.exposition({"0": of_worker}, {}, refusals.counts).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    found = [(sample.labels["operation"], sample.value) for sample in families["codemode_http_requests"].samples]
    assert found == [("none", 2.0), ("ready", 1.0)]
    fields = caplog.records[0].fields  # type: ignore[attr-defined]
    expected = {"request_id": "req_1", "status": 503, "outcome": "worker.unavailable", "reason": "worker 1 ended"}
    assert expected.items() <= fields.items()
    assert "/v1" not in str(fields), "paths may hold what is nobody's business"


def test_what_is_called_shared_is_there() -> None:
    assert {series.name for series in SERIES} >= {*merging.SHARED, merging.REQUESTS}
    assert {series.name for series in SERIES if "backup" in series.name} < merging.SHARED
