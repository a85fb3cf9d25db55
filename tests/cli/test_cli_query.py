from __future__ import annotations

import csv
import io

import pytest

from codemode.cli.query import parse_params
from codemode.errors import RequestInvalid


def test_rows_are_a_table(cli, people):
    answer = cli("query", "SELECT name, age FROM people ORDER BY name", "-s", people)
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "name           age",
        "────────────  ────",
        "Ada             36",
        "Grace           85",
        "O'Brien, Zoë  NULL",
    ]
    assert "3 rows" in answer.err


def test_json_is_an_envelope_with_the_rows(cli, people):
    document = cli("--json", "query", "SELECT name, age FROM people WHERE age > 40", "-s", people).json
    assert document["ok"] is True
    assert document["result"] == [{"name": "Grace", "age": 85}]
    assert document["columns"] == ["name", "age"]
    assert document["session_id"] == people
    assert document["result_info"]["truncated"] is False
    assert document["error"] is None


def test_an_infinity_that_becomes_null_is_told(cli, people):
    sql = "SELECT -9e999 AS least, age FROM people"
    document = cli("--json", "query", sql, "-s", people).json
    assert document["result"][0] == {"least": None, "age": 36}
    assert "infinities are null" in document["warnings"][0]
    assert "replaced by null" in cli("query", sql, "-s", people, "--format", "columns").err
    assert "-9e999" in cli("query", sql, "-s", people, "--format", "json").out


def test_what_can_hardly_be_meant_is_told(cli, people):
    sql = "SELECT name FROM people WHERE age = NULL"
    answer = cli("query", sql, "-s", people)
    assert (answer.code, answer.out) == (0, "name\n────\n")
    assert answer.err.splitlines() == ["0 rows", "warning: age = NULL is never true: write age IS NULL"]
    told = cli("--json", "query", sql, "-s", people)
    assert (told.json["warnings"], told.err) == (["age = NULL is never true: write age IS NULL"], "")
    assert cli("query", sql, "-s", people, "--format", "json").json == []


def test_each_format_is_whole(cli, people):
    sql = "SELECT name, city FROM people WHERE age IS NULL"
    assert cli("query", sql, "-s", people, "--format", "json").json == [{"name": "O'Brien, Zoë", "city": "New\nYork"}]
    assert cli("query", sql, "-s", people, "--format", "ndjson").json == {"name": "O'Brien, Zoë", "city": "New\nYork"}
    rows = list(csv.reader(io.StringIO(cli("query", sql, "-s", people, "--format", "csv").out)))
    assert rows == [["name", "city"], ["O'Brien, Zoë", "New\nYork"]]
    assert "| O'Brien, Zoë | New York |" in cli("query", sql, "-s", people, "--format", "markdown").out


def test_parameters_are_bound(cli, people):
    sql = "SELECT name FROM people WHERE age > ? AND name <> ?"
    assert cli("query", sql, "-s", people, "-p", "30", "-p", "Ada", "--format", "json").json == [{"name": "Grace"}]
    sql = "SELECT :a AS a, :b AS b, typeof(:a) AS kind"
    answer = cli("query", sql, "-p", "a=007", "-p", 'b="a=b"', "--format", "json")
    assert answer.json == [{"a": "007", "b": "a=b", "kind": "text"}]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ([], []),
        (["7", "007", "abc", "null", "true", "1.5", '"7"', "NaN"], [7, "007", "abc", None, True, 1.5, "7", "NaN"]),
        (["a=1", "b=x=y"], {"a": 1, "b": "x=y"}),
        (['"a=b"', "1 = 2"], ["a=b", "1 = 2"]),
    ],
)
def test_parameters_are_json_else_text(texts, values):
    assert parse_params(texts) == values


@pytest.mark.parametrize("texts", [["a=1", "2"], ["a=1", "a=2"]])
def test_parameters_that_contradict_each_other_are_refused(texts):
    with pytest.raises(RequestInvalid):
        parse_params(texts)


def test_nothing_can_be_written(cli, people):
    for sql in ("DELETE FROM people", "DELETE FROM people RETURNING *", "CREATE TABLE x(a)", "PRAGMA user_version = 5"):
        answer = cli("query", sql, "-s", people)
        assert answer.code == 1, sql
        assert "[sql.refused]" in answer.err
        assert "add RETURNING" not in answer.err, "it would not help"
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--format", "json").json == [{"n": 3}]


def test_a_cut_answer_says_so(cli, monkeypatch):
    monkeypatch.setenv("CODEMODE_LIMITS_ROWS", "3")
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n"
    answer = cli("query", sql, "--format", "ndjson")
    assert answer.out.count("\n") == 3
    assert "only the first 3 rows" in answer.err
    assert cli("query", sql, "--json").json["result_info"] == {"type": "rows", "row_count": 3, "truncated": True}


def test_a_wrong_statement_says_what_there_is(cli, people):
    answer = cli("query", "SELECT nam FROM people", "-s", people)
    assert answer.code == 1
    assert "no such column" in answer.err
    assert "name" in answer.err
    assert "Traceback" not in answer.err
    document = cli("--json", "query", "SELECT * FROM peple", "-s", people).json
    assert document["ok"] is False
    assert document["error"]["code"] == "sql.no_such_table"
    assert "people" in document["error"]["did_you_mean"]
    assert "people is a table: write SELECT * FROM" in cli("query", "People;", "-s", people).err
    assert 'near "Selec": syntax error' in cli("query", " Selec 1", "-s", people).err


def test_an_unknown_session_is_not_made(cli):
    answer = cli("query", "SELECT 1", "-s", "nobody")
    assert answer.code == 2
    assert "[session.not_found]" in answer.err
    assert cli("sessions", "ls", "--json").json["result"] == []


def test_without_a_session_a_new_one_is_used_and_told(cli):
    answer = cli("query", "SELECT 1 AS one")
    assert answer.code == 0
    assert answer.err.startswith("session: s_")


def test_an_empty_statement_is_wrong_usage(cli):
    assert cli("query", "  ").code == 2


def test_hostile_text_in_a_cell_stays_text(cli):
    answer = cli("query", "SELECT char(27) || '[2J' AS x")
    assert "\x1b" not in answer.out
    assert "\\x1b[2J" in answer.out
