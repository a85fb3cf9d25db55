"""The figures that triggers keep are those that counting finds, whatever happens to the rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from places import NOW

from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.errors import CodemodeError

COUNTED = """
    SELECT (SELECT count(*) FROM users WHERE tenant = ?1 AND kind = 'agent' AND deleted_at IS NULL),
        (SELECT count(*) FROM users AS u WHERE tenant = ?1 AND kind = 'agent' AND deleted_at IS NULL AND EXISTS (
            SELECT 1 FROM participants AS p JOIN sessions AS s ON s.tenant = p.tenant AND s.id = p.session_id
            WHERE p.tenant = u.tenant AND p.user_id = u.id AND p.left_at IS NULL AND s.status = 'active')),
        (SELECT count(*) FROM users WHERE tenant = ?1 AND kind = 'human' AND deleted_at IS NULL),
        (SELECT count(*) FROM users WHERE tenant = ?1 AND deleted_at IS NULL),
        (SELECT count(*) FROM sessions WHERE tenant = ?1 AND expired_at IS NULL),
        (SELECT count(*) FROM panels WHERE tenant = ?1),
        (SELECT count(*) FROM messages WHERE tenant = ?1),
        (SELECT count(*) FROM workspaces WHERE tenant = ?1),
        (SELECT coalesce(sum(bytes), 0) FROM sessions WHERE tenant = ?1)
"""
FIGURES = ("agents", "active_agents", "people", "users", "sessions", "panels", "messages", "workspaces", "bytes")
IDS, PEOPLE = ("a", "b", "c"), ("ann", "bob", "cid", "dan")


def steps(store: Store, acme: TenantRecords, chance: random.Random) -> list[Callable[[], object]]:
    """Everything that can happen to what is counted, each on things drawn anew."""
    sessions = Sessions(store)

    def one() -> str:
        return chance.choice(IDS)

    def who() -> str:
        return chance.choice(PEOPLE)

    def now() -> int:
        return NOW + chance.randrange(1000)

    def where(table: str) -> str:
        return f"WHERE tenant = 'acme' AND session_id = '{one()}'" if table != "users" else f"WHERE id = '{who()}'"

    return [
        lambda: sessions.create(
            "acme", one(), now=now(), idle_ms=9, limits={}, owner=who() if chance.random() < 0.5 else None
        ),
        lambda: sessions.expire("acme", one(), now()),
        lambda: store.run("DELETE FROM sessions WHERE tenant = 'acme' AND id = ?", one()),
        lambda: acme.sessions.close(one(), now=now()),
        lambda: acme.sessions.reopen(one(), now=now()),
        lambda: store.run("UPDATE sessions SET executions = executions + 1, bytes = ? WHERE id = ?", now(), one()),
        lambda: acme.participants.put(one(), who(), now=now()),
        lambda: acme.participants.leave(one(), who(), now=now()),
        lambda: acme.users.create(who(), now=now(), kind=chance.choice(("human", "agent"))),
        lambda: acme.users.update(who(), now=now(), kind=chance.choice(("human", "agent"))),
        lambda: acme.users.remove(who(), now=now()),
        lambda: acme.users.take_back(who(), now=now()),
        lambda: store.run(f"DELETE FROM users {where('users')}"),
        lambda: acme.messages.post(one(), "hi", now=now(), user_id=who()),
        lambda: store.run(f"DELETE FROM messages {where('messages')}"),
        lambda: acme.panels.create(one(), f"{now()}", query="x", now=now()),
        lambda: store.run(f"DELETE FROM panels {where('panels')}"),
        lambda: acme.workspaces.create(f"{now()}", now=now()),
        lambda: acme.workspaces.remove(acme.workspaces.page(limit=1).rows[0].id),
    ]


@pytest.mark.parametrize("seed", range(2))
def test_figures_are_those_that_counting_finds(store: Store, acme: TenantRecords, other: TenantRecords, seed: int):
    chance = random.Random(seed)
    theirs = other.statistics.get()
    possible = steps(store, acme, chance)
    executions = 0
    for number in range(250):
        before = acme.statistics.get()
        step = chance.choice(possible)
        try:
            step()
        except (CodemodeError, IndexError):
            assert acme.statistics.get() == before
        (counted,) = store.run(COUNTED, "acme")
        found = acme.statistics.get()
        assert tuple(getattr(found, name) for name in FIGURES) == counted, (seed, number)
        assert found.executions >= executions
        executions = found.executions
    assert executions > 0
    assert other.statistics.get() == theirs


def test_the_view_has_the_names_of_the_page_and_the_totals(store: Store, acme: TenantRecords):
    acme.users.create("bot", now=NOW, kind="agent")
    acme.users.create("ann", now=NOW)
    acme.messages.post("s1", "hi", now=NOW)
    names = "agentCount, humanCount, sessionCount, panelCount, messageCount, workspaceCount, users, executions"
    assert store.run(f"SELECT {names} FROM statistics WHERE tenant = 'acme'") == [(1, 1, 1, 0, 1, 0, 2, 0)]


def test_a_tenant_takes_everything_with_it(store: Store, acme: TenantRecords):
    acme.messages.post("s1", "hi", now=NOW, user_id="ann")
    acme.panels.create("s1", "x", query="x", now=NOW)
    acme.workspaces.create("x", now=NOW)
    store.run("DELETE FROM tenants WHERE id = 'acme'")
    left: dict[str, Any] = {
        table: store.run(f"SELECT * FROM {table} WHERE tenant = 'acme'")
        for table in ("sessions", "users", "messages", "panels", "workspaces", "counters", "events", "participants")
    }
    assert not any(left.values()), left
    if store.dialect == "sqlite":
        assert store.run("SELECT rowid FROM messages_text") == []
