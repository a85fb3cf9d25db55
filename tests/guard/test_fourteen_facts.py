"""The fourteen facts about SQLite and sqlglot that the guard is built on: each by its number, with its defence.

Where a fact is one that a careless reader would not believe, the test shows it first, on plain SQLite or sqlglot.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apsw
import pytest
from guard_desk import Desk

from codemode import Limits, Session, Worker
from codemode.database.connection import open_session
from codemode.database.temporary import temporary_bytes
from codemode.errors import StatementRefused
from codemode.guard import parse
from codemode.guard.repair import explain_error

ENDLESS = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s)"
STATE = "DELETE FROM session_state WHERE key = 'nothing'"


# 1. apsw keeps prepared statements by their text, and the authorizer is asked only when one is prepared.


def test_fact_1_plain_apsw_asks_no_authorizer_for_a_text_that_it_has_prepared() -> None:
    connection, asked = apsw.Connection(":memory:"), []
    connection.authorizer = lambda *action: asked.append(action) or apsw.SQLITE_OK
    for _ in range(2):
        connection.execute("SELECT 1").fetchall()
    assert len(asked) == 1


@pytest.mark.parametrize("sql", [STATE, "SELECT * FROM dbstat", "PRAGMA user_version", "COMMIT"])
def test_fact_1_what_the_engine_ran_does_not_run_for_the_user(desk: Desk, sql: str) -> None:
    with desk.guard.engine():
        if sql == "COMMIT":
            desk.connection.execute("BEGIN").fetchall()
        desk.connection.execute(sql).fetchall()
    with pytest.raises(StatementRefused):
        desk.guard.check(sql)


def test_fact_1_what_the_engine_prepared_is_prepared_anew_for_a_user_who_got_past_the_guard(desk: Desk) -> None:
    with desk.guard.engine():
        desk.connection.execute(STATE).fetchall()
    harmless = desk.guard.check("DELETE FROM t WHERE id = 99")
    with pytest.raises(apsw.AuthError), desk.guard.running(harmless):
        desk.connection.execute(STATE).fetchall()


# 2. Some functions cannot be interrupted: they are replaced by bounded ones, or refused. Their answers, and the worst
#    of their arguments, are in tests/database/test_functions.py, and more in tests/cases/worst_statements.txt.

_LONG = "replace(hex(zeroblob(990000)), '0', 'a')"


@pytest.mark.parametrize(
    "call",
    [
        f"instr({_LONG}, substr({_LONG}, 1, 990000) || 'b')",
        f"replace({_LONG}, substr({_LONG}, 1, 990000) || 'b', '')",
        f"trim({_LONG}, hex(zeroblob(900000)) || 'a')",
        "unhex(replace(hex(zeroblob(300000)), '00', '0-0'), replace(hex(zeroblob(400000)), '0', '-'))",
        "json_patch('{' || replace(hex(zeroblob(150000)), '00', '\"a\":1,') || '\"b\":1}', '{\"c\":1}')",
    ],
)
def test_fact_2_a_function_that_nothing_interrupts_is_bounded(desk: Desk, call: str) -> None:
    used = time.thread_time()
    assert desk.submit(f"SELECT length({call})").verdict in {("allowed", "select"), ("error", "sql.limit", "running")}
    assert time.thread_time() - used < 3  # SQLite's own take 4 s to minutes


@pytest.mark.parametrize("name", ["snippet", "highlight"])
def test_fact_2_excerpts_are_refused_by_name_and_as_data(desk: Desk, name: str) -> None:
    by_name = desk.submit(f"SELECT {name}(docs, 0, '<', '>', '', 9) FROM docs WHERE docs MATCH 'hello'")
    as_data = desk.submit(f"SELECT rank FROM docs WHERE docs MATCH 'hello' AND rank MATCH '{name}(0)'")
    assert by_name.verdict == ("refused", "function", "authorizer")
    assert as_data.verdict == ("refused", "function", "running")


# 3. Names in sqlglot's tree can be wrong: the authorizer reports the true ones.


def test_fact_3_u_feff_is_white_space_to_sqlite_and_a_part_of_the_name_to_sqlglot(desk: Desk) -> None:
    sql = "DELETE FROM \ufeffsession_state"
    tree = parse.grammar("sqlite").parse(sql)[0]
    assert tree.this.name != "session_state"
    assert desk.submit(sql).verdict[0] == "error", "the gate"
    misread = desk.guard.check("DELETE FROM t")
    with pytest.raises(apsw.AuthError), desk.guard.running(misread):
        desk.connection.execute(sql)
    assert desk.guard.authorizer.violation is not None
    assert "session_state" in desk.guard.authorizer.violation.message
    assert desk.engine_hash() == desk.before


@pytest.mark.parametrize(
    "sql", ["SELECT 1 IN log.other_secret", "SELECT 'a' NOT IN log.other_secret", "SELECT * FROM dbstat"]
)
def test_fact_3_tables_that_stand_where_none_is_expected_are_found(desk: Desk, sql: str) -> None:
    assert desk.submit(sql).verdict[0] == "refused"


# 4. The authorizer is not told the new name of ALTER TABLE … RENAME TO.


def test_fact_4_plain_sqlite_tells_no_authorizer_the_new_name() -> None:
    connection, told = apsw.Connection(":memory:"), set()
    connection.execute("CREATE TABLE mine (x)")
    connection.authorizer = lambda *action: told.update(action) or apsw.SQLITE_OK
    connection.execute("ALTER TABLE mine RENAME TO execution_logs")
    assert "mine" in told
    assert "execution_logs" not in told


@pytest.mark.parametrize(
    "name", ["execution_logs", '"Execution_Logs"', "_result_9", "_codemode_x", "pragma_table_info"]
)
def test_fact_4_a_rename_onto_a_reserved_name_is_found_afterwards_and_undone(desk: Desk, name: str) -> None:
    assert desk.submit(f"ALTER TABLE only RENAME TO {name}").verdict == ("refused", "reserved", "schema")
    assert desk.submit("SELECT count(*) FROM only").rows == [(0,)]
    assert desk.engine_hash() == desk.before


# 5. sqlglot's classes surprise, and it raises more than ParseError: its word is advice.

_MISLEADING = [
    ("SAVEPOINT x", "Alias", ("refused", "transaction", "keyword")),
    ("RELEASE x", "Alias", ("refused", "transaction", "keyword")),
    ("END TRANSACTION", "Alias", ("refused", "transaction", "keyword")),
    ("REINDEX", "Column", ("refused", "maintenance", "keyword")),
    ("VACUUM", "Command", ("refused", "maintenance", "keyword")),
    ("CREATE TEMP TABLE x (a)", "Create", ("refused", "temp", "keyword")),
    ("CREATE VIRTUAL TABLE x USING dbstat", "Create", ("refused", "module", "authorizer")),
    ("REPLACE INTO t (id) VALUES (9)", "Command", ("allowed", "replace")),
    ("EXPLAIN SELECT 1", "Command", ("allowed", "explain")),
    ("ALTER TABLE only ADD COLUMN y", "Command", ("allowed", "alter_table")),
]


@pytest.mark.parametrize(("sql", "root", "verdict"), _MISLEADING, ids=[case[0] for case in _MISLEADING])
def test_fact_5_a_misleading_class_decides_nothing(desk: Desk, sql: str, root: str, verdict: tuple[str, ...]) -> None:
    assert parse.read(sql).roots[:1] in {(root,), ()}
    assert desk.submit(sql).verdict == verdict


@pytest.mark.parametrize("error", [TypeError, AttributeError, RecursionError, MemoryError, AssertionError])
def test_fact_5_a_parser_that_raises_has_no_say(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken() -> Any:
        raise error

    monkeypatch.setattr(parse, "_sqlglot", broken)
    assert desk.submit(f"SELECT a FROM t -- {error.__name__}").verdict == ("allowed", "select")
    assert desk.submit(f"SELECT * FROM dbstat -- {error.__name__}").verdict[0] == "refused"


# 6. A gate that refuses what sqlglot cannot read would refuse 3 % of SQLite's own statements.

_UNREADABLE = [
    "CREATE TRIGGER tr AFTER UPDATE OF a ON t WHEN new.b > 1 BEGIN DELETE FROM only; SELECT 1; END",
    "CREATE TABLE x (a PRIMARY KEY ON CONFLICT IGNORE, b UNIQUE ON CONFLICT REPLACE) WITHOUT ROWID",
    "UPDATE OR IGNORE t SET a = 'x'",
    "REPLACE INTO t (id, a) VALUES (1, 'z')",
    "CREATE VIRTUAL TABLE x USING fts5(a, b UNINDEXED, tokenize = 'porter unicode61', prefix = '2 3')",
    "SELECT a FROM t WHERE id = ?1 AND a = ?1",
    "SELECT 1; -- a word after the semicolon",
    "SELECT a FROM t WHERE a IS NOT DISTINCT FROM 'x' ORDER BY b DESC NULLS LAST",
]


@pytest.mark.parametrize("sql", _UNREADABLE)
def test_fact_6_what_sqlglot_cannot_read_runs(desk: Desk, sql: str) -> None:
    assert desk.submit(sql, [1] if "?1" in sql else ()).verdict[0] == "allowed"


# 7. The bodies of triggers and views are not checked when they are made, and run with the rights of what fires them.


def test_fact_7_a_trigger_fired_by_the_engine_s_own_batch_insert_has_the_user_s_rights(session: Session) -> None:
    session.run("helpers.db.save_state('step', 1)")
    session.exec("CREATE TABLE a (x)")
    session.exec("CREATE TRIGGER thief AFTER INSERT ON a BEGIN UPDATE session_state SET value = '2'; END")
    outcome = session.run("helpers.db.batch_insert('a', [{'x': 1}])")
    assert outcome.error.code == "sql.refused"
    assert "session_state" in outcome.error.message
    assert session.run("helpers.db.get_state('step')").result == 1
    assert session.value("SELECT count(*) FROM a") == 0


def test_fact_7_a_view_of_something_hidden_can_be_made_and_not_read(desk: Desk) -> None:
    for body in ("SELECT * FROM log.other_secret", "SELECT * FROM dbstat", "SELECT load_extension('x')"):
        desk.submit("DROP VIEW IF EXISTS window")
        desk.submit(f"CREATE VIEW window AS {body}")
        assert desk.submit("SELECT * FROM window").verdict[0] in {"refused", "error"}


# 8. Some statements end the whole outer transaction. What an execution then says is in tests/session/test_atomic.py.


def test_fact_8_statements_that_end_the_transaction_leave_the_guard_whole(desk: Desk) -> None:
    for sql in ("INSERT OR ROLLBACK INTO t (id) VALUES (1)", "UPDATE OR ROLLBACK t SET id = 1 WHERE id = 2"):
        with desk.guard.engine():
            desk.connection.execute("BEGIN", can_cache=False)
        assert desk.submit(sql).verdict == ("error", "sql.constraint", "running")
        assert not desk.connection.in_transaction
    assert desk.submit("SELECT count(*) FROM t").rows == [(3,)]
    assert desk.engine_hash() == desk.before


@pytest.mark.parametrize(
    "sql", ["INSERT OR ROLLBACK INTO t VALUES (1, 'x')", "INSERT INTO t VALUES (99, 'x')"], ids=["OR", "RAISE"]
)
def test_fact_8_an_execution_whose_transaction_was_ended_fails_as_rolled_back(table: Session, sql: str) -> None:
    table.exec("CREATE TRIGGER no BEFORE INSERT ON t WHEN new.a = 99 BEGIN SELECT raise(ROLLBACK, 'no'); END")
    outcome = table.run(
        "helpers.db.exec('DELETE FROM t WHERE a = 2')\n"
        f"try: helpers.db.exec({sql!r})\nexcept Exception: pass\n"
        "try: helpers.db.exec('DELETE FROM t')\nexcept Exception: pass"
    )
    assert (outcome.ok, outcome.db.committed, outcome.db.rolled_back) == (False, False, True)
    assert table.value("SELECT count(*) FROM t") == 3


# 9. max_page_count does not bound the disk: sorts spill to files without a name, and open readers grow the WAL.


def test_fact_9_a_sort_beyond_the_bound_of_temporary_files_ends_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codemode.database.temporary.MOST_BYTES", 20_000_000)
    connection = open_session(tmp_path / "session.db", Limits(database_bytes=1_000_000))
    bomb = f"{ENDLESS} SELECT i, hex(randomblob(200)) h FROM s ORDER BY h"
    started = time.process_time()
    with pytest.raises(apsw.InterruptError) as raised:
        connection.execute(bomb).fetchall()
    assert time.process_time() - started < 20
    assert explain_error(raised.value, bomb, connection).code == "sql.limit"
    assert temporary_bytes() < 20_000_000
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.close()


def test_fact_9_answers_that_are_cut_leave_no_reader_behind_that_grows_the_wal(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(rows=5)) as worker:
        session = worker.session("s")
        session.exec(f"CREATE TABLE t AS {ENDLESS} SELECT i, hex(randomblob(500)) AS x FROM s LIMIT 2000")
        for _ in range(30):
            assert session.query("SELECT * FROM t").truncated
            session.exec("UPDATE t SET x = hex(randomblob(500))")
        (wal,) = tmp_path.glob("sessions/*/session.db-wal")
        assert wal.stat().st_size < 20_000_000, "30 updates of 2 MB would be 60 MB"


# 10. 9,000 rows of 100 KB pass every limit of SQLite.


def test_fact_10_an_answer_has_a_bound_in_bytes(worker: Worker) -> None:
    session = worker.session(limits=Limits(result_set_bytes=3_000_000))
    rows = session.query(f"{ENDLESS} SELECT hex(zeroblob(50000)) AS x FROM s LIMIT 9000")
    assert rows.truncated
    assert 20 <= len(rows) <= 30


# 11. PRAGMA takes effect when it is prepared, VACUUM asks nobody, and a view may look like damage.


def test_fact_11_plain_sqlite_obeys_a_pragma_under_explain() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute("EXPLAIN PRAGMA foreign_keys = 1").fetchall()
    assert connection.pragma("foreign_keys") == 1


def test_fact_11_pragma_under_explain_never_reaches_sqlite(desk: Desk) -> None:
    for sql in ("EXPLAIN PRAGMA user_version = 7", "EXPLAIN QUERY PLAN PRAGMA foreign_keys = 0"):
        with pytest.raises(StatementRefused):
            desk.guard.check(sql)
    with desk.guard.engine():
        assert (desk.connection.pragma("user_version"), desk.connection.pragma("foreign_keys")) == (0, 1)


def test_fact_11_vacuum_is_refused_under_every_kind_though_the_authorizer_is_not_asked(desk: Desk) -> None:
    for sql in ("VACUUM", "/**/vacuum main", "EXPLAIN VACUUM", "VACUUM INTO 'x'"):
        assert desk.submit(sql).verdict == ("refused", "maintenance", "keyword")


def test_fact_11_a_comment_left_open_in_a_view_is_no_damage(session: Session) -> None:
    session.exec("CREATE TABLE t AS SELECT 1 AS a")
    outcome = session.run("helpers.db.exec('CREATE VIEW v AS SELECT 1/*')")
    assert outcome.error.code in {"sql.syntax", "sql.refused"}
    assert session.value("SELECT a FROM t") == 1
    assert session.get_tables() == ["t"]


# 12. sqlite_sequence, TEMP objects and REFERENCES reach the engine's tables from the side.

_FROM_THE_SIDE = [
    "UPDATE sqlite_sequence SET seq = 9223372036854775807",
    "INSERT INTO sqlite_sequence VALUES ('_codemode_counters', 9223372036854775807)",
    "DELETE FROM sqlite_sequence",
    "CREATE TEMP TABLE session_state (key, value, updated_at)",
    "CREATE TABLE temp.t (a)",
    "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
    "CREATE TRIGGER temp.x AFTER INSERT ON main.t BEGIN SELECT 1; END",
    "CREATE TABLE x (k TEXT REFERENCES session_state (key) ON DELETE RESTRICT)",
    "ALTER TABLE only ADD COLUMN k TEXT REFERENCES session_state (key)",
]


@pytest.mark.parametrize("sql", _FROM_THE_SIDE)
def test_fact_12_the_engine_s_tables_are_not_reached_from_the_side(desk: Desk, sql: str) -> None:
    assert desk.submit(sql).verdict[0] == "refused"
    assert desk.engine_hash() == desk.before


def test_fact_12_a_count_names_no_database_and_is_judged_by_its_table(desk: Desk) -> None:
    assert desk.submit("SELECT count(*) FROM execution_logs").rows == [(1,)]
    assert desk.submit("SELECT count(*) FROM log.other_secret").verdict[0] == "refused"


# 13. The authorizer hears the true verb, and a cap of rows never makes a write partial.

_TRUE_VERBS = [
    ("WITH x AS (SELECT 1) DELETE FROM {}", "delete"),
    ("WITH x AS (SELECT 7 AS k) INSERT INTO {} SELECT k, 1, 1 FROM x WHERE true ON CONFLICT DO NOTHING", "insert"),
    ("INSERT INTO {} VALUES (8, 1, 1) RETURNING 1", "insert"),
]


@pytest.mark.parametrize(("sql", "verb"), _TRUE_VERBS, ids=[case[0] for case in _TRUE_VERBS])
def test_fact_13_a_write_is_seen_behind_with_returning_and_upsert(desk: Desk, sql: str, verb: str) -> None:
    assert desk.submit(sql.format("session_state")).verdict == ("refused", "reserved", "authorizer")
    assert desk.submit(sql.format("t")).verdict == ("allowed", verb)
    assert desk.engine_hash() == desk.before


def test_fact_13_query_only_reads_and_every_row_of_a_cut_answer_was_changed(worker: Worker) -> None:
    session = worker.session(limits=Limits(rows=5))
    session.exec(f"CREATE TABLE t AS {ENDLESS} SELECT i FROM s LIMIT 50")
    rows = session.query("WITH x AS (SELECT 1) UPDATE t SET i = -i RETURNING i")
    assert (len(rows), rows.truncated) == (5, True)
    assert session.value("SELECT count(*) FROM t WHERE i < 0") == 50


# 14. A text in double quotes is a name: as a text, a misspelt column would answer wrongly and silently.


def test_fact_14_double_quotes_are_names_and_the_error_says_single_quotes(desk: Desk) -> None:
    lenient = apsw.Connection(":memory:")
    lenient.config(apsw.SQLITE_DBCONFIG_DQS_DML, 1)
    lenient.execute("CREATE TABLE t (name)")
    assert lenient.execute('SELECT count(*) FROM t WHERE "nmae" = 1').fetchall() == [(0,)], "no error at all"
    refused = desk.submit('SELECT a FROM t WHERE "aa" = 1')
    assert refused.verdict == ("error", "sql.no_such_column", "sqlite")
    assert "single quotes" in (refused.error.hint if refused.error else "")
    assert desk.submit('CREATE INDEX x ON t ("nothing")').verdict[0] == "error"
