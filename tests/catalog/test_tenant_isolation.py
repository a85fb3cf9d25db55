"""Another tenant's ids lead nowhere: every public method of every kind of record finds nothing and changes nothing."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest
from places import NOW, SESSION
from postgres_cluster import Cluster

from codemode.catalog.bound import BoundStore
from codemode.catalog.dialect import Pair
from codemode.catalog.events import Told
from codemode.catalog.pages import Page
from codemode.catalog.store import RuleBroken, Store
from codemode.catalog.tenant import TenantRecords
from codemode.errors import RecordExists, RecordNotFound, SessionNotFound
from codemode.values.records import Statistics

# What a parameter is called with: ids that are another tenant's, and values that are right.
THEIRS: dict[str, Any] = {
    "session_id": "theirs", "panel_id": "panel", "mcp_server_id": "server", "user_id": "eve",
    "category": "ui", "of_user": "eve",
    "record_id": "record", "group_id": "record", "message_id": "message", "email": "eve@b.c", "outside_id": "outside",
    "participant": "eve", "from_participant": "eve", "workspace_id": "record", "thread": "message",
    "key": "key", "now": NOW, "seq": 0, "title": "x", "query": "x", "content": "x", "name": "x", "kind": "agent",
    "mcp_version": "1", "signal_type": "ice", "signal_data": 1, "value": 1, "role": "viewer", "state": "active",
    "told": [Told("theirs", "x", NOW)],
}  # fmt: skip
MAKES = {"users.create", "workspaces.create", "groups.create", "configuration.put"}  # of its own, whatever others have
NOTHING = (None, [], 0, Page([], None), Statistics(**dict.fromkeys(Statistics.__struct_fields__, 0)))


NOUNS = {noun: type(door) for noun, door in vars(TenantRecords(Mock(), "acme")).items() if noun != "store"}


@pytest.fixture
def theirs(acme: TenantRecords, other: TenantRecords, store: Store) -> TenantRecords:
    """A tenant with one of everything, under the ids above; `acme` has no session of that id."""
    store.run(
        "INSERT INTO sessions (tenant, id, created_at, last_activity, idle_ms) VALUES ('other', 'theirs', ?, ?, 1000)",
        NOW, NOW,
    )  # fmt: skip
    other.users.create("eve", now=NOW, kind="human", email="eve@b.c", outside_id="outside")
    other.workspaces.create("north", now=NOW, record_id="record")
    other.groups.create("crew", now=NOW, record_id="record")
    other.groups.add("record", "eve", now=NOW)
    other.participants.put("theirs", "eve", now=NOW)
    other.panels.create("theirs", "Plan", document=1, now=NOW, panel_id="panel")
    message = other.messages.post("theirs", "hi", user_id="eve", now=NOW)
    store.run("UPDATE messages SET id = 'message' WHERE id = ?", message.id)
    other.mcp_sessions.put("theirs", "server", "1", now=NOW)
    other.signals.post("theirs", "ice", "ann", 1, now=NOW)
    other.subscriptions.add("eve", "theirs", now=NOW)
    other.preferences.put("eve", "ui", "key", 1, now=NOW)
    other.configuration.put("key", 1, now=NOW)
    return other


TABLES = Pair(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%tenant %TEXT%'",
    "SELECT table_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name"
    " WHERE schemaname = 'public' AND column_name = 'tenant'",
)


def everything(store: Store, tenant: str) -> dict[str, Any]:
    tables = [name for (name,) in store.run(TABLES.of(store.dialect))]
    assert "messages" in tables
    return {table: store.run(f"SELECT * FROM {table} WHERE tenant = ? ORDER BY 1, 2, 3", tenant) for table in tables}


def arguments(method: Callable[..., Any], *, also_optional: bool) -> tuple[list[Any], dict[str, Any]]:
    positional, named = [], {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.default is not inspect.Parameter.empty and not (also_optional and name in THEIRS):
            continue
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            named[name] = THEIRS[name]
        else:
            positional.append(THEIRS[name])
    return positional, named


@pytest.mark.parametrize("noun", NOUNS)
def test_another_tenants_ids_lead_nowhere(store: Store, acme: TenantRecords, theirs: TenantRecords, noun: str):
    names = [name for name, _ in inspect.getmembers(NOUNS[noun], inspect.isfunction) if not name.startswith("_")]
    assert names
    makes = [name for name in names if f"{noun}.{name}" in MAKES]
    before = everything(store, "other"), everything(store, "acme")
    for name, also_optional in product([name for name in names if name not in makes], (False, True)):
        found = asked(acme, noun, name, also_optional=also_optional)
        assert found in NOTHING or "theirs" not in str(found), name
    assert (everything(store, "other"), everything(store, "acme")) == before
    for name, also_optional in product(makes, (False, True)):
        asked(acme, noun, name, also_optional=also_optional)
    assert everything(store, "other") == before[0]


def asked(acme: TenantRecords, noun: str, name: str, *, also_optional: bool) -> Any:
    method = getattr(getattr(acme, noun), name)
    positional, named = arguments(method, also_optional=also_optional)
    if (noun, name) == ("panels", "create"):
        named["query"] = "x"  # or a document
    if (noun, name) == ("users", "page"):
        named.pop("outside_id", None)  # or an email
    try:
        return method(*positional, **named)
    except (RecordNotFound, RecordExists, SessionNotFound):
        return None


def test_what_is_not_there_takes_the_statements_that_anothers_takes(
    store: Store, acme: TenantRecords, theirs: TenantRecords, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    for name in ("run", "look"):
        plain = getattr(BoundStore, name)
        monkeypatch.setattr(
            BoundStore, name, lambda self, sql, *params, plain=plain: (asked.append(sql), plain(self, sql, *params))[1]
        )
    seen = []
    for session_id, record_id in (("theirs", "message"), ("nowhere", "nothing")):
        calls: list[Callable[[], object]] = [
            partial(acme.messages.get, session_id, record_id),
            partial(acme.messages.post, session_id, "hi", now=NOW),
            partial(acme.panels.update, session_id, record_id, now=NOW, title="x"),
            partial(acme.sessions.get, session_id),
        ]
        for call in calls:
            with pytest.raises((RecordNotFound, SessionNotFound)):
                call()
        seen.append(tuple(asked))
        asked.clear()
    assert seen[0] == seen[1]


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT ?12", "SELECT * FROM users WHERE tenant = ?2"])
def test_a_statement_without_the_tenant_never_reaches_the_store(store: Store, sql: str):
    with pytest.raises(AssertionError):
        BoundStore(store, "acme").run(sql, 1)


def test_a_row_never_hangs_on_another_tenants_session(store: Store, theirs: TenantRecords):
    for table, columns, values in (
        ("messages", "id, message_type, content, created_at", "'x', 'chat', 'x', 1"),
        ("panels", "id, title, kind, query, created_at, updated_at", "'x', 'x', 'x', 'x', 1, 1"),
        ("mcp_sessions", "mcp_server_id, mcp_version, created_at, updated_at", "'x', 'x', 1, 1"),
        (
            "signals",
            "id, signal_type, from_participant, signal_data, created_at, expires_at",
            "'x', 'ice', 'x', '1', 1, 2",
        ),
        ("events", "seq, kind, body, at", "99, 'x', '{}', 1"),
        ("participants", "user_id, role, joined_at", "'x', 'member', 1"),
        ("subscriptions", "user_id, created_at", "'eve', 1"),
    ):
        sql = f"INSERT INTO {table} (tenant, session_id, {columns}) VALUES ('acme', 'theirs', {values})"
        with pytest.raises(RuleBroken, match=r"(?i)foreign key"):
            store.run(sql)
    with pytest.raises(RuleBroken, match=r"(?i)foreign key"):
        store.run("UPDATE sessions SET workspace_id = 'record' WHERE tenant = 'acme' AND id = ?", SESSION)


# PostgreSQL's own wall, where a statement's condition is wrong


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("how", ["run", "look"])
def test_a_statement_that_forgets_its_condition_finds_nothing_of_others(
    store: Store, acme: TenantRecords, theirs: TenantRecords, how: str
):
    """It names its tenant, so that it may run at all, and then asks for everything."""
    for table in everything(store, "other"):
        rows = getattr(acme.store, how)(f"SELECT tenant FROM {table} WHERE ?1 = ?1")
        assert {row[0] for row in rows} <= {"acme"}, table
    assert [row[0] for row in acme.store.look("SELECT id FROM tenants WHERE ?1 = ?1")] == ["acme"]


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_statement_that_forgets_its_condition_changes_nothing_of_others(
    store: Store, acme: TenantRecords, theirs: TenantRecords
):
    before = everything(store, "other")
    for table in ("messages", "participants", "panels", "users", "tokens", "sessions", "audit", "background"):
        acme.store.run(f"DELETE FROM {table} WHERE ?1 = ?1")
    acme.store.run("UPDATE configuration SET value = '2' WHERE ?1 = ?1")
    assert everything(store, "other") == before
    for sql in (
        "INSERT INTO workspaces (tenant, id, name, created_at, updated_at) SELECT 'other', ?1, ?1, 1, 1",
        "INSERT INTO users (tenant, id, created_at, updated_at) SELECT 'other', ?1, 1, 1",
    ):
        with pytest.raises(RuleBroken) as raised:
            acme.store.run(sql)
        assert raised.value.kind == "tenant"


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_every_table_with_a_tenant_has_its_policy(store: Store):
    sql = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    assert {*everything(store, "other"), "tenants", "message_words"} == {name for (name,) in store.run(sql)}


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("sought", ["", "'hi'", "'hi' | 't other'", "'t other'", "!'x'", "'x') | ('hi'"])
def test_a_search_finds_nothing_of_others_whatever_it_says(
    store: Store, acme: TenantRecords, theirs: TenantRecords, sought: str
):
    mine = acme.messages.post(SESSION, "hi", now=NOW)
    found: list[Any] = []
    with suppress(Exception) if ")" in sought else nullcontext():  # that is no query, whatever is put around it
        found = acme.store.seeking(sought).look("SELECT words FROM message_words WHERE ?1 = ?1")
    assert all("'t acme'" in words for (words,) in found)
    assert [each.id for each in acme.messages.page(text="hi").rows] == [mine.id]
    assert len(store.run("SELECT 1 FROM message_words")) == 2


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_whoever_sets_no_tenant_sees_nothing(store: Store, theirs: TenantRecords, postgres: Cluster):
    import psycopg

    with psycopg.connect(postgres.address(postgres.own)) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_one_tenant_s_block_does_not_make_another_wait(store: Store, acme: TenantRecords, other: TenantRecords):
    """A file has one writer, whoever it is; a server has as many as there are tenants."""
    with acme.store.at_once():
        acme.store.run("UPDATE sessions SET pinned = 1 WHERE tenant = ?1")
        done = threading.Event()

        def write() -> None:
            with other.store.at_once():
                other.store.run("UPDATE sessions SET pinned = 1 WHERE tenant = ?1")
            done.set()

        thread = threading.Thread(target=write)
        thread.start()
        assert done.wait(20)
        thread.join()
