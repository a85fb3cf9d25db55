"""Users, workspaces and groups: made, listed, changed, removed; rules that hold; deleted users who can do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from places import NOW, SESSION

from codemode.catalog.seal import Seal
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.catalog.tokens import Tokens
from codemode.errors import RecordExists, RecordNotFound, RequestInvalid, SecretMissing
from codemode.moments import iso


def test_a_user_is_found_by_id_email_and_outside_id(acme: TenantRecords):
    made = acme.users.create("ann", now=NOW, email="Ann@Example.org", outside_id="auth0|1", metadata={"team": "db"})
    assert (
        made == acme.users.get("ann") == acme.users.by_email("ann@example.ORG") == acme.users.by_outside_id("auth0|1")
    )
    assert "auth0" not in str(made)


def test_an_email_and_an_outside_id_are_one_users_until_he_is_deleted(acme: TenantRecords, other: TenantRecords):
    acme.users.create("ann", now=NOW, email="a@b.c", outside_id="1")
    acme.users.create("bob", now=NOW)
    other.users.create("ann", now=NOW, email="a@b.c", outside_id="1")
    with pytest.raises(RecordExists, match="user 'ann'"):
        acme.users.create("ann", now=NOW, email="A@B.C")
    for taken, told in (({"email": "A@B.C"}, "e-mail address 'A@B.C'"), ({"outside_id": "1"}, "outside id")):
        with pytest.raises(RecordExists, match=told):
            acme.users.create("new", now=NOW, **taken)
        with pytest.raises(RecordExists, match=told):
            acme.users.update("bob", now=NOW, **taken)
    acme.users.remove("ann", now=NOW)
    assert acme.users.update("bob", now=NOW + 1, email="a@b.c", outside_id="1").email == "a@b.c"
    assert acme.users.by_email("a@b.c").id == "bob"


def test_an_update_changes_what_is_given_and_no_more(acme: TenantRecords):
    acme.users.create("ann", now=NOW, email="a@b.c", display_name="Ann")
    changed = acme.users.update("ann", now=NOW + 1, kind="agent", metadata={"v": 2})
    assert (changed.kind, changed.email, changed.display_name, changed.metadata) == ("agent", "a@b.c", "Ann", {"v": 2})
    assert acme.users.update("ann", now=NOW + 2, email=None).email is None
    assert acme.users.get("ann").updated_at > changed.updated_at


def test_a_deleted_user_can_do_nothing_and_stays_known(acme: TenantRecords, store: Store):
    acme.users.create("bot", now=NOW, kind="agent")
    secret, _ = Tokens(store).create("acme", name="", scopes=("read",), user="bot", now=NOW, expires_at=None)
    acme.participants.put(SESSION, "bot", now=NOW)
    group = acme.groups.create("crew", now=NOW)
    acme.groups.add(group.id, "bot", now=NOW)
    assert acme.users.remove("bot", now=NOW + 5).deleted_at is not None
    assert Tokens(store).find(secret, NOW + 6) is None
    assert Sessions(store).reached("acme", SESSION, "bot") is None
    assert acme.groups.members(group.id).rows == []
    assert acme.users.page().rows == []
    assert [user.id for user in acme.users.page(deleted=True).rows] == ["bot"]
    begins: list[Callable[[], object]] = [
        lambda: acme.users.remove("bot", now=NOW),
        lambda: acme.users.update("bot", now=NOW, display_name="x"),
        lambda: acme.groups.add(group.id, "bot", now=NOW),
        lambda: acme.preferences.put("bot", "ui", "theme", "dark", now=NOW),
        lambda: Tokens(store).create("acme", name="", scopes=("read",), user="bot", now=NOW, expires_at=None),
        lambda: acme.participants.put(SESSION, "bot", now=NOW),
        lambda: acme.messages.post(SESSION, "hi", user_id="bot", now=NOW),
    ]
    for begin in begins:
        with pytest.raises(RecordNotFound, match="'bot' was deleted"):
            begin()


def test_a_deleted_user_is_taken_back_without_what_was_revoked(acme: TenantRecords, store: Store):
    made = acme.users.create("ann", now=NOW, kind="agent", email="a@b.c", outside_id="1", metadata={"n": 1})
    secret, _ = Tokens(store).create("acme", name="", scopes=("read",), user="ann", now=NOW, expires_at=None)
    acme.participants.put(SESSION, "ann", now=NOW)
    figures = acme.statistics.get()
    acme.users.remove("ann", now=NOW + 1)
    back = acme.users.take_back("ann", now=NOW + 2)
    assert acme.users.take_back("ann", now=NOW + 3) == back == acme.users.by_email("a@b.c")
    assert msgspec.structs.replace(back, updated_at=made.updated_at) == made
    assert acme.statistics.get() == msgspec.structs.replace(figures, active_agents=figures.active_agents - 1)
    assert Tokens(store).find(secret, NOW + 3) is None
    assert Sessions(store).reached("acme", SESSION, "ann") is None
    acme.participants.put(SESSION, "ann", now=NOW + 4)
    assert acme.statistics.get() == figures
    with pytest.raises(RecordNotFound, match="no user 'nobody'"):
        acme.users.take_back("nobody", now=NOW)


@pytest.mark.parametrize(("field", "value"), [("email", "a@b.c"), ("outside_id", "1")])
def test_nobody_is_taken_back_whose_place_is_taken(acme: TenantRecords, field: str, value: str):
    acme.users.create("ann", now=NOW, email="a@b.c", outside_id="1")
    acme.users.remove("ann", now=NOW)
    acme.users.create("bob", now=NOW, **{field: value})
    with pytest.raises(RecordExists, match="another user has"):
        acme.users.take_back("ann", now=NOW)
    acme.users.update("bob", now=NOW, **{field: None})
    assert acme.users.take_back("ann", now=NOW).deleted_at is None


def test_whoever_is_named_is_a_user(acme: TenantRecords, store: Store):
    acme.participants.put(SESSION, "ann", role="viewer", now=NOW)
    Tokens(store).create("acme", name="", scopes=("read",), user="bob", now=NOW, expires_at=None)
    acme.messages.post(SESSION, "hi", now=NOW, user_id="cid")
    page = acme.users.page(limit=2)
    assert [user.id for user in page.rows] == ["ann", "bob"]
    assert [user.id for user in acme.users.page(after=page.next).rows] == ["cid"]


@pytest.mark.parametrize(
    "wrong", [{"kind": "robot"}, {"email": "x"}, {"email": "a b@c"}, {"display_name": "x" * 201}, {"user_id": "\n"}]
)
def test_what_no_user_can_be_is_refused(acme: TenantRecords, wrong: dict[str, Any]):
    with pytest.raises(RequestInvalid):
        acme.users.create(**{"now": NOW, **wrong})


CHANGES: dict[str, Callable[[TenantRecords, Any], Any]] = {
    "a user made": lambda of, now: of.users.create("bob", now=now),
    "a user changed": lambda of, now: of.users.update("ann", now=now),
    "a user deleted": lambda of, now: of.users.remove("ann", now=now),
    "a workspace": lambda of, now: of.workspaces.create("w", now=now),
    "a workspace changed": lambda of, now: of.workspaces.update("w1", now=now),
    "a member": lambda of, now: of.groups.add("g1", "ann", now=now),
    "a session changed": lambda of, now: of.sessions.update(SESSION, now=now, type="chat"),
    "a session closed": lambda of, now: of.sessions.close(SESSION, now=now),
    "a participant": lambda of, now: of.participants.put(SESSION, "ann", now=now),
    "one who leaves": lambda of, now: of.participants.leave(SESSION, "ann", now=now),
    "a message": lambda of, now: of.messages.post(SESSION, "hi", now=now),
    "a panel": lambda of, now: of.panels.create(SESSION, "t", query="SELECT 1", now=now),
    "a panel changed": lambda of, now: of.panels.update(SESSION, "p1", now=now),
    "an MCP session": lambda of, now: of.mcp_sessions.put(SESSION, "m", "1", now=now),
    "a subscription": lambda of, now: of.subscriptions.add("ann", SESSION, now=now),
    "an event": lambda of, now: of.events.append(SESSION, "seen", now=now),
    "a signal taken": lambda of, now: of.signals.take(SESSION, "ann", now=now),
    "a preference": lambda of, now: of.preferences.put("ann", "ui", "theme", 1, now=now),
    "a setting": lambda of, now: of.configuration.put("k", 1, now=now),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("now", ["2026-11-30T08:00:00Z", None, -(10**15), 10**5000], ids=["text", "none", "-", "+"])
def test_a_time_that_no_record_could_show_is_refused_before_it_is_kept(acme: TenantRecords, change: str, now: Any):
    acme.users.create("ann", now=NOW)
    acme.workspaces.create("home", record_id="w1", now=NOW)
    acme.groups.create("all", record_id="g1", now=NOW)
    acme.participants.put(SESSION, "ann", now=NOW)
    acme.panels.create(SESSION, "t1", query="SELECT 1", panel_id="p1", now=NOW)
    with pytest.raises(RequestInvalid, match="a time is whole milliseconds since 1970"):
        CHANGES[change](acme, now)
    assert [user.updated_at for user in acme.users.page().rows] == [iso(NOW)]
    assert CHANGES[change](acme, NOW + 1) is not None


def test_without_a_key_there_are_no_outside_ids(store: Store):
    with pytest.raises(SecretMissing, match="secret_keys_file"):
        TenantRecords(store, "acme", Seal()).users.create(now=NOW, outside_id="x")


@pytest.mark.parametrize("kind", ["workspaces", "groups"])
def test_workspaces_and_groups_have_names_of_their_own(acme: TenantRecords, kind: str):
    records: Any = getattr(acme, kind)
    first = records.create("north", now=NOW, metadata={"a": 1})
    second = records.create("south", now=NOW, record_id="s", description="where it is warm")
    assert records.page(limit=1).next is not None
    assert {each.id for each in records.page().rows} == {first.id, "s"}
    for taken, told in (({"name": "north", "record_id": "n"}, "'north'"), ({"name": "west", "record_id": "s"}, "'s'")):
        with pytest.raises(RecordExists, match=told):
            records.create(now=NOW, **taken)
    with pytest.raises(RecordExists):
        records.update("s", now=NOW, name="north")
    assert records.update("s", now=NOW + 1, name="west").description == second.description
    records.remove("s")
    for gone in (records.get, records.remove):
        with pytest.raises(RecordNotFound):
            gone("s")


def test_members_of_a_group_are_users_of_the_tenant(acme: TenantRecords, other: TenantRecords):
    group = acme.groups.create("crew", now=NOW)
    other.users.create("eve", now=NOW)
    for name in ("ann", "bob"):
        acme.users.create(name, now=NOW)
        acme.groups.add(group.id, name, now=NOW)
    assert acme.groups.add(group.id, "ann", now=NOW + 9).joined_at == "2023-11-14T22:13:20.000Z"
    for where, told in ((group.id, "no user 'eve'"), ("none", "no group 'none'")):
        with pytest.raises(RecordNotFound, match=told):
            acme.groups.add(where, "eve", now=NOW)
    page = acme.groups.members(group.id, limit=1)
    assert [page.rows[0].user_id, *(m.user_id for m in acme.groups.members(group.id, after=page.next).rows)] == [
        "ann", "bob",
    ]  # fmt: skip
    assert [m.group_id for m in acme.groups.of_user("ann").rows] == [group.id]
    acme.groups.remove_member(group.id, "ann")
    with pytest.raises(RecordNotFound):
        acme.groups.remove_member(group.id, "ann")
