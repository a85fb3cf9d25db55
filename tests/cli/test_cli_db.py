"""`codemode db`: the form of the catalogue, said and changed."""

from __future__ import annotations

from typing import Any

from codemode.catalog.migrating import known

NEWEST = known("sqlite")[-1].number


def test_a_catalogue_goes_to_another_form_and_back(cli: Any) -> None:
    cli("token", "create", "--tenant", "acme")
    found = cli("db", "status", "--json")
    assert (found.code, found.json["result"]["form"], found.json["result"]["store"]) == (0, NEWEST, "sqlite")
    refused = cli("db", "rollback", "--to", 6)
    assert refused.code == 2
    assert "--yes" in refused.err
    back = cli("db", "rollback", "--to", 6, "--yes", "--json").json["result"]
    assert [each["number"] for each in back["migrations"]] == list(range(NEWEST, 6, -1))
    behind = cli("db", "status")
    assert behind.code == 1
    assert behind.out.splitlines()[-1].endswith(f"form 6, {NEWEST - 6} migrations pending")
    one = cli("db", "migrate", "--to", 7)
    assert (one.out, one.err) == ("the catalogue has form 7\n", "applied: 7 (shared_places, additive)\n")
    assert cli("db", "migrate", "--json").json["result"]["form"] == NEWEST
    assert [row.split()[0] for row in cli("tenants", "ls").out.splitlines()[2:]] == ["acme", "local"]


def test_all_of_a_catalogue_goes_into_a_file_and_another_store(cli: Any, tmp_path: Any, data_dir: Any) -> None:
    cli("token", "create", "--tenant", "acme")
    out = cli("db", "export", tmp_path / "all.gz")
    assert out.out.startswith(f"{tmp_path / 'all.gz'}: ")
    rows = cli("db", "copy", "--to", tmp_path / "other", "--json").json["result"]["rows"]
    assert f"{rows} rows" in out.out
    refused = cli("db", "import", tmp_path / "all.gz")
    assert (refused.code, "--replace" in refused.err) == (2, True)
    assert cli("db", "import", tmp_path / "all.gz", "--replace").code == 0
    assert cli("db", "copy", "--to", tmp_path / "other").code == 2
    there = cli("token", "ls", "--data-dir", tmp_path / "other", "--json").json["result"]
    assert [each["tenant"] for each in there] == ["acme"]
    assert cli("db", "copy", "--to", "memory").code == 2
    assert "that of the setting catalog" in cli("db", "copy", "--to", data_dir).err


def test_what_cannot_be_gone_back_to_is_refused(cli: Any) -> None:
    cli("db", "migrate")
    refused = cli("db", "rollback", "--to", NEWEST + 1, "--yes")
    assert refused.code == 2
    assert "cannot go back" in refused.err


def test_a_migration_that_there_is_not_is_told(cli: Any) -> None:
    refused = cli("db", "migrate", "--to", NEWEST + 1)
    assert (refused.code, f"there is no migration {NEWEST + 1}" in refused.err) == (2, True)
    assert f"the newest is {NEWEST}" in refused.err
    assert cli("db", "status").code == 1  # nothing was applied


def test_a_catalogue_that_does_not_answer_is_told_without_its_password(
    cli: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    monkeypatch.setenv("CODEMODE_CATALOG", f"postgresql://me:secret@/nothing?host={tmp_path}")
    for words in (("db", "status"), ("sessions", "ls"), ("doctor",)):
        answer = cli(*words)
        assert answer.code == 3
        assert "does not answer" in answer.out + answer.err
        assert "secret" not in answer.out + answer.err
