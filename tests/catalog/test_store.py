"""What every store of the catalogue holds to, whichever database it is."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest
from patience import HANG_SECONDS

from codemode.catalog import migrating
from codemode.catalog.bound import BoundStore
from codemode.catalog.opening import FILE, open_catalogue
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import RuleBroken, Store
from codemode.catalog.stores import template
from codemode.catalog.stores.sqlite import SqliteStore
from codemode.database.clock import now_ms
from codemode.database.template import put
from codemode.errors import RequestInvalid, StorageFull, WorkerError
from codemode.limits import Limits

ADD = "INSERT INTO tenants (id, created_at) VALUES (?1, ?2)"
ALL = "SELECT id FROM tenants WHERE id <> 'local' ORDER BY id"


@pytest.fixture
def store(empty: Store) -> Store:
    return empty


def names(store: Store, how: str = "run") -> list[str]:
    return [name for (name,) in getattr(store, how)(ALL)]


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    values = ("it's ünïcode \U0001f600", 2**62, None, b"\x00\xff")
    sql = "INSERT INTO background (id, tenant, session_id, user_id, started_at, finished_at, outcome) VALUES"
    row = store.run(f"{sql} (?1, ?1, ?1, ?1, ?2, ?3, ?4) RETURNING id, started_at, finished_at, outcome", *values)
    assert row == [values]
    assert store.run("DELETE FROM background WHERE id = ?1", "nobody") == []


def test_half_of_a_character_is_no_fault_of_the_store(store: Store) -> None:
    for ask in (store.run, store.look):
        with pytest.raises(RequestInvalid, match="surrogate"):
            ask("SELECT id FROM tenants WHERE id = ?1", "\ud800")
    assert names(store) == []


def test_a_catalogue_whose_reader_gets_no_descriptor_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = apsw.Connection

    def starved(path: str, flags: int = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE) -> apsw.Connection:
        if flags == apsw.SQLITE_OPEN_READONLY:
            raise apsw.CantOpenError("unable to open database file")
        return real(path, flags)

    with monkeypatch.context() as patched:
        patched.setattr(apsw, "Connection", starved)
        with pytest.raises(StorageFull, match="limit of open files"):
            open_catalogue("", tmp_path, "all")
    open_catalogue("", tmp_path, "all").close()


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "SAVEPOINT inner"])
def test_ctrl_c_at_the_begin_of_a_block_leaves_no_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    with closing(open_catalogue("", tmp_path, "all")) as store, closing(open_catalogue("", tmp_path, "all")) as other:
        real = store.run

        def interrupted(sql: str, *params: object) -> list[tuple[object, ...]]:
            found = real(sql, *params)
            if sql == begin:
                raise KeyboardInterrupt
            return found

        with monkeypatch.context() as patched:
            patched.setattr(store, "run", interrupted)
            with pytest.raises(KeyboardInterrupt), store.at_once(), store.at_once():
                pass
        store.run(ADD, "a", 1)
        other.run(ADD, "b", 1)
        assert names(store, "look") == names(other) == ["a", "b"]


def test_a_block_is_kept_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.at_once():  # noqa: PT012
        store.run(ADD, "a", 1)
        1 / 0  # noqa: B018
    assert names(store) == []
    with store.at_once():
        store.run(ADD, "a", 1)
        store.run(ADD, "b", 1)
    assert names(store) == ["a", "b"]


def test_an_inner_block_fails_by_itself(store: Store) -> None:
    with store.at_once():
        store.run(ADD, "a", 1)
        with pytest.raises(RuleBroken), store.at_once():  # noqa: PT012
            store.run(ADD, "b", 1)
            store.run(ADD, "a", 1)
        store.run(ADD, "c", 1)
    assert names(store) == ["a", "c"]


def test_who_looks_waits_for_nobody_and_sees_what_is_committed(store: Store) -> None:
    with store.at_once():
        store.run(ADD, "a", 1)
        assert (names(store, "run"), names(store, "look")) == (["a"], [])
        seen: list[list[str]] = []
        other = threading.Thread(target=lambda: seen.append(names(store, "look")))
        other.start()
        other.join(20)
        assert seen == [[]]
    assert names(store, "look") == ["a"]


@pytest.mark.parametrize("choice", ["", "memory"])
def test_who_looks_waits_for_no_search(tmp_path: Path, choice: str) -> None:
    """The event loop of a service looks at each request, and a search may take its time."""
    many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) SELECT max(i), ?1 FROM n"
    began, over = threading.Event(), threading.Event()

    def halfway() -> bool:
        began.set()
        return not over.wait(HANG_SECONDS)

    with closing(open_catalogue(choice, tmp_path)) as store, ThreadPoolExecutor(2) as others:
        search = BoundStore(store, "local").seeking("disk").look
        assert search(many, 7) == [(7, "local")]
        store._searcher.set_progress_handler(halfway, 100)  # type: ignore[attr-defined]
        searching = others.submit(search, many, 1000)
        try:
            assert began.wait(HANG_SECONDS)
            assert others.submit(names, store, "look").result(HANG_SECONDS / 2) == []
        finally:
            over.set()
        assert searching.result(HANG_SECONDS) == [(1000, "local")]


def test_who_asks_or_searches_while_somebody_looks_gets_an_answer(tmp_path: Path) -> None:
    with closing(SqliteStore.open(tmp_path / FILE)) as store, ThreadPoolExecutor(3) as threads:
        looks, go_on = threading.Event(), threading.Event()

        def held() -> int:
            looks.set()
            return int(go_on.wait(HANG_SECONDS))

        def ask() -> object:
            with store.asking(Limits()) as asking:
                return asking

        store._reader.create_scalar_function("held", held)
        looking = threads.submit(store.look, "SELECT held()")
        assert looks.wait(HANG_SECONDS)
        beside = [threads.submit(ask), threads.submit(store.search, "SELECT 1", ())]
        wait(beside, 0.2, FIRST_EXCEPTION)  # what needs the connection that is busy fails at once, or waits for it
        go_on.set()
        assert looking.result(HANG_SECONDS) == [(1,)]
        for each in beside:
            each.result(HANG_SECONDS)


def test_a_scrape_waits_for_no_writer_and_keeps_none_waiting(tmp_path: Path) -> None:
    """It reads every session that is known; whoever runs a snippet writes a line of the audit log meanwhile."""
    store = open_catalogue("", tmp_path)
    sessions = Sessions(store)
    sessions.create("local", "s", now=1, idle_ms=1000, limits={})
    with ThreadPoolExecutor(1) as other, store.at_once():
        assert other.submit(sessions.counts, 500).result(HANG_SECONDS) == (1, 0, 0)
    store.close()


def test_blocks_of_several_threads_come_one_after_the_other(store: Store) -> None:
    """Each reads, waits a moment, and writes what it read and one more: at once, they would lose some."""
    store.run(ADD, "counter", 0)

    def more() -> None:
        for _ in range(5):
            with store.at_once():
                [(count,)] = store.run("SELECT created_at FROM tenants WHERE id = 'counter'")
                threading.Event().wait(0.001)
                store.run("UPDATE tenants SET created_at = ?1 WHERE id = 'counter'", count + 1)

    threads = [threading.Thread(target=more) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert store.run("SELECT created_at FROM tenants WHERE id = 'counter'") == [(20,)]


SESSION = "INSERT INTO sessions (tenant, id, created_at, last_activity, idle_ms, pinned) VALUES (?1, ?2, 1, 1, 1, ?3)"
RULES = {
    "unique": (ADD, ("local", 1)),
    "foreign": (SESSION, ("nobody", "s", 0)),
    "check": (SESSION, ("local", "s", 7)),
    "null": (ADD, ("x", None)),
    "trigger": ("UPDATE audit SET outcome = 'x'", ()),
}


@pytest.mark.parametrize("kind", RULES)
def test_a_row_that_a_rule_forbids_is_told_by_the_rule(store: Store, kind: str) -> None:
    store.run("INSERT INTO audit (at, tenant, actor, action) VALUES (1, 'local', 'x', 'x')")
    sql, params = RULES[kind]
    with pytest.raises(RuleBroken) as raised:
        store.run(sql, *params)
    assert raised.value.kind == kind


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    for how in ("run", "look"):
        with pytest.raises(WorkerError, match="closed"):
            names(store, how)


# A store that is bound to a tenant


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM sessions",
        "SELECT id FROM sessions WHERE tenant = ?2",
        "SELECT id FROM sessions WHERE tenant = ?",
        "SELECT id FROM sessions WHERE tenant = ?1 AND id = ?",
        "SELECT id FROM sessions WHERE tenant = ?11",
        "SELECT id, '?1' FROM sessions",
        'SELECT id AS "?1" FROM sessions',
        "SELECT id FROM sessions -- ?1",
        "SELECT id /* ?1 */ FROM sessions",
    ],
)
@pytest.mark.parametrize("how", ["run", "look"])
def test_a_statement_that_does_not_name_its_tenant_never_runs(how: str, sql: str) -> None:
    class Untouchable:
        dialect = "sqlite"

        def acting_for(self, tenant: str, sought: str = "") -> Untouchable:
            return self

        def run(self, sql: str, *params: object) -> list[tuple[object, ...]]:
            raise ZeroDivisionError

        look = run

        @contextmanager
        def at_once(self):  # type: ignore[no-untyped-def]
            yield

    bound = BoundStore(Untouchable(), "acme")  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="a statement of a tenant"):
        getattr(bound, how)(sql)
    with pytest.raises(ZeroDivisionError):
        getattr(bound, how)("SELECT id FROM sessions WHERE tenant = ?1")


@pytest.mark.parametrize("name", ["", "*"])
def test_nobody_and_everybody_are_no_tenants(store: Store, name: str) -> None:
    with pytest.raises(AssertionError):
        BoundStore(store, name)


def test_a_bound_store_has_its_tenant_s_rows(store: Store) -> None:
    for tenant in ("a", "b"):
        store.run(ADD, tenant, 1)
        store.run(SESSION, tenant, f"of-{tenant}", 0)
    bound = BoundStore(store, "a")
    with bound.at_once():
        bound.run("UPDATE sessions SET pinned = ?2 WHERE tenant = ?1", 1)
    for how in ("run", "look"):
        assert getattr(bound, how)("SELECT id, pinned FROM sessions WHERE tenant = ?1") == [("of-a", 1)]
    assert store.run("SELECT id FROM sessions WHERE pinned = 0") == [("of-b",)]


def everything(store: Store) -> tuple[list[object], list[object]]:
    """The schema as it is kept, all rows without their times, and the settings that a file carries; and the times."""
    tables = [name for (name,) in store.run("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    carried = ("integrity_check", "auto_vacuum", "journal_mode", "user_version", "page_size", "page_count", "encoding")
    values = [(table, *row) for table in tables for row in store.run(f"SELECT * FROM {table}")]
    times = [value for row in values for value in row if isinstance(value, int) and value > 10**12]
    return [
        store.run("SELECT * FROM sqlite_schema ORDER BY type, name"),
        [["a time" if value in times else value for value in row] for row in values],
        {name: store.run(f"PRAGMA {name}") for name in carried},
    ], times


def test_a_copied_file_is_what_its_steps_make_now(tmp_path: Path) -> None:
    found = []
    for place in ("first", "copied", "made"):
        (tmp_path / place).mkdir()
        if place == "made":
            (tmp_path / place / FILE).touch()  # one that is there is not copied
        began = now_ms()
        store = open_catalogue("", tmp_path / place)
        contents, times = everything(store)
        store.close()
        found.append(contents)
        assert [each.name for each in (tmp_path / place).iterdir()] == [FILE], "nothing of its making is left"
        assert len(times) > 8, "each step, and the tenant that is there from the start"
        assert min(times) >= began
        time.sleep(0.01)
    assert found[0] == found[1] == found[2]


def test_a_copied_file_has_the_steps_that_are_known_when_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("before", "after"):
        (tmp_path / place).mkdir()
    open_catalogue("", tmp_path / "before").close()
    steps = migrating.known("sqlite")
    later = migrating.Migration(steps[-1].number + 1, "later", "breaking", "CREATE TABLE later (x)", "DROP TABLE later")
    for module in (migrating, template):
        monkeypatch.setattr(module, "known", lambda _: (*steps, later))
    store = open_catalogue("", tmp_path / "after", "none")
    assert (migrating.standing(store).form, store.run("SELECT * FROM later")) == (later.number, [])
    store.close()


def test_where_files_have_no_second_name_a_catalogue_is_made_by_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refused)
    store = open_catalogue("", tmp_path)
    assert migrating.standing(store).pending == ()
    store.close()
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_a_file_that_is_there_is_never_replaced_by_a_copy(tmp_path: Path) -> None:
    store = open_catalogue("", tmp_path)
    store.run(ADD, "a", 1)
    put(b"another's", tmp_path / FILE)
    assert names(store) == ["a"]
    store.close()


def test_a_file_gives_pages_back_and_is_not_written_to_by_opening_it(tmp_path: Path) -> None:
    open_catalogue("", tmp_path).close()
    path = tmp_path / "catalog.db"
    store = open_catalogue("", tmp_path)
    assert store.run("PRAGMA auto_vacuum") == [(2,)]
    with store.at_once():
        for place in range(500):
            store.run("INSERT INTO audit (at, tenant, actor, action) VALUES (1, 'x', 'x', ?1)", f"{place}" * 200)
    store.run("UPDATE audit_horizon SET before = 2")
    store.run("DELETE FROM audit")
    [(pages,)] = store.run("PRAGMA page_count")
    store.shrink(10)
    assert store.run("PRAGMA page_count") == [(pages - 10,)]
    store.close()
    before = path.stat().st_mtime_ns
    open_catalogue("", tmp_path).close()
    assert path.stat().st_mtime_ns == before
