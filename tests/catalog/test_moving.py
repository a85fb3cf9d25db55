"""All of a catalogue in a file or in another store: the same rows, or nothing."""

from __future__ import annotations

import gzip
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from postgres_cluster import Cluster

from codemode.catalog import contents, moving
from codemode.catalog.migrating import known, migrate
from codemode.catalog.opening import open_catalogue
from codemode.catalog.seal import Seal
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import RuleBroken, Store
from codemode.catalog.tenant import TenantRecords
from codemode.catalog.tenants import Tenants
from codemode.catalog.tokens import Tokens
from codemode.errors import BackupDamaged, RequestInvalid, SessionNewer

NOW = 1_790_000_000_000
OLD = Path(__file__).with_name("catalog-0006.sql")


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {table.name: list(contents.rows(store.run, table)) for table in contents.tables(store)}


def filled(store: Store) -> Store:
    """One with two tenants and something in each table, and enough messages for several pages."""
    words = random.Random(7)
    for tenant in ("acme", "beta"):
        Tenants(store).make(tenant, NOW)
        Sessions(store).create(tenant, "s", now=NOW, idle_ms=10, limits={"rows": 1}, owner="ann")
        Tokens(store).create(tenant, name="ci", scopes=("read",), user="ann", now=NOW, expires_at=None)
        of = TenantRecords(store, tenant, Seal(["k" * 43]))
        of.users.create("eve", now=NOW, kind="agent", email=f"eve@{tenant}.org", metadata={"ü": [1, None, 2.5]})
        of.workspaces.create("north", now=NOW)
        of.groups.create("crew", now=NOW, record_id="crew")
        of.groups.add("crew", "eve", now=NOW)
        of.participants.put("s", "eve", now=NOW)
        of.panels.create("s", "Plan", document={"a": "\u2028"}, now=NOW)
        of.mcp_sessions.put("s", "server", "1", now=NOW)
        of.signals.post("s", "ice", "ann", 1, now=NOW)
        of.subscriptions.add("eve", "s", now=NOW)
        of.preferences.put("eve", "ui", "key", 1, now=NOW)
        of.configuration.put("key", "it's secret", now=NOW, sensitive=True)
        first = of.messages.post("s", "the disk is full \U0001f600", now=NOW, user_id="eve")
        of.messages.post("s", "so it is", now=NOW, thread=first.id)
    sql = "INSERT INTO audit (at, tenant, actor, action, new_values) VALUES (?1, 'acme', 'x', ?2, ?3)"
    with store.at_once():
        for place in range(2_500):
            store.run(sql, NOW + place, f"{place}", f'{{"n": {words.random()}}}')
    day = "INSERT INTO usage_by_day (tenant, day, totals) VALUES ('acme', '2026-01-01', '{}')"
    store.run(day)
    row = "INSERT INTO background (id, tenant, session_id, started_at, outcome) VALUES ('x', 'acme', 's', 1, ?1)"
    store.run(row, bytes(range(256)))
    return store


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    choice = request.getfixturevalue("postgres").emptied() if request.param == "postgres" else ""
    store = open_catalogue(choice, tmp_path)
    yield filled(store)
    store.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Store]:
    place = tmp_path / "target"
    place.mkdir()
    store = open_catalogue("", place)
    yield store
    store.close()


def test_every_table_is_moved_or_left_out_on_purpose(source: Store) -> None:
    sql = {
        "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE 'messages_text%' AND name <> 'messages_vocabulary'",
        "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    }
    found = {name for (name,) in source.run(sql[source.dialect])}
    found |= {"search_ranges", "message_words"}  # of the full-text index, in one of the stores each
    assert found == {*contents.TABLES, *contents.LEFT_OUT}
    assert all(everything(source).values()), "and this test has a row of each"


def goes_on(store: Store, before: dict[str, list[tuple[object, ...]]]) -> None:
    """The triggers, the full-text index and the numbers of a catalogue that was filled work as before."""
    of = TenantRecords(store, "acme")
    assert [each.content for each in of.messages.page(text="disk").rows] == ["the disk is full \U0001f600"]
    new = of.messages.post("s", "free space on the disk", now=NOW + 1)
    assert of.messages.page(text="disk").rows[0].id == new.id
    store.run("INSERT INTO audit (at, tenant, actor, action) VALUES (1, 'acme', 'x', 'x')")
    with pytest.raises(RuleBroken):
        store.run("UPDATE audit SET outcome = 'x'")
    assert of.statistics.get().messages == len([row for row in before["messages"] if "acme" in row]) + 1


def test_an_export_comes_back_as_it_was(source: Store, target: Store, tmp_path: Path) -> None:
    before, seen = everything(source), []
    rows = moving.export(source, tmp_path / "all.gz", progress=lambda done, total: seen.append((done, total)))
    assert rows == sum(map(len, before.values()))
    assert all(0 < done <= total for done, total in seen)
    assert moving.bring_in(target, tmp_path / "all.gz") == rows
    assert everything(target) == before == everything(source)
    goes_on(target, before)


def test_an_export_takes_the_place_of_no_file_beside_it(source: Store, tmp_path: Path) -> None:
    beside = tmp_path / "all.gz.part"
    beside.write_text("somebody's own")
    moving.export(source, tmp_path / "all.gz")
    assert {each.name: each.stat().st_size for each in tmp_path.glob("*.part")} == {beside.name: 14}
    assert beside.read_text() == "somebody's own"


def test_an_export_is_for_its_owner_alone(source: Store, tmp_path: Path) -> None:
    before = os.umask(0o022)  # the usual one
    try:
        moving.export(source, tmp_path / "all.gz")
    finally:
        os.umask(before)
    assert (tmp_path / "all.gz").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", [6, 8])
def test_an_export_of_an_earlier_form_is_migrated_on_its_way(
    postgres: Cluster, target: Store, tmp_path: Path, form: int
) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as connection:
        connection.executescript(OLD.read_text())
    with closing(open_catalogue("", tmp_path, "none")) as older:
        migrate(older, form)
        if form > 6:
            TenantRecords(older, "acme").messages.post("chat", "the disk is full", now=NOW)
        moving.export(older, tmp_path / "old.gz")
    with closing(open_catalogue("", tmp_path)) as migrated:
        expected = everything(migrated)
    server = open_catalogue(postgres.emptied(), tmp_path)
    for store in (target, server):
        moving.bring_in(store, tmp_path / "old.gz", replace=True)
        assert everything(store) == expected
        assert len(TenantRecords(store, "acme").messages.page(text="disk").rows) == (form > 6)
    assert len(expected["counters"]) == 2
    assert {"ann", "bob", "eve"}.issubset(value for row in expected["users"] for value in row)
    server.close()


def test_a_copy_goes_from_any_store_to_any_other(
    source: Store, target: Store, postgres: Cluster, tmp_path: Path
) -> None:
    before = everything(source)
    if source.dialect == "sqlite":
        target.close()
        target = open_catalogue(postgres.emptied(), tmp_path)
    assert moving.copy(source, target) == sum(map(len, before.values()))
    assert everything(target) == before
    goes_on(target, before)
    with pytest.raises(RequestInvalid, match="in use"):
        moving.copy(source, target)
    moving.copy(source, target, replace=True)
    left = everything(target)
    target.close()
    assert left == before


@pytest.fixture
def export(tmp_path: Path) -> Path:
    store = open_catalogue("", tmp_path)
    moving.export(filled(store), tmp_path / "all.gz")
    store.close()
    return tmp_path / "all.gz"


def _changed(line: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        assert old in lines[line]
        return [*lines[:line], lines[line].replace(old, new), *lines[line + 1 :]]

    return change


WRONG: dict[str, tuple[Callable[[list[bytes]], list[bytes]], type[Exception]]] = {
    "a value": (_changed(1, b"acme", b"evil"), BackupDamaged),
    "a row less": (lambda lines: [*lines[:1], *lines[2:]], BackupDamaged),
    "a row more": (lambda lines: [*lines[:2], lines[1], *lines[2:]], BackupDamaged),
    "cut off": (lambda lines: lines[:-1], BackupDamaged),
    "half a line": (lambda lines: [*lines[:-1], lines[-1][:4]], BackupDamaged),
    "more after the end": (lambda lines: [*lines, b"[]\n"], BackupDamaged),
    "a column of nobody": (_changed(0, b'"quotas"', b'"quotas) --"'), BackupDamaged),
    "a table of nobody": (_changed(0, b'"tenants":', b'"sqlite_schema":'), BackupDamaged),
    "no export": (lambda lines: [b"{}\n"], BackupDamaged),
    "a later form": (_changed(0, b'"form":%d' % known("sqlite")[-1].number, b'"form":99'), SessionNewer),
    "a later format": (_changed(0, b'"catalogue":1', b'"catalogue":2'), SessionNewer),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_export_that_was_changed_fills_nothing(export: Path, target: Store, name: str) -> None:
    change, error = WRONG[name]
    lines = gzip.decompress(export.read_bytes()).splitlines(keepends=True)
    export.write_bytes(gzip.compress(b"".join(change(lines))))
    before = everything(target)
    with pytest.raises(error):
        moving.bring_in(target, export)
    assert everything(target) == before


def test_bytes_that_are_no_gzip_are_told_so(export: Path, target: Store) -> None:
    for content in (b"", b"nothing", export.read_bytes()[:-20], export.read_bytes()[:500]):
        export.write_bytes(content)
        with pytest.raises(BackupDamaged):
            moving.bring_in(target, export)


def test_a_copy_that_differs_is_not_kept(target: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = filled(open_catalogue("", tmp_path))
    plain = contents.fill

    def losing(store: Store, table: contents.Table, rows: Iterator[tuple[object, ...]]) -> Iterator[int]:
        return plain(store, table, (row for place, row in enumerate(rows) if (table.name, place) != ("audit", 1_234)))

    monkeypatch.setattr(contents, "fill", losing)
    before = everything(target)
    with pytest.raises(BackupDamaged, match="row 1,235 of audit"):
        moving.copy(source, target)
    assert everything(target) == before
    source.close()


def test_an_export_into_a_folder_that_is_not_there_is_no_full_disk(tmp_path: Path, target: Store) -> None:
    with pytest.raises(RequestInvalid, match="no such directory"):
        moving.export(target, tmp_path / "nowhere" / "x")


def test_an_export_is_never_written_over_a_file(tmp_path: Path, target: Store) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(RequestInvalid, match="exists"):
        moving.export(target, tmp_path / "x")
    assert [(path.name, path.is_dir()) for path in tmp_path.iterdir()] in (
        [("x", False), ("target", True)], [("target", True), ("x", False)],
    )  # fmt: skip
