"""A catalogue comes from any form to any other, keeps what it holds, and says what it cannot do."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forms import FILLED, fill
from msgspec.structs import replace
from postgres_cluster import Cluster

from codemode.catalog import dialect, migrating
from codemode.catalog.bound import BoundStore
from codemode.catalog.dialect import Pair
from codemode.catalog.messages import Messages
from codemode.catalog.migrating import Migration, known, make_ready, migrate, read, roll_back, standing
from codemode.catalog.opening import connect, open_catalogue
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenants import Tenants
from codemode.errors import CatalogForm, RequestInvalid, SessionNewer

OLD = Path(__file__).with_name("catalog-0006.sql")  # made by the last codemode that recorded nothing but a number
NEXT = "CREATE TABLE later (x BIGINT)"
TABLES = Pair(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND name <> 'migrations'"
    " AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'messages\\_text%' ESCAPE '\\'",
    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'migrations'",
)
SHAPE = Pair(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
    " AND name <> 'sqlite_sequence'",
    """
    SELECT 'column', table_name, column_name, data_type || ' ' || is_nullable, coalesce(column_default, '')
        || coalesce(generation_expression, '') FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT 'index', tablename, indexname, indexdef, '' FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT 'rule', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '' FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace
    UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '' FROM pg_trigger
        WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, '', pg_get_functiondef(oid), '' FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace
    UNION ALL SELECT 'policy', tablename, policyname, qual, coalesce(with_check, '') FROM pg_policies
    UNION ALL SELECT 'view', viewname, '', definition, '' FROM pg_views WHERE schemaname = current_schema()
    """,
)


@pytest.fixture(params=["sqlite", "postgres"])
def choice(request: pytest.FixtureRequest) -> Iterator[str]:
    server: Cluster | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    choice = "" if server is None else server.database("migrated")
    yield choice
    if server is not None:
        server.drop(choice)


@pytest.fixture
def store(choice: str, tmp_path: Path) -> Iterator[Store]:
    """A catalogue whose form may be changed: no other test has it afterwards."""
    store = open_catalogue(choice, tmp_path)
    yield store
    store.close()


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


def test_a_filled_catalogue_goes_from_every_form_to_the_newest_and_back(store: Store) -> None:
    """In one go from each form, and one by one: what a form has no place for is all that is lost."""
    numbers = [each.number for each in known(store.dialect)]
    unsaid = {*range(1, numbers[-1] + 1)} - FILLED.keys()
    assert not unsaid, f"say in tests/catalog/forms.py what a catalogue can hold since migration {unsaid}"
    roll_back(store, 0)
    assert contents(store) == {}
    shapes = {0: shape(store)}
    for number in numbers:
        before = contents(store)
        migrate(store, number)
        assert holds(store, before)
        for each in range(1, number + 1) if number == numbers[0] else [number]:
            fill(store, each)
        shapes[number], filled = shape(store), contents(store)
        check_filled(filled, number)
        migrate(store)
        assert holds(store, filled)
        roll_back(store, number)
        differs = shape(store) ^ shapes[number]
        assert not differs, f"a way down to form {number} leaves something, or takes too much: {differs}"
        assert contents(store) == filled
    for number, below in zip(reversed(numbers), [*reversed(numbers[:-1]), 0], strict=True):
        before = contents(store)
        roll_back(store, below)
        assert standing(store).form == below
        differs = shape(store) ^ shapes[below]
        assert not differs, f"the way down of migration {number} leaves something, or takes too much: {differs}"
        assert holds(store, before) if below else contents(store) == {}
    make_ready(store)
    assert (standing(store).pending, shape(store)) == ((), shapes[numbers[-1]])


def contents(store: Store) -> dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]]:
    """The stored columns and the rows of every table but the record of migrations, which says when they were taken."""
    found = {}
    for (table,) in store.run(TABLES.of(store.dialect)):
        columns = tuple(name for (name,) in store.run(dialect.COLUMNS.of(store.dialect), table))
        rows = store.run(f"SELECT {', '.join(columns)} FROM {table}")
        found[table] = columns, sorted(rows, key=repr)
    return found


def holds(store: Store, before: dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]]) -> bool:
    """Whether what the catalogue had before and has a place for is all there, and nothing besides in those columns."""
    for table, (columns, rows) in contents(store).items():
        if table in before:
            was, old = before[table]
            both = [name for name in was if name in columns]
            now, then = (
                sorted(([row[names.index(name)] for name in both] for row in some), key=repr)
                for names, some in ((columns, rows), (was, old))
            )
            assert now == then, table
    return True


def check_filled(found: dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]], number: int) -> None:
    empty = [
        f"{table}.{name}"
        for table, (columns, rows) in found.items()
        for place, name in enumerate(columns)
        if all(row[place] is None for row in rows)
    ]
    assert not empty, f"fill them in tests/catalog/forms.py under {number}: {empty}"


def shape(store: Store) -> set[tuple[str, ...]]:
    """All that the schema consists of, so that a way down is seen to leave nothing and to bring back what was."""
    rows = store.run(SHAPE.of(store.dialect))
    return {tuple(" ".join(str(value).split()) for value in row) for row in rows}


def test_a_step_without_a_way_down_is_none(tmp_path: Path) -> None:
    (tmp_path / "0001_x.up.sql").write_text("-- additive\nSELECT 1")
    with pytest.raises(FileNotFoundError, match=r"0001_x\.down"):
        read(tmp_path)


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


def test_of_two_processes_that_come_at_once_one_migrates(
    store: Store, choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with connections of its own. They come while another holds the lock, and wait for it."""
    added(store, monkeypatch, "additive", "additive")
    others = [connect(choice, tmp_path) for _ in range(2)]
    taken: list[Migration] = []
    threads = [threading.Thread(target=lambda each=each: taken.extend(migrate(each))) for each in others]
    with store.at_once():
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert (taken, [thread.is_alive() for thread in threads]) == ([], [True, True])
    for thread in threads:
        thread.join(60)
    assert [each.name for each in taken] == ["later_1", "later_2"]
    for each in others:
        each.close()


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
    assert [record.message.count("later_1") for record in caplog.records if "later" in record.message] == [1]
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
    told = [record.message for record in caplog.records if record.message.startswith("the catalogue has form")]
    assert ["codemode db migrate" in message for message in told] == [True, True]
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


def test_a_form_that_was_changed_since_it_was_opened_is_not_called_damage(store: Store) -> None:
    roll_back(store, 0)
    with pytest.raises(CatalogForm, match="changed while this process had it open") as raised:
        Sessions(store).get("acme", "s")
    assert "start the service again" in (raised.value.hint or "")


def test_connecting_changes_no_form(tmp_path: Path) -> None:
    old_file(tmp_path)
    store = connect("", tmp_path)
    assert standing(store).form == 6
    store.close()
