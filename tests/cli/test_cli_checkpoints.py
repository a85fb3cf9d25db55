from __future__ import annotations

import pytest


def test_a_session_goes_back_to_a_checkpoint(cli, people):
    made = cli("sessions", "checkpoint", people, "before", "--json").json
    assert (made["ok"], made["session_id"], made["result"]["name"]) == (True, people, "before")
    assert cli("run", "-s", people, "-c", "helpers.db.exec('DROP TABLE people')").code == 0
    assert cli("sessions", "restore", people, "before", "--json").json["result"] == made["result"]
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--json").json["result"] == [{"n": 3}]
    assert f"{people} is as it was at before" in cli("sessions", "restore", people, "before").out


def test_checkpoints_are_listed_and_deleted(cli, people):
    assert "no checkpoints" in cli("sessions", "checkpoints", people).err
    assert cli("sessions", "checkpoint", people, "one").out.startswith(f"{people}: checkpoint one, ")
    assert cli("sessions", "checkpoint", people, "two").code == 0
    listed = cli("sessions", "checkpoints", people).out
    assert [line.split()[0] for line in listed.splitlines() if line.split()[0] in ("one", "two")] == ["one", "two"]
    left = cli("sessions", "checkpoints", people, "--rm", "one", "--json").json["result"]
    assert [found["name"] for found in left] == ["two"]


def test_a_fork_is_a_session(cli, people):
    assert cli("sessions", "fork", people, "other").out == "other: a session of its own with 1 table\n"
    assert cli("run", "-s", "other", "-c", "helpers.db.exec('DELETE FROM people')").code == 0
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--json").json["result"] == [{"n": 3}]
    answer = cli("sessions", "fork", people, "--json").json
    minted = answer["result"]["id"]
    assert (answer["session_id"], answer["result"]["status"]) == (people, "active")
    assert minted.startswith("s_")
    assert minted in cli("sessions", "ls").out


def test_differences_are_shown(cli, people):
    cli("sessions", "checkpoint", people, "before")
    assert cli("sessions", "diff", people, "before").out == "no differences\n"
    code = "helpers.db.exec('UPDATE people SET age = 37 WHERE age = 36')\nhelpers.db.exec('ALTER TABLE people ADD new')"
    assert cli("run", "-s", people, "-c", code).code == 0
    shown = cli("sessions", "diff", people, "before").out
    assert "table people changed (+new)" in shown
    assert "  ~ rowid 1: age 36 → age 37" in shown
    found = cli("sessions", "diff", people, "before", "--sample", "0", "--json").json["result"]
    assert [(table["table"], table["changed"], table["changed_sample"]) for table in found["tables"]] == [
        ("people", 1, [])
    ]


def test_the_last_change_is_undone_and_done_again(cli, people):
    answer = cli("run", "-s", people, "--json", "-c", "helpers.db.exec('DELETE FROM people')").json
    undone = cli("sessions", "undo", people, "--json").json["result"]
    assert undone["execution_id"] == answer["execution_id"]
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--json").json["result"] == [{"n": 3}]
    assert f"{people}: did again execution {answer['execution_id']}" in cli("sessions", "redo", people).out
    assert cli("query", "SELECT count(*) AS n FROM people", "-s", people, "--json").json["result"] == [{"n": 0}]
    assert "took back execution" in cli("sessions", "undo", people).out
    assert "took back a call of the host" in cli("sessions", "undo", people).out, "the import"
    empty = cli("sessions", "undo", people)
    assert (empty.code, "[session.cannot_undo]" in empty.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["checkpoint", "nobody", "x"], "session.not_found"),
        (["checkpoint", "PEOPLE", "../x"], "request.invalid"),
        (["restore", "PEOPLE", "nothing"], "session.no_such_checkpoint"),
        (["checkpoints", "PEOPLE", "--rm", "nothing"], "session.no_such_checkpoint"),
        (["diff", "PEOPLE", "nothing"], "session.no_such_checkpoint"),
        (["diff", "PEOPLE", "x", "--sample", "101"], "request.invalid"),
        (["fork", "PEOPLE", "PEOPLE"], "session.exists"),
    ],
)
def test_wrong_usage_is_exit_code_2(cli, people, arguments, code):
    arguments = [people if argument == "PEOPLE" else argument for argument in arguments]
    answer = cli("sessions", *arguments)
    assert (answer.code, f"[{code}]" in answer.err) == (2, True)
    assert cli("sessions", *arguments, "--json").json["error"]["code"] == code
