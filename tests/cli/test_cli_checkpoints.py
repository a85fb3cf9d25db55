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
    minted = cli("sessions", "fork", people, "--json").json["result"]["session_id"]
    assert minted.startswith("s_")
    assert minted in cli("sessions", "ls").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["checkpoint", "nobody", "x"], "session.not_found"),
        (["checkpoint", "PEOPLE", "../x"], "request.invalid"),
        (["restore", "PEOPLE", "nothing"], "session.no_such_checkpoint"),
        (["checkpoints", "PEOPLE", "--rm", "nothing"], "session.no_such_checkpoint"),
        (["fork", "PEOPLE", "PEOPLE"], "session.exists"),
    ],
)
def test_wrong_usage_is_exit_code_2(cli, people, arguments, code):
    arguments = [people if argument == "PEOPLE" else argument for argument in arguments]
    answer = cli("sessions", *arguments)
    assert (answer.code, f"[{code}]" in answer.err) == (2, True)
    assert cli("sessions", *arguments, "--json").json["error"]["code"] == code
