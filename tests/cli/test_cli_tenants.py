"""`codemode tenants`, `audit`, `token` and `sessions share`: what an operator does, and that it is on record."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from patience import soon

from codemode import Settings
from codemode.database.clock import now_ms
from codemode.worker import Worker


def acts(cli: Any) -> list[tuple[str, str, str]]:
    found = cli("audit", "--json").json["result"]
    return [(each["tenant"], each["action"], each["resource"]) for each in found]


def test_quotas_are_set_shown_and_taken_back(cli: Any) -> None:
    cli("token", "create", "--tenant", "acme")
    made = cli("tenants", "set", "acme", "--sessions", 5, "--bytes", "2MiB", "--executions", "none", "--json").json
    assert made["result"]["quotas"] == {"sessions": 5, "bytes": 2**21, "executions": 0, "executions_per_minute": 0}
    assert cli("tenants", "show", "acme").out.splitlines()[1:4] == [
        "plan                 free",
        "sessions             0 of 5",
        "bytes                0 bytes of 2.1 MB",
    ]
    cli("tenants", "set", "acme", "--bytes", "none", "--per-minute", 30)
    assert cli("tenants", "set", "acme", "--sessions", "default", "--json").json["result"]["quotas"] == {
        "sessions": 0, "bytes": 0, "executions": 0, "executions_per_minute": 30,
    }  # fmt: skip
    assert [row.split()[0] for row in cli("tenants", "ls").out.splitlines()[2:]] == ["acme", "local"]


def test_a_tenant_is_added_named_deleted_and_taken_back(cli: Any) -> None:
    made = cli("tenants", "add", "acme", "--plan", "pro", "--json").json["result"]
    assert (made["plan"], made["name"], made["deleted_at"]) == ("pro", "", None)
    assert cli("tenants", "add", "acme").code == 2
    assert cli("tenants", "set", "acme", "--name", "Acme Inc.", "--plan", "team").out.splitlines()[:2] == [
        "tenant               acme (Acme Inc.)",
        "plan                 team",
    ]
    token = cli("token", "create", "--tenant", "acme", "--json").json["result"]["id"]
    assert "1 token" in cli("tenants", "rm", "acme").err
    assert cli("tenants", "rm", "acme", "--yes").out == "deleted acme\n"
    assert "revoked" in next(line for line in cli("token", "ls").out.splitlines() if token in line)
    for makes in (("token", "create"), ("sessions", "add", "s")):
        assert "undelete" in cli(*makes, "--tenant", "acme").err
    assert [row.split()[0] for row in cli("tenants", "ls").out.splitlines()[2:]] == ["local"]
    assert cli("tenants", "ls", "--deleted").out.splitlines()[2].split()[:2] == ["acme", "team"]
    assert cli("tenants", "undelete", "acme").code == 0
    assert cli("tenants", "undelete", "acme").out == "acme is not deleted\n"
    assert cli("token", "create", "--tenant", "acme").code == 0
    assert "stays" in cli("tenants", "rm", "local", "--yes").err
    assert [action for tenant, action, _ in acts(cli)[::-1] if "tenant" in action] == [
        "create_tenant", "change_tenant", "remove_tenant", "undelete_tenant",
    ]  # fmt: skip
    [changed] = [each for each in cli("audit", "--json").json["result"] if each["action"] == "change_tenant"]
    assert (changed["old_values"], changed["new_values"]) == (
        {"name": "", "plan": "pro"}, {"name": "Acme Inc.", "plan": "team"},
    )  # fmt: skip


def test_the_settings_hold_where_a_tenant_has_no_number(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEMODE_TENANT_EXECUTIONS", "4")
    cli("token", "create", "--tenant", "acme")
    assert cli("tenants", "show", "acme", "--json").json["result"]["quotas"]["executions"] == 4
    cli("tenants", "set", "acme", "--executions", "none")
    assert cli("tenants", "show", "acme", "--json").json["result"]["quotas"]["executions"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody", "--sessions", "1"],
        ["local"],
        ["local", "--sessions", "-1"],
        ["local", "--sessions", "1.5"],
        ["local", "--sessions", "5MB"],
        ["local", "--bytes", "5 parsecs"],
        ["local", "--bytes", "99999999999999999999"],
        ["local", "--executions", ""],
    ],
    ids=" ".join,
)
def test_what_is_no_quota_is_refused_and_changes_nothing(cli: Any, arguments: list[str]) -> None:
    assert cli("tenants", "set", *arguments).code == 2
    assert acts(cli) == []


def test_what_an_operator_does_is_on_record(cli: Any) -> None:
    token = cli("token", "create", "--tenant", "acme", "--json").json["result"]["id"]
    cli("token", "revoke", token)
    cli("tenants", "set", "acme", "--sessions", "3")
    cli("query", "select 1", "-s", "nobody")
    cli("run", "-s", "s1", "-c", "1")
    cli("sessions", "share", "s1", "--user", "ann", "--role", "viewer")
    cli("sessions", "unshare", "s1", "--user", "ann")
    cli("sessions", "pin", "s1")
    cli("sessions", "sweep")
    cli("sessions", "rm", "s1")
    assert acts(cli)[::-1] == [
        ("acme", "create_token", token),
        ("acme", "revoke_token", token),
        ("acme", "set_quotas", "sessions=3"),
        ("local", "add_participant", "s1 ann viewer"),
        ("local", "remove_participant", "s1 ann"),
        ("local", "change_session", "s1 pinned"),
        ("local", "sweep", "0 sessions"),
        ("local", "delete_session", "s1"),
    ]
    [newest] = cli("audit", "--limit", 1, "--json").json["result"]
    assert newest["actor"] == f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    assert [each["id"] for each in cli("audit", "--before", newest["id"], "--limit", 1, "--json").json["result"]] == [
        newest["id"] - 1
    ]
    assert {each["tenant"] for each in cli("audit", "--tenant", "acme", "--json").json["result"]} == {"acme"}
    assert "set_quotas" in cli("audit").out


def test_who_takes_part_is_listed(cli: Any) -> None:
    cli("run", "-s", "s1", "-c", "1")
    assert cli("sessions", "participants", "s1").err.startswith("nobody")
    cli("sessions", "share", "s1", "--user", "ann")
    [ann] = cli("sessions", "participants", "s1", "--json").json["result"]
    assert (ann["user_id"], ann["role"], ann["left_at"]) == ("ann", "member", None)
    assert cli("sessions", "share", "nobody", "--user", "ann").code == 2
    assert cli("sessions", "share", "s1", "--user", "a\x1b[31mb").code == 2


def test_control_characters_in_the_log_do_not_reach_the_terminal(cli: Any, data_dir: Any) -> None:
    with Worker(data_dir) as worker:
        worker.audit.add(at=now_ms(), tenant="local", actor="tok_1", action="execute", resource="\x1b[2Jgone")
    shown = cli("audit").out
    assert "\x1b" not in shown
    assert "gone" in shown


def test_the_sweeper_forgets_what_the_audit_log_kept_long_enough(data_dir: Any) -> None:
    day = 86_400_000
    with Worker(data_dir) as worker:
        for days in (3, 1):
            worker.audit.add(at=now_ms() - days * day, tenant="local", actor="x", action=f"{days}")
    with Worker(data_dir, settings=Settings(audit_days=2, sweep_seconds=0.05)) as worker:
        assert soon(lambda: [act.action for act in worker.audit.read()] == ["1"])


def test_sessions_of_another_tenant_are_named_with_it(cli: Any, data_dir: Any) -> None:
    with Worker(data_dir) as worker:
        worker.create_token("acme")
        worker.session("plans", tenant="acme", owner="ann")
    assert cli("sessions", "ls", "--json").json["result"] == []
    assert [each["id"] for each in cli("sessions", "ls", "--tenant", "acme", "--json").json["result"]] == ["plans"]
    assert "ann" in cli("sessions", "show", "plans", "--tenant", "acme").out
    assert cli("sessions", "pin", "plans", "--tenant", "acme").code == 0
    assert cli("sessions", "rm", "plans").code == 2
    for verb in (["show"], ["pin"], ["rm"], ["unshare", "--user", "ann"]):
        assert "no tenant 'acne'" in cli("sessions", *verb, "plans", "--tenant", "acne").err
    assert cli("sessions", "rm", "plans", "--tenant", "acme").code == 0
    assert acts(cli)[:2] == [("acme", "delete_session", "plans"), ("acme", "change_session", "plans pinned")]


def test_what_works_in_a_session_works_in_that_of_another_tenant(cli: Any, tmp_path: Path) -> None:
    def done(*arguments: object) -> str:
        answer = cli(*arguments, "--tenant", "acme")
        assert answer.code == 0, answer.err
        return str(answer.out)

    cli("tenants", "add", "acme")
    (tmp_path / "t.csv").write_text("x\n1\n")
    done("import", tmp_path / "t.csv", "-s", "s")
    assert done("run", "-s", "s", "-c", "return helpers.db.value('SELECT x FROM t')").strip() == "1"
    assert done("query", "SELECT x FROM t", "-s", "s", "--format", "csv").split() == ["x", "1"]
    assert "t" in done("describe", "-s", "s")
    done("explain", "SELECT x FROM t", "-s", "s")
    done("export", "t", "-s", "s", "--to", tmp_path / "t.json")
    done("export", "-s", "s", "--to", tmp_path / "t.db")
    done("sessions", "checkpoint", "s", "first")
    assert "first" in done("sessions", "checkpoints", "s")
    assert done("sessions", "diff", "s", "first") == "no differences\n"
    done("sessions", "restore", "s", "first")
    done("sessions", "undo", "s")
    done("sessions", "redo", "s")
    done("sessions", "fork", "s", "copy")
    done("sessions", "compact", "s")
    for which in ([], ["--tables"], ["--slow"]):
        done("logs", "s", *which)
    assert '"--tenant", "acme"' in " ".join(done("mcp", "--print-config", "claude-desktop").split())
    assert cli("sessions", "ls", "--json").json["result"] == []
    assert {each["id"] for each in cli("sessions", "ls", "--tenant", "acme", "--json").json["result"]} == {"s", "copy"}


def test_no_session_is_made_for_a_tenant_that_is_none_or_was_deleted(cli: Any) -> None:
    cli("tenants", "add", "acme")
    cli("sessions", "add", "s", "--tenant", "acme")
    cli("tenants", "rm", "acme", "--yes")
    for makes in (["query", "SELECT 1"], ["run", "-s", "new", "-c", "1"]):
        assert "no tenant 'acne'" in cli(*makes, "--tenant", "acne").err
        assert "undelete" in cli(*makes, "--tenant", "acme").err
    for looks in (["query", "SELECT 1", "-s", "t"], ["sessions", "show", "t"]):
        assert "`codemode sessions ls --tenant acme`" in cli(*looks, "--tenant", "acme").err
    assert cli("query", "SELECT 1", "-s", "s", "--tenant", "acme").code == 0, "what it has can be looked at"


def test_an_audit_log_before_a_number_that_no_file_holds_is_all_of_it(cli):
    cli("token", "create", "--tenant", "acme", "--name", "ci", "--scope", "read")
    answer = cli("audit", "--before", "1" * 40, "--json")
    assert (answer.code, len(answer.json["result"])) == (0, 1)
