"""The commands for what people share in sessions: each verb as people and programs use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codemode import Worker
from tests.cli.conftest import Cli


def result(cli: Cli, *arguments: object) -> Any:
    answer = cli(*arguments, "--json")
    assert answer.code == 0, answer.err or answer.out
    return answer.json["result"]


@pytest.fixture
def plan(cli: Cli, data_dir: Path) -> str:
    """A session; the command line makes one with a child that runs a snippet, which takes a second."""
    with Worker(data_dir=data_dir) as worker:
        return worker.session("plan").id


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
    assert "users undelete" in cli("preferences", "set", "ann", "ui", "theme", "dark").err
    assert cli("users", "undelete", "ann").out == "ann is a user again; make tokens for him\n"
    assert cli("users", "undelete", "ann").out == "ann is not deleted\n"
    assert result(cli, "audit")[0]["old_values"]["deleted_at"] == removed["new_values"]["deleted_at"]
    assert cli("users", "undelete", "nobody").code == 2


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


def test_what_is_said_and_shown_in_a_session(cli: Cli, plan: str) -> None:
    first = cli("messages", "add", "plan", "the disk is full", "--user", "ann").out.strip()
    cli("messages", "add", "plan", "-", "--thread", first, "--type", "system")
    said = result(cli, "messages", "ls", "plan")
    assert [each["content"] for each in said] == ["the disk is full", ""]
    assert [each["id"] for each in result(cli, "messages", "ls", "plan", "--text", "dis*", "--user", "ann")] == [first]
    for times, count in (
        (["--since", "1h"], 2),
        (["--since", "1h", "--until", "2020-01-01"], 0),
        (["--since", "29990101"], 0),
    ):
        assert len(result(cli, "messages", "ls", "plan", *times)) == count
    assert "the disk is full" in cli("messages", "show", "plan", first).out
    assert cli("messages", "rm", "plan", first).code == 0
    assert cli("messages", "ls", "plan").err == "no messages\n"

    panel = cli("panels", "add", "plan", "Trips", "--query", "SELECT 1").out.strip()
    cli("panels", "add", "plan", "Notes", "--document", '["a"]', "--position", 0, "--id", "notes")
    assert [each["title"] for each in result(cli, "panels", "ls", "plan")] == ["Notes", "Trips"]
    shown = result(cli, "panels", "set", "plan", panel, "--document", "{}", "--title", "Empty")
    assert (shown["title"], shown["query"], shown["document"]) == ("Empty", None, {})
    assert cli("panels", "set", "plan", panel, "--document", "null").code == 2
    assert cli("panels", "rm", "plan", "notes").out == "removed notes\n"
    assert cli("panels", "ls", "plan").out.splitlines()[2].split()[1] == panel


def test_a_list_says_when_there_are_more(cli: Cli) -> None:
    for name in ("ann", "bob"):
        cli("users", "add", name)
    answer = cli("users", "ls", "--limit", 1)
    assert (answer.code, answer.err) == (0, "warning: there are more: --limit N lists more than 1\n")
    assert "--limit N" in cli("users", "ls", "--limit", 1, "--json").json["warnings"][0]
    assert cli("users", "ls", "--limit", 2, "--json").json["warnings"] == []


def test_where_a_session_belongs_and_what_it_is(cli: Cli, plan: str, data_dir: Path) -> None:
    with Worker(data_dir=data_dir) as worker:
        worker.session("other")
    cli("workspaces", "add", "Lab", "--id", "lab")
    place = result(
        cli, "sessions", "set", "plan", "--workspace", "lab", "--type", "probe", "--metadata", '{"a": 1}',
        "--status", "closed", "--mcp-client", "host", "--pinned",
    )  # fmt: skip
    assert (place["workspace_id"], place["type"], place["metadata"], place["status"], place["pinned"]) == (
        "lab", "probe", {"a": 1}, "closed", True,
    )  # fmt: skip
    for only in (
        ["--workspace", "lab"],
        ["--type", "probe"],
        ["--status", "closed"],
        ["--limit", 9, "--type", "probe"],
    ):
        assert [each["id"] for each in result(cli, "sessions", "ls", *only)] == ["plan"], only
    assert [each["id"] for each in result(cli, "sessions", "ls", "--status", "active")] == ["other"]
    row = next(line for line in cli("sessions", "ls").out.splitlines() if line.startswith("plan"))
    assert row.split()[1:3] == ["lab", "probe"]
    assert {"workspace      lab", 'metadata       {"a": 1}'} <= set(cli("sessions", "show", "plan").out.splitlines())
    back = result(cli, "sessions", "set", "plan", "--workspace", "", "--status", "active", "--not-pinned")
    assert (back["workspace_id"], back["status"], back["pinned"], back["type"]) == (None, "active", False, "probe")
    (changed, *_) = result(cli, "audit")
    assert (changed["action"], changed["old_values"]["status"]) == ("change_session", "closed")


def test_who_takes_part_and_as_what(cli: Cli, plan: str) -> None:
    assert cli("sessions", "share", "plan", "--user", "ann", "--role", "owner").out == "ann is owner of plan\n"
    kept = result(cli, "sessions", "share", "plan", "--user", "ann", "--metadata", '{"from": "Bern"}')
    assert (kept["role"], kept["metadata"]) == ("owner", {"from": "Bern"})
    assert result(cli, "sessions", "share", "plan", "--user", "bob")["role"] == "member"
    assert [each["user_id"] for each in result(cli, "sessions", "participants", "plan", "--role", "owner")] == ["ann"]
    assert '{"from": "Bern"}' in cli("sessions", "participants", "plan").out
    cli("sessions", "unshare", "plan", "--user", "ann")
    assert "left_at nothing → " in cli("audit", "--changes").out
    assert result(cli, "sessions", "share", "plan", "--user", "ann")["role"] == "member"


def test_what_a_user_is_told_of(cli: Cli, plan: str) -> None:
    cli("sessions", "share", "plan", "--user", "ann")
    cli("panels", "add", "plan", "Trips", "--query", "SELECT 1", "--id", "trips")
    assert cli("subscriptions", "ls", "ann").err == "no subscriptions\n"
    assert cli("subscriptions", "add", "ann", "plan").out == "ann is told of plan\n"
    assert result(cli, "subscriptions", "add", "ann", "plan", "--panel", "trips")["panel_id"] == "trips"
    assert [row.split()[:2] for row in cli("subscriptions", "ls", "ann").out.splitlines()[3:]] == [["plan", "trips"]]
    assert cli("subscriptions", "rm", "ann", "plan").out == "ann is told no more of plan\n"
    assert [each["panel_id"] for each in result(cli, "subscriptions", "ls", "ann")] == ["trips"]
    assert cli("subscriptions", "rm", "ann", "plan").code == 2


def test_what_a_user_prefers(cli: Cli) -> None:
    cli("users", "add", "ann")
    cli("preferences", "set", "ann", "ui", "size", "12")
    cli("preferences", "set", "ann", "mail", "daily", "null")
    cli("preferences", "set", "ann", "ui", "theme", "-", input='"dark"\n')
    found = [(each["category"], each["key"], each["value"]) for each in result(cli, "preferences", "ls", "ann")]
    assert found == [("mail", "daily", None), ("ui", "size", 12), ("ui", "theme", "dark")]
    cut = cli("preferences", "ls", "ann", "ui", "--limit", 1)
    assert ("theme" not in cut.out, "there are more" in cut.err) == (True, True)
    assert "dark" in cli("preferences", "show", "ann", "ui", "theme").out
    assert cli("preferences", "rm", "ann", "ui", "size").out == "removed size\n"
    assert [each["key"] for each in result(cli, "preferences", "ls", "ann", "ui")] == ["theme"]


def test_what_is_sensitive_is_sealed_and_never_shown(
    cli: Cli, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "secret_keys_file" in cli("configuration", "set", "api_key", "s3cret", "--sensitive").err
    keys = tmp_path / "keys"
    keys.write_text("k" * 43)
    monkeypatch.setenv("CODEMODE_SECRET_KEYS_FILE", str(keys))
    cli("configuration", "set", "region", '["eu"]', "--description", "where")
    said = [
        cli("configuration", "set", "api_key", "-", "--sensitive", input="s3cret\n"),
        cli("configuration", "set", "api_key", "s3cret"),  # goes on being sensitive
        cli("configuration", "ls"),
        cli("configuration", "show", "api_key", "--json"),
        cli("audit", "--json"),
        cli("configuration", "rm", "api_key"),
    ]
    assert [answer.code for answer in said] == [0] * 6
    assert "s3cret" not in "".join(answer.out + answer.err for answer in said)
    assert said[3].json["result"] | {"updated_at": ""} == {
        "key": "api_key", "value": "********", "description": "", "sensitive": True, "updated_at": "",
    }  # fmt: skip
    assert not any(b"s3cret" in path.read_bytes() for path in data_dir.glob("catalog.db*"))
    assert [(each["value"], each["description"]) for each in result(cli, "configuration", "ls")] == [(["eu"], "where")]


def test_calls_and_connections_of_a_session(cli: Cli, plan: str) -> None:
    assert cli("signals", "post", "plan", "offer", '{"sdp": 0}', "--from", "ann", "--to", "bob").out[:4] == "sig_"
    cli("signals", "post", "plan", "ice", "-", "--from", "ann", "--kept-ms", 9_000, input="a candidate")
    assert result(cli, "signals", "take", "plan", "eve", "--type", "offer") == []
    assert [each["signal_data"] for each in result(cli, "signals", "take", "plan", "bob")] == [
        {"sdp": 0},
        "a candidate",
    ]
    assert cli("signals", "take", "plan", "bob").err == "nothing waits\n"

    cli("mcp-sessions", "set", "plan", "github", "2025-06-18", "--context-data", '{"tools": []}')
    changed = result(cli, "mcp-sessions", "set", "plan", "github", "2025-06-18", "--state", "closed")
    assert (changed["state"], changed["context_data"]) == ("closed", {"tools": []})
    assert cli("mcp-sessions", "ls", "plan", "--state", "active").err == "no MCP sessions\n"
    assert cli("mcp-sessions", "ls", "plan").out.splitlines()[2].split()[:3] == ["github", "2025-06-18", "closed"]
    assert "2025-06-18" in cli("mcp-sessions", "show", "plan", "github").out
    assert cli("mcp-sessions", "rm", "plan", "github").out == "removed github\n"
    acts = result(cli, "audit")
    assert [act["action"] for act in acts[:5]] == [
        "remove_mcp_session", "put_mcp_session", "put_mcp_session", "take_signals", "post_signal",
    ]  # fmt: skip
    assert (acts[4]["new_values"]["signal_type"], acts[4]["new_values"]["signal_data"]) == ("ice", {"bytes": 13})


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
        (["groups", "show", "\udcff"], "surrogate"),
        (["panels", "add", "nowhere", "T", "--query", "SELECT 1"], "nowhere"),
        (["panels", "ls", "nowhere"], "nowhere"),
        (["messages", "add", "nowhere", "hello"], "nowhere"),
        (["messages", "ls", "nowhere"], "nowhere"),
        (["sessions", "set", "nowhere", "--type", "x"], "nowhere"),
        (["sessions", "ls", "--workspace", "nowhere"], "nowhere"),
        (["sessions", "ls", "--status", "gone"], "active"),
        (["sessions", "share", "nowhere", "--user", "ann"], "nowhere"),
        (["subscriptions", "ls", "nobody"], "nobody"),
        (["preferences", "ls", "nobody"], "nobody"),
        (["preferences", "set", "nobody", "ui", "theme", "dark"], "nobody"),
        (["configuration", "show", "none"], "none"),
        (["signals", "take", "nowhere", "ann"], "nowhere"),
        (["signals", "post", "nowhere", "wave", "1", "--from", "ann"], "offer"),
        (["mcp-sessions", "ls", "nowhere"], "nowhere"),
        (["mcp-sessions", "set", "nowhere", "a", "1", "--context-data", "[1"], "--context-data is no JSON"),
    ],
    ids=str,
)
def test_what_is_wrong_is_exit_code_2_and_named(cli: Cli, arguments: list[str], word: str) -> None:
    answer = cli(*arguments)
    assert answer.code == 2
    assert word in answer.err
