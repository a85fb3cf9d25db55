"""Which execution made or changed which table, and with how many rows: kept with the data, gone with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from codemode import Session
from codemode.database import provenance
from codemode.guard import Statement
from codemode.guard.statement import Write
from codemode.session.provenance import Provenance
from codemode.values import TableChange

COUNTS = provenance.COUNTS


def told(session: Session, table: str) -> dict[str, Any]:
    """The newest change of `table`: what is not zero, without ids and times."""
    change = session.describe_table(table)["provenance"]["changes"][0]
    return {key: value for key, value in change.items() if key not in ("execution_id", "timestamp")}


def executions(session: Session, table: str) -> list[str]:
    return [change.execution_id for change in session.table_changes(table)]


def test_what_made_a_table_and_what_changed_it(session: Session) -> None:
    made = session.run("helpers.db.create_table('t', {'a': 'INTEGER PRIMARY KEY', 'b': 'TEXT'})").execution_id
    filled = session.run("helpers.db.batch_insert('t', [{'a': n, 'b': 'x'} for n in range(1200)])").execution_id
    changed = session.run("""
helpers.db.exec("UPDATE t SET b = 'y' WHERE a < 10")
helpers.db.exec("DELETE FROM t WHERE a >= 1100")
helpers.db.query("INSERT INTO t (b) VALUES ('z') RETURNING a")
helpers.db.exec("INSERT INTO t VALUES (1, 'q') ON CONFLICT (a) DO UPDATE SET b = excluded.b")
""").execution_id
    found = session.describe_table("t")["provenance"]
    assert found["created"]["execution_id"] == made
    newest, before, first = found["changes"]
    assert newest == {
        "execution_id": changed, "timestamp": newest["timestamp"], "inserted": 1, "updated": 10, "deleted": 100,
        "upserted": 1,
    }  # fmt: skip
    assert (before["execution_id"], before["inserted"]) == (filled, 1200)
    assert (first["execution_id"], first["created"]) == (made, True)
    assert executions(session, "T") == [changed, filled, made]


def test_a_snippet_reads_it(table: Session) -> None:
    outcome = table.run("return helpers.schema.describe_table('t')['provenance']")
    assert outcome.result["created"]["execution_id"] == "host"
    rows = table.run("return helpers.db.query('SELECT table_name, inserted FROM _codemode_changes')").result
    assert rows == [{"table_name": "t", "inserted": 3}]
    assert "_codemode_changes" not in table.get_tables()


UNDONE = [
    "helpers.db.exec('DELETE FROM t')\nraise ValueError('no')",
    "helpers.db.exec('DROP TABLE t')\nhelpers.db.query('SELECT * FROM t')",
    "helpers.db.exec('DELETE FROM t')\nwhile True: pass",
    # a unit that failed and was caught
    "try:\n    helpers.db.batch([('DELETE FROM t', []), ('SELECT nothing', [])])\nexcept helpers.Error: pass",
    "try:\n    helpers.db.script('CREATE TABLE u (x); DROP TABLE t; nonsense')\nexcept helpers.Error: pass",
    "try:\n    helpers.db.batch_insert('t', [{'a': 10}, {'a': 1}])\nexcept helpers.Error: pass",
    # a rename that is undone
    "try:\n    helpers.db.script('ALTER TABLE t RENAME TO u; nonsense')\nexcept helpers.Error: pass",
    # a doomed execution
    "helpers.db.exec('DELETE FROM t WHERE a = 3')\nhelpers.db.exec('INSERT OR ROLLBACK INTO t VALUES (1, 1)')",
    # nothing that stays
    "helpers.db.script('CREATE TABLE u (x); INSERT INTO u VALUES (1); DROP TABLE u')",
    "helpers.db.exec('UPDATE t SET b = 1 WHERE a = 99')",
]


@pytest.mark.parametrize("code", UNDONE)
def test_what_was_undone_leaves_no_trace(table: Session, code: str) -> None:
    before = table.table_changes()
    table.run(code, timeout=1)
    assert table.table_changes() == before
    assert table.value("SELECT count(*) FROM t") == 3


def test_a_dry_run_leaves_no_trace(table: Session) -> None:
    before = table.table_changes()
    assert table.run("helpers.db.exec('DELETE FROM t')", dry_run=True).db.rows_written == 3
    assert table.table_changes() == before


def test_commit_keeps_what_came_before_it(table: Session) -> None:
    outcome = table.run("""
helpers.db.exec("INSERT INTO t VALUES (4, 'x')")
helpers.db.commit()
helpers.db.exec("INSERT INTO t VALUES (5, 'x')")
helpers.db.commit()
helpers.db.exec("DELETE FROM t")
raise ValueError("late")
""")
    assert executions(table, "t") == [outcome.execution_id, "host"]
    assert told(table, "t") == {"inserted": 2}


def test_each_call_by_itself(table: Session) -> None:
    code = "helpers.db.exec('DELETE FROM t WHERE a = 1')\nhelpers.db.exec('DELETE FROM t WHERE a = 2')\n1 / 0"
    table.run(code, atomic=False)
    assert told(table, "t") == {"deleted": 2}


def test_a_batch_insert_that_nests_and_one_that_updates(table: Session) -> None:
    table.exec("CREATE TABLE u (x UNIQUE)")
    table.run("""
def records():
    for a in (10, 11):
        helpers.db.batch_insert("u", [{"x": a}, {"x": -a}])
        yield {"a": a}
helpers.db.batch_insert("t", records())
helpers.db.batch_insert("t", [{"a": 1, "b": "new"}, {"a": 99}], on_conflict="update", key="a")
helpers.db.batch_insert("u", [{"x": 10}, {"x": 12}], on_conflict="ignore")
""")
    assert told(table, "t") == {"inserted": 2, "upserted": 2}
    assert told(table, "u") == {"inserted": 5}


def test_a_table_made_of_a_query_has_its_rows(table: Session) -> None:
    table.run("helpers.db.exec('CREATE TABLE u AS SELECT * FROM t')")
    assert told(table, "u") == {"created": True, "inserted": 3}
    table.run("helpers.db.exec('CREATE TABLE IF NOT EXISTS u (x)')")
    table.run("helpers.db.exec('CREATE INDEX IF NOT EXISTS u_b ON u (b)')")
    table.run("helpers.db.exec('CREATE INDEX IF NOT EXISTS u_b ON u (b)')\nhelpers.db.exec('DROP VIEW IF EXISTS none')")
    assert len(executions(table, "u")) == 2, "what is there already is not made"


def test_history_follows_a_rename(table: Session) -> None:
    renamed = table.run("helpers.db.exec('INSERT INTO t VALUES (4, 4)')\nhelpers.db.exec('ALTER TABLE t RENAME TO u')")
    assert executions(table, "u") == [renamed.execution_id, "host"]
    assert told(table, "u") == {"altered": True, "inserted": 1}
    assert table.table_changes("t") == []
    assert table.describe_table("u")["provenance"]["created"]["execution_id"] == "host"


def test_dropped_and_made_anew(table: Session) -> None:
    dropped = table.run("helpers.db.exec('DROP TABLE t')").execution_id
    assert table.table_changes("t")[0].dropped_at is not None
    again = table.run("helpers.db.exec('CREATE TABLE t (z)')").execution_id
    assert table.describe_table("t")["provenance"]["created"]["execution_id"] == again
    assert executions(table, "t") == [again, dropped, "host"]


MOVES = [
    # what a table went through in one execution, and what is told of t, u and v
    ("CREATE TABLE u (x); INSERT INTO u VALUES (1); DROP TABLE u; CREATE TABLE u (y)", {"u": {"created": True}}),
    ("DROP TABLE t; CREATE TABLE t (x); INSERT INTO t VALUES (1)",
     {"t": {"created": True, "dropped": True, "inserted": 1}}),
    ("CREATE TABLE u (x); ALTER TABLE u RENAME TO v; INSERT INTO v VALUES (1)",
     {"u": None, "v": {"created": True, "altered": True, "inserted": 1}}),
    ("CREATE TABLE u (x); ALTER TABLE u RENAME TO v; DROP TABLE v", {"u": None, "v": None}),
    ("CREATE TABLE u (x); ALTER TABLE u RENAME TO v; CREATE TABLE u (y); DROP TABLE u",
     {"u": None, "v": {"created": True, "altered": True}}),
    ("UPDATE t SET b = 0; ALTER TABLE t RENAME TO u; CREATE TABLE t (z)",
     {"t": {"created": True}, "u": {"altered": True, "updated": 3}}),
    ("DELETE FROM t WHERE a = 1; DROP TABLE t", {"t": {"dropped": True}}),
    ("CREATE TABLE u (x REFERENCES t ON DELETE CASCADE); INSERT INTO u VALUES (1); DROP TABLE t",
     {"t": {"dropped": True}, "u": {"created": True, "inserted": 1, "uncounted": True}}),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), MOVES)
@pytest.mark.parametrize("unit", ["script", "statements"])
def test_what_one_execution_comes_to(table: Session, script: str, expected: dict[str, Any], unit: str) -> None:
    statements = [script] if unit == "script" else script.split("; ")
    outcome = table.run("\n".join(f"helpers.db.script({text!r})" for text in statements))
    assert outcome.ok, outcome.error
    found = {
        name: next((each for each in table.table_changes(name) if each.execution_id == outcome.execution_id), None)
        for name in expected
    }
    assert {name: change and shown(change) for name, change in found.items()} == expected


def shown(change: TableChange) -> dict[str, Any]:
    flags = {word: True for word in ("created", "altered", "dropped") if getattr(change, f"{word}_at")}
    if change.uncounted:
        flags["uncounted"] = True
    return flags | {name: getattr(change, name) for name in COUNTS if getattr(change, name)}


def test_many_tables_in_one_unit_take_time_in_proportion(session: Session) -> None:
    with session._registry.reading(session._key) as reader:
        noted = Provenance(reader, "ex_1")
    started = time.process_time()
    noted.mark()
    for number in range(20_000):
        noted.mark()
        insert = Statement("", "insert", False, False, False, writes=(Write("INSERT", f"t{number}", True),))
        noted.note(insert, 1, 1)
        noted.keep()
    noted.keep()
    assert time.process_time() - started < 5, "copying what was noted at each mark would take minutes"


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t ADD COLUMN c",
        "CREATE INDEX t_b ON t (b)",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
    ],
)
def test_what_alters_a_table(table: Session, sql: str) -> None:
    table.run(f"helpers.db.exec({sql!r})")
    assert told(table, "t") == {"altered": True}


def test_rows_changed_by_the_trigger_of_a_view_alone_are_named_as_changed(table: Session) -> None:
    table.script("""
        CREATE VIEW living AS SELECT * FROM t WHERE b IS NOT NULL;
        CREATE TRIGGER hidden INSTEAD OF DELETE ON living BEGIN UPDATE t SET b = NULL WHERE a = old.a; END""")
    outcome = table.run("return helpers.db.query('DELETE FROM living WHERE a = 2 RETURNING a')")
    assert outcome.result == [{"a": 2}]
    assert outcome.db.rows_written == 0
    assert "t" in outcome.db.tables_changed


@pytest.mark.parametrize(
    ("call", "changed"),
    [
        ("exec('UPDATE t SET b = 0 WHERE a = 1')", {"t"}),
        ("exec('UPDATE t SET b = 0 WHERE a = 2')", {"t", "audit"}),
        ("exec('DELETE FROM t WHERE a = 3')", {"t"}),
        ("exec('DELETE FROM t WHERE a = 1')", {"t", "child"}),
        ("exec('INSERT OR IGNORE INTO t VALUES (3, NULL)')", {"asked"}),
        ("exec('INSERT INTO v VALUES (7, 1)')", {"t", "asked"}),
        ("batch_insert('t', [{'a': 1, 'b': 2}], on_conflict='update', key=['a'])", {"t", "asked", "audit"}),  # either
        ("batch_insert('v', [{'a': 7, 'b': 1}])", {"t", "asked"}),
    ],
)
def test_tables_that_no_trigger_wrote_to_are_not_named_as_changed(table: Session, call: str, changed: set[str]) -> None:
    table.script("""
CREATE TABLE audit (x); CREATE TABLE asked (x);
CREATE TABLE child (t REFERENCES t (a) ON DELETE CASCADE);
INSERT INTO child VALUES (1);
CREATE TRIGGER noted AFTER UPDATE ON t WHEN new.a = 2 BEGIN INSERT INTO audit VALUES (new.a); END;
CREATE TRIGGER first BEFORE INSERT ON t BEGIN INSERT INTO asked VALUES (new.a); END;
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a, new.b); END;
""")
    assert set(table.run(f"helpers.db.{call}").db.tables_changed) == changed


def test_rows_of_triggers_and_foreign_keys(table: Session) -> None:
    table.script("""
CREATE TABLE audit (x);
CREATE TABLE child (t REFERENCES t (a) ON DELETE CASCADE);
INSERT INTO child VALUES (1), (1), (2);
CREATE TRIGGER noted AFTER UPDATE ON t BEGIN INSERT INTO audit VALUES (new.a); END;
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a, new.b); END;
""")
    table.run("helpers.db.exec('UPDATE t SET b = 0 WHERE a < 3')")
    assert (told(table, "t"), told(table, "audit")) == ({"updated": 2}, {"inserted": 2})
    table.run("helpers.db.exec('DELETE FROM t WHERE a = 1')")
    assert (told(table, "t"), told(table, "child")) == ({"deleted": 1}, {"deleted": 2})
    table.run("helpers.db.exec('INSERT INTO v VALUES (7, 7), (8, 8)')")
    assert told(table, "t") == {"inserted": 2}


def test_what_sqlite_does_not_tell_apart_is_marked(table: Session) -> None:
    table.script("""
CREATE TABLE a1 (x);
CREATE TABLE a2 (x);
CREATE TRIGGER noted AFTER UPDATE ON t BEGIN INSERT INTO a1 VALUES (1); INSERT INTO a2 VALUES (1); END;
CREATE VIRTUAL TABLE words USING fts5 (b);
CREATE TRIGGER indexed AFTER DELETE ON t BEGIN INSERT INTO words VALUES (old.b); END;
""")
    table.run("helpers.db.exec('UPDATE t SET b = 0')")
    assert (told(table, "t"), told(table, "a1"), told(table, "a2")) == (
        {"updated": 3}, {"uncounted": True}, {"uncounted": True},
    )  # fmt: skip
    table.run("helpers.db.exec('DELETE FROM t WHERE a = 1')")
    assert (told(table, "t"), told(table, "words")) == ({"deleted": 1}, {"uncounted": True})
    table.run("helpers.db.exec(\"INSERT INTO words VALUES ('p q'), ('r')\")")
    assert told(table, "words") == {"inserted": 2}


def test_rows_that_point_at_their_own_table(session: Session) -> None:
    session.script("""
CREATE TABLE tree (id INTEGER PRIMARY KEY, up REFERENCES tree (id) ON DELETE SET NULL);
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 1);
""")
    session.run("helpers.db.exec('DELETE FROM tree WHERE id = 1')")
    assert told(session, "tree") == {"deleted": 1, "updated": 2}


def test_calls_of_the_host_share_one_line(table: Session, set_clock: Callable[..., None]) -> None:
    set_clock(wall=1.0, boot=1.0)  # all of it may be done within one millisecond
    table.exec("DELETE FROM t WHERE a = 1")
    table.load("loaded", [("x", "INTEGER")], [(n,) for n in range(1_500)])
    [change] = table.table_changes("t")
    assert (change.execution_id, change.inserted, change.deleted) == ("host", 3, 1)
    assert change.first_at < change.last_at
    assert told(table, "loaded") == {"created": True, "inserted": 1_500}
    table.load("loaded", [("x", "INTEGER")], [(1,)], if_exists="replace")
    assert table.describe_table("loaded")["provenance"]["created"]["timestamp"] > change.first_at
