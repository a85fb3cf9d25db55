from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from codemode import Worker
from codemode.service import places


def test_sessions_are_listed_shown_and_removed(cli, people):
    found = cli("sessions", "ls", "--json").json["result"]
    assert [session["id"] for session in found] == [people]
    assert found[0]["state"] == "active"
    assert people in cli("sessions", "ls").out
    shown = cli("--json", "sessions", "show", people).json["result"]
    assert shown["id"] == people
    assert [(table["name"], table["rows"]) for table in shown["tables"]] == [("people", 3)]
    assert "people" in cli("sessions", "show", people).out
    assert cli("sessions", "rm", people, people).out == f"removed {people}\n"
    assert cli("sessions", "--json", "ls").json["result"] == []


def test_a_pinned_session_does_not_expire(cli, people):
    assert cli("sessions", "pin", people, "--json").json["result"]["pinned"] is True
    assert "never (pinned)" in cli("sessions", "ls").out
    assert cli("sessions", "pin", people, "--off", "--json").json["result"]["pinned"] is False
    assert "pinned true → false" in cli("audit", "--changes").out


def test_limits_are_set_on_a_catalogue_that_is_to_be_migrated_and_nothing_that_it_has_no_place_for(cli, monkeypatch):
    cli("sessions", "add", "a")
    cli("db", "rollback", "--to", 6, "--yes")
    monkeypatch.setenv("CODEMODE_CATALOG_MIGRATE", "none")
    assert "rows=5" in cli("sessions", "add", "b", "--limits", "rows=5").out
    assert "rows=4" in cli("sessions", "set", "b", "--limits", "rows=4").out
    refused = cli("sessions", "add", "c", "--type", "probe")
    assert (refused.code, "[worker.catalog_form]" in refused.err) == (3, True)
    assert cli("sessions", "show", "c").code == 2


def test_of_two_that_make_one_session_at_once_one_is_told_that_it_did(cli, monkeypatch):
    checked = places._check_new

    def checked_too_early(worker, session_id, tenant, renew):
        checked(worker, session_id, tenant, renew)
        with Worker(worker.data_dir) as other:
            other.session(session_id)

    monkeypatch.setattr(places, "_check_new", checked_too_early)
    refused = cli("sessions", "add", "s", "--type", "probe")
    assert (refused.code, "[session.exists]" in refused.err) == (2, True)
    assert cli("sessions", "show", "s", "--json").json["result"]["type"] == "work"


def test_figures_of_a_tenant_are_told_with_what_there_is_of_it(cli):
    cli("tenants", "add", "acme")
    cli("users", "add", "ann", "--tenant", "acme")
    cli("sessions", "add", "s", "--tenant", "acme")
    found = cli("metrics", "--tenant", "acme", "--json").json["result"]
    assert (found["sessions"], found["statistics"]["people"], found["statistics"]["agents"]) == (1, 1, 0)
    told = [line.split() for line in cli("metrics", "--tenant", "acme").out.splitlines()]
    assert ["people", "1"] in told
    assert cli("metrics", "s", "--tenant", "acme", "--json").json["result"]["session_id"] == "s"
    assert cli("metrics", "--tenant", "nobody").code == 2


def test_a_session_is_made_with_limits_and_a_place_of_its_own(cli):
    made = cli(
        "sessions", "add", "small", "--limits", "rows=5,memory_bytes=64MiB", "--limits", "idle_seconds=2h",
        "--type", "probe", "--metadata", '{"a": 1}', "--json",
    ).json["result"]  # fmt: skip
    assert (made["type"], made["metadata"]) == ("probe", {"a": 1})
    assert {name: made["limits"][name] for name in ("rows", "memory_bytes", "idle_seconds", "sql_bytes")} == {
        "rows": 5, "memory_bytes": 2**26, "idle_seconds": 7_200.0, "sql_bytes": 1_000_000,
    }  # fmt: skip
    again = cli("sessions", "add", "small")
    assert (again.code, "[session.exists]" in again.err) == (2, True)
    assert cli("sessions", "add").out.startswith("id               s_")

    changed = cli("sessions", "set", "small", "--limits", "rows=20000,idle_seconds=default,query_seconds=250ms")
    assert changed.err == "rows is 10,000: the worker allows no more\n"
    assert (
        "limits         rows=10000, query_seconds=0.25, memory_bytes=67108864" in cli("sessions", "show", "small").out
    )
    assert (
        'type probe, status active, metadata {"a": 1}, pinned false, limits {"rows": 5' in cli("audit", "--changes").out
    )
    acts = cli("audit", "--json").json["result"]
    assert [act["action"] for act in acts] == ["change_session", "create_session", "create_session"]
    assert acts[0]["old_values"]["limits"] == {"rows": 5, "memory_bytes": 2**26, "idle_seconds": 7_200.0}
    assert acts[2]["new_values"]["limits"] == acts[0]["old_values"]["limits"]
    cli("sessions", "rm", "small", "small")
    assert cli("audit", "--json").json["result"][0]["old_values"]["limits"] == acts[0]["new_values"]["limits"]


def test_limits_at_the_default_hold_where_the_worker_has_more(cli, monkeypatch):
    monkeypatch.setenv("CODEMODE_LIMITS_ROWS", "100000")
    limits = cli("sessions", "add", "s", "--limits", "rows=10000", "--json").json["result"]["limits"]
    assert limits["rows"] == 10_000
    assert "limits         rows=10000\n" in cli("sessions", "show", "s").out
    limits = cli("sessions", "set", "s", "--limits", "rows=default,query_seconds=5s", "--json").json["result"]["limits"]
    assert (limits["rows"], limits["query_seconds"]) == (100_000, 5.0)


def test_a_damaged_session_is_made_anew_with_what_is_said_of_it(cli, data_dir):
    cli("sessions", "add", "broken")
    [database] = data_dir.glob("sessions/*/session.db")
    database.write_bytes(b"no database" * 1000)
    assert cli("sessions", "add", "broken", "--type", "probe").code == 2
    made = cli("sessions", "add", "broken", "--renew", "--type", "probe", "--limits", "rows=5", "--json").json["result"]
    assert (made["type"], made["limits"]["rows"]) == ("probe", 5)
    assert cli("query", "SELECT 1", "-s", "broken").code == 0
    assert "[session.exists]" in cli("sessions", "add", "broken", "--renew").err, "it is sound"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("row=5", "did you mean: rows"),
        ("rows=0", "above zero"),
        ("rows=5MB", "a whole number"),
        ("rows=-5", "a whole number"),
        ("memory_bytes=much", "64MiB"),
        ("query_seconds=nan", "250ms"),
        ("query_seconds=0s", "above zero"),
        ("rows=5,rows=6", "twice"),
        ("rows", "NAME=VALUE"),
        ("", "NAME=VALUE"),
    ],
)
def test_what_no_limit_can_be_makes_no_session(cli, limits, words):
    answer = cli("sessions", "add", "refused", "--limits", limits)
    assert (answer.code, words in answer.err) == (2, True)
    assert cli("sessions", "show", "refused").code == 2


def test_compacting_gives_space_back(cli, people):
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
    code = f"helpers.db.exec('CREATE TABLE big AS {numbers} SELECT i, hex(randomblob(50)) AS x FROM n')"
    assert cli("run", "-s", people, "-c", code).code == 0
    assert cli("run", "-s", people, "-c", "helpers.db.exec('DROP TABLE big')").code == 0
    sizes = cli("sessions", "compact", people, "--json").json["result"]
    assert sizes["after"] < sizes["before"] / 10


def test_an_expired_session_is_swept_told_and_renewed_on_purpose(cli, people, monkeypatch):
    monkeypatch.setenv("CODEMODE_LIMITS_IDLE_SECONDS", "0.01")
    cli("run", "-s", "short", "-c", "helpers.db.save_state('k', 1)")
    due = cli("sessions", "sweep", "--dry-run", "--json").json["result"]
    assert (due["sessions"], due["rows"]["records of expired sessions"]) == (["short"], 0)
    assert "1 session would expire: short" in cli("sessions", "sweep", "--dry-run").out
    assert cli("sessions", "sweep", "--json").json["result"] == ["short"]
    states = {session["id"]: session["state"] for session in cli("sessions", "ls", "--json").json["result"]}
    assert states == {people: "active", "short": "expired"}
    assert "expired" in cli("sessions", "show", "short").out
    answer = cli("run", "-s", "short", "-c", "return 1")
    assert answer.code == 2
    assert "[session.expired]" in answer.err
    monkeypatch.delenv("CODEMODE_LIMITS_IDLE_SECONDS")
    answer = cli("run", "-s", "short", "--renew", "-c", "return helpers.db.get_state('k')")
    assert answer.code == 0
    assert answer.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["sessions", "show", "nobody"],
        ["sessions", "rm", "nobody"],
        ["sessions", "pin", "nobody"],
        ["sessions", "compact", "nobody"],
        ["logs", "nobody"],
        ["metrics", "nobody"],
        ["export", "t", "-s", "nobody", "--to", "-"],
    ],
)
def test_an_unknown_session_is_not_found(cli, arguments):
    answer = cli(*arguments)
    assert answer.code == 2
    assert "[session.not_found]" in answer.err


def test_the_log_has_what_failed_too(cli, people):
    cli("run", "-s", people, "-c", "helpers.db.exec('DELETE FROM people')\n1 / 0")
    entries = cli("logs", people, "--json").json["result"]
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)
    failed = cli("logs", people, "--errors", "--json").json["result"]
    assert [entry["error_code"] for entry in failed] == ["code.runtime"]
    assert {entry["kind"] for entry in cli("logs", people, "--kind", "execution", "--json").json["result"]} == {
        "execution"
    }
    assert len(cli("logs", people, "--limit", "1", "--json").json["result"]) == 1
    wrong = cli("logs", people, "--kind", "exce")
    assert (wrong.code, "'exce' is not one of 'execution'" in wrong.err) == (2, True)
    assert "DELETE FROM people" in cli("logs", people).out


def test_metrics_of_one_session_and_of_all(cli, people, data_dir):
    figures = cli("metrics", people, "--json").json["result"]
    assert figures["session_id"] == people
    assert figures["database_size"] > 0
    assert figures["limits"]["rows"] == 10_000
    assert "people" in cli("metrics", people).out
    totals = cli("metrics", "--json").json["result"]
    assert totals["sessions"] == 1
    assert totals["data_dir"] == str(data_dir)
    assert totals["free_bytes"] > 0


def test_a_data_directory_that_cannot_be_used_is_storage(cli, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    answer = cli("--data-dir", blocked, "sessions", "ls")
    assert answer.code == 3
    assert "[storage.full]" in answer.err
    assert "Traceback" not in answer.err


def test_a_data_directory_that_is_not_there_is_no_empty_one(cli, tmp_path):
    typo = tmp_path / "tpyo"
    for words in (
        ["sessions", "ls"],
        ["logs", "a"],
        ["query", "SELECT 1", "-s", "a"],
        ["db", "status"],
        ["token", "ls"],
        ["backup", "ls"],
    ):
        answer = cli("--data-dir", typo, *words)
        assert (answer.code, answer.err.splitlines()[0]) == (2, f"error: there is no data directory {typo}")
        assert not typo.exists()
    assert cli("--data-dir", typo, "sessions", "add", "a").code == 0
    assert cli("--data-dir", typo, "logs", "a").code == 0


def test_doctor_says_whether_untrusted_code_may_run(cli):
    answer = cli("doctor", "--json")
    result = answer.json["result"]
    assert result["untrusted_code_may_run"] is (answer.code == 0)
    assert {"rlimits", "seccomp"} <= {layer["name"] for layer in result["layers"]}
    assert all(layer["why"] for layer in result["layers"])
    people_answer = cli("doctor")
    assert people_answer.code == answer.code
    verdict = "yes" if answer.code == 0 else "no"
    assert f"untrusted code may run here: {verdict}" in people_answer.out


def test_doctor_says_what_else_it_finds_where_no_sandbox_starts(cli, monkeypatch):
    """It ended with an error whose hint was to ask `codemode doctor`."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    answer = cli("doctor", "--json")
    assert answer.code == 3
    assert answer.json["result"]["layers"] == []
    assert answer.json["result"]["checks"]
    assert "the sandbox did not start" in answer.json["error"]["message"]
    assert "untrusted code may run here: no, the sandbox did not start" in cli("doctor").out


def test_doctor_says_no_where_isolation_is_off(cli, monkeypatch):
    monkeypatch.setenv("CODEMODE_ISOLATION", "none")
    answer = cli("doctor", "--json")
    assert answer.code == 3
    assert answer.json["ok"] is False
    assert 'isolation is set to "none"' in answer.json["error"]["message"]


def test_doctor_says_no_where_the_data_directory_is_not_writable(cli, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    answer = cli("doctor", "--data-dir", blocked / "data")
    assert answer.code == 3
    assert "untrusted code may run here: no, data directory" in answer.out


def test_doctor_says_what_it_finds_where_the_data_directory_is_somebody_elses(cli, tmp_path, monkeypatch):
    looked = Path.exists

    def kept_out(path):
        if path == tmp_path / "catalog.db":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(Path, "exists", kept_out)
    answer = cli("doctor", "--data-dir", tmp_path)
    assert answer.code == 3
    assert f"no, catalogue: {tmp_path}/catalog.db: Permission denied" in answer.out


def test_doctor_says_what_it_finds_where_the_catalogue_does_not_answer(cli, monkeypatch):
    monkeypatch.setenv("CODEMODE_CATALOG", "postgresql://codemode@localhost:1/codemode")
    answer = cli("doctor")
    assert answer.code == 3
    assert "seccomp" in answer.out
    assert "untrusted code may run here: no, catalogue: " in answer.out


def test_a_path_that_is_no_utf_8_is_refused_before_sqlite_has_it(cli, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    for words in (["--data-dir", path, "sessions", "ls"], ["backup", "--to", f"{path}.zip"]):
        answer = cli(*words)
        assert answer.code == 2
        assert "is not UTF-8, as names of databases are" in answer.err
    assert "is not UTF-8" in cli("doctor", "--data-dir", path).out
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


def test_a_stateful_session_is_shown_as_such(cli, people, data_dir):
    with Worker(data_dir=data_dir) as worker:
        worker.session(people, stateful=True)
    assert cli("sessions", "ls", "--json").json["result"][0]["stateful"] is True
    assert "active, stateful" in cli("sessions", "ls").out
    assert "active, stateful" in cli("sessions", "show", people).out
    answer = cli("run", "-s", people, "-c", "x = 1")
    assert "variables fresh: nothing has run in it since the worker was started" in answer.err
