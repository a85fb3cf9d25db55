from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from codemode.cli import demo

FIGURES = {
    0: [
        {"carrier": "AirTran Airways Corporation", "flights": 3260, "mean_arrival_delay": 20.116},
        {"carrier": "ExpressJet Airlines Inc.", "flights": 54173, "mean_arrival_delay": 15.796},
        {"carrier": "Envoy Air", "flights": 26397, "mean_arrival_delay": 10.775},
    ],
    1: [
        {"origin": "LGA", "departures": 1043, "mean_departure_delay": 42.54},
        {"origin": "EWR", "departures": 1651, "mean_departure_delay": 40.45},
        {"origin": "JFK", "departures": 1046, "mean_departure_delay": 40.01},
    ],
}


@pytest.mark.slow
def test_the_whole_year_gives_the_known_figures(cli):
    answer = cli("demo", "--json")
    assert answer.code == 0, answer.err
    result = answer.json["result"]
    assert {profile["table"]: profile["rows"] for profile in result["imports"]} == {
        "airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": 336776,
    }  # fmt: skip
    for number, rows in FIGURES.items():
        assert result["snippets"][number]["outcome"]["result"] == rows
    failed = result["snippets"][2]["outcome"]
    assert failed["error"]["code"] == "sql.no_such_column"
    assert "arr_delay" in failed["error"]["did_you_mean"]
    assert failed["db"]["rolled_back"] is True
    assert result["before"] == result["after"]
    assert result["after"]["flights"] == 336776


def test_the_sample_of_the_wheel_runs_as_well_and_says_how_to_go_on(cli, monkeypatch):
    monkeypatch.setattr(demo, "CHECKOUT", Path("/nowhere"))
    answer = cli("demo")
    assert answer.code == 0, answer.err
    session_id = answer.err.split()[1]
    assert f"codemode sessions show {session_id}" in answer.out
    for part in ("snippet 1", "snippet 2", "snippet 3", "helpers.db.query(", "mean_departure_delay", "airports"):
        assert part in answer.out
    assert "did you mean arr_delay?" in answer.out
    assert answer.out.count(" of memory") == 3
    assert "nothing: it ran in one transaction, and failed" in answer.out
    assert cli("sessions", "show", session_id, "--json").json["result"]["tables"]


def test_the_sample_is_part_of_the_real_data():
    for name in demo.TABLES:
        read = gzip.open if name.endswith(".gz") else open
        with read(demo.CHECKOUT / name, "rt") as whole, read(demo.SAMPLE / name, "rt") as part:
            lines = part.readlines()
            assert len(lines) > 10
            assert set(lines) <= set(whole)
