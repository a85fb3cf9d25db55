"""The small collections in samples/ run through the guard, and the command would say so if one were refused."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from codemode.guard import policy
from corpora import reading, report
from corpora.__main__ import main
from corpora.judge import Judge
from corpora.statements import split

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="module")
def found() -> report.Report:
    return report.run(reading.scripts(SAMPLES), listing=None)


def test_nothing_that_sqlite_accepts_is_refused_but_by_policy(found: report.Report) -> None:
    assert [report.line(*refusal) for refusal in found.false] == []


def test_every_format_is_read_and_enough_runs(found: report.Report) -> None:
    assert found.total("ran") >= 150
    ran = {path.name for path, counts in found.verdicts.items() if counts["ran"]}
    assert ran == {
        "dev.json", "engine.test", "trading.test", "rentals.test", "accounts.sqltest", "music_store.sql",
        "film_rental.sql",
    }  # fmt: skip


def test_what_policy_names_is_counted_by_its_rule(found: report.Report) -> None:
    rules = {rule for counts in found.rules.values() for rule in counts}
    assert {"pragma", "transaction", "temp", "maintenance"} <= rules


def test_the_command_ends_well_on_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SAMPLES / "spider"), "--table"]) == 0
    assert "all files" in capsys.readouterr().out


def test_a_false_refusal_is_reported_and_ends_the_command_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "FUNCTIONS", policy.FUNCTIONS - {"group_concat"})
    assert main([str(SAMPLES / "tcl" / "rentals.test")]) == 1
    assert "FALSE REFUSAL: function: function group_concat() is not available" in capsys.readouterr().out


def test_a_file_of_sqlite_is_read_where_the_collection_has_one(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text((SAMPLES / "bird" / "dev.json").read_text())
    database = apsw.Connection(str(tmp_path / "film_rental.sqlite"))
    database.execute((SAMPLES / "bird" / "dev_databases" / "film_rental" / "film_rental.sql").read_text())
    database.close()
    answered = report.run(reading.scripts(tmp_path), listing=None)
    assert (answered.total("ran"), answered.total("invalid"), answered.total("false")) == (12, 0, 0)


def test_records_for_other_databases_and_after_halt_are_left_out() -> None:
    texts = [statement.sql for script in reading.scripts(SAMPLES / "sqllogictest") for statement in script.statements]
    assert not [sql for sql in texts if "DIV" in sql or "this would not run" in sql or "never_reached" in sql]
    assert any("7 / 2" in sql for sql in texts)


def test_a_trigger_is_one_statement_and_a_comment_none() -> None:
    text = "-- first\nCREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT ';'; SELECT 2; END;\n/* x */;\nSELECT 1"
    assert [(part.line, part.sql[-7:]) for part in split(text, SAMPLES)] == [(2, "2; END;"), (4, "ELECT 1")]


def test_an_effect_that_policy_refused_is_there_for_what_follows(tmp_path: Path) -> None:
    judge = Judge(tmp_path)
    try:
        assert judge.judge("CREATE TEMP TABLE x (a)").verdict == "named"
        assert judge.judge("SELECT a FROM x").verdict == "named"
        assert judge.judge("SELECT a FROM y").verdict == "invalid"
    finally:
        judge.close()


def test_no_function_of_this_sqlite_is_left_out_by_oversight(tmp_path: Path) -> None:
    judge = Judge(tmp_path)
    try:
        left_out = judge.unlisted_functions()
    finally:
        judge.close()
    assert {name for name in left_out if not name.startswith(("geopoly_", "rtree", "fts5"))} <= {"optimize"}
