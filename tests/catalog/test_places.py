"""What sessions share: participants, panels, MCP sessions, signals, subscriptions, preferences, configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from places import NOW, SESSION

from codemode.catalog.configuration import MASK
from codemode.catalog.seal import Seal
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.errors import RecordExists, RecordNotFound, RequestInvalid, SecretMissing, SessionNotFound


def make_sessions(store: Store, *ids: str, owner: str | None = None) -> None:
    for number, each in enumerate(ids, 1):
        Sessions(store).create("acme", each, now=NOW + number, idle_ms=1000, limits={}, owner=owner)


def test_sessions_are_listed_by_status_workspace_and_type(acme: TenantRecords, store: Store):
    make_sessions(store, "a", "b", "c")
    north = acme.workspaces.create("north", now=NOW)
    acme.sessions.update("a", now=NOW + 9, workspace_id=north.id, type="chat", metadata={"topic": "disks"})
    acme.sessions.close("b", now=NOW + 9)
    Sessions(store).expire("acme", "c", NOW + 9)
    ids = {
        str(asked): [place.id for place in acme.sessions.page(**asked).rows]
        for asked in (
            {}, {"status": "active"}, {"status": "closed"}, {"status": "expired"}, {"workspace_id": north.id},
            {"type": "chat"},
        )
    }  # fmt: skip
    assert list(ids.values()) == [["c", "b", "a", "s1"], ["a", "s1"], ["b"], ["c"], ["a"], ["a"]]
    first = acme.sessions.page(limit=3)
    assert [place.id for place in acme.sessions.page(after=first.next).rows] == ["s1"]
    acme.workspaces.remove(north.id)
    assert acme.sessions.get("a").workspace_id is None
    assert acme.sessions.reopen("b", now=NOW).status == "active"


def test_what_is_unknown_of_a_session_is_not_set(acme: TenantRecords, other: TenantRecords):
    theirs = other.workspaces.create("north", now=NOW)
    with pytest.raises(RecordNotFound):
        acme.sessions.update(SESSION, now=NOW, workspace_id=theirs.id)
    with pytest.raises(RecordNotFound):
        acme.sessions.update(SESSION, now=NOW, workspace_id="")
    with pytest.raises(SessionNotFound):
        acme.sessions.update("nowhere", now=NOW, type="chat")
    connected = acme.sessions.update(SESSION, now=NOW + 5, mcp_client_id="desktop")
    assert (connected.mcp_client_id, connected.connected_at) == ("desktop", "2023-11-14T22:13:20.005Z")
    assert acme.sessions.update(SESSION, now=NOW, mcp_client_id=None).connected_at is None


def test_participants_join_change_leave_and_join_anew(acme: TenantRecords):
    put = acme.participants.put
    put(SESSION, "ann", now=NOW, role="owner", metadata={"seat": 1})
    put(SESSION, "bob", now=NOW + 1)
    assert put(SESSION, "ann", now=NOW + 2, role="viewer").metadata == {"seat": 1}
    page = acme.participants.page(SESSION, limit=1)
    assert [p.user_id for p in (*page.rows, *acme.participants.page(SESSION, after=page.next).rows)] == ["ann", "bob"]
    acme.participants.leave(SESSION, "ann", now=NOW + 3)
    assert [p.user_id for p in acme.participants.page(SESSION).rows] == ["bob"]
    assert [p.user_id for p in acme.participants.page(SESSION, left=True, role="viewer").rows] == ["ann"]
    assert acme.sessions.of_user("ann").rows == []
    assert put(SESSION, "ann", now=NOW + 4).joined_at == "2023-11-14T22:13:20.004Z"
    assert [place.id for place in acme.sessions.of_user("ann").rows] == [SESSION]
    with pytest.raises(RecordNotFound):
        acme.participants.leave(SESSION, "cid", now=NOW)


def test_panels_have_an_order_and_titles_of_their_own(acme: TenantRecords):
    first = acme.panels.create(SESSION, "Disks", query="SELECT * FROM disks", now=NOW)
    second = acme.panels.create(SESSION, "Plan", kind="text", document={"text": "…"}, now=NOW, panel_id="plan")
    assert (first.position, second.position, second.document) == (0, 1, {"text": "…"})
    for taken, told in (({"title": "Disks", "panel_id": "d"}, "Disks"), ({"title": "New", "panel_id": "plan"}, "plan")):
        with pytest.raises(RecordExists, match=told):
            acme.panels.create(SESSION, query="x", now=NOW, **taken)
    with pytest.raises(RecordExists):
        acme.panels.update(SESSION, "plan", now=NOW, title="Disks")
    moved = acme.panels.update(SESSION, first.id, now=NOW, position=9, document=[1])
    assert (moved.query, moved.document) == (None, [1])
    page = acme.panels.page(SESSION, limit=1)
    assert [p.title for p in (*page.rows, *acme.panels.page(SESSION, after=page.next).rows)] == ["Plan", "Disks"]
    for wrong in ({}, {"query": "x", "document": 1}):
        with pytest.raises(RequestInvalid):
            acme.panels.create(SESSION, "Wrong", now=NOW, **wrong)
    acme.panels.remove(SESSION, "plan")
    with pytest.raises(RecordNotFound):
        acme.panels.get(SESSION, "plan")


def test_an_mcp_session_is_one_for_each_server(acme: TenantRecords):
    made = acme.mcp_sessions.put(SESSION, "files", "2025-06-18", context_data={"tools": ["read"]}, now=NOW)
    assert made.state == "active"
    changed = acme.mcp_sessions.put(SESSION, "files", "2025-11-25", state="closed", now=NOW + 1)
    assert (changed.context_data, changed.created_at) == ({"tools": ["read"]}, made.created_at)
    acme.mcp_sessions.put(SESSION, "mail", "2025-11-25", now=NOW)
    page = acme.mcp_sessions.page(SESSION, limit=1)
    assert [m.mcp_server_id for m in (*page.rows, *acme.mcp_sessions.page(SESSION, after=page.next).rows)] == [
        "files", "mail",
    ]  # fmt: skip
    assert (
        acme.mcp_sessions.page(SESSION, state="closed").rows == acme.mcp_sessions.of_server("files").rows == [changed]
    )
    acme.mcp_sessions.remove(SESSION, "files")
    with pytest.raises(RecordNotFound):
        acme.mcp_sessions.get(SESSION, "files")


def test_a_signal_is_taken_once_by_whom_it_is_for_and_in_time(acme: TenantRecords):
    post, take = acme.signals.post, acme.signals.take
    offer = post(SESSION, "offer", "ann", {"sdp": "v=0"}, now=NOW)
    post(SESSION, "ice", "ann", {"candidate": 1}, to_participant="cid", now=NOW)
    post(SESSION, "ice", "ann", {"candidate": 2}, now=NOW, kept_ms=5)
    assert [s.signal_type for s in acme.signals.untaken(SESSION, now=NOW)] == ["offer", "ice", "ice"]
    assert take(SESSION, "ann", now=NOW) == [], "nobody takes his own"
    (taken,) = take(SESSION, "bob", now=NOW + 6)
    assert (taken.id, taken.signal_data, taken.taken_at) == (offer.id, {"sdp": "v=0"}, "2023-11-14T22:13:20.006Z")
    assert take(SESSION, "bob", now=NOW + 6) == []
    assert [s.signal_data for s in take(SESSION, "cid", now=NOW + 6, signal_type="ice")] == [{"candidate": 1}]
    for wrong in ({"signal_type": "bye"}, {"kept_ms": 0}, {"signal_data": "x" * 70_000}, {"from_participant": ""}):
        with pytest.raises(RequestInvalid):
            post(**{"session_id": SESSION, "signal_type": "ice", "from_participant": "a", "signal_data": 1, "now": NOW,
                    **wrong})  # fmt: skip


def test_who_lists_sessions_waits_for_nobody_who_writes(acme: TenantRecords, store: Store):
    make_sessions(store, "a")
    with store.at_once():
        make_sessions(store, "b")
        seen: list[list[str]] = []
        known = Sessions(store)
        other = threading.Thread(target=lambda: seen.append([each.id for each in known.page("acme", None, None, 10)]))
        other.start()
        other.join(20)
        assert len(seen) == 1
        assert ("a" in seen[0], "b" in seen[0]) == (True, False)


def test_listeners_are_told_what_happens_in_the_order_of_the_commits(acme: TenantRecords, store: Store):
    begin = acme.events.newest()
    acme.participants.put(SESSION, "ann", now=NOW)
    said = acme.messages.post(SESSION, "hi", now=NOW, user_id="ann")
    acme.signals.post(SESSION, "offer", "ann", {"secret": 1}, now=NOW)
    acme.panels.create(SESSION, "Plan", document=1, now=NOW, panel_id="plan")
    acme.panels.update(SESSION, "plan", now=NOW, title="Plans")
    acme.panels.remove(SESSION, "plan")
    acme.events.append(SESSION, "execution", subject="ex_1", body={"status": "completed"}, now=NOW)
    acme.participants.leave(SESSION, "ann", now=NOW)
    told = acme.events.since(SESSION, begin)
    assert [(event.seq - begin, event.kind, event.body.get("change")) for event in told] == [
        (1, "join", None), (2, "message", None), (3, "signal", None), (4, "panel", "created"), (5, "panel", "updated"),
        (6, "panel", "removed"), (7, "execution", None), (8, "leave", None),
    ]  # fmt: skip
    assert told[1].body["id"] == said.id
    assert told[1].body["content"] == "hi"
    assert "secret" not in str(told[2].body)
    assert acme.events.since(SESSION, told[2].seq, 2) == told[3:5]
    acme.messages.remove(SESSION, said.id)
    assert acme.events.since(SESSION, begin)[1].body == {}
    with pytest.raises(SessionNotFound):
        acme.events.append("nowhere", "execution", now=NOW)
    with pytest.raises(RequestInvalid, match="session_id must be text, not list"):
        acme.events.append([], "execution", now=NOW)
    assert acme.events.forgotten() < begin + 1


def test_a_user_is_told_of_what_he_subscribed_to_while_he_takes_part(acme: TenantRecords, store: Store):
    make_sessions(store, "a", "b")
    for session_id in ("a", "b"):
        acme.participants.put(session_id, "ann", now=NOW)
        acme.panels.create(session_id, "Plan", document=1, now=NOW, panel_id="plan")
    for where, panel, told in ((SESSION, None, "no session that the user 'ann'"), ("a", "none", "no panel 'none'")):
        with pytest.raises(RecordNotFound, match=told):
            acme.subscriptions.add("ann", where, panel_id=panel, now=NOW)
    acme.subscriptions.add("ann", "a", now=NOW)
    acme.subscriptions.add("ann", "b", panel_id="plan", now=NOW)
    again = acme.subscriptions.add("ann", "a", now=NOW + 9)
    assert again.created_at == "2023-11-14T22:13:20.000Z"
    first = acme.subscriptions.of_user("ann", limit=1)
    rest = acme.subscriptions.of_user("ann", after=first.next)
    assert [(s.session_id, s.panel_id) for s in (*first.rows, *rest.rows)] == [("a", None), ("b", "plan")]
    assert [s.user_id for s in acme.subscriptions.of_session("a").rows] == ["ann"]
    begin = acme.events.newest()
    for session_id in (SESSION, "a", "b"):
        acme.messages.post(session_id, f"in {session_id}", now=NOW)
    acme.panels.update("b", "plan", now=NOW, position=3)
    told = acme.events.of_user("ann", begin)
    assert [(e.session_id, e.kind) for e in told] == [("a", "message"), ("b", "panel")]
    acme.participants.leave("a", "ann", now=NOW)
    assert [e.session_id for e in acme.events.of_user("ann", begin)] == ["b"]
    acme.subscriptions.remove("ann", "b", panel_id="plan")
    assert acme.events.of_user("ann", begin) == []
    with pytest.raises(RecordNotFound):
        acme.subscriptions.remove("ann", "b")


def test_preferences_are_kept_by_category_and_key(acme: TenantRecords):
    acme.users.create("ann", now=NOW)
    for key in ("font", "theme"):
        acme.preferences.put("ann", "ui", key, {"x": key}, now=NOW)
    acme.preferences.put("ann", "ui", "theme", "dark", now=NOW + 1)
    page = acme.preferences.page("ann", "ui", limit=1)
    assert [p.value for p in (*page.rows, *acme.preferences.page("ann", "ui", after=page.next).rows)] == [
        {"x": "font"}, "dark",
    ]  # fmt: skip
    assert acme.preferences.categories("ann") == ["ui"]
    assert acme.preferences.get("ann", "ui", "theme").value == "dark"
    acme.preferences.remove("ann", "ui", "font")
    for call in (acme.preferences.get, acme.preferences.remove):
        with pytest.raises(RecordNotFound):
            call("ann", "ui", "font")
    with pytest.raises(RecordNotFound):
        acme.preferences.put("nobody", "ui", "font", 1, now=NOW)


def test_a_sensitive_value_is_sealed_stored_and_masked_shown(acme: TenantRecords, store: Store):
    shown = acme.configuration.put("smtp.password", "hunter2", sensitive=True, now=NOW, description="of the relay")
    acme.configuration.put("smtp.host", ["a", 1], now=NOW)
    assert shown.value == MASK
    assert acme.configuration.get("smtp.password") == shown
    assert [entry.value for entry in acme.configuration.page().rows] == [["a", 1], MASK]
    assert acme.configuration.value("smtp.password") == "hunter2"
    assert acme.configuration.value("smtp.host") == ["a", 1]
    assert "hunter2" not in str(store.run("SELECT * FROM configuration"))
    acme.configuration.remove("smtp.host")
    with pytest.raises(RecordNotFound):
        acme.configuration.value("smtp.host")


def test_what_was_sealed_opens_with_its_key_and_at_its_place_alone(
    acme: TenantRecords, other: TenantRecords, store: Any
):
    acme.configuration.put("key", "hunter2", sensitive=True, now=NOW)
    assert TenantRecords(store, "acme", Seal(["n" * 43, "k" * 43])).configuration.value("key") == "hunter2"
    for keys in ([], ["n" * 43]):
        with pytest.raises(SecretMissing):
            TenantRecords(store, "acme", Seal(keys)).configuration.value("key")
    other.configuration.put("key", 1, now=NOW)
    store.run(
        "UPDATE configuration SET sensitive = 1, value = (SELECT value FROM configuration WHERE tenant = 'acme')"
        " WHERE tenant = 'other'"
    )
    with pytest.raises(SecretMissing, match="moved"):
        other.configuration.value("key")


def test_a_file_of_keys_is_read_and_a_wrong_one_is_refused(tmp_path: Any):
    path = tmp_path / "keys"
    for wrong in (None, "", "short\n"):
        if wrong is not None:
            path.write_text(wrong)
        with pytest.raises(RequestInvalid):
            Seal.of_file(str(path))
    path.write_text(f"{'n' * 43}\n\n{'k' * 43}\n")
    assert Seal.of_file(str(path)).hash("x") == Seal(["k" * 43]).hash("x")
    assert Seal.of_file(str(path)).open(Seal(["k" * 43]).seal("x", "here"), "here") == "x"


@pytest.mark.parametrize("wrong", [2**70, 1.5, b"x", [], {}, ("a",), {1, 2}], ids=repr)
def test_what_no_catalogue_can_be_asked_for_is_refused(acme: TenantRecords, wrong: Any):
    asked: tuple[Callable[[], object], ...] = (
        lambda: acme.users.get(wrong),
        lambda: acme.users.by_email(wrong),
        lambda: acme.workspaces.remove(wrong),
        lambda: acme.groups.members(wrong),
        lambda: acme.sessions.get(wrong),
        lambda: acme.panels.get(SESSION, wrong),
        lambda: acme.participants.page(wrong),
        lambda: acme.messages.page(wrong),
        lambda: acme.messages.page(since=wrong),
        lambda: acme.messages.post(SESSION, "hello", now=NOW, thread=wrong),
        lambda: acme.preferences.get("ann", "ui", wrong),
        lambda: acme.configuration.value(wrong),
        lambda: acme.signals.post(SESSION, "offer", "ann", {}, now=NOW, kept_ms=wrong),
    )
    for call in asked:
        with pytest.raises(RequestInvalid):
            call()


def test_a_time_in_seconds_is_refused_and_spoils_no_list(acme: TenantRecords):
    for call in (acme.sessions.update, acme.sessions.close, acme.sessions.reopen):
        with pytest.raises(RequestInvalid):
            call(SESSION, now=1_700_000_000.5)  # type: ignore[operator]
    with pytest.raises(RequestInvalid):
        acme.workspaces.create("north", now=1_700_000_000.5)  # type: ignore[arg-type]
    assert [place.id for place in acme.sessions.page().rows] == [SESSION]
