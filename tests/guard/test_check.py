"""Guard: what a checked statement tells, how verdicts are kept, and the facts about SQLite that it is built on."""

from __future__ import annotations

import time
from pathlib import Path

import apsw
import pytest
from guard_desk import Desk

from codemode.database.connection import open_session
from codemode.errors import (
    MultipleStatements,
    StatementLimit,
    StatementRefused,
    StatementSyntaxError,
    StatementTimeout,
)
from codemode.guard import Guard, Statement
from codemode.limits import Limits


def test_a_statement_tells_what_it_is(desk: Desk) -> None:
    statement = desk.guard.check("INSERT INTO t (a) SELECT note FROM u RETURNING id")
    assert (statement.kind, statement.reads_only, statement.returns_rows) == ("insert", False, True)
    assert (statement.tables_written, statement.tables_read) == (("t",), ("u", "t"))
    assert not statement.changes_schema


def test_rights_of_the_engine_that_an_interrupt_left_are_nobodys(desk: Desk) -> None:
    desk.guard.engine().__enter__()  # Ctrl-C came before the block: nobody leaves it
    assert desk.guard.check("SELECT a FROM t").tables_read == ("t",)
    desk.guard.engine().__enter__()
    with pytest.raises(StatementRefused):
        desk.guard.check("SELECT load_extension('x')")


def test_a_using_of_more_columns_than_a_table_has_is_never_read(desk: Desk) -> None:
    """SQLite goes down the columns on the thread's stack before it finds them too many: 200,000 ended the process."""
    for column in ("id", '"id)"', "id /* ), */ "):
        columns = ",".join([column] * 201)
        for sql in (
            f"SELECT 1 FROM t JOIN t AS x USING ({columns})",
            f"CREATE VIEW v AS SELECT 1 FROM t JOIN u using({columns}",
        ):
            with pytest.raises(StatementLimit, match="USING takes 200 columns"):
                desk.guard.check(sql)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT 'using ({',' * 900}'",
        f"SELECT 1 /* using ({',' * 900} */",
        f"SELECT 1 FROM t AS a JOIN t AS x USING (id) JOIN t AS y USING (id) WHERE a.id IN ({'1,' * 900} 1)",
        'SELECT 1 FROM (SELECT 1 AS "'
        + "," * 900
        + '") AS a JOIN (SELECT 1 AS "'
        + "," * 900
        + '") USING ("'
        + "," * 900
        + '")',
    ],
)
def test_what_only_looks_like_a_long_using_runs(desk: Desk, sql: str) -> None:
    assert desk.guard.check(sql).returns_rows


@pytest.mark.parametrize("mark", [":a", "@a", "$a", "?1"])
def test_more_names_of_parameters_than_are_found_in_time_are_not_looked_for(desk: Desk, mark: str) -> None:
    names = (f"{mark}{number:04}" for number in range(1, 4_002))
    with pytest.raises(StatementLimit, match="4,000 parameters with a name"):
        desk.guard.check(f"SELECT 1 IN ({', '.join(names)})")


@pytest.mark.parametrize("value", ["?", ":a", "':a'", '":a"'])
def test_parameters_without_names_and_one_name_many_times_are_taken(desk: Desk, value: str) -> None:
    column = '(SELECT 1 AS ":a")'
    assert desk.guard.check(f"SELECT 1 IN ({', '.join([value] * 4_500)}) FROM {column}").returns_rows


def test_a_statement_tells_the_tables_that_its_triggers_write(desk: Desk) -> None:
    desk.submit("CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO only VALUES (new.id); END")
    assert desk.guard.check("INSERT INTO t (a) VALUES (1)").tables_written == ("t", "only")


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("INSERT INTO t (a) VALUES (1)", [("INSERT", "t", True), ("INSERT", "only", False), ("UPDATE", "t", False)]),
        ("INSERT INTO only VALUES (1) ON CONFLICT DO NOTHING", [("INSERT", "only", True)]),
        ("UPDATE only SET x = 1", [("UPDATE", "only", True)]),
        ("DELETE FROM t WHERE id = 1", [("DELETE", "t", True), ("DELETE", "u", False)]),
        ("WITH x AS (SELECT 1) DELETE FROM u", [("DELETE", "u", True)]),
        ("CREATE TABLE x (a UNIQUE)", [("CREATE_TABLE", "x", True)]),
        ("CREATE INDEX x ON t (b)", [("CREATE_INDEX", "t", True)]),
        ("ALTER TABLE only RENAME TO x", [("ALTER_TABLE", "only", True)]),
        ("SELECT * FROM t", []),
        ("EXPLAIN DELETE FROM t", []),
    ],
)
def test_a_statement_tells_what_it_writes_itself_and_through_others(
    desk: Desk, sql: str, writes: list[tuple[str, str, bool]]
) -> None:
    body = "INSERT INTO only VALUES (new.id); UPDATE t SET b = 1 WHERE id = new.id;"
    desk.submit(f"CREATE TRIGGER tr AFTER INSERT ON t BEGIN {body} END")
    found = desk.guard.check(sql).writes
    assert [tuple(write) for write in found][: len(writes)] == writes
    assert all(write.table.startswith("x") or write.direct is False for write in found[len(writes) :])


def test_an_upsert_is_told_as_both(desk: Desk) -> None:
    desk.submit("CREATE TABLE x (a UNIQUE, b)")
    found = desk.guard.check("INSERT INTO x VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 3").writes
    assert [tuple(write) for write in found] == [("INSERT", "x", True), ("UPDATE", "x", True)]


def test_explain_reads_only_and_names_what_it_explains(desk: Desk) -> None:
    statement = desk.guard.check("EXPLAIN DELETE FROM t")
    assert (statement.kind, statement.explains, statement.reads_only) == ("explain", "delete", True)
    assert (statement.tables_written, statement.changes_schema, statement.returns_rows) == ((), False, True)


def test_the_text_comes_back_as_it_runs(desk: Desk) -> None:
    assert desk.guard.check("\ufeffSELECT 1 ; -- one").sql == "SELECT 1 ; -- one"


def test_checking_runs_nothing(desk: Desk) -> None:
    for sql in ("DELETE FROM t", "DROP TABLE t", "CREATE TABLE x (a)", "INSERT INTO t (a) VALUES (1) RETURNING a"):
        desk.guard.check(sql)
    assert desk.submit("SELECT count(*) FROM t").rows == [(3,)]
    assert desk.submit("SELECT count(*) FROM sqlite_schema WHERE name = 'x'").rows == [(0,)]


@pytest.mark.parametrize("sql", [None, 1, b"SELECT 1", ["SELECT 1"]])
def test_what_is_no_text_is_refused(desk: Desk, sql: object) -> None:
    with pytest.raises(StatementSyntaxError, match="a statement is text"):
        desk.guard.check(sql)  # type: ignore[arg-type]


def test_half_a_surrogate_pair_is_refused(desk: Desk) -> None:
    with pytest.raises(StatementSyntaxError, match="surrogate"):
        desk.guard.check("SELECT '\ud800'")


def test_the_length_counts_bytes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Limits(sql_bytes=1_000))
    with pytest.raises(StatementLimit, match="sql_bytes"):
        desk.guard.check("SELECT '" + "é" * 600 + "'")
    assert desk.guard.check("SELECT '" + "e" * 600 + "'").kind == "select"
    desk.close()


def test_a_verdict_is_kept_until_the_schema_changes(desk: Desk) -> None:
    first = desk.guard.check("SELECT * FROM t")
    assert desk.guard.check("SELECT * FROM t") is first
    desk.submit("CREATE VIEW w AS SELECT 1")
    assert desk.guard.check("SELECT * FROM t") is not first


def test_a_verdict_follows_a_view_that_was_made_anew(desk: Desk) -> None:
    assert "t" in desk.guard.check("SELECT * FROM v").tables_read
    desk.submit("DROP VIEW v")
    desk.submit("CREATE VIEW v AS SELECT * FROM u")
    assert "u" in desk.guard.check("SELECT * FROM v").tables_read


def test_a_verdict_given_inside_a_transaction_does_not_outlive_its_rollback(desk: Desk) -> None:
    with desk.guard.engine():
        desk.connection.execute("SAVEPOINT outer", can_cache=False)
    desk.submit("CREATE TABLE fresh (a)")
    assert desk.guard.check("SELECT * FROM fresh").kind == "select"
    with desk.guard.engine():
        desk.connection.execute("ROLLBACK TO outer", can_cache=False)
        desk.connection.execute("RELEASE outer", can_cache=False)
    assert desk.submit("SELECT * FROM fresh").verdict == ("error", "sql.no_such_table", "sqlite")


def test_a_view_that_turns_bad_between_check_and_run_is_refused_when_it_runs(desk: Desk) -> None:
    desk.submit("CREATE VIEW w AS SELECT 1 AS a")
    kept = desk.guard.check("SELECT a FROM w")
    with desk.guard.engine():  # as if another process had done it
        desk.connection.execute("DROP VIEW w", can_cache=False)
        desk.connection.execute("CREATE VIEW w AS SELECT sqlite_log(1, 'x') AS a", can_cache=False)
    with pytest.raises(apsw.Error), desk.guard.running(kept):
        desk.connection.execute(kept.sql).fetchall()


def test_outside_of_every_block_nothing_is_prepared(desk: Desk) -> None:
    for sql in ("SELECT 1", "DELETE FROM t", "BEGIN", "PRAGMA user_version"):
        with pytest.raises(apsw.AuthError):
            desk.connection.execute(sql, can_cache=False)


def test_after_a_block_that_failed_the_rights_are_gone(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError), desk.guard.engine():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), desk.guard.running(desk.guard.check("DELETE FROM t")):
        raise ZeroDivisionError
    with pytest.raises(apsw.AuthError):
        desk.connection.execute("DELETE FROM t", can_cache=False)


def test_blocks_nest(desk: Desk) -> None:
    reading, writing = desk.guard.check("SELECT a FROM t"), desk.guard.check("DELETE FROM only")
    with desk.guard.running(reading):
        rows = desk.connection.execute(reading.sql)
        with desk.guard.running(writing), desk.guard.engine():
            desk.connection.execute("DELETE FROM session_state WHERE key = 'nothing'", can_cache=False)
        with pytest.raises(apsw.AuthError):
            desk.connection.execute("DELETE FROM only", can_cache=False)
        assert len(list(rows)) == 3


def test_a_select_cannot_write_even_where_the_text_was_misread(desk: Desk) -> None:
    misread = Statement("DELETE FROM t", "select", True, True, False)
    with pytest.raises(apsw.AuthError), desk.guard.running(misread):
        desk.connection.execute("DELETE FROM t", can_cache=False)


def test_two_statements_are_two_whatever_sqlglot_says(desk: Desk) -> None:
    trigger = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END"
    for sql in (f"{trigger}; {trigger}", "SELECT 1;\0"[:-1] + "/**/ SELECT 2", "VALUES (1); VALUES (2)"):
        with pytest.raises(MultipleStatements):
            desk.guard.check(sql)


def test_one_row_of_many_slow_functions_ends_in_time(desk: Desk) -> None:
    likes = ", ".join(["x LIKE '%" + "a" * 200 + "b%'"] * 150)
    started = time.process_time()
    for source in ("replace(hex(zeroblob(990000)), '0', 'a')", "replace(hex(zeroblob(30000)), '0', 'a')"):
        desk.submit(f"SELECT {likes} FROM (SELECT {source} AS x)")
        desk.submit(f"SELECT {', '.join(['y'] * 150)} FROM (SELECT {source} LIKE '%{'a' * 200}b%' AS y)")
    assert time.process_time() - started < 20  # about 1 s on a quiet machine, minutes without the bound


def test_ordinary_likes_leave_values_their_length(desk: Desk) -> None:
    many = " OR ".join(f"a LIKE '%word{n}%'" for n in range(100))
    search = "SELECT body FROM docs WHERE docs MATCH ? || '*' ORDER BY rank"
    for sql in (f"SELECT * FROM t WHERE {many}", "SELECT trim(a, 'x') || upper(a) FROM t", "SELECT * FROM t", search):
        assert desk.guard.check(sql).longest_value is None


def test_the_length_of_values_is_what_it_was_after_a_heavy_statement(desk: Desk) -> None:
    heavy = desk.guard.check("SELECT " + ", ".join(["a LIKE ?1"] * 100) + " FROM t")
    assert heavy.longest_value is not None
    with desk.guard.running(heavy):
        assert desk.connection.limit(apsw.SQLITE_LIMIT_LENGTH) == heavy.longest_value
    assert desk.connection.limit(apsw.SQLITE_LIMIT_LENGTH) == desk.limits.value_bytes


def test_a_long_list_shortens_its_parameters_only(desk: Desk) -> None:
    listed = desk.guard.check(f"SELECT a FROM t WHERE a IN ({', '.join('?' * 5_000)})")
    assert (listed.longest_value, listed.longest_parameter) == (None, 40_000)
    assert (
        desk.guard.check(f"SELECT a FROM t WHERE id IN ({', '.join(map(str, range(5_000)))})").longest_parameter is None
    )
    assert desk.guard.check("INSERT INTO t (a) VALUES " + ", ".join(["(?)"] * 5_000)).longest_parameter is None


def test_a_check_whose_time_is_over_says_so(desk: Desk) -> None:
    def over() -> bool:
        return time.monotonic() > ends

    ends = time.monotonic() + 0.001
    desk.connection.set_progress_handler(over, 10)
    with pytest.raises(StatementTimeout):
        desk.guard.check(f"SELECT CASE a {'WHEN b THEN 1 ' * 30_000} END FROM t")
    desk.connection.set_progress_handler(None)
    assert desk.submit("SELECT 1").rows == [(1,)]


def test_a_new_connection_reads_an_rtree_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.submit('CREATE VIRTUAL TABLE "the boxes" USING rtree(id, low, high)')
    desk.submit('INSERT INTO "the boxes" VALUES (1, 2, 3)')
    desk.close()
    connection = open_session(tmp_path / "session.db", Limits(), read_only=True)
    guard = Guard(connection, Limits())
    with guard.running(statement := guard.check('SELECT id FROM "the boxes" WHERE low < 9')):
        assert connection.execute(statement.sql).fetchall() == [(1,)]
    with pytest.raises(StatementRefused):
        guard.check('SELECT id FROM "the boxes", dbstat')
    connection.close()


def test_a_repeated_statement_costs_a_part_of_a_fresh_one(desk: Desk) -> None:
    def took(texts: list[str]) -> float:
        started = time.process_time()
        for text in texts:
            with desk.guard.running(desk.guard.check(text)):
                pass
        return time.process_time() - started

    desk.guard.check("SELECT a FROM t WHERE id = ?")
    repeated, fresh = (
        took(["SELECT a FROM t WHERE id = ?"] * 1_000),
        took([f"SELECT a FROM t WHERE id = {number}" for number in range(1_000)]),
    )
    assert repeated < fresh / 2


def test_windows_are_counted_where_they_are_none_of_a_text(desk: Desk) -> None:
    spoken = "over " * 600
    assert desk.submit(f"SELECT '{spoken}', 1 AS \"{spoken}\" -- {spoken}").verdict == ("allowed", "select")
    few = ", ".join(["sum(b) OVER (ORDER BY id)"] * 100)
    assert desk.submit(f"SELECT {few} FROM t").verdict == ("allowed", "select")
    many = " UNION ALL ".join([f"SELECT {few} FROM t"] * 6)
    assert desk.submit(many).verdict == ("error", "sql.limit", "sqlite")
