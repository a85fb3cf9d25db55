from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from codemode import errors
from codemode.cli import main
from codemode.cli.failures import USAGE_CODES, exit_code, report


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("code.runtime", 1),
        ("code.syntax", 1),
        ("sql.no_such_table", 1),
        ("request.invalid", 2),
        ("session.not_found", 2),
        ("session.expired", 2),
        ("session.busy", 3),
        ("session.damaged", 3),
        ("session.newer", 3),
        ("storage.full", 3),
        ("worker.isolation", 3),
        ("worker.internal", 3),
    ],
)
def test_each_code_has_its_exit_code(code, expected):
    assert exit_code(code) == expected


def test_an_error_is_told_with_its_way_out(capsys):
    error = errors.NoSuchColumn(
        "no such column: nam",
        hint="did you mean name?",
        did_you_mean=["name"],
        available=["age", "name"],
        sql="SELECT nam",
    )
    assert report(error, as_json=False) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "error: no such column: nam",
        "  hint: did you mean name?",
        "  available: age, name",
        "  sql: SELECT nam",
        "  [sql.no_such_column]",
    ]


def test_names_that_the_message_lists_are_not_listed_again(capsys):
    report(errors.RequestInvalid("no module 'x'; available: json, math", available=["json", "math"]), as_json=False)
    assert capsys.readouterr().err.count("available") == 1
    report(errors.RequestInvalid("no 'x'; it has json, math", available=["json", "math"]), as_json=False)
    assert "available" not in capsys.readouterr().err


def test_many_names_are_bounded_for_people_and_whole_in_json(capsys):
    error = errors.NoSuchTable("no such table: x", available=[f"t{n}" for n in range(500)])
    report(error, as_json=False)
    assert "… (480 more)" in capsys.readouterr().err
    report(error, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert document["result"] is None
    assert len(document["error"]["available"]) == 500


def test_what_is_wrong_usage_is_documented():
    table = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text()
    row = next(line for line in table.splitlines() if line.startswith("| 2 |"))
    assert set(re.findall(r"`(\w+\.\w+)`", row)) == USAGE_CODES


def test_an_operating_system_error_is_storage(capsys):
    assert report(PermissionError(13, "Permission denied", "/data"), as_json=False) == 3
    assert "error: cannot use /data: Permission denied" in capsys.readouterr().err


def test_what_ran_out_is_named_in_the_hint(capsys):
    assert report(OSError(errno.EMFILE, "Too many open files", "/data"), as_json=False) == 3
    assert "raise the limit of open files" in capsys.readouterr().err
    assert report(RuntimeError("can't start new thread"), as_json=True) == 3
    problem = json.loads(capsys.readouterr().out)["error"]
    assert (problem["code"], "limit of processes" in problem["hint"]) == ("worker.unavailable", True)


def test_an_internal_fault_shows_no_traceback_and_keeps_it(capsys):
    assert report(KeyError("inner detail"), as_json=True) == 3
    problem = json.loads(capsys.readouterr().out)["error"]
    assert problem["code"] == "worker.internal"
    assert "inner detail" not in problem["message"]
    details = Path(problem["hint"].rpartition(" ")[2])
    assert "inner detail" in details.read_text()
    details.unlink()


def test_an_interrupt_has_its_own_exit_code(capsys):
    assert report(KeyboardInterrupt(), as_json=False) == 130
    assert report(click.Abort(), as_json=False) == 130
    assert capsys.readouterr().err == "interrupted\ninterrupted\n"


@pytest.mark.parametrize("arguments", [["query", "SELECT 1"], ["run", "none.py"]])
def test_who_wants_no_colour_gets_none(cli, monkeypatch, arguments):
    for environment, marked in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        shown = CliRunner().invoke(main, arguments, color=True, env={"TERM": "xterm"} | environment)
        assert ("\x1b[" in shown.output) is marked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "No such command 'rnu'. Did you mean run?"),
        (["messages", "post", "x", "y"], "No such command 'post'. There are add, ls, rm, show."),
        (["prompt", "--stubs", "--tools", "openai"], "--stubs goes with neither"),
        (["run", ""], "the name of a file is empty"),
        (["run", "-c", "x", "--input", "x=@"], "the name of a file is empty"),
        (["import", "", "-s", "x"], "the name of a file is empty"),
        (["import", __file__, "-s", "x", "--format", "csv", "--table", ""], "--table is empty"),
        (["run", "--nope"], "No such option"),
        (["query"], "Missing argument 'SQL'"),
        (["import", "x.csv"], "Missing option '-s'"),
        (["export", "t", "-s", "x"], "Missing option '--to'"),
        (["run", "a.py", "-c", "1"], "not both"),
        (["import", "-", "-s", "x"], "standard input has no name"),
        (["import", "-", "-", "-s", "x", "--table", "t"], "standard input can be read once"),
        (["import", "-", "-s", "x", "--table", "t"], "standard input has no extension"),
        (["logs", "x", "--limit", "0"], "1<=x<=10000"),
    ],
)
def test_wrong_usage_is_told_in_both_forms(cli, arguments, message):
    answer = cli(*arguments)
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err
    answer = cli("--json", *arguments)
    assert answer.code == 2
    assert answer.json["error"]["code"] == "request.invalid"
    assert message in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "arguments", [["query", "SELECT 1", "--format", "csv"], ["export", "t", "-s", "x", "--to", "-"]]
)
def test_json_excludes_another_output_format(cli, arguments):
    answer = cli(*arguments, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "request.invalid"


def test_help_names_every_command(cli):
    answer = cli("--help")
    assert answer.code == 0
    for name in (
        "run",
        "query",
        "import",
        "export",
        "sessions",
        "logs",
        "metrics",
        "prompt",
        "doctor",
        "demo",
        "settings",
    ):
        assert f"  {name} " in answer.out
        assert cli(name, "--help").code == 0


def test_json_of_a_group_without_a_command_names_its_commands(cli):
    error = cli("sessions", "--json").json["error"]
    assert (error["code"], error["message"]) == ("request.invalid", "Missing command.")
    assert {"ls", "show", "undo"} <= set(error["available"])


def test_json_of_a_command_that_there_is_not_names_those_there_are(cli):
    assert {"run", "query"} <= set(cli("--json", "qurey").json["error"]["available"])
    assert {"ls", "show"} <= set(cli("sessions", "lst", "--json").json["error"]["available"])


def test_tokens_of_a_tenant_that_there_is_not_are_not_said_to_be_none_at_all(cli):
    assert cli("token", "create", "--tenant", "acme").code == 0
    assert cli("tenants", "add", "north").code == 0
    assert (cli("token", "ls", "--tenant", "north").err, cli("token", "ls", "--tenant", "nobody").code) == (
        "no tokens\n",
        2,
    )


def test_an_address_that_nobody_knows_is_told_in_words(cli):
    token = cli("token", "create")
    told = cli("serve", "--host", "no-such-host.invalid", "--port", "0")
    assert (token.code, told.code) == (0, 2)
    assert "cannot listen on no-such-host.invalid:0: no such name" in told.err
