"""A catalogue comes from any form to any other, keeps what it holds, and says what it cannot do."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from postgres_cluster import Cluster

from codemode.catalog import migrating
from codemode.catalog.bound import BoundStore
from codemode.catalog.messages import Messages
from codemode.catalog.migrating import Migration, known, make_ready, migrate, read, roll_back, standing
from codemode.catalog.opening import connect, open_catalogue
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenants import Tenants
from codemode.errors import CatalogForm, RequestInvalid, SessionNewer

OLD = Path(__file__).with_name("catalog-0006.sql")  # made by the last codemode that recorded nothing but a number
NEXT = "CREATE TABLE later (x BIGINT)"


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A catalogue whose form may be changed: no other test has it afterwards."""
    server: Cluster | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    choice = "" if server is None else server.database("migrated")
    store = open_catalogue(choice, tmp_path)
    yield store
    store.close()
    if server is not None:
        server.drop(choice)


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """What the tables of form 6 hold."""
    tables = ("tenants", "sessions", "tokens", "participants", "audit", "background", "rates")
    return {each: sorted(store.run(f"SELECT * FROM {each}"), key=repr) for each in tables}


def old_file(folder: Path) -> Path:
    path = folder / "catalog.db"
    connection = sqlite3.connect(path)
    connection.executescript(OLD.read_text())
    connection.close()
    return path


def added(store: Store, monkeypatch: pytest.MonkeyPatch, *kinds: str) -> tuple[Migration, ...]:
    """Have this codemode know one more step of each of `kinds`."""
    steps, number = known(store.dialect), known(store.dialect)[-1].number
    for place, kind in enumerate(kinds, 1):
        up, down = NEXT.replace("later", f"later_{place}"), f"DROP TABLE later_{place}"
        steps += (Migration(number + place, f"later_{place}", kind, up, down),)  # type: ignore[arg-type]
    monkeypatch.setattr(migrating, "known", lambda _: steps)
    return steps


def test_what_an_older_codemode_left_goes_on_without_loss(tmp_path: Path) -> None:
    old = sqlite3.connect(old_file(tmp_path))
    columns = {
        table: ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
        for table in ("tenants", "sessions", "tokens", "participants", "audit", "audit_horizon", "background", "rates")
    }
    before = {table: old.execute(f"SELECT {names} FROM {table}").fetchall() for table, names in columns.items()}
    old.close()
    store = open_catalogue("", tmp_path)
    try:
        assert {table: store.run(f"SELECT {names} FROM {table}") for table, names in columns.items()} == before
        assert [each.number for each in standing(store).applied] == [each.number for each in known("sqlite")]
        assert [each.id for each in Sessions(store).page("acme", None, None, 9)] == ["chat"]
        roll_back(store, 6)
        assert {table: store.run(f"SELECT {names} FROM {table}") for table, names in columns.items()} == before
        assert store.run("PRAGMA user_version") == [(6,)], "and the codemode of then can open it again"
    finally:
        store.close()


def test_a_catalogue_is_migrated_from_every_form_up_and_down(store: Store) -> None:
    """Filled at its oldest form that this data fits in; each later one, and back, keeps what it holds."""
    first = known(store.dialect)[0].number
    roll_back(store, max(6, first))
    if store.dialect == "sqlite":
        dump = OLD.read_text()
        rows = [line for line in dump.splitlines() if line.startswith("INSERT") and "local',1795939621618" not in line]
        for line in sorted(rows, key=lambda line: ("tenants" not in line, '"sessions"' not in line)):
            if "participants" not in line or "'owner'" not in line:
                store.run(line.replace("INSERT", "INSERT OR IGNORE", 1))
    before = contents(store)
    columns = {table: len(rows[0]) for table, rows in before.items() if rows}
    for step in known(store.dialect):
        if step.number > 6:
            migrate(store, step.number)
            now = {table: sorted((row[: columns[table]] for row in rows), key=repr) for table, rows in
                   contents(store).items() if table in columns}  # fmt: skip
            assert now == {table: before[table] for table in columns}
    assert standing(store).pending == ()
    for step in reversed(known(store.dialect)):
        if step.number > max(6, first):
            roll_back(store, step.number - 1)
            assert standing(store).form == step.number - 1
            migrate(store)
            roll_back(store, step.number - 1)
    assert contents(store) == before
    roll_back(store, 0)
    assert standing(store).applied == ()
    make_ready(store)
    assert standing(store).pending == ()


def test_messages_are_found_by_their_words_in_every_form_that_has_an_index_of_them(tmp_path: Path) -> None:
    """In the form before, too: by the statement with which the codemode of then asks."""
    store = open_catalogue("", tmp_path)
    try:
        for tenant in ("acme", "other"):
            Tenants(store).make(tenant, 1)
            Sessions(store).create(tenant, "s", now=1, idle_ms=86_400_000, limits={})
        roll_back(store, 9)
        for place, tenant in enumerate(("other", "acme", "acme", "other")):
            store.run(
                "INSERT INTO messages (tenant, session_id, id, message_type, content, created_at)"
                " VALUES (?1, 's', ?2, 'chat', ?3, ?4)", tenant, f"m_{place}", f"disk {place}", place,
            )  # fmt: skip
        before = store.run("SELECT rowid FROM messages_text WHERE messages_text MATCH 'scope : t61636d65 AND disk'")
        migrate(store)
        found = Messages(BoundStore(store, "acme")).page(text="disk").rows
        assert [message.content for message in found] == ["disk 2", "disk 1"]
        ranges = store.run("SELECT tenant, newest_at, late_ms FROM search_ranges WHERE newest_at > 0 ORDER BY tenant")
        assert ranges == [("acme", 2, 0), ("other", 3, 0)]
        roll_back(store, 9)
        after = store.run("SELECT rowid FROM messages_text WHERE messages_text MATCH 'scope : t61636d65 AND disk'")
        assert before == after == [(2,), (3,)]
        migrate(store)
        assert len(Messages(BoundStore(store, "acme")).page(text="disk").rows) == 2
    finally:
        store.close()


def test_migrating_twice_does_nothing(store: Store) -> None:
    before = standing(store)
    assert migrate(store) == []
    make_ready(store)
    assert standing(store) == before


def test_two_at_once_migrate_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    added(store, monkeypatch, "additive", "additive")
    taken: list[Migration] = []
    threads = [threading.Thread(target=lambda: taken.extend(migrate(store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [each.name for each in taken] == ["later_1", "later_2"]


def test_a_step_that_fails_leaves_the_form_before_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = added(store, monkeypatch, "additive", "additive")
    broken = (*steps[:-1], replace(steps[-1], up=NEXT + "; INSERT INTO nowhere VALUES (1)"))
    monkeypatch.setattr(migrating, "known", lambda _: broken)
    with pytest.raises(Exception, match="nowhere"):
        migrate(store)
    assert standing(store).form == steps[-3].number


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE migrations SET checksum = 'other' WHERE number = 8", "8 .* was not applied as"),
        ("UPDATE migrations SET number = number + 1 WHERE number = (SELECT max(number) FROM migrations)", "go from"),
    ],
)
def test_what_cannot_have_come_of_these_steps_is_refused(store: Store, sql: str, message: str) -> None:
    if "number + 1" in sql and len(known(store.dialect)) == 1:
        sql = "UPDATE migrations SET number = number + 1"
    store.run(sql)
    with pytest.raises(CatalogForm, match=message):
        make_ready(store)


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    for number in (1, 3):
        for way in ("up", "down"):
            (tmp_path / f"000{number}_step.{way}.sql").write_text("-- additive\n")
    with pytest.raises(CatalogForm, match="their numbers are 1, 3"):
        read(tmp_path)


# Older code meets newer catalogues, and newer code older ones


def test_older_code_goes_on_with_what_was_added_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as newer:
        added(store, newer, "additive")
        migrate(store)
    with caplog.at_level(logging.WARNING, "codemode"):
        found = make_ready(store)
    assert [each.name for each in found.ahead] == ["later_1"]
    assert [record.message.count("later_1") for record in caplog.records] == [1]
    Sessions(store).create("local", "s", now=1, idle_ms=1, limits={})
    with pytest.raises(RequestInvalid, match="cannot go back"):
        roll_back(store, found.form - 1)


def test_older_code_is_kept_out_by_what_was_broken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        added(store, newer, "breaking", "additive")
        migrate(store)
    with pytest.raises(SessionNewer, match="later_1") as raised:
        make_ready(store)
    assert "upgrade codemode" in (raised.value.hint or "")


def test_newer_code_takes_additive_steps_and_waits_with_breaking_ones(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    steps = added(store, monkeypatch, "additive", "breaking", "additive")
    with caplog.at_level(logging.WARNING, "codemode"):
        found = make_ready(store)
        assert make_ready(store, "none").pending == found.pending
    assert [each.name for each in found.pending] == ["later_2", "later_3"]
    assert ["codemode db migrate" in record.message for record in caplog.records] == [True, True]
    assert make_ready(store, "all").form == steps[-1].number


def test_an_empty_catalogue_comes_to_the_newest_form(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    roll_back(store, 0)
    added(store, monkeypatch, "breaking")
    assert make_ready(store, "none").pending == ()


def test_what_a_pending_step_would_bring_is_not_called_damage(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(store, monkeypatch, "breaking")
    store.behind = bool(make_ready(store).pending)
    with pytest.raises(CatalogForm, match="later_1") as raised:
        store.run("SELECT x FROM later_1")
    assert "codemode db migrate" in (raised.value.hint or "")


def test_connecting_changes_no_form(tmp_path: Path) -> None:
    old_file(tmp_path)
    store = connect("", tmp_path)
    assert standing(store).form == 6
    store.close()
