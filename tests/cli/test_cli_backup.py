"""`codemode backup` and `codemode restore`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from patience import soon


def count(cli, session: str) -> int:
    found = cli("query", "SELECT count(*) AS n FROM people", "-s", session, "--json").json
    return found["result"][0]["n"] if found["ok"] else -1


def test_a_session_goes_into_a_file_and_comes_back(cli, people, tmp_path):
    made = cli("backup", "-s", people, "--to", tmp_path / "b.zip")
    assert made.code == 0
    assert made.out.startswith(f"{tmp_path / 'b.zip'}: 1 session, ")
    assert made.out.endswith(", verified\n")
    assert cli("sessions", "rm", people).code == 0
    assert cli("restore", tmp_path / "b.zip").out.startswith(f"{people}: made, as of ")
    assert count(cli, people) == 3


def test_without_to_it_goes_where_ls_looks(cli, people, data_dir):
    assert "no backups" in cli("backup", "ls").err
    assert "codemode backup --to b.zip" in cli("backup", "b.zip").err
    made = cli("backup", "--json").json["result"]
    assert Path(made["file"]).parent == data_dir / "backups"
    assert cli("backup", "--tenant", "local").code == 0
    listed = cli("backup", "ls", "--json").json["result"]
    assert {Path(each["file"]).name.rsplit("-", 1)[0] for each in listed["backups"]} == {
        "codemode-everything", "codemode-tenant-local",
    }  # fmt: skip
    assert cli("backup", "ls", "--verify").out.count("verified") == 2


@pytest.mark.parametrize("options", [(), ("--list",), ("--verify",)])
def test_a_backup_that_is_not_there_is_wrong_usage(cli, tmp_path, options):
    answer = cli("restore", tmp_path / "none.zip", *options)
    assert (answer.code, "cannot read" in answer.err, "backup ls" in answer.err) == (2, True, True)
    cli("restore", tmp_path / "none.zip", *options, "--data-dir", tmp_path / "slip")
    assert not (tmp_path / "slip").exists()


def test_an_unknown_tenant_is_no_empty_backup(cli, people, data_dir):
    answer = cli("backup", "--tenant", "lokal")
    assert (answer.code, "available: local" in answer.err) == (2, True)
    assert "no backups" in cli("backup", "ls").err


def test_a_damaged_backup_is_told_by_ls(cli, people, data_dir, tmp_path):
    path = Path(cli("backup", "--json").json["result"]["file"])
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x40
    path.write_bytes(data)
    (path.parent / "photos.zip").write_bytes(b"somebody else's")
    assert cli("backup", "ls").code == 0, "its manifest is whole"
    found = cli("backup", "ls", "--verify")
    assert (found.code, "backup.damaged" in found.err) == (3, True)
    assert cli("restore", path, "--verify").code == 3
    path.write_bytes(data[:-5])
    assert cli("backup", "ls").code == 3


@pytest.mark.parametrize(
    ("damage", "options"),
    [(lambda data: data[:-5], []), (lambda data: data[:99] + b"\0" + data[100:], ["--verify"])],
    ids=["cut off", "changed"],
)
def test_a_damaged_backup_is_told_whatever_its_name(cli, people, tmp_path, damage, options):
    path = tmp_path / "to" / "monday.zip"
    path.parent.mkdir()
    assert cli("backup", "--to", path).code == 0
    path.write_bytes(damage(path.read_bytes()))
    found = cli("backup", "ls", path.parent, *options)
    assert (found.code, "monday.zip is no whole backup" in found.err) == (3, True)


def test_what_is_no_directory_has_no_list_of_backups(cli, tmp_path):
    assert cli("backup", "ls", tmp_path / "none").code == 2


def test_the_content_is_listed_and_verified(cli, people, tmp_path):
    cli("sessions", "checkpoint", people, "c")
    cli("backup", "--to", tmp_path / "b.zip")
    assert people in cli("restore", tmp_path / "b.zip", "--list").out
    found = cli("restore", tmp_path / "b.zip", "--verify", "--json").json["result"]
    assert (found["verified"], found["sessions"][0]["id"], found["sessions"][0]["checkpoints"]) == (True, people, 1)
    assert cli("restore", tmp_path / "b.zip", "-s", "none", "--list").code == 2


def test_an_existing_session_wants_a_word(cli, people, tmp_path):
    cli("backup", "--to", tmp_path / "b.zip")
    cli("run", "-s", people, "-c", "helpers.db.exec('DELETE FROM people')")
    refused = cli("restore", tmp_path / "b.zip")
    assert (refused.code, "--force" in refused.err) == (2, True)
    assert "skipped" in cli("restore", tmp_path / "b.zip", "--skip-existing").out
    assert count(cli, people) == 0
    assert cli("restore", tmp_path / "b.zip", "-s", people, "--as", "other").out.startswith("other: made")
    assert cli("restore", tmp_path / "b.zip", "--force", "--json").json["result"]["sessions"][0]["done"] == "replaced"
    assert (count(cli, people), count(cli, "other")) == (3, 3)
    assert cli("sessions", "undo", people).code == 0
    assert count(cli, people) == 0
    assert cli("restore", tmp_path / "b.zip", "--force", "--skip-existing").code == 2


def test_a_session_that_cannot_be_read_is_exit_code_3(cli, people, data_dir, tmp_path):
    cli("sessions", "fork", people, "sound")
    for path in data_dir.glob("sessions/*/session.db"):
        if cli("sessions", "ls").code == 0 and path.stat().st_size:
            path.write_bytes(b"\0garbage" * 999)
            break
    made = cli("backup", "--to", tmp_path / "b.zip")
    assert (made.code, "session.damaged" in made.err) == (3, True)
    assert "1 session, " in made.out


def test_a_file_that_exists_is_not_written_over(cli, people, tmp_path):
    (tmp_path / "link.zip").symlink_to(tmp_path / "none")
    assert "never written over" in cli("backup", "--to", tmp_path / "link.zip").err, "there is no --force"
    (tmp_path / "b.zip").write_text("mine")
    refused = cli("backup", "--to", tmp_path / "b.zip", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "request.invalid")
    assert (tmp_path / "b.zip").read_text() == "mine"


def test_everything_moves_to_another_place(cli, people, tmp_path):
    cli("backup", "--to", tmp_path / "b.zip")
    there = tmp_path / "there"
    moved = cli("restore", tmp_path / "b.zip", "--data-dir", there)
    assert (moved.code, "tokens" in moved.err) == (0, True)
    assert people in cli("sessions", "ls", "--data-dir", there).out


@pytest.mark.slow
def test_the_service_makes_them_while_it_runs(people, data_dir, tmp_path):
    environ = {key: value for key, value in os.environ.items() if not key.startswith("CODEMODE_")}
    environ |= {"CODEMODE_BACKUP_EVERY": "1s", "CODEMODE_BACKUP_KEEP": "2", "CODEMODE_BACKUP_TO": str(tmp_path / "to")}
    command = [sys.executable, "-m", "codemode", "serve", "--port", "0", "--json", "--data-dir", str(data_dir)]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    try:
        address = json.loads(service.stdout.readline())["result"]["address"]
        seen = set()
        assert soon(lambda: seen.update(each.name for each in tmp_path.glob("to/codemode-*.zip")) or len(seen) >= 3)
        with urllib.request.urlopen(f"{address}/metrics") as answer:
            figures = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
        assert time.time() - 120 < float(figures["codemode_last_backup_timestamp_seconds"]) < time.time() + 5
        assert float(figures["codemode_backup_failing"]) == 0
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0
        service.stdout.close()
    assert len(seen) >= 3
    assert len(list(tmp_path.glob("to/*.zip"))) in (2, 3), "stopped between a new one and the old ones' end at most"
    assert list(tmp_path.glob("to/.*")) == []
