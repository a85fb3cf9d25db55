"""The execution log: everything that ran, failures too, bounded, readable and not writable."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codemode import Session, Settings, Worker
from codemode.asked import LOG_KINDS
from codemode.database.journal import Entry, Journal, Totals
from codemode.errors import RequestInvalid


def test_a_failed_execution_is_on_record_although_its_data_is_not(table: Session) -> None:
    table.run("helpers.db.exec('DELETE FROM t')\nraise ValueError('no')")
    execution, statement = table.logs(limit=2)
    assert (execution.kind, execution.error_code) == ("execution", "code.runtime")
    assert "raise ValueError" in execution.statement
    assert (statement.kind, statement.statement, statement.rows_written) == ("exec", "DELETE FROM t", 3)
    assert statement.execution_id == execution.execution_id
    assert table.value("SELECT count(*) FROM t") == 3


def test_every_kind_of_entry_can_be_asked_for(table: Session, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("a\n1\n")
    table.run("""
db = helpers.db
db.save_state("k", 1), db.delete_state("k"), db.batch_insert("n", [{"a": 1}], create=True), db.commit()
list(db.pages("SELECT 1")), db.explain("SELECT a FROM t"), db.get_metrics()
""")
    table.import_file(tmp_path / "n.csv", table="m")
    table.checkpoint("one")
    table.exec("DELETE FROM t")
    table.undo(), table.redo(), table.restore("one"), table.fork()
    table.run("return helpers.db.query('SELECT 1'), helpers.db.diff('one')")
    table.run("return ['x' * 100] * 1000", max_result_bytes=1000)
    for _ in range(2):
        table.run("return 1", idempotency_key="k")
    table.delete_checkpoint("one")
    assert {entry.kind for entry in table.logs()} == set(LOG_KINDS)
    assert all(table.logs(kind=kind) for kind in LOG_KINDS)
    with pytest.raises(RequestInvalid, match="kind must be one of execution") as refused:
        table.logs(kind="exce")
    assert refused.value.did_you_mean == ("exec",)


def test_a_snippet_reads_the_log(table: Session) -> None:
    first = table.run("helpers.db.query('SELECT * FROM missing')")
    code = (
        f"helpers.db.query(\"SELECT kind, error_code FROM execution_logs WHERE execution_id = '{first.execution_id}'\")"
    )
    assert table.run(code).result == [
        {"kind": "query", "error_code": "sql.no_such_table"},
        {"kind": "execution", "error_code": "sql.no_such_table"},
    ]


def test_the_entries_of_calls_add_up_to_that_of_their_execution(table: Session) -> None:
    outcome = table.run("""
helpers.db.exec("INSERT INTO t SELECT value, 'x' FROM json_each('[11, 12, 13, 14]')")
half = next(iter(helpers.db.pages("SELECT * FROM t", size=2)))
whole = [len(page) for page in helpers.db.pages("SELECT * FROM t", size=3)]
try:
    helpers.db.exec("INSERT OR FAIL INTO t (a) VALUES (90), (91), (90)")
except helpers.Error as error:
    print(error.code)
return len(half), whole
""")
    assert (outcome.result, outcome.stdout) == ([2, [3, 3, 1]], "sql.constraint\n")
    execution, *calls = table.logs(limit=5)
    assert [each.kind for each in calls] == ["exec", "pages", "pages", "exec"]
    assert [(each.rows_read, each.rows_written) for each in calls] == [(0, 2), (7, 0), (2, 0), (0, 4)]
    assert (execution.rows_read, execution.rows_written) == (outcome.db.rows_read, outcome.db.rows_written) == (9, 6)


def test_the_first_entry_of_a_log_survives_its_process_and_later_ones_are_as_safe_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    journal = Journal(path, 100, 1_000_000)
    journal.write([Entry("x", "2026-01-01T00:00:00.000Z", "exec", "SELECT 1", 0.0)], Totals())
    connection = journal._connection
    assert connection is not None
    assert (connection.pragma("synchronous"), connection.pragma("wal_autocheckpoint")) == (1, 1_000)
    copy = tmp_path / "as a killed process leaves it"
    copy.mkdir()
    for name in ("log.db", "log.db-wal"):
        shutil.copy(tmp_path / name, copy)
    left = Journal(copy / "log.db", 100, 1_000_000)
    assert [entry.statement for entry in left.read(10)] == ["SELECT 1"]
    for each in (left, journal):
        each.close()


WRITES = [
    "DELETE FROM execution_logs",
    "UPDATE execution_logs SET kind = 'x'",
    "INSERT INTO execution_logs (kind) VALUES ('x')",
    "DROP TABLE execution_logs",
    "DROP VIEW execution_logs",
    "DELETE FROM log.execution_logs",
    "DROP TABLE log.execution_logs",
    "ALTER TABLE t RENAME TO execution_logs",
    "CREATE TABLE execution_logs (x)",
    "CREATE TRIGGER x INSTEAD OF INSERT ON execution_logs BEGIN SELECT 1; END",
    "DELETE FROM session_state",
    "INSERT INTO session_state VALUES ('k', '1', '')",
    "DROP TABLE session_state",
    "ALTER TABLE session_state ADD COLUMN x",
    "CREATE TRIGGER x AFTER INSERT ON session_state BEGIN SELECT 1; END",
    "CREATE INDEX x ON session_state (value)",
]


@pytest.mark.parametrize("write", WRITES)
def test_engine_tables_cannot_be_changed(table: Session, write: str) -> None:
    table.save_state("k", 1)
    before = len(table.logs(limit=1000))
    outcome = table.run(f"helpers.db.exec({write!r})")
    assert not outcome.ok, write
    assert table.get_state("k") == 1
    assert len(table.logs(limit=1000)) >= before + 2
    assert "t" in table.get_tables()


def entry(number: int, text: str = "SELECT 1") -> Entry:
    return Entry("ex", "2026-01-01T00:00:00.000Z", "exec", f"{number} {text}", 1.0)


def test_the_log_keeps_the_newest_entries(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log.db", entries=10, size_bytes=10**9)
    for number in range(25):
        journal.write([entry(number)], Totals(1, 2, 3))
    kept = journal.read(100)
    assert [e.statement.split()[0] for e in kept] == [str(n) for n in range(24, 14, -1)]
    assert journal.totals() == Totals(25, 50, 75), "the totals outlive the entries"
    journal.close()


def test_the_log_is_bounded_in_bytes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log.db", entries=10**6, size_bytes=200_000)
    for number in range(400):
        journal.write([entry(number, "x" * 3_000)], Totals(1, 0, 0))
    assert journal.read(1)[0].statement.startswith("399 ")
    assert journal.path.stat().st_size < 400_000
    assert 10 < journal.count() < 100
    journal.close()


def test_a_long_statement_is_kept_with_its_length_and_hash(table: Session) -> None:
    table.run("helpers.db.query('SELECT 1 --' + 'x' * 50_000)")
    statement = table.logs(limit=2)[1].statement
    assert len(statement) < 5_000
    assert "50,011 characters, sha256" in statement


def test_an_import_that_has_to_begin_again_is_logged_once(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("n\n" + "1\n" * 300_000 + "12B\n")
    assert [column.type for column in session.import_file(path).columns] == ["TEXT"]
    assert session.value("SELECT count(*) FROM late WHERE typeof(n) = 'text'") == 300_001
    assert [logged.kind for logged in session.logs() if "late" in logged.statement] == ["query", "import", "exec"]


def test_a_damaged_log_is_set_aside_and_the_session_works(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
    log = next(tmp_path.glob("sessions/*/log.db"))
    log.write_bytes(b"this is no database" * 500)
    with Worker(data_dir=tmp_path) as worker:
        assert worker.session("s").get_tables() == ["t"]
        assert worker.session("s").exec("INSERT INTO t VALUES (1)")["changes"] == 1
    assert list(log.parent.glob("log.db.damaged-*"))


def test_a_log_that_another_has_begun_anew_is_not_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    journals = [Journal(path, 100, 1_000_000) for _ in range(2)]
    path.write_bytes(b"this is no database" * 500)
    (tmp_path / "log.db-wal").write_bytes(b"")
    for journal in journals:
        assert journal._connection is not None
        journal._connection.release_memory()  # so that each reads the file again
    for number, journal in enumerate(journals):
        journal.write([Entry("x", "2026-01-01T00:00:00.000Z", "exec", f"SELECT {number}", 0.0)], Totals())
    assert len(list(tmp_path.glob("log.db.damaged-*"))) == 1
    assert [entry.statement for entry in journals[0].read(10)] == ["SELECT 1", "SELECT 0"]
    for journal in journals:
        journal.close()


def test_totals_and_metrics(table: Session) -> None:
    before = table.metrics()
    table.run("helpers.db.query('SELECT * FROM t')\nhelpers.db.exec('UPDATE t SET b = 1')")
    after = table.metrics()
    assert after["rows_read"] - before["rows_read"] == 3
    assert after["rows_written"] - before["rows_written"] == 3
    assert after["execution_logs"] > before["execution_logs"]
    assert after["tables"] == [{"name": "t", "rows": 3, "bytes": after["tables"][0]["bytes"]}]
    assert after["tables"][0]["bytes"] >= 4096
    assert after["database_size"] >= after["tables"][0]["bytes"]
    assert after["limits"]["rows"] == 10_000


def test_the_bound_of_the_log_is_a_setting(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(log_entries=5)) as worker:
        session = worker.session("s")
        for _ in range(10):
            session.value("SELECT 1")
        assert len(session.logs()) == 5
