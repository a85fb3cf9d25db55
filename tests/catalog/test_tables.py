"""The tables of tenants, tokens, sessions, audit and background executions: the same in every store."""

from __future__ import annotations

import pytest

from codemode.catalog.audit import Audit
from codemode.catalog.background import KEPT_MS, BackgroundExecutions
from codemode.catalog.entry import entry
from codemode.catalog.participants import Participants
from codemode.catalog.rates import Rates
from codemode.catalog.sessions import SessionRecord, Sessions
from codemode.catalog.store import RuleBroken, Store
from codemode.catalog.tenant import TenantRecords
from codemode.catalog.tenants import Tenants
from codemode.catalog.tokens import Tokens
from codemode.moments import iso
from codemode.values import Day

NOW = 1_790_000_000_000


@pytest.fixture
def store(empty: Store) -> Store:
    Tenants(empty).make("acme", NOW)
    return empty


def test_tenants_have_quotas(store: Store) -> None:
    tenants = Tenants(store)
    tenants.make("acme", NOW + 1)
    tenants.set_quotas("acme", {"sessions": 2})
    assert [(each.id, each.quotas) for each in tenants.all()] == [("acme", {"sessions": 2}), ("local", {})]
    assert tenants.get("acme").created_at == NOW


def test_tokens_are_found_listed_and_revoked(store: Store) -> None:
    tokens = Tokens(store)
    assert not tokens.any_made()
    secrets = {}
    for place, user in enumerate((None, "ann", "ann", "bob")):
        secret, token = tokens.create("acme", name=f"t{place}", scopes=("read",), user=user, now=NOW + place,
                                      expires_at=None if place else NOW + 100)  # fmt: skip
        secrets[token.name] = (secret, token.id)
    found = tokens.find(secrets["t1"][0], NOW)
    assert found is not None
    assert (found[0].user, found[1]) == ("ann", {})
    assert tokens.find(secrets["t0"][0], NOW + 100) is None
    assert (
        [each.name for each in tokens.all("acme")] == [each.name for each in tokens.all()] == ["t3", "t2", "t1", "t0"]
    )
    assert [each.name for each in tokens.page("acme", None, None, 2)] == ["t3", "t2"]
    assert [each.name for each in tokens.page("acme", None, secrets["t2"][1], 9)] == ["t1", "t0"]
    assert [each.name for each in tokens.page("acme", "ann", None, 9)] == ["t2", "t1"]
    assert not tokens.revoke_of("local", None, secrets["t1"][1], NOW)
    assert not tokens.revoke_of("acme", "bob", secrets["t1"][1], NOW)
    assert tokens.revoke_of("acme", "ann", secrets["t1"][1], NOW)
    assert [tokens.revoke(secrets["t2"][1], NOW) for _ in range(2)] == [True, False]
    assert tokens.find(secrets["t2"][0], NOW) is None
    tokens.used(secrets["t3"][1], NOW + 7)
    kept = tokens.get(secrets["t3"][1])
    assert kept is not None
    assert (kept.last_used_at, tokens.any_valid(NOW + 100)) == (NOW + 7, True)


def test_sessions_are_paged_by_their_last_use(store: Store) -> None:
    sessions = Sessions(store)
    for place in range(5):
        sessions.create("acme", f"s{place}", now=NOW + place // 2, idle_ms=1_000, limits={"rows": place}, owner="ann")
    assert [each.id for each in sessions.page("acme", None, None, 9)] == ["s4", "s3", "s2", "s1", "s0"]
    first = sessions.page("acme", None, None, 2)
    assert [each.id for each in first] == ["s4", "s3"]
    after = (first[-1].last_activity, first[-1].id)
    assert [each.id for each in sessions.page("acme", "ann", after, 2**62)] == ["s2", "s1", "s0"]
    assert sessions.page("acme", "bob", None, 9) == []
    sessions.touch("acme", "s0", NOW + 50)
    sessions.touch("acme", "s0", NOW)
    sessions.pin("acme", "s1", True, NOW)
    sessions.set_stateful("acme", "s1", True)
    sessions.set_limits("acme", "s1", {"rows": 9}, 5)
    record = sessions.get("acme", "s1")
    assert record is not None
    assert (record.pinned, record.stateful, record.limits, record.idle_ms) == (True, True, {"rows": 9}, 5)
    assert sessions.over(NOW + 999) == []
    late = NOW + 1_002
    assert sorted(each.id for each in sessions.over(late)) == ["s2", "s3", "s4"]
    assert (sessions.count("acme", late), sessions.counts(late)) == (2, (2, 1, 3))
    assert [each.id for each in sessions.page("acme", None, None, 9, status="active", now=late)] == ["s0", "s1"]
    assert sessions.page("acme", "ann", None, 9, type="plan", workspace_id="w", status="closed") == []
    assert sessions.keys() == sessions.keys("acme") == [("acme", f"s{place}") for place in range(5)]


def test_a_session_that_expired_is_remembered_and_made_anew(store: Store) -> None:
    sessions, participants = Sessions(store), Participants(store)
    sessions.create("acme", "s", now=NOW, idle_ms=1, limits={}, owner="ann")
    TenantRecords(store, "acme").participants.put("s", "bob", role="viewer", now=NOW)
    for _ in range(2):  # whoever comes second adds nothing
        sessions.expire("acme", "s", NOW + 5, [Day(day="2026-09-21", executions=3)])
    assert [(day.day, day.executions) for day in sessions.days("acme")] == [("2026-09-21", 3)]
    assert [each.id for each in sessions.expired(NOW, NOW + 6, 10)] == ["s"]
    sessions.create("acme", "s", now=NOW + 9, idle_ms=1, limits={}, owner="ann")
    record = sessions.get("acme", "s")
    assert record is not None
    assert (record.expired_at, record.created_at) == (None, NOW + 9)
    assert [each.user for each in participants.all("acme", "s")] == ["ann"]
    sessions.forget_expired("acme", "s", NOW + 10**10)
    assert sessions.ids("acme") == ["s"]
    sessions.forget("acme", "s", NOW)
    assert sessions.ids("acme") == ["s"], "it was made anew since then"
    sessions.forget("acme", "s", NOW + 9)
    assert sessions.get("acme", "s") is None


def test_a_session_is_put_just_so_with_its_participants(store: Store) -> None:
    sessions, participants = Sessions(store), Participants(store)
    record = SessionRecord("new", "s", NOW, NOW + 1, 5, True, {"rows": 1}, None, True, "ann")
    sessions.put(record)
    sessions.put(record)
    assert sessions.get("new", "s") == record
    put = TenantRecords(store, "new").participants.put
    for user in ("bob", "eve"):
        put("s", user, now=NOW)
    everybody = [each for each in participants.all("new", "s") if each.user != "ann"]
    assert participants.remove("new", "s", "eve", NOW + 3)
    assert not participants.remove("new", "s", "eve", NOW + 3)
    assert [sessions.reached("new", "s", user) for user in (None, "ann", "bob", "eve")] == [
        (record, "owner"), (record, "owner"), (record, "member"), None,
    ]  # fmt: skip
    assert sessions.reached("acme", "s", None) is None
    assert put("s", "eve", role="viewer", now=NOW + 9).joined_at == iso(NOW + 9)
    assert put("s", "bob", role="owner", now=NOW + 9).joined_at == iso(NOW)
    participants.replace("new", "s", everybody)
    assert participants.all("new", "s") == everybody


@pytest.mark.parametrize("empty", ["sqlite", "memory"], indirect=True)  # the stores that are near
def test_an_entry_is_what_a_token_and_a_session_are_apart(store: Store) -> None:
    """Whoever holds the token, whatever became of it, and whatever he is in the session."""
    tokens, sessions, participants = Tokens(store), Sessions(store), Participants(store)
    for tenant in ("new", "other"):
        Tenants(store).make(tenant, NOW)
    sessions.create("new", "s", now=NOW, idle_ms=5, limits={"rows": 1}, owner="ann")
    sessions.create("other", "t", now=NOW, idle_ms=5, limits={})
    put = TenantRecords(store, "new").participants.put
    put("s", "bob", role="viewer", now=NOW)
    put("s", "eve", now=NOW)
    participants.remove("new", "s", "eve", NOW)
    Tenants(store).set_quotas("new", {"sessions": 2})
    secrets = [
        tokens.create(tenant, name="", scopes=("execute",), user=user, now=NOW, expires_at=NOW + 9)[0]
        for tenant, user in [("new", None), *(("new", user) for user in ("ann", "bob", "eve", "joe")), ("other", "ann")]
    ]
    gone, token = tokens.create("new", name="", scopes=("read",), user=None, now=NOW, expires_at=None)
    tokens.revoke(token.id, NOW)
    roles = []
    for secret, at in [*((secret, NOW + 1) for secret in secrets), (secrets[0], NOW + 9), (gone, NOW), ("cm_", NOW)]:
        for session_id in ("s", "t", "nothing"):
            apart, found = tokens.find(secret, at), entry(store, secret, session_id, at)
            if apart is None:
                assert found is None
                continue
            reached = sessions.reached(apart[0].tenant, session_id, apart[0].user)
            assert found == (*apart, reached)
            roles.append(reached and reached[1])
    assert roles == [*["owner", None, None] * 2, "viewer", *[None] * 11]
    sessions.expire("new", "s", NOW + 5)
    known = entry(store, secrets[0], "s", NOW + 6)
    assert known is not None
    assert known.reached == sessions.reached("new", "s", None)


def test_a_rate_is_what_a_minute_fills(store: Store) -> None:
    rates = Rates(store)
    assert [rates.take("acme", 3, 1_000) for _ in range(4)] == [0, 0, 0, 20_000]
    assert rates.level("acme", 3, 11_000) == 0.5
    assert rates.take("acme", 3, 21_000) == 0
    assert rates.take("acme", 3, 20_990) > 0  # a process that looked at the clock before
    assert rates.level("acme", 3, 10**9) == rates.level("local", 3, 0) == 3.0


def test_the_audit_log_is_added_to_and_forgotten_by_its_age(store: Store) -> None:
    audit = Audit(store)
    audit.add(at=NOW, tenant="local", actor="x", action="x", resource="a\0b")
    assert audit.read()[0].resource == "a\ufffdb"
    assert audit.forget(NOW + 1) == 1
    for place in range(4):
        audit.add(at=NOW + 1 + place, tenant=("acme", "local")[place % 2], actor="x", action=str(place))
    assert [act.action for act in audit.read()] == ["3", "2", "1", "0"]
    newest = audit.read("acme")
    assert [act.action for act in newest] == ["2", "0"]
    assert [act.action for act in audit.read("acme", before=newest[0].id, limit=1)] == ["0"]
    for sql in ("UPDATE audit SET outcome = 'x'", "DELETE FROM audit WHERE action = '3'"):
        with pytest.raises(RuleBroken, match="only added to"):
            store.run(sql)
    assert [audit.forget(NOW + 3, most=1) for _ in range(3)] == [1, 1, 0]
    assert [act.action for act in audit.read()] == ["3", "2"]


def test_executions_in_the_background_are_known_until_an_hour_after_their_end(store: Store) -> None:
    background = BackgroundExecutions(store)
    for name, user in (("a", "ann"), ("b", None)):
        background.add(name, "acme", "s", user, NOW, service="one")
    assert {each.id for each in background.unfinished()} == {"a", "b"}
    background.ask_to_cancel("b")
    assert (background.asked_to_cancel("one"), background.asked_to_cancel("two")) == (["b"], [])
    background.finish("a", b"\x00first", NOW + 1)
    background.finish("a", b"second", NOW + 2)
    found = background.get("acme", "ann", "a", NOW + 3)
    assert found is not None
    assert (found.outcome, found.finished_at) == (b"\x00first", NOW + 1)
    assert background.get("acme", None, "b", NOW) is not None
    assert background.get("acme", "bob", "a", NOW) is background.get("local", None, "a", NOW) is None
    assert background.get("acme", None, "a", NOW + 2 + KEPT_MS) is None
    background.add("c", "acme", "s", None, NOW + 2 + KEPT_MS, service="one")
    assert [row[0] for row in store.run("SELECT id FROM background ORDER BY id")] == ["b", "c"]
