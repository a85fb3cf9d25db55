"""Figures of several workers as those of one service."""

from __future__ import annotations

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from codemode.api.series import SERIES
from codemode.cluster import merging
from codemode.values import Totals

ONE = b"""# HELP codemode_sessions Sessions by state.
# TYPE codemode_sessions gauge
codemode_sessions{state="active"} 4.0
# HELP calls_total Calls of "helpers", all } of them.
# TYPE calls_total counter
calls_total{name="a } b",kind="x"} 1.0
calls_total 2.0
"""


def test_each_worker_s_samples_have_its_name_and_what_is_shared_is_told_once() -> None:
    text = merging.exposition({"0": ONE, "1": ONE}, {"0": 0, "1": 3}).decode()
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


def test_what_is_called_shared_is_there() -> None:
    assert {series.name for series in SERIES} >= merging.SHARED


def test_usage_is_added_and_the_rest_is_taken_once() -> None:
    def stats(totals: Totals) -> bytes:
        return msgspec.json.encode({"sessions": 3, "usage": totals})

    one = Totals(executions=2, peak_memory_bytes=5, warnings={"clamped": 1})
    two = Totals(executions=3, peak_memory_bytes=4, warnings={"clamped": 2})
    merged = msgspec.json.decode(merging.stats({"0": stats(one), "1": stats(two)}))
    assert merged["sessions"] == 3
    assert (merged["usage"]["executions"], merged["usage"]["peak_memory_bytes"]) == (5, 5)
    assert merged["usage"]["warnings"] == {"clamped": 3}
