"""What the catalogue forgets, when, and what it keeps: rows by their rules, sessions with all that was said in them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import soon
from places import NOW, SESSION

from codemode import Settings, Worker
from codemode.catalog import retention
from codemode.catalog.audit import Audit
from codemode.catalog.promotion import Promotion
from codemode.catalog.retention import RULES, Retention
from codemode.catalog.sessions import REMEMBER_MS, Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.catalog.tenants import Tenants
from codemode.catalog.tokens import Tokens
from codemode.database.clock import now_ms
from codemode.errors import RecordNotFound, RequestInvalid, StorageFull
from codemode.session.telling import Telling

AGE = {rule.what: rule.age_ms for rule in RULES}


def a_tenant_without_sessions(store: Store, acme: TenantRecords) -> None:
    Tenants(store).make("old", NOW)
    Tenants(store).remove("old", now=NOW)


# What → how one comes to be at NOW that is due once its age has passed.
MADE: dict[str, Callable[[Store, TenantRecords], object]] = {
    "events": lambda store, acme: [acme.events.append(SESSION, "execution", now=NOW) for _ in range(5)],
    "signals": lambda store, acme: acme.signals.post(SESSION, "ice", "ann", 1, now=NOW - 1, kept_ms=1),
    "outcomes of background executions": lambda store, acme: store.run(
        "INSERT INTO background (id, tenant, session_id, started_at, finished_at) VALUES ('e', 'acme', ?1, ?2, ?2)",
        SESSION, NOW,
    ),
    "participants who left": lambda store, acme: (
        acme.participants.put(SESSION, "ann", now=NOW), acme.participants.leave(SESSION, "ann", now=NOW),
    ),
    "deleted users": lambda store, acme: (acme.users.create("ann", now=NOW), acme.users.remove("ann", now=NOW)),
    "deleted tenants": a_tenant_without_sessions,
}  # fmt: skip


@pytest.mark.parametrize("what", AGE)
def test_rows_go_in_batches_once_they_are_old_enough(
    store: Store, acme: TenantRecords, what: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention, "BATCH", 2)
    MADE[what](store, acme)
    kept = Retention(store, tuple(rule for rule in RULES if rule.what == what))
    assert kept.due(NOW + AGE[what]) == kept.sweep(NOW + AGE[what]) == {what: 0}
    due = kept.due(NOW + AGE[what] + 1)
    assert due[what] > 0
    assert kept.sweep(NOW + AGE[what] + 1) == due
    assert kept.due(NOW + AGE[what] + 1) == {what: 0}


def test_a_user_who_is_gone_leaves_what_he_said_and_did_to_nobody(store: Store, acme: TenantRecords):
    said = acme.messages.post(SESSION, "hi", now=NOW, user_id="ann")
    Tokens(store).create("acme", name="", scopes=("read",), user="ann", now=NOW, expires_at=None)
    Audit(store).add(at=NOW, tenant="acme", actor="tok", action="execute", user_id="ann", new_values={"a": 1})
    with pytest.raises(Exception, match="only added to"):
        store.run("UPDATE audit SET user_id = NULL")
    acme.users.remove("ann", now=NOW)
    Retention(store).sweep(NOW + AGE["deleted users"] + 1)
    with pytest.raises(RecordNotFound):
        acme.users.get("ann")
    assert acme.messages.get(SESSION, said.id).user_id is None
    (act,) = Audit(store).read("acme")
    assert (act.user_id, act.new_values, act.action) == (None, {"a": 1}, "execute")
    assert Tokens(store).all("acme") == []
    with pytest.raises(Exception, match="only added to"):
        store.run("UPDATE audit SET outcome = 'x'")


def test_a_deleted_tenant_gets_no_token_until_that_is_taken_back(store: Store, acme: TenantRecords):
    tenants, tokens = Tenants(store), Tokens(store)
    secret, _ = tokens.create("acme", name="", scopes=("read",), user=None, now=NOW, expires_at=None)
    described = tenants.describe("acme", now=NOW, name="Acme", plan="pro")
    assert (described.name, described.plan) == ("Acme", "pro")
    with pytest.raises(RequestInvalid):
        tenants.describe("acme", now=NOW, plan="gold")
    assert tenants.remove("acme", now=NOW + 1).deleted_at == NOW + 1
    assert tokens.find(secret, NOW + 2) is None
    with pytest.raises(RequestInvalid, match="deleted"):
        tenants.make("acme", NOW)
    Retention(store).sweep(NOW + AGE["deleted tenants"] + 2)
    assert tenants.take_back("acme", now=NOW).deleted_at is None, "it has a session, so it was not forgotten"
    tenants.make("acme", NOW)


def test_what_was_said_in_an_expired_session_stays_for_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s").run("helpers.db.exec('CREATE TABLE t (x)')")
        said = [worker.of().messages.post("s", f"hi {n}", now=now_ms()) for n in range(5)]
        assert worker.statistics().executions == 1
        assert worker.statistics().bytes > 0
        worker.registry.catalog.expire("local", "s", now_ms() - REMEMBER_MS + 60_000)
        assert worker.due().rows["records of expired sessions"] == 0
        worker.sweep()
        assert len(worker.of().messages.page("s").rows) == 5
        assert worker.of().messages.get("s", said[0].id) == said[0]
        assert (worker.statistics().bytes, worker.statistics().sessions, worker.statistics().messages) == (0, 0, 5)
        worker.registry.catalog.forget("local", "s", 0)
        worker.session("s")
        for n in range(5):
            worker.of().messages.post("s", f"hi {n}", now=now_ms())
        worker.registry.catalog.expire("local", "s", now_ms() - REMEMBER_MS - 1)
        assert worker.due().rows["records of expired sessions"] == 1
        assert worker.sweep() == []
        figures = worker.statistics()
        assert (figures.messages, figures.sessions, figures.executions) == (0, 0, 1)
        assert worker.sessions() == []


def test_a_session_made_anew_begins_without_what_was_said_in_it(store: Store, acme: TenantRecords):
    acme.messages.post(SESSION, "hi", now=NOW, user_id="ann")
    acme.panels.create(SESSION, "x", query="x", now=NOW)
    acme.mcp_sessions.put(SESSION, "files", "1", now=NOW)
    new = acme.sessions.get(SESSION)
    acme.sessions.update(SESSION, now=NOW, type="probe", metadata={"a": 1}, mcp_client_id="c")
    acme.sessions.close(SESSION, now=NOW)
    sessions = Sessions(store)
    sessions.expire("acme", SESSION, NOW)
    assert len(acme.messages.page(SESSION).rows) == 1
    sessions.create("acme", SESSION, now=NOW + 1, idle_ms=1, limits={})
    left: list[Any] = [
        *acme.messages.page(SESSION).rows, *acme.panels.page(SESSION).rows, *acme.mcp_sessions.page(SESSION).rows,
        *acme.events.since(SESSION, 0),
    ]  # fmt: skip
    assert left == []
    anew = acme.sessions.get(SESSION)
    for field in ("type", "metadata", "status", "workspace_id", "mcp_client_id", "connected_at", "closed_at"):
        assert getattr(anew, field) == getattr(new, field), field


def test_a_worker_keeps_records_for_the_days_of_its_settings(tmp_path: Path):
    with Worker(data_dir=tmp_path, settings=Settings(record_days=2)) as worker:
        worker.session("s")
        worker.registry.catalog.expire("local", "s", now_ms() - 3 * 86_400_000)
        worker.sweep()
        assert worker.sessions() == []


@pytest.mark.parametrize(
    ("promotion", "notes", "pinned"),
    [
        (Promotion(executions=5), [(3, 10), (3, 10)], [False, True]),
        (Promotion(size_bytes=1_000), [(9, 999), (1, 1_000)], [False, True]),
        (Promotion(size_bytes=1_000, executions=5), [(9, 10)], [True]),
        (None, [(10**6, 10**9)], [False]),
    ],
    ids=["executions", "bytes", "either", "none"],
)
def test_a_session_is_pinned_by_the_use_that_brings_it_to_a_threshold(
    store: Store, promotion: Promotion | None, notes: list[tuple[int, int]], pinned: list[bool]
):
    sessions, key = Sessions(store), ("acme", SESSION)
    found = []
    for note in notes:
        sessions.note_uses({key: note, ("acme", "gone"): note}, promotion)
        found.append(sessions.get(*key).pinned)
    assert found == pinned
    promoted = [act for act in Audit(store).read("acme") if act.action == "promote_session"]
    assert [act.resource for act in promoted] == [SESSION] * pinned[-1]
    if pinned[-1]:
        assert promoted[0].new_values["executions"] == sum(executions for executions, _ in notes)
        sessions.pin(*key, False, NOW)
        sessions.note_uses({key: notes[-1]}, promotion)
        assert not sessions.get(*key).pinned, "whoever unpins it means it"


def test_a_worker_promotes_by_its_settings(tmp_path: Path):
    with Worker(data_dir=tmp_path, settings=Settings(promote_bytes=100_000)) as worker:
        worker.session("large").exec("CREATE TABLE t AS SELECT zeroblob(200000)")
        worker.session("small").exec("CREATE TABLE t (x)")
        worker.statistics()
        assert {each.id: each.pinned for each in worker.sessions()} == {"large": True, "small": False}


def test_an_execution_is_answered_where_no_thread_can_be_had_and_told_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    start = threading.Thread.start

    def none(thread: threading.Thread) -> None:
        if thread.name == "codemode-soon":
            raise RuntimeError("can't start new thread")
        start(thread)

    with Worker(data_dir=tmp_path) as worker, Worker(data_dir=tmp_path) as other:
        worker.registry.telling.listened()
        session = worker.session("a")
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", none)
            assert [session.run("1").ok for _ in range(3)] == [True] * 3
        assert session.run("1").ok
        assert soon(lambda: (other.statistics().executions, other.of("local").events.newest()) == (4, 4))


def test_events_of_executions_wait_for_a_catalogue_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    write = Telling._write

    def full(*_: object) -> None:
        raise StorageFull("no room")

    with Worker(data_dir=tmp_path) as worker, Worker(data_dir=tmp_path) as other:
        worker.registry.telling.listened()
        session = worker.session("a")
        monkeypatch.setattr(Telling, "_write", full)
        ran = [session.run("1").execution_id]
        worker.registry.telling.flush()
        ran.append(session.run("1").execution_id)
        worker.registry.telling.flush()
        assert [record.getMessage() for record in caplog.records] == ["1 events cannot be told, and wait: no room"]
        monkeypatch.setattr(Telling, "_write", write)
        assert soon(lambda: [event.subject for event in other.of("local").events.since("a", 0)] == ran)


def test_executions_are_counted_once_whoever_asks(tmp_path: Path):
    with Worker(data_dir=tmp_path) as worker:
        for session_id in ("a", "a", "b"):
            worker.session(session_id).run("1")
        assert worker.statistics().executions == 3
    with Worker(data_dir=tmp_path) as worker:
        worker.session("a").run("1")
        worker.remove("a")
        assert worker.statistics().executions == 4


def test_bytes_are_counted_whichever_way_a_database_comes_or_shrinks(tmp_path: Path):
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("a")
        session.exec("CREATE TABLE t (x)")
        session.batch_insert("t", [{"x": "x" * 1_000} for _ in range(500)])
        session.fork("b")
        assert worker.statistics().bytes > 1_000_000
        session.exec("DROP TABLE t")
        session.compact()
        assert 500_000 < worker.statistics().bytes < 700_000
        worker.backup(tmp_path / "b.zip", "b")
        worker.remove("b")
        worker.restore(tmp_path / "b.zip", "b")
        assert 500_000 < worker.statistics().bytes < 700_000


def test_what_a_busy_worker_ran_is_known_to_others_soon_and_a_full_disk_loses_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise StorageFull("no space")

    with Worker(data_dir=tmp_path) as worker, Worker(data_dir=tmp_path) as other:
        session = worker.session("a")
        for _ in range(3):  # the later ones within a second of the first, which notes the session's use
            session.run("1")
        assert soon(lambda: other.statistics().executions == 3)
        with monkeypatch.context() as patched:
            patched.setattr(worker.registry.catalog, "note_uses", full)
            session.run("1")
            with pytest.raises(StorageFull):
                worker.statistics()
        assert worker.statistics().executions == 4
