"""The questions that the catalogue is asked with millions of rows go by an index, and none sorts or scans."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from places import NOW, SESSION

from codemode.catalog.audit import Audit
from codemode.catalog.bound import BoundStore
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.errors import RecordNotFound

QUESTIONS: dict[str, tuple[Callable[[TenantRecords], object], str]] = {
    "active sessions of a tenant": (
        lambda acme: acme.sessions.page(status="active", after=f"{NOW}~a"), "sessions_by_status (tenant=? AND status=?",
    ),
    "sessions of a tenant": (lambda acme: acme.sessions.page(), "sessions_by_use (tenant=?"),
    "sessions of a workspace": (lambda acme: acme.sessions.page(workspace_id="w"), "sessions_by_workspace"),
    "sessions of a type": (lambda acme: acme.sessions.page(type="t"), "sessions_by_type (tenant=? AND type=?"),
    "sessions of a user": (lambda acme: acme.sessions.of_user("ann", after="s"), "participants_by_user (tenant=?"),
    "active participants of a session": (
        lambda acme: acme.participants.page(SESSION, after=f"{NOW}~ann"),
        "participants_active (tenant=? AND session_id=? AND (joined_at,user_id)>",
    ),
    "newest messages of a session": (
        lambda acme: acme.messages.page(SESSION, after="m_x"),
        "sqlite_autoindex_messages_1 (tenant=? AND session_id=? AND id<?",
    ),
    "newest messages of a type": (
        lambda acme: acme.messages.page(message_type="chat", since=NOW),
        "messages_by_type (tenant=? AND message_type=? AND id>?",
    ),
    "newest messages of a session and a type": (
        lambda acme: acme.messages.page(SESSION, message_type="chat"), "messages_of_session_by_type (tenant=? AND",
    ),
    "newest messages of a user": (lambda acme: acme.messages.page(user_id="ann"), "messages_by_user (tenant=?"),
    "words in messages": (
        lambda acme: acme.messages.page(text="disk", after="9"), "SCAN messages_text VIRTUAL TABLE INDEX",
    ),
    "words in messages of a time": (
        lambda acme: acme.messages.page(text="disk fu*", user_id="ann", since=NOW, until=NOW + 1),
        "SCAN messages_text VIRTUAL TABLE INDEX",
    ),
    "panels of a session": (lambda acme: acme.panels.page(SESSION), "panels"),
    "MCP sessions of a server": (
        lambda acme: acme.mcp_sessions.of_server("files"), "mcp_sessions_by_server (tenant=? AND mcp_server_id=?",
    ),
    "untaken signals of a type": (
        lambda acme: acme.signals.untaken(SESSION, signal_type="offer", now=NOW),
        "signals_untaken (tenant=? AND session_id=? AND signal_type=?",
    ),
    "events of a session": (lambda acme: acme.events.since(SESSION, 7), "events_by_session (tenant=? AND session_id=?"),
    "events of a user": (lambda acme: acme.events.of_user("ann", 7), "SEARCH e USING PRIMARY KEY (tenant=? AND seq>?"),
    "statistics": (lambda acme: acme.statistics.get(), "SEARCH counters USING PRIMARY KEY (tenant=?)"),
    "a user by his e-mail": (lambda acme: acme.users.by_email("a@b.c"), "users_by_email (tenant=? AND <expr>=?"),
    "a user by his outside id": (lambda acme: acme.users.by_outside_id("x"), "users_by_outside_id (tenant=?"),
    "groups of a user": (lambda acme: acme.groups.of_user("ann"), "group_members_by_user (tenant=? AND user_id=?"),
}  # fmt: skip


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_every_face_asks_goes_by_its_index(store: Store, monkeypatch: pytest.MonkeyPatch):
    plans: list[str] = []
    run = store.run

    def planned(sql: str, *params: object) -> list[object]:
        plans.append("; ".join(row[3] for row in run(f"EXPLAIN QUERY PLAN {sql}", *params)))
        return []

    for way in ("run", "look"):
        monkeypatch.setattr(store, way, planned)
    Audit(store).read("acme", before=9)
    Sessions(store).page("acme", None, (NOW, "a"), 9)
    Sessions(store).page("acme", "ann", None, 9)
    for only in ({"workspace_id": "w"}, {"type": "t"}, {"status": "active"}, {"type": "t", "status": "closed"}):
        Sessions(store).page("acme", None, (NOW, "a"), 9, **only)
    assert "audit_by_tenant (tenant=? AND id<?)" in plans[0]
    assert "sessions_by_use (tenant=? AND (last_activity,id)<(?,?))" in plans[1]
    assert "participants_by_user (tenant=? AND user_id=?)" in plans[2]
    after = "AND (last_activity,id)<(?,?))"
    assert f"sessions_by_workspace (tenant=? AND workspace_id=? {after}" in plans[3]
    assert f"sessions_by_type (tenant=? AND type=? {after}" in plans[4]
    assert f"sessions_by_status (tenant=? AND status=? {after}" in plans[5]
    assert f"sessions_by_type (tenant=? AND type=? {after}" in plans[6]
    assert not any("B-TREE" in plan for number, plan in enumerate(plans) if number != 2)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_goes_by_its_index(
    store: Store, acme: TenantRecords, question: str, monkeypatch: pytest.MonkeyPatch
):
    plans: list[str] = []
    acme.messages.post(SESSION, "disk full", now=NOW, user_id="ann")

    def planned(self: BoundStore, sql: str, *params: object) -> list[object]:
        found = store.run(f"EXPLAIN QUERY PLAN {sql}", self.tenant, *params)
        plans.append("; ".join(row[3] for row in found))
        return store.run(sql, self.tenant, *params)

    monkeypatch.setattr(BoundStore, "look", planned)
    ask, index = QUESTIONS[question]
    with suppress(RecordNotFound):
        ask(acme)
    assert index in plans[-1]
    assert len(plans) == 1 or "words" in question, plans
    for plan in plans:
        assert "TEMP B-TREE" not in plan or question == "panels of a session", plan
        assert "SCAN" not in re.sub(
            "SCAN (messages_(text|vocabulary) VIRTUAL TABLE INDEX|found|CONSTANT ROW)", "", plan
        )
