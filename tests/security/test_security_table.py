"""The table of `make security`: what passes, what fails, and that a failure is the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.security import __main__ as security
from tests.security import sandbox_attacks, sql_attacks
from tests.security.line import Line, table

HELD = Line("SQL", "stopped by the gate", 3, 3)
REPORT = """<testsuites><testsuite>
<testcase classname="tests.attacks.test_x" name="one[a]"/>
<testcase classname="tests.attacks.test_x" name="two"><failure message="m"/></testcase>
<testcase classname="tests.attacks.test_x" name="three"><error message="m"/></testcase>
<testcase classname="tests.attacks.test_x" name="four"><skipped message="m"/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    "line",
    [
        Line("SQL", "one came through", 3, 2),
        Line("SQL", "nothing was tried", 0, 0),
        Line("SQL", "all held, and something was found", 3, 3, problems=("found",)),
    ],
    ids=lambda line: line.what,
)
def test_what_did_not_hold_fails(line: Line) -> None:
    assert (line.ok, line.verdict) == (False, "FAIL")


def test_what_cannot_be_run_here_is_said_and_fails_nothing() -> None:
    line = Line("corpora", "statements", 0, 0, "no corpora here", absent=True)
    assert (line.ok, line.verdict) == (True, "not run")
    assert "not run  no corpora here" in table([line])


def test_tests_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    outcomes = sandbox_attacks._outcomes(tmp_path / "report.xml")["test_x"]
    assert outcomes == {"one[a]": "passed", "two": "failed", "three": "failed", "four": "skipped"}
    line = sandbox_attacks._line("Python", "x", outcomes)
    assert (line.tried, line.held, line.problems) == (3, 1, ("two", "three"))


@pytest.mark.parametrize(("held", "code"), [(3, 0), (2, 1)])
def test_the_exit_code_is_the_verdict(
    held: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(security, "_lines", lambda chosen: iter([HELD, Line("SQL", "other", 3, held)]))
    assert security.main(["--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is (code == 0)
    assert [line["held"] for line in told["lines"]] == [3, held]


@pytest.mark.parametrize("held", [3, 2])
def test_only_a_run_in_which_everything_held_is_recorded(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "security.json"
    monkeypatch.setattr(security, "RECORD", record)
    monkeypatch.setattr(security, "_lines", lambda chosen: iter([Line("SQL", "other", 3, held)]))
    security.main(["--record"])
    assert record.exists() is (held == 3)
    if record.exists():
        told = json.loads(record.read_text())
        assert (told["lines"][0]["held"], told["commit"] != "") == (3, True)


def test_a_case_with_another_verdict_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "wrong.sql"
    path.write_text("-- case: right\n-- allowed: select\nSELECT 1\n-- case: wrong\n-- refused: verb, gate\nSELECT 2\n")
    problems = [problem for _, problem in sql_attacks._judged(path)]
    assert problems[0] == []
    assert "wrong: AssertionError" in problems[1][0]


def test_a_small_number_of_mutants_is_counted() -> None:
    [line] = sql_attacks.mutants(200)
    assert (line.tried, line.held, line.ok) == (200, 200, True)
    assert "seeds" in line.note
