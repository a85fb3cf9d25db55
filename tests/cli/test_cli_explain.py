from __future__ import annotations


def test_a_plan_is_shown_in_words_and_why_no_index_is(cli, people):
    answer = cli("explain", "SELECT * FROM people WHERE age > ? ORDER BY name", "-p", "30", "-s", people)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[:2] == ["read all of people, 3 rows", "sort for ORDER BY"]
    assert "which nobody feels" in answer.out


def test_an_index_that_was_measured_is_shown_as_a_statement_to_run(cli, people):
    rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 20000)"
    assert (
        cli("run", "-s", people, "-c", f"helpers.db.exec('{rows} INSERT INTO people (age) SELECT n FROM n')").code == 0
    )
    answer = cli("explain", "DELETE FROM people WHERE age = 36", "-s", people)
    assert "tried on a copy of the data" in answer.out
    assert answer.out.endswith("\nCREATE INDEX people_by_age ON people (age);\n")
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--json").json["result"] == [{"n": 20_003}]
    found = cli("explain", "DELETE FROM people WHERE age = 36", "-s", people, "--json").json
    assert found["ok"] is True
    assert found["result"]["checked"]["create_index"] == ["CREATE INDEX people_by_age ON people (age)"]


def test_wrong_statements_and_usage(cli, people):
    failed = cli("explain", "SELECT agee FROM people", "-s", people)
    assert failed.code == 1
    assert "did you mean" in failed.err
    assert cli("explain", "  ", "-s", people).code == 2
    assert cli("explain", "SELECT 1", "-s", "nobody").code == 2
    assert cli("explain", "SELECT 1").code == 2
