"""Figures of several workers as those of one service."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from codemode.api.series import SERIES
from codemode.cluster import merging

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
