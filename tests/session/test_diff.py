"""What differs between two states of a session, told exactly and shown in samples."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemode import Limits, Session, Worker
from codemode.database import diff
from codemode.errors import NoSuchCheckpoint, RequestInvalid
from codemode.values import ColumnsDifference, Differences, TableDifference


def test_rows_by_primary_key(table: Session) -> None:
    table.checkpoint("a")
    assert table.diff("a") == Differences()
    table.script("DELETE FROM t WHERE a = 1; UPDATE t SET b = 'x' WHERE a = 2; INSERT INTO t VALUES (7, 'new')")
    forward = TableDifference(
        table="t",
        key=("a",),
        added=1,
        removed=1,
        changed=1,
        added_sample=({"a": 7, "b": "new"},),
        removed_sample=({"a": 1, "b": "1"},),
        changed_sample=({"key": {"a": 2}, "before": {"b": "2"}, "after": {"b": "x"}},),
    )
    assert table.diff("a") == Differences(tables=(forward,))
    table.checkpoint("b")
    table.exec("DELETE FROM t")
    assert table.diff("a", "b") == Differences(tables=(forward,))
    back = table.diff("b", "a").tables[0]
    assert (back.added_sample, back.removed_sample) == (forward.removed_sample, forward.added_sample)
    assert table.diff(None, "b").tables[0].added == 3


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        ("(x TEXT, y TEXT, v, PRIMARY KEY (y, x))", ("y", "x")),
        ("(x TEXT, y TEXT, v, PRIMARY KEY (y, x)) WITHOUT ROWID", ("y", "x")),
        ("(x TEXT, y TEXT, v)", ("rowid",)),
        ("(x TEXT, y, rowid INTEGER AS (1), v)", ("_rowid_",)),
        ("(x TEXT PRIMARY KEY, y, v)", ("x",)),
    ],
)
def test_the_key_is_the_primary_key_or_the_rowid(session: Session, schema: str, key: tuple[str, ...]) -> None:
    session.exec(f"CREATE TABLE t {schema}")
    session.script("INSERT INTO t (x, y, v) VALUES ('a', '1', 0), ('b', '1', 0), ('c', '2', 0)")
    session.checkpoint("a")
    session.script("UPDATE t SET v = 1 WHERE x = 'b'; DELETE FROM t WHERE x = 'a'")
    found = session.diff("a").tables[0]
    assert (found.key, found.added, found.removed, found.changed) == (key, 0, 1, 1)


def test_a_key_with_nulls_tells_nothing_apart(session: Session) -> None:
    session.script("CREATE TABLE t (x TEXT PRIMARY KEY, v); INSERT INTO t VALUES (NULL, 1), (NULL, 2), ('a', 3)")
    session.checkpoint("a")
    session.exec("UPDATE t SET v = 9 WHERE v = 2")
    found = session.diff("a").tables[0]
    assert (found.key, found.changed, found.removed, found.added) == (("rowid",), 1, 0, 0)


def test_case_kinds_and_nulls_count(session: Session) -> None:
    session.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, x COLLATE NOCASE)")
    for value in ("a", None, 1, b"a", 1):
        session.exec("INSERT INTO t (x) VALUES (?)", [value])
    session.checkpoint("a")
    for n, value in enumerate(("A", 0, None, "a", 1), 1):
        session.exec("UPDATE t SET x = ? WHERE n = ?", [value, n])
    found = session.diff("a").tables[0]
    assert found.changed == 4
    assert [row["after"]["x"] for row in found.changed_sample] == ["A", 0, None, "a"]
    assert [row["before"]["x"] for row in found.changed_sample] == ["a", None, 1, "<1 bytes>"]


EQUAL_AND_OTHER = {  # to SQLite's comparison: before, what the change does, and the column that it is told of
    "a whole number becomes a float": ("CREATE TABLE t (n INTEGER PRIMARY KEY, x)", "UPDATE t SET x = 7.0", "x"),
    "the case of a key": ("CREATE TABLE t (n TEXT COLLATE NOCASE PRIMARY KEY, x)", "UPDATE t SET n = 'A'", "n"),
    "a key becomes a float": ("CREATE TABLE t (n PRIMARY KEY, x) WITHOUT ROWID", "UPDATE t SET n = 7.0", "n"),
    "the column's type": (
        "CREATE TABLE t (n INTEGER PRIMARY KEY, x INTEGER)",
        "DROP TABLE t; CREATE TABLE t (n INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (7, '007')",
        "x",
    ),
}


@pytest.mark.parametrize(("schema", "change", "column"), EQUAL_AND_OTHER.values(), ids=EQUAL_AND_OTHER.keys())
def test_what_only_compares_as_equal_is_told(session: Session, schema: str, change: str, column: str) -> None:
    session.exec(schema)
    session.exec("INSERT INTO t VALUES (?, 7)", ["a" if "NOCASE" in schema else 7])
    session.checkpoint("a")
    session.script(change)
    found = session.diff("a").tables[0]
    assert (found.added, found.removed, found.changed) == (0, 0, 1)
    assert found.changed_sample[0]["before"].keys() == found.changed_sample[0]["after"].keys() == {column}


def test_schema_changes(table: Session) -> None:
    table.script("CREATE INDEX old ON t (b); CREATE VIEW v AS SELECT 1 AS x; CREATE TABLE gone (z)")
    table.exec("INSERT INTO gone VALUES (1)")
    table.checkpoint("a")
    table.script(
        "DROP INDEX old; DROP VIEW v; DROP TABLE gone; CREATE VIEW v AS SELECT 2 AS x;"
        "CREATE INDEX new ON t (b); CREATE TABLE come (y); ALTER TABLE t RENAME COLUMN b TO c;"
        "ALTER TABLE t ADD COLUMN d INTEGER"
    )
    found = table.diff("a")
    told = [(each.type, each.name, each.change) for each in found.schema]
    assert told == [
        ("index", "new", "added"),
        ("index", "old", "removed"),
        ("table", "come", "added"),
        ("table", "gone", "removed"),
        ("table", "t", "changed"),
        ("view", "v", "changed"),
    ]
    changed = found.schema[4]
    assert changed.columns == ColumnsDifference(added=("c", "d"), removed=("b",))
    assert "b TEXT" in changed.before
    assert found.schema[3].after is None
    assert [(each.table, each.added, each.removed) for each in found.tables] == [("come", 0, 0), ("gone", 0, 1)]


def test_a_table_whose_key_changed_is_counted(table: Session) -> None:
    table.checkpoint("a")
    table.script("DROP TABLE t; CREATE TABLE t (a, b INTEGER PRIMARY KEY); INSERT INTO t VALUES (1, 1)")
    found = table.diff("a").tables[0]
    assert "3 before, 1 after" in found.note


def test_state_is_data_and_the_engines_own_is_not(table: Session) -> None:
    table.checkpoint("a")
    table.save_state("k", 1)
    table.run("return [{'x': n} for n in range(10)]")
    assert [(each.table, each.key, each.added) for each in table.diff("a").tables] == [("session_state", ("key",), 1)]


def test_full_text_and_computed_columns(session: Session) -> None:
    session.script(
        "CREATE VIRTUAL TABLE f USING fts5 (body); INSERT INTO f VALUES ('one'), ('two');"
        "CREATE TABLE g (a INTEGER PRIMARY KEY, b AS (a * 2), c AS (a + 1) STORED); INSERT INTO g (a) VALUES (1)"
    )
    session.checkpoint("a")
    session.script("UPDATE f SET body = 'three' WHERE rowid = 2; INSERT INTO g (a) VALUES (2)")
    found = session.diff("a")
    assert [(each.table, each.added, each.changed) for each in found.tables] == [("f", 0, 1), ("g", 1, 0)]
    assert found.tables[1].added_sample == ({"a": 2, "b": 4, "c": 3},)
    assert found.schema == (), "shadow tables are no tables"


def test_a_table_as_wide_as_allowed(session: Session) -> None:
    session.create_table("t", {f"c{n}": "INTEGER" for n in range(200)})
    session.exec("INSERT INTO t (c0) VALUES (1)")
    session.checkpoint("a")
    session.exec("UPDATE t SET c199 = 1")
    assert session.diff("a").tables[0].changed_sample == (
        {"key": {"rowid": 1}, "before": {"c199": None}, "after": {"c199": 1}},
    )


def test_samples_are_few_and_short(session: Session) -> None:
    session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    session.checkpoint("a")
    session.batch_insert("t", [{"a": n, "b": "x" * 1000} for n in range(500)])
    found = session.diff("a").tables[0]
    assert (found.added, len(found.added_sample)) == (500, 5)
    assert found.added_sample[0]["b"] == "x" * 200 + "… [1,000 characters]"
    assert len(session.diff("a", sample=100).tables[0].added_sample) == 100
    assert session.diff("a", sample=0).tables[0].added_sample == ()
    session.script(";".join(f"CREATE TABLE t{n} AS SELECT * FROM t" for n in range(30)))
    everything = [row for each in session.diff("a", sample=100).tables for row in each.added_sample]
    assert sum(len(row["b"]) for row in everything) < 300_000


def test_wide_rows_are_sampled_one_by_one(session: Session) -> None:
    computed = ", ".join(f"x{number} AS (zeroblob(200000)) VIRTUAL" for number in range(10))
    session.script(
        f"CREATE TABLE kept (a, {computed}); CREATE TABLE made (a, {computed}); INSERT INTO kept (a) VALUES (0)"
    )
    session.checkpoint("before")
    session.batch_insert("made", [{"a": number} for number in range(50)])
    session.exec("DELETE FROM kept")
    tracemalloc.start()
    try:
        found = session.diff("before", sample=50)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # of 100 MB
    finally:
        tracemalloc.stop()
    assert [len(table.added_sample) for table in found.tables] == [0, 50]


@pytest.mark.parametrize("sample", [-1, 101, 2.5, "5", None])
def test_a_wrong_sample_is_refused(table: Session, sample: object) -> None:
    table.checkpoint("a")
    with pytest.raises(RequestInvalid, match="sample"):
        table.diff("a", sample=sample)
    with pytest.raises(NoSuchCheckpoint):
        table.diff("b")


def test_many_tables_are_compared(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of them is a program of SQLite's, whose length is bounded; out of memory, it said of 16,000."""

    def few_operations(connection: apsw.Connection, limits: Limits) -> None:
        connection.limit(apsw.SQLITE_LIMIT_VDBE_OP, 1_000)

    monkeypatch.setattr(diff, "READ_ONLY_SETTINGS", (*diff.READ_ONLY_SETTINGS, few_operations))
    session.script("".join(f"CREATE TABLE t{n} (a);" for n in range(150)))
    session.checkpoint("x")
    session.exec("INSERT INTO t7 VALUES (1)")
    found = session.diff("x")
    assert ([each.table for each in found.tables], found.complete) == (["t7"], True)


def test_it_ends_in_time_and_says_so(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.load("t", [("a", "INTEGER PRIMARY KEY"), ("b", "TEXT")], ((n, "x" * 100) for n in range(100_000)))
        session.checkpoint("a")
        session.exec("UPDATE t SET b = 'y'")
        hurried = worker.session("s", limits=Limits(execution_seconds=0.002))
        assert hurried.diff("a").complete is False
        outcome = hurried.run("helpers.db.diff('a')")
        assert (outcome.ok, outcome.status) == (False, "timeout")


def test_from_a_snippet_what_is_committed(table: Session) -> None:
    table.checkpoint("a")
    outcome = table.run(
        "helpers.db.exec('DELETE FROM t WHERE a = 1')\nbefore = helpers.db.diff('a')\nhelpers.db.commit()\n"
        "after = helpers.db.diff('a')\nreturn [before.tables, after['tables'][0]['removed'], after.complete]"
    )
    assert outcome.result == [[], 1, True], outcome.error
    assert table.run("helpers.db.diff('nope')").error.code == "session.no_such_checkpoint"
    assert table.run("helpers.db.diff('../../x')").error.code == "request.invalid"


def test_names_of_which_only_unicode_tells_the_case_are_several(session: Session) -> None:
    session.script('CREATE TABLE "Ω" ("Δ", "δ"); CREATE TABLE "ω" (y); INSERT INTO "Ω" VALUES (1, 2)')
    session.checkpoint("a")
    session.script('UPDATE "Ω" SET "Δ" = 3; INSERT INTO "ω" VALUES (4)')
    upper, lower = session.diff("a").tables
    assert upper.changed_sample == ({"key": {"rowid": 1}, "before": {"Δ": 1}, "after": {"Δ": 3}},)
    assert (lower.table, lower.added_sample) == ("ω", ({"y": 4},))


def test_a_text_that_is_none_hides_no_other_table(session: Session) -> None:
    session.checkpoint("a")
    session.script("CREATE TABLE bad AS SELECT CAST(x'61ff' AS TEXT) AS x; CREATE TABLE good AS SELECT 1 AS x")
    found = session.diff("a")
    bad, good = found.tables
    assert (bad.table, bad.note) == ("bad", "not compared: a value is marked as text and holds bytes that are none")
    assert (good.table, good.added, found.complete) == ("good", 1, False)
    assert session.run("return helpers.db.diff('a').complete").result is False
    assert session.diff("a", sample=0).complete


ROWS = st.dictionaries(st.integers(0, 8), st.one_of(st.none(), st.integers(0, 3), st.text("ab", max_size=2)))


@settings(deadline=None, max_examples=25)
@given(before=ROWS, after=ROWS)
def test_it_counts_what_a_dict_would(worker: Worker, before: dict[int, object], after: dict[int, object]) -> None:
    session = worker.session()
    session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    session.batch_insert("t", before.items(), columns=["a", "b"])
    session.checkpoint("a")
    session.exec("DELETE FROM t")
    session.batch_insert("t", after.items(), columns=["a", "b"])
    tables = session.diff("a").tables
    found = tables[0] if tables else TableDifference(table="t")
    changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
    assert (found.added, found.removed, found.changed) == (
        len(after.keys() - before.keys()),
        len(before.keys() - after.keys()),
        len(changed),
    )
    worker.remove(session.id)
