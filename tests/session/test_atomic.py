"""An execution is all or nothing, and says so."""

from __future__ import annotations

import pytest

from codemode import Session, Worker
from codemode.errors import RequestInvalid
from codemode.session.transaction import Transaction

INSERT = "helpers.db.exec(\"INSERT INTO t VALUES (10, 'ten')\")\n"


def rows(session: Session) -> int:
    return session.value("SELECT count(*) FROM t")


def test_a_good_execution_is_committed(table: Session) -> None:
    outcome = table.run(INSERT)
    assert (outcome.ok, outcome.db.committed, outcome.db.rolled_back) == (True, True, False)
    assert outcome.db.tables_changed == ("t",)
    assert rows(table) == 4


@pytest.mark.parametrize("ending", ["raise ValueError('no')", "1 / 0", "helpers.db.query('SELECT nothing FROM t')"])
def test_a_failed_execution_leaves_nothing(table: Session, ending: str) -> None:
    outcome = table.run(INSERT + "helpers.db.exec('CREATE TABLE other (x)')\nhelpers.db.save_state('k', 1)\n" + ending)
    assert (outcome.ok, outcome.status, outcome.db.committed, outcome.db.rolled_back) == (False, "error", False, True)
    assert outcome.db.tables_changed == ()
    assert rows(table) == 3
    assert table.get_tables() == ["t"]
    assert table.get_state("k") is None


def test_a_cancel_that_comes_with_the_commit_says_that_it_ends_nothing(
    table: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, finish = [], Transaction.finish

    def finished(transaction: Transaction, *, keep: bool) -> None:
        said.append(table.cancel())
        finish(transaction, keep=keep)

    monkeypatch.setattr(Transaction, "finish", finished)
    outcome = table.run(INSERT)
    monkeypatch.undo()
    assert (said, outcome.status, outcome.db.committed, rows(table)) == ([False], "completed", True, 4)


def test_a_timeout_leaves_nothing(table: Session) -> None:
    outcome = table.run(INSERT + "while True: pass", timeout=2.0)  # in which it writes, on a busy machine too
    assert (outcome.status, outcome.error.code, outcome.db.rolled_back) == ("timeout", "code.timeout", True)
    assert outcome.error.retryable
    assert rows(table) == 3


def test_a_slow_statement_ends_with_the_execution(table: Session) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    outcome = table.run(INSERT + f"helpers.db.value('{endless}')", timeout=0.5)
    assert outcome.status == "timeout"
    assert rows(table) == 3


def test_a_read_alone_counts_as_committed(table: Session) -> None:
    outcome = table.run("helpers.db.value('SELECT count(*) FROM t')")
    assert (outcome.result, outcome.db.committed, outcome.db.rolled_back) == (3, True, False)


def test_commit_keeps_what_was_done_before_it(table: Session) -> None:
    outcome = table.run(INSERT + "helpers.db.commit()\nhelpers.db.exec('DELETE FROM t')\nraise ValueError('late')")
    assert (outcome.ok, outcome.db.committed, outcome.db.rolled_back) == (False, True, True)
    assert outcome.db.tables_changed == ("t",)
    assert rows(table) == 4


def test_a_dry_run_reports_and_undoes(table: Session) -> None:
    outcome = table.run(INSERT + "helpers.db.value('SELECT count(*) FROM t')", dry_run=True)
    assert (outcome.ok, outcome.result) == (True, 4)
    assert (outcome.db.dry_run, outcome.db.committed, outcome.db.rolled_back) == (True, False, True)
    assert (outcome.db.rows_written, outcome.db.tables_changed) == (1, ("t",))
    assert rows(table) == 3


def test_commit_is_refused_in_a_dry_run(table: Session) -> None:
    outcome = table.run(INSERT + "helpers.db.commit()", dry_run=True)
    assert outcome.error.code == "request.invalid"
    assert rows(table) == 3


def test_dry_run_and_each_call_by_itself_exclude_each_other(table: Session) -> None:
    with pytest.raises(RequestInvalid, match="exclude"):
        table.run(INSERT, dry_run=True, atomic=False)


def test_without_atomic_each_call_is_kept_by_itself(table: Session) -> None:
    outcome = table.run(INSERT + "raise ValueError('late')", atomic=False)
    assert (outcome.ok, outcome.db.committed) == (False, True)
    assert outcome.db.tables_changed == ("t",)
    assert rows(table) == 4


def test_without_atomic_a_failed_batch_still_leaves_nothing(table: Session) -> None:
    code = "helpers.db.batch([('DELETE FROM t', ()), ('INSERT INTO t VALUES (1, 2, 3)', ())])"
    outcome = table.run(code, atomic=False)
    assert not outcome.ok
    assert rows(table) == 3


@pytest.mark.parametrize("failing", ["exec('INSERT INTO t VALUES (9, 9), (1, 1)')", "batch([('nonsense', ())])"])
@pytest.mark.parametrize("atomic", [True, False])
def test_a_failed_call_that_is_caught_rolls_no_execution_back(table: Session, failing: str, atomic: bool) -> None:
    outcome = table.run(f"try:\n    helpers.db.{failing}\nexcept helpers.Error: pass\n{INSERT}", atomic=atomic)
    assert (outcome.db.committed, outcome.db.rolled_back, rows(table)) == (True, False, 4)


def test_read_only_refuses_writes_and_state(table: Session) -> None:
    for write in (INSERT, "helpers.db.save_state('k', 1)", "helpers.db.batch_insert('t', [{'a': 9}])"):
        outcome = table.run(write, read_only=True)
        assert outcome.error.code == "sql.refused", write
        assert "read-only" in outcome.error.message
    assert table.run("helpers.db.value('SELECT count(*) FROM t')", read_only=True).result == 3


@pytest.mark.parametrize(
    "ending",
    [
        "INSERT OR ROLLBACK INTO t VALUES (1, 'again')",
        "INSERT INTO strict_table VALUES (1), (1)",
        "INSERT INTO watched VALUES (1)",
    ],
)
def test_a_statement_that_ends_the_transaction_dooms_the_execution(table: Session, ending: str) -> None:
    table.exec("CREATE TABLE strict_table (x UNIQUE ON CONFLICT ROLLBACK)")
    table.exec("CREATE TABLE watched (x)")
    table.exec("CREATE TRIGGER w AFTER INSERT ON watched BEGIN SELECT RAISE(ROLLBACK, 'never'); END")
    code = f"""
helpers.db.exec("INSERT INTO t VALUES (10, 'ten')")
try:
    helpers.db.exec("{ending}")
except Exception:
    pass
try:
    helpers.db.exec("INSERT INTO t VALUES (11, 'eleven')")
except helpers.Error as error:
    print(error.message)
"""
    outcome = table.run(code)
    assert (outcome.ok, outcome.db.committed, outcome.db.rolled_back) == (False, False, True)
    assert "undone" in outcome.error.message
    assert "undone" in outcome.stdout, "a later helper call must fail too"
    assert rows(table) == 3


def test_a_deferred_foreign_key_fails_at_the_commit(session: Session) -> None:
    session.script(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)"
    )
    outcome = session.run("helpers.db.exec('INSERT INTO c VALUES (7)')")
    assert (outcome.ok, outcome.status, outcome.error.code) == (False, "error", "sql.constraint")
    assert (outcome.result, outcome.db.committed, outcome.db.rolled_back) == (None, False, True)
    assert session.value("SELECT count(*) FROM c") == 0


def test_a_caught_failure_of_a_batch_leaves_nothing_of_it(table: Session) -> None:
    code = """
try:
    helpers.db.batch([("INSERT INTO t VALUES (20, 'x')", ()), ("INSERT INTO t VALUES (1, 'again')", ())])
except helpers.Error as error:
    print(error.code)
helpers.db.exec("INSERT INTO t VALUES (30, 'y')")
"""
    outcome = table.run(code)
    assert (outcome.ok, outcome.stdout) == (True, "sql.constraint\n")
    assert [row["a"] for row in table.query("SELECT a FROM t WHERE a > 3")] == [30]


def test_a_schema_change_is_rolled_back_too(table: Session) -> None:
    outcome = table.run("helpers.db.exec('ALTER TABLE t ADD COLUMN c')\nhelpers.db.exec('DROP TABLE t')\n1/0")
    assert not outcome.ok
    assert [column["name"] for column in table.get_columns("t")] == ["a", "b"]


def test_the_next_execution_starts_clean(table: Session) -> None:
    table.run(INSERT + "1/0")
    assert table.run(INSERT).db.committed
    assert rows(table) == 4


def test_a_closed_worker_refuses_clearly(tmp_path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
    with pytest.raises(Exception, match="closed"):
        session.run("1")


ENDING = "INSERT OR ROLLBACK INTO t VALUES (1, 1)"
UNITS = {
    "batch": f"helpers.db.batch([('INSERT INTO t VALUES (8, 8)', []), ({ENDING!r}, [])])",
    "script": f"helpers.db.script('INSERT INTO t VALUES (8, 8); {ENDING}')",
    "records": f"helpers.db.batch_insert('t', [{{'a': 8}} for _ in [helpers.db.exec({ENDING!r})]])",
    "a generator": f"helpers.db.batch_insert('t', ({{'a': 8}} for _ in 'x' if helpers.db.exec({ENDING!r})))",
    "a trigger": "helpers.db.batch_insert('watched', [{'x': 1}])",
}


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_a_transaction_that_ends_inside_a_unit_is_told_as_what_it_is(table: Session, unit: str, atomic: bool) -> None:
    table.script(
        "CREATE TABLE watched (x);CREATE TRIGGER w AFTER INSERT ON watched BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
    )
    outcome = table.run(f"{INSERT}try:\n    {unit}\nexcept helpers.Error as error: print(error.code)", atomic=atomic)
    assert (outcome.error.code, outcome.stdout) == ("sql.runtime", "sql.constraint\n")
    assert rows(table) == 3 + (not atomic)
    assert outcome.db.tables_changed == (() if atomic else ("t",))


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("inner", [ENDING, "INSERT INTO watched VALUES (1)"])
def test_records_after_the_end_of_the_transaction_are_not_inserted(table: Session, inner: str, atomic: bool) -> None:
    table.script(
        "CREATE TABLE watched (x);CREATE TRIGGER w AFTER INSERT ON watched BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
    )
    code = f"""
def records():
    for n in range(10, 2000):
        yield {{'a': n, 'b': 'x'}}
        if n in (11, 900):
            try: helpers.db.exec({inner!r})
            except helpers.Error: pass
try: helpers.db.batch_insert('t', records())
except helpers.Error: pass
"""
    outcome = table.run(code, atomic=atomic)
    assert (outcome.ok, outcome.error.code, rows(table)) == (False, "sql.runtime", 3)


@pytest.mark.parametrize("atomic", [True, False])
def test_what_was_committed_before_is_not_said_to_be_undone(table: Session, atomic: bool) -> None:
    commit = "helpers.db.commit()\n" if atomic else ""
    ending = "try: helpers.db.exec('INSERT OR ROLLBACK INTO t VALUES (1, 1)')\nexcept helpers.Error: pass"
    outcome = table.run(INSERT + commit + ending, atomic=atomic)
    assert "since it last committed is undone" in outcome.error.message
    assert (outcome.db.committed, rows(table)) == (True, 4)


def test_tables_of_a_commit_that_failed_are_told_as_unchanged_and_those_after_it_as_changed(table: Session) -> None:
    table.exec("CREATE TABLE child (a REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
    table.exec("CREATE TABLE later (x)")
    code = """
helpers.db.exec("INSERT INTO child VALUES (99)")
try: helpers.db.commit()
except helpers.Error: helpers.db.exec("INSERT INTO later VALUES (1)")
"""
    outcome = table.run(code)
    assert (outcome.ok, outcome.db.committed, outcome.db.rolled_back) == (True, True, True)
    assert outcome.db.tables_changed == ("later",)
    assert (table.value("SELECT count(*) FROM child"), table.value("SELECT count(*) FROM later")) == (0, 1)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO exact VALUES (1), ('one')",
        "INSERT INTO exact SELECT 1 UNION ALL SELECT 'fail'",
        "INSERT OR IGNORE INTO exact SELECT 1 UNION ALL SELECT 'one'",
        "INSERT INTO other VALUES (1), ('one')",
        "INSERT INTO t VALUES (7, 'x'), (8, CAST(x'ff' AS TEXT)) RETURNING *",
    ],
)
@pytest.mark.parametrize("atomic", [True, False])
def test_a_statement_that_fails_half_way_leaves_nothing(table: Session, sql: str, atomic: bool) -> None:
    table.exec("CREATE TABLE exact (n INTEGER) STRICT")
    table.exec("CREATE TABLE other (n)")
    table.exec("CREATE TRIGGER copied AFTER INSERT ON other BEGIN INSERT INTO exact VALUES (new.n); END")
    outcome = table.run(
        f'try: helpers.db.exec("""{sql}""")\nexcept helpers.Error as error: return error.code', atomic=atomic
    )
    assert outcome.result in {"sql.constraint", "sql.runtime"}
    assert outcome.db.tables_changed == ()
    assert (rows(table), table.query("SELECT n FROM exact UNION ALL SELECT n FROM other")) == (3, [])


@pytest.mark.parametrize(("atomic", "kept"), [(True, 2), (False, 0)])
def test_rows_that_or_fail_leaves_are_told_where_they_stay(table: Session, atomic: bool, kept: int) -> None:
    code = """
try: helpers.db.exec("INSERT OR FAIL INTO t VALUES (7, 'x'), (8, 'x'), (1, 'x')")
except helpers.Error: pass
"""
    outcome = table.run(code, atomic=atomic)
    assert outcome.ok
    assert table.value("SELECT count(*) FROM t") == 3 + kept
    assert outcome.db.tables_changed == (("t",) if kept else ())
    told = table.describe_table("t")["provenance"]["changes"]
    assert [each["inserted"] for each in told if each["execution_id"] == outcome.execution_id] == [kept] * bool(kept)
