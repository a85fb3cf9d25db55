"""The engine's own table of changes: bounded, nobody else's to write, and made in the sessions that lack it."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from codemode import Session, Worker
from codemode.database import provenance
from codemode.limits import Limits


def test_it_is_bounded_for_each_table_and_for_tables_that_are_gone() -> None:
    connection = apsw.Connection(":memory:")
    steps = Path(provenance.__file__).parent / "migrations" / "session"
    connection.execute(next(steps.glob("*_provenance.sql")).read_text("utf-8"))
    connection.execute("CREATE TABLE busy (x)")
    for number in range(500):
        counted = {"created": 1} if number == 0 else {"inserted": 1}
        provenance.add(connection, f"ex_{number:04}", f"2026-01-01T00:00:{number:04}", {"busy": counted})
        provenance.add(
            connection, f"ex_{number:04}", f"2026-01-01T00:00:{number:04}", {f"gone{number}": {"dropped": 1}}
        )
    kept = [change.execution_id for change in provenance.changes(connection, "busy", -1)]
    assert 50 <= len(kept) < 100
    assert (kept[0], kept[-1]) == ("ex_0499", "ex_0000"), "the newest, and the one that made it"
    assert 100 <= len({change.table for change in provenance.changes(connection, None, -1)}) <= 102


ATTACKS = [
    "DELETE FROM _codemode_changes",
    "UPDATE _codemode_changes SET execution_id = 'ex_other'",
    "INSERT INTO _codemode_changes VALUES ('t', 'ex_1', '', '', 1, 0, 0, 0, 0, NULL, NULL, NULL)",
    'REPLACE INTO "_CODEMODE_changes" SELECT * FROM _codemode_changes',
    "DROP TABLE _codemode_changes",
    "ALTER TABLE _codemode_changes ADD COLUMN x",
    "ALTER TABLE _codemode_changes RENAME TO mine",
    "ALTER TABLE t RENAME TO _codemode_changes",
    "ALTER TABLE t RENAME TO _codemode_more",
    "CREATE TABLE IF NOT EXISTS _codemode_changes (x)",
    "CREATE VIEW _codemode_view AS SELECT 1",
    "CREATE INDEX x ON _codemode_changes (last_at)",
    "CREATE TRIGGER x AFTER INSERT ON _codemode_changes BEGIN DELETE FROM t; END",
    "CREATE TRIGGER x AFTER DELETE ON t BEGIN DELETE FROM _codemode_changes; END; DELETE FROM t",
    "CREATE TABLE child (x REFERENCES _codemode_changes (table_name))",
    "WITH gone AS (SELECT 1) DELETE FROM _codemode_changes RETURNING *",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_nobody_writes_it_but_the_engine(table: Session, sql: str) -> None:
    before = table.query("SELECT * FROM _codemode_changes WHERE table_name = 't'")
    schema = table.query("SELECT name, sql FROM sqlite_schema WHERE name LIKE '_codemode%'")
    table.run(f"helpers.db.script({sql!r})")
    table.run(f"helpers.db.exec({sql.partition('; DELETE')[0]!r})\nhelpers.db.exec('DELETE FROM t WHERE a = 1')")
    found = table.query("SELECT * FROM _codemode_changes WHERE table_name = 't' AND execution_id = 'host'")
    assert found == before
    assert table.query("SELECT name, sql FROM sqlite_schema WHERE name LIKE '_codemode%'") == schema


def test_a_session_from_before_gets_its_table(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
    path = next(tmp_path.glob("sessions/*/session.db"))
    path.unlink()
    old = apsw.Connection(str(path))
    steps = sorted((Path(provenance.__file__).parent / "migrations" / "session").glob("*.sql"))
    before = steps[: next(index for index, step in enumerate(steps) if step.name.endswith("_provenance.sql"))]
    for step in before:
        old.execute(step.read_text("utf-8"))
    old.execute("CREATE TABLE t (x)")
    old.pragma("journal_mode", "wal")
    old.pragma("user_version", len(before))
    old.close()
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        assert session.describe_table("t")["provenance"] == {"created": None, "changes": []}, "a reader only reads"
        assert session.table_changes() == []
        session.run("helpers.db.exec('INSERT INTO t VALUES (1)')")
        assert session.table_changes("t")[0].inserted == 1


def test_a_commit_without_room_for_it_is_undone_as_a_whole(worker: Worker) -> None:
    session = worker.session(limits=Limits(database_bytes=40_960))
    session.exec("CREATE TABLE t (x)")
    for number in range(40):
        name = f"{'a' * 500}{number}"
        outcome = session.run(f"helpers.db.exec('CREATE TABLE {name} (x)')")
        if not outcome.ok:
            break
        assert name in session.get_tables()
    assert outcome.error.code == "sql.disk_quota"
    assert name not in session.get_tables()
    assert session.table_changes(name) == []
