"""`codemode users|workspaces|groups|panels|messages`: each verb as people and programs use it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli


def result(cli: Cli, *arguments: object) -> Any:
    answer = cli(*arguments, "--json")
    assert answer.code == 0, answer.err or answer.out
    return answer.json["result"]


def test_users_are_added_listed_changed_and_deleted(cli: Cli) -> None:
    assert cli("users", "ls").err == "no users\n"
    assert cli("users", "add", "ann", "--name", "Ann", "--email", "ann@example.org").out == "ann\n"
    minted = result(cli, "users", "add", "--kind", "agent", "--metadata", '{"model": "m"}')
    assert (minted["kind"], minted["metadata"], minted["id"][:2]) == ("agent", {"model": "m"}, "u_")
    assert cli("users", "ls").out.splitlines()[2].split()[:4] == ["ann", "human", "Ann", "ann@example.org"]
    for which, ids in (("ann@EXAMPLE.org", ["ann"]), ("x@example.org", [])):
        assert [each["id"] for each in result(cli, "users", "ls", "--email", which)] == ids
    changed = result(cli, "users", "set", "ann", "--email", "", "--name", "Anna")
    assert (changed["email"], changed["display_name"]) == (None, "Anna")
    assert "Anna" in cli("users", "show", "ann").out
    assert cli("users", "rm", "ann").out == "deleted ann\n"
    assert [each["id"] for each in result(cli, "users", "ls")] == [minted["id"]]
    assert len(result(cli, "users", "ls", "--deleted")) == 2
    (removed, changed, *_) = result(cli, "audit")
    assert (removed["action"], removed["new_values"]["deleted_at"] is None) == ("remove_user", False)
    assert changed["old_values"].items() >= {"email": "ann@example.org", "display_name": "Ann"}.items()


@pytest.mark.parametrize("noun", ["workspaces", "groups"])
def test_workspaces_and_groups_alike(cli: Cli, noun: str) -> None:
    made = cli(noun, "add", "North", "--description", "cold").out.strip()
    assert result(cli, noun, "set", made, "--name", "South")["description"] == "cold"
    assert [row.split()[:2] for row in cli(noun, "ls").out.splitlines()[2:]] == [[made, "South"]]
    assert cli(noun, "add", "South").code == 2
    assert cli(noun, "rm", made).out == f"removed {made}\n"
    assert cli(noun, "show", made).code == 2


def test_who_is_in_a_group(cli: Cli) -> None:
    cli("users", "add", "ann")
    cli("groups", "add", "Crew", "--id", "crew")
    assert cli("groups", "join", "crew", "ann").out == "ann is in crew\n"
    assert cli("groups", "members", "crew").out.splitlines()[2].split()[0] == "ann"
    assert cli("groups", "leave", "crew", "ann").code == 0
    assert cli("groups", "leave", "crew", "ann").code == 2
    assert cli("groups", "join", "crew", "nobody").code == 2


def test_what_is_said_and_shown_in_a_session(cli: Cli) -> None:
    cli("run", "-s", "plan", "-c", "1")
    first = cli("messages", "add", "plan", "the disk is full", "--user", "ann").out.strip()
    cli("messages", "add", "plan", "-", "--thread", first, "--type", "system")
    said = result(cli, "messages", "ls", "plan")
    assert [each["content"] for each in said] == ["the disk is full", ""]
    assert [each["id"] for each in result(cli, "messages", "ls", "plan", "--text", "dis*", "--user", "ann")] == [first]
    for times, count in ((["--since", "1h"], 2), (["--since", "1h", "--until", "2020-01-01"], 0)):
        assert len(result(cli, "messages", "ls", "plan", *times)) == count
    assert "the disk is full" in cli("messages", "show", "plan", first).out
    assert cli("messages", "rm", "plan", first).code == 0
    assert cli("messages", "ls", "plan").err == "no messages\n"

    panel = cli("panels", "add", "plan", "Trips", "--query", "SELECT 1").out.strip()
    cli("panels", "add", "plan", "Notes", "--document", '["a"]', "--position", 0, "--id", "notes")
    assert [each["title"] for each in result(cli, "panels", "ls", "plan")] == ["Notes", "Trips"]
    shown = result(cli, "panels", "set", "plan", panel, "--document", "{}", "--title", "Empty")
    assert (shown["title"], shown["query"], shown["document"]) == ("Empty", None, {})
    assert cli("panels", "rm", "plan", "notes").out == "removed notes\n"
    assert cli("panels", "ls", "plan").out.splitlines()[2].split()[1] == panel


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["users", "add", "ann", "--metadata", "{"], "no JSON"),
        (["users", "ls", "--email", "a@b", "--outside-id", "1"], "one of them"),
        (["messages", "ls", "plan", "--since", "yesterday"], "no moment"),
        (["users", "add", "ann", "--email", "nobody"], "e-mail"),
        (["users", "set", "ann"], "say what to change"),
        (["users", "ls", "--tenant", "nowhere"], "no tenant"),
        (["groups", "show", "none"], "none"),
        (["panels", "add", "nowhere", "T", "--query", "SELECT 1"], "nowhere"),
        (["panels", "ls", "nowhere"], "nowhere"),
        (["messages", "add", "nowhere", "hello"], "nowhere"),
        (["messages", "ls", "nowhere"], "nowhere"),
    ],
    ids=str,
)
def test_what_is_wrong_is_exit_code_2_and_named(cli: Cli, arguments: list[str], word: str) -> None:
    answer = cli(*arguments)
    assert answer.code == 2
    assert word in answer.err
