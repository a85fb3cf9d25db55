from __future__ import annotations

import pytest


@pytest.fixture
def used(cli, people, monkeypatch):
    """The session `people` after one more execution, which wrote a row, and whose statements count as slow."""
    monkeypatch.setenv("CODEMODE_SLOW_STATEMENT_MS", "0.0001")
    write = "INSERT INTO people (name) VALUES ('\x1b[31mred')"
    code = f"helpers.db.exec({write!r})\nhelpers.db.query('SELECT * FROM people')"
    assert cli("run", "-s", people, "-c", code).code == 0
    return people


def test_metrics_tell_what_was_used(cli, used):
    figures = cli("metrics", used, "--json").json["result"]
    assert figures["usage"]["executions"] >= 1
    assert figures["usage"]["vm_steps"] > 0
    assert figures["size_history"][-1]["size_bytes"] == figures["database_size"]
    shown = cli("metrics", used).out
    assert "vm_steps" in shown
    assert "since" in shown


def test_metrics_by_day(cli, used):
    [day] = cli("metrics", used, "--by-day", "--json").json["result"]
    assert (day["executions"], day["day"][:2]) == (1, "20")
    assert cli("metrics", "--by-day", "--json").json["result"] == [day], "all sessions together: this one"
    assert day["day"] in cli("metrics", "--by-day").out
    assert cli("metrics", "nobody", "--by-day").code == 2


def test_slow_statements_with_their_plans(cli, used):
    slow = cli("logs", used, "--slow", "--json").json["result"]
    assert slow[-1]["statement"] == "SELECT * FROM people"
    assert slow[-1]["plan"] == ["SCAN people"]
    shown = cli("logs", used, "--slow").out
    assert "    SCAN people" in shown
    assert "\x1b" not in shown, "what a statement holds is not to be trusted with the terminal"


def test_which_execution_changed_which_table(cli, used):
    changes = cli("logs", used, "--tables", "--json").json["result"]
    assert changes[-1]["table"] == "people"
    assert changes[-1]["execution_id"].startswith("ex_")
    assert "1 row inserted" in cli("logs", used, "--tables").out
    assert changes[-1]["execution_id"] in cli("sessions", "show", used).out
    [table] = cli("sessions", "show", used, "--json").json["result"]["tables"]
    assert table["last_change"]["execution_id"] == changes[-1]["execution_id"]


@pytest.mark.parametrize("options", [("--slow", "--tables"), ("--slow", "--errors"), ("--tables", "--kind", "exec")])
def test_one_log_at_a_time(cli, people, options):
    assert cli("logs", people, *options).code == 2


def test_nothing_slow_nothing_changed(cli):
    assert cli("run", "-s", "empty", "-c", "return 1").code == 0
    assert "no slow statements" in cli("logs", "empty", "--slow").err
    assert "no table was changed" in cli("logs", "empty", "--tables").err
