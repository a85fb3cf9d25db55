from __future__ import annotations

import json

import pytest

from sandbox.form import FORMATS


def test_a_result_is_printed_and_the_new_session_told_on_standard_error(cli):
    answer = cli("run", "-c", "return 6 * 7")
    assert answer.code == 0
    assert answer.out == "42\n"
    assert answer.err.startswith("session: s_")
    assert "completed in" in answer.err
    again = cli("run", "-c", "return helpers.schema.get_tables()")
    assert again.err.split()[1] != answer.err.split()[1], "nobody shares a default session"


def test_rows_are_a_table_and_output_comes_first(cli):
    answer = cli("run", "-c", "print('hello')\nreturn [{'name': 'Ada', 'n': 1}, {'name': 'Grace', 'n': 20}]")
    assert answer.out.splitlines() == ["hello", "name    n", "─────  ──", "Ada     1", "Grace  20"]


@pytest.mark.parametrize(
    ("code", "out"),
    [
        ("return 'text'", "text\n"),
        ("return None", ""),
        ("return True", "true\n"),
        ("return {'a': [1]}", '{\n  "a": [\n    1\n  ]\n}\n'),
        ("print('no newline', end='')\nreturn 1", "no newline\n1\n"),
        ("return 2 ** 80", f"{2**80}\n"),
        ("return 10 ** 5000", f"1{'0' * 5000}\n"),
    ],
)
def test_each_kind_of_result_is_printed(cli, code, out):
    assert cli("run", "-c", code).out == out


def test_of_a_result_that_is_kept_the_first_rows_are_shown_and_how_to_read_on(cli):
    answer = cli("run", "-s", "large", "-c", "return [{'n': n, 'text': 'x' * 100} for n in range(20_000)]")
    assert len(answer.out.splitlines()) == 22
    assert "20 of 20,000 rows shown; all of it is kept as the table _result_1 (" in answer.err
    read_on = next(line for line in answer.err.splitlines() if line.startswith("read on: codemode query -s large '"))
    assert cli("query", "-s", "large", read_on.split("'")[1]).out.splitlines()[2].startswith(" 20  x")
    assert "_result_1 is a result that was too large to be answered" in cli("metrics", "large").err


def test_json_text_that_is_kept_says_so(cli):
    answer = cli("run", "-s", "large", "-c", "return {'text': 'x' * 2_000_000}")
    assert answer.out == ""
    assert "JSON text of the object; all of it is kept as the table _result_1 (" in answer.err
    cut = cli("run", "-s", "large", "--dry-run", "-c", "return 'x' * 2_000_000")
    assert len(cut.out) == 524_289
    assert "the result is cut: the first 524,288 of 2,000,000 characters" in cut.err


@pytest.mark.parametrize(
    ("kind", "out"),
    [
        ("table", "n  text\n─  ────\n1  a,b\n"),
        ("objects", '[{"n": 1, "text": "a,b"}]\n'),
        ("columns", '{"columns": ["n", "text"], "rows": [[1, "a,b"]]}\n'),
        ("csv", 'n,text\n1,"a,b"\n'),
        ("markdown", "| n | text |\n|---:|---|\n| 1 | a,b |\n"),
        ("auto", 'n,text\n1,"a,b"\n'),
    ],
)
def test_rows_in_the_form_that_is_asked_for(cli, kind, out):
    assert cli("run", "--format", kind, "-c", "return [{'n': 1, 'text': 'a,b'}]").out == out
    if kind in ("table", "csv", "markdown", "auto"):
        assert cli("query", "--format", kind, "SELECT 1 AS n, 'a,b' AS text").out == out
    assert kind == "table" or kind in FORMATS


def test_long_texts_are_clipped_where_that_is_asked_for(cli):
    answer = cli("run", "--max-cell", "5", "-c", "return [{'text': 'x' * 1000}]")
    assert answer.out.splitlines()[2] == "xxxxx… (+995 characters)"
    assert "one cell was clipped" in answer.err
    assert cli("query", "--format", "columns", "SELECT 1 AS n").out == '{"columns":["n"],"rows":[[1]]}\n'


def test_json_is_the_outcome_and_nothing_else(cli):
    answer = cli("--json", "run", "-c", "print('hi')\nreturn {'n': 2**80}")
    outcome = answer.json
    assert answer.code == 0
    assert outcome["ok"] is True
    assert outcome["status"] == "completed"
    assert outcome["result"] == {"n": 2**80}
    assert outcome["stdout"] == "hi\n"
    assert f"session: {outcome['session_id']}\n" == answer.err


def test_a_snippet_comes_from_a_file_or_standard_input(cli, tmp_path):
    path = tmp_path / "snippet.py"
    path.write_bytes(b"\xef\xbb\xbfreturn 'from the file'\r\n")
    assert cli("run", path).out == "from the file\n"
    assert cli("run", "-", input="return 'from stdin'").out == "from stdin\n"
    assert cli("run", input="return 'from stdin'").out == "from stdin\n"


def test_inputs_are_variables(cli, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('[{"n": 1}, {"n": 2}]')
    answer = cli(
        "run", "-c", "return limit + sum(r['n'] for r in rows)", "--input", "limit=10", "--input", f"rows=@{path}"
    )
    assert answer.out == "13\n"
    script = tmp_path / "schema.sql"
    script.write_text("CREATE TABLE t (a);")
    assert cli("run", "-c", "return len(helpers.db.script(sql)), sql", "--input", f"sql=@{script}").code == 0


def test_a_session_keeps_its_tables(cli):
    assert cli("run", "-s", "work", "-c", "helpers.db.create_table('t', {'n': 'INTEGER'})").code == 0
    assert cli("run", "-s", "work", "-c", "helpers.db.exec('INSERT INTO t VALUES (7)')").code == 0
    answer = cli("run", "-s", "work", "-c", "return helpers.db.value('SELECT n FROM t')")
    assert answer.out == "7\n"
    assert "session:" not in answer.err


def test_a_failed_snippet_shows_its_own_frames_and_changes_nothing(cli, people):
    code = "def half():\n    helpers.db.exec('DELETE FROM people')\n    return 1 / 0\n\nhalf()\n"
    answer = cli("run", "-s", people, "-c", code)
    assert answer.code == 1
    assert answer.out == ""
    assert "division by zero" in answer.err
    assert "(line 3)" in answer.err
    assert "half" in answer.err
    assert "codemode/" not in answer.err
    assert "[code.runtime]" in answer.err
    assert "nothing was changed" in answer.err
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--format", "json").json == [{"n": 3}]


def test_a_misused_helper_is_a_failed_snippet_and_no_wrong_usage(cli):
    answer = cli("run", "-c", "helpers.db.qury('SELECT 1')")
    assert answer.code == 1
    assert "did you mean query" in answer.err
    assert answer.err.count("qury") == 2  # in the message and in the line of source


def test_a_failed_snippet_in_json_is_an_outcome(cli):
    answer = cli("run", "--json", "-c", "helpers.db.query('SELECT * FROM nowhere')")
    assert answer.code == 1
    assert answer.json["ok"] is False
    assert answer.json["result"] is None
    assert answer.json["error"]["code"] == "sql.no_such_table"


def test_a_syntax_error_names_its_line(cli):
    answer = cli("run", "-c", "x = 1\ny = = 2\n")
    assert answer.code == 1
    assert "(line 2)" in answer.err
    assert "[code.syntax]" in answer.err


def test_a_dry_run_says_what_would_change_and_undoes_it(cli, people):
    outcome = cli("run", "-s", people, "--dry-run", "--json", "-c", "helpers.db.exec('DELETE FROM people')").json
    assert outcome["db"]["dry_run"] is True
    assert outcome["db"]["rows_written"] == 3
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--format", "json").json == [{"n": 3}]


def test_without_atomicity_what_was_done_before_a_failure_stays(cli, people):
    code = "helpers.db.exec('DELETE FROM people')\n1 / 0"
    assert cli("run", "-s", people, "--no-atomic", "-c", code).code == 1
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--format", "json").json == [{"n": 0}]


def test_a_timeout_ends_the_snippet(cli):
    answer = cli("run", "--timeout", "0.5", "--json", "-c", "while True:\n    pass")
    assert answer.code == 1
    assert answer.json["status"] == "timeout"
    assert answer.json["error"]["code"] == "code.timeout"


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["missing.py"], None, "no such file: missing.py"),
        (["-"], "", "standard input is empty"),
        (["-"], "  \n\n", "standard input is empty"),
        (["-c", ""], None, "the text of -c is empty"),
        (["-"], b"\0\1\2", "standard input is a binary file"),
        (["-"], b"x = 1\ny = '\xe9'\n", "standard input, line 2: not UTF-8 text (byte 0xe9)"),
        (["/"], None, "/ is a directory"),
        (["-c", "1", "--input", "x"], None, "expected NAME=JSON"),
        (["-c", "1", "--input", "x={"], None, "--input x: not JSON"),
        (["-c", "1", "--input", "x=@missing.json"], None, "no such file: missing.json"),
        (["-c", "1", "--timeout", "0"], None, "timeout"),
        (["-c", "1", "-s", "../etc"], None, "session"),
        (["-c", "1", "-s", "x" * 10_000], None, "session"),
    ],
)
def test_what_cannot_be_run_says_why(cli, arguments, stdin, message):
    answer = cli("run", *arguments, input=stdin)
    assert answer.code == 2
    assert message in answer.err
    assert "[request.invalid]" in answer.err
    document = json.loads(cli("run", "--json", *arguments, input=stdin).out)
    assert document["error"]["code"] == "request.invalid"


@pytest.mark.parametrize("options", [["--timeout", "0"], ["--input", "helpers=1"], ["--max-cell", "0"]])
def test_what_cannot_be_run_makes_no_session(cli, options):
    assert cli("run", "-c", "return 1", *options).code == 2
    assert cli("sessions", "ls").out == ""


def test_the_same_key_answers_again_and_runs_nothing(cli, people):
    code = "print('once')\nhelpers.db.exec('DELETE FROM people WHERE age > 40')\nreturn 1"
    first = cli("run", "-s", people, "--idempotency-key", "k", "-c", code)
    again = cli("run", "-s", people, "--idempotency-key", "k", "-c", code)
    assert (first.code, first.out) == (again.code, again.out) == (0, "once\n1\n")
    assert "nothing ran" not in first.err
    assert "nothing ran: this is the outcome of ex_" in again.err
    other = cli("run", "-s", people, "--idempotency-key", "k", "-c", "return 2", "--json")
    assert (other.code, other.json["error"]["code"]) == (2, "request.invalid")


def test_a_key_needs_a_session(cli):
    answer = cli("run", "--idempotency-key", "k", "-c", "return 1")
    assert answer.code == 2
    assert "--session" in answer.err
