"""explain_error: SQLite's errors become ours, with names that would work and SQLite's own way of saying it."""

from __future__ import annotations

import time
from typing import Any

import apsw
import pytest
from guard_desk import Desk
from hypothesis import given
from hypothesis import strategies as st

from codemode import Session
from codemode.errors import CodemodeError, NoSuchColumn, NoSuchFunction, NoSuchTable, ParametersInvalid
from codemode.guard.repair import SQL_SHOWN, explain_error
from codemode.guard.ways import FUNCTION_WAYS, SYNTAX_WAYS


def failed(desk: Desk, sql: str, params: Any = ()) -> CodemodeError:
    error = desk.submit(sql, params).error
    assert error is not None, sql
    return error


def test_a_missing_table_names_those_there_are(desk: Desk) -> None:
    error = failed(desk, "SELECT * FROM doc")
    assert isinstance(error, NoSuchTable)
    assert error.did_you_mean == ("docs",)
    assert error.available == ("docs", "odd name", "only", "t", "u", "v")
    assert "docs" in (error.hint or "")


def test_the_engine_s_tables_and_shadow_tables_are_not_offered(desk: Desk) -> None:
    assert not {"session_state", "docs_data", "sqlite_sequence"} & set(failed(desk, "SELECT * FROM x").available)


def test_a_missing_column_names_those_of_its_tables(desk: Desk) -> None:
    error = failed(desk, "SELECT notes FROM t JOIN u ON t.id = u.t_id")
    assert isinstance(error, NoSuchColumn)
    assert error.did_you_mean == ("note",)
    assert set(error.available) == {"id", "a", "b", "t_id", "note"}


@pytest.mark.parametrize(
    "sql",
    ["INSERT INTO u (id, nte) VALUES (1, 2)", "UPDATE u SET nte = 1", "SELECT u.nte FROM u", "SELECT nte FROM [u]"],
)
def test_a_missing_column_is_explained_wherever_it_stands(desk: Desk, sql: str) -> None:
    assert failed(desk, sql).did_you_mean == ("note",)


@pytest.mark.parametrize(("comparison", "written"), [("gt", ">"), ("startswith", "starts with"), ("in", "in")])
def test_a_comparison_in_a_name_is_not_left_out(desk: Desk, comparison: str, written: str) -> None:
    error = failed(desk, f'SELECT * FROM u WHERE "note__{comparison}" = 1')
    assert (error.did_you_mean, error.suggestion) == ((), None)
    assert f'{{"note": {{"{written}": value}}}}' in (error.hint or "")


@pytest.mark.parametrize(("sql", "meant"), [("SELCT 1", "SELECT"), ("EXPLAN SELECT 1", "EXPLAIN")])
def test_a_misspelt_verb_gets_the_one_that_was_meant(desk: Desk, sql: str, meant: str) -> None:
    assert failed(desk, sql).did_you_mean == (meant,)


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT * FROM t WERE a = 1", "did you mean WHERE by WERE?"),
        ("DELETE FORM t", "did you mean FROM by FORM?"),
        ("SELECT a, FROM t", "the comma that nothing follows"),
        ("SELECT * FROM t WHERE a = zebra", "bind it"),
        ("SELECT * FROM ?", "never bound"),
        ("INSERT INTO t (id, a) VALUES (1)", "give each column that is named a value"),
        ("INSERT INTO t VALUES (1)", "name the columns"),
        ("SELECT * FROM t WHERE a = O'Neil", "bind a text"),
        ("SELECT abs(-9223372036854775808)", "total(x)"),
    ],
)
def test_what_stands_in_the_way_is_named(desk: Desk, sql: str, hint: str) -> None:
    assert hint in (failed(desk, sql).hint or "")


@pytest.mark.parametrize("sql", ["UPDATE orders x SET a = 1", "CREATE TABLE orders id INT"])
def test_a_table_called_nearly_as_a_clause_is_none(desk: Desk, sql: str) -> None:
    assert "ORDER" not in (failed(desk, sql).hint or "")


@pytest.mark.parametrize("sql", ["SELECT * FROM t forms x", "SELECT a b c FROM t", "DELETE FORM t"])
def test_no_statement_is_made_of_a_word_that_may_be_a_name_or_that_would_delete(desk: Desk, sql: str) -> None:
    error = failed(desk, sql)
    desk.guard.suggest(error, sql)
    assert error.suggestion is None


def test_a_text_in_double_quotes_is_told_to_use_single_ones(desk: Desk) -> None:
    assert "single quotes" in (failed(desk, 'SELECT * FROM t WHERE a = "hello"').hint or "")


def test_a_missing_function_names_the_way_or_the_nearest(desk: Desk) -> None:
    error = failed(desk, "SELECT DATEDIFF(a, b) FROM t")
    assert isinstance(error, NoSuchFunction)
    assert "julianday" in (error.hint or "")
    assert failed(desk, "SELECT uper('a')").did_you_mean[0] == "upper"


def test_every_way_of_a_function_is_for_one_that_sqlite_has_not(desk: Desk) -> None:
    with desk.guard.engine():
        known = {row[0] for row in desk.connection.execute("SELECT name FROM pragma_function_list", can_cache=False)}
    assert not known & set(FUNCTION_WAYS)
    assert len(FUNCTION_WAYS) >= 60


@pytest.mark.parametrize(
    ("sql", "way"),
    [
        ("SELECT * FROM t WHERE a ILIKE 'x'", "LIKE"),
        ("SELECT '1'::int", "CAST"),
        ("SELECT TOP 5 * FROM t", "LIMIT"),
        ("SELECT date('now') - INTERVAL '7 days'", "date(x"),
        ("SELECT DISTINCT ON (a) * FROM t", "row_number"),
        ("CREATE TABLE x (id INT PRIMARY KEY AUTO_INCREMENT)", "INTEGER PRIMARY KEY"),
        ("INSERT INTO t (id) VALUES (1) ON DUPLICATE KEY UPDATE a = 1", "ON CONFLICT"),
        ("UPDATE t JOIN u ON t.id = u.t_id SET a = 1", "UPDATE t SET"),
        ("ALTER TABLE t ALTER COLUMN a TYPE TEXT", "new table"),
        ("SELECT * FROM t LIMIT 5 FETCH FIRST 5 ROWS ONLY", "LIMIT"),
        ("SELECT a, sum(b) FROM t GROUP BY a WITH ROLLUP", "UNION ALL"),
        ("SELECT * INTO x FROM t", "CREATE TABLE"),
        ("SELECT EXTRACT(YEAR FROM a) FROM t", "strftime"),
        ("SELECT * FROM t WHERE a = %s", "?"),
        ("SELECT “x”", "straight quotes"),
        ("SELECT @n := @n + 1 FROM t", "row_number() OVER"),
        ("WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone", "WITH holds queries only"),
        ("SELECT a FROM t START WITH id = 1 CONNECT BY PRIOR id = a", "WITH RECURSIVE"),
        ("SELECT t.id FROM t, u WHERE t.id = u.t_id(+)", "LEFT JOIN"),
        ("SELECT MODE() WITHIN GROUP (ORDER BY a) FROM t", "count(*) DESC LIMIT 1"),
        ("SELECT e.v FROM t, jsonb_array_elements(t.a) AS e(v)", "json_each(t.x) AS e"),
        ("SELECT date(a AT TIME ZONE 'Europe/Oslo') FROM t", "no zone"),
        ("SELECT a::date - id FROM t", "julianday"),
        (
            "SELECT t.id, x.note FROM t OUTER APPLY (SELECT TOP 1 note FROM u WHERE t_id = t.id) x",
            "correlated subquery",
        ),
        ("SELECT DATENAME(weekday, a) FROM t", "CASE"),
        ("SELECT sum(id)::numeric(10, 2) FROM t", "CAST"),
        ("SELECT name FROM sys.tables", "get_tables"),
        ("SUMMARIZE t", "describe_table"),
    ],
)
def test_the_syntax_of_another_database_gets_sqlite_s_way(desk: Desk, sql: str, way: str) -> None:
    error = failed(desk, sql)
    assert way in (error.hint or ""), error


def test_a_unit_is_no_misspelt_column(desk: Desk) -> None:
    desk.submit("CREATE TABLE sales (amount REAL, at TEXT)")
    assert failed(desk, "SELECT DATEADD(month, 1, at) FROM sales").did_you_mean == ()
    assert failed(desk, "SELECT date(amont, '+1 day') FROM sales").did_you_mean == ("amount",)


@pytest.mark.parametrize(
    ("sql", "way"),
    [
        ("ALTER TABLE t ADD COLUMN r INTEGER REFERENCES u (id) DEFAULT 5", "without a default"),
        ("CREATE TABLE x (a INTEGER PRIMARY KEY, b INTEGER PRIMARY KEY)", "PRIMARY KEY (a, b)"),
        ("CREATE TABLE x (a) WITHOUT ROWID", "PRIMARY KEY (a)"),
        ("CREATE TABLE sqlite_x (a)", "use another one"),
        ("ALTER TABLE t DROP COLUMN id", "new table"),
    ],
)
def test_a_definition_that_sqlite_refuses_is_told_what_to_do(desk: Desk, sql: str, way: str) -> None:
    assert way in (failed(desk, sql).hint or "")


def test_no_syntax_way_takes_the_cube_of_a_text() -> None:
    text = "CREATE TRIGGER x " + "TRIGGER BEGIN " * 1_500  # of which the cube is minutes
    used = time.thread_time()
    for each, _ in SYNTAX_WAYS:
        each.search(text)
    assert time.thread_time() - used < 60


def test_every_syntax_way_ends_in_what_to_do() -> None:
    assert all(hint for _, hint in SYNTAX_WAYS)


@pytest.mark.parametrize(
    ("sql", "params", "counts"),
    [
        ("SELECT ?, ?", (1,), "1 for 2"),
        ("SELECT ?", (1, 2), "2 for 1"),
        ("SELECT 1", (1,), "0"),
        ("SELECT ?", {"a": 1}, "the placeholders have none"),
    ],
)
def test_parameters_are_counted(desk: Desk, sql: str, params: Any, counts: str) -> None:
    error = failed(desk, sql, params)
    assert isinstance(error, ParametersInvalid)
    assert counts in error.message, error.message


def test_a_missing_named_parameter_is_named(desk: Desk) -> None:
    error = failed(desk, "SELECT :a, $b", {"a": 1})
    assert isinstance(error, ParametersInvalid)
    assert ":b" in error.message


def test_text_that_is_none_is_said_plainly(desk: Desk) -> None:
    assert "BLOB" in (failed(desk, "SELECT CAST(x'ff' AS TEXT)").hint or "")


@pytest.mark.parametrize(
    ("sql", "code", "hint"),
    [
        ("INSERT INTO t (id) VALUES (1)", "sql.constraint", "ON CONFLICT"),
        ("INSERT INTO u (t_id) VALUES (77)", "sql.constraint", "refers"),
        ("INSERT INTO t (id) VALUES ('abc')", "sql.constraint", "whole numbers"),
        ("CREATE TABLE t (a)", "sql.already_exists", "IF NOT EXISTS"),
        ("SELECT json_extract('{', '$')", "sql.runtime", None),
        ("INSERT INTO t VALUES (1, 2)", "sql.runtime", "name the columns"),
        ("SELECT sum(1, 2)", "sql.runtime", None),
        ("SELECT max(count(*)) FROM t", "sql.runtime", None),
        ("SELECT a FROM t UNION SELECT a, b FROM t", "sql.runtime", None),
        ("SELECT abs(-9223372036854775808)", "sql.runtime", None),
        ("SELECT json_patch(hex(zeroblob(99999)), hex(zeroblob(99999)))", "sql.limit", "shorter values"),
    ],
)
def test_other_errors_get_their_class(desk: Desk, sql: str, code: str, hint: str | None) -> None:
    error = failed(desk, sql)
    assert error.code == code, error
    assert hint is None or hint in (error.hint or "")


def test_row_ids_that_are_used_up_are_not_a_full_database(desk: Desk) -> None:
    assert desk.submit("INSERT INTO u (id) VALUES (9223372036854775807)").verdict[0] == "allowed"
    error = failed(desk, "INSERT INTO u (note) VALUES ('next')")
    assert (error.code, error.message.split()[0]) == ("sql.runtime", "u")
    assert "INTEGER PRIMARY KEY" in (error.hint or "")


NUMBERED = "helpers.db.exec('CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT, x)')"
LARGEST = "helpers.db.exec('INSERT INTO n VALUES (9223372036854775807, 1)')"


@pytest.mark.parametrize(
    ("before", "code", "table"),
    [
        (NUMBERED, f"{LARGEST}\nhelpers.db.exec('INSERT INTO n (x) VALUES (2)')", "n"),
        (NUMBERED, f"{LARGEST}\nhelpers.db.batch_insert('n', [{{'x': 2}}])", "n"),
        ("1", f"{NUMBERED}\n{LARGEST}\nhelpers.db.exec('INSERT INTO n (x) VALUES (2)')", "a table"),
    ],
)
def test_row_ids_that_the_transaction_used_up_are_not_a_full_database(
    session: Session, before: str, code: str, table: str
) -> None:
    """SQLite has undone the transaction, and with it the row that used them up, before anybody can look."""
    assert session.run(before).ok
    error = session.run(code).error
    assert error.code == "sql.runtime"
    assert error.message.startswith(f"{table} has used the largest row id")


def test_a_short_statement_of_a_long_program_is_told_as_one(session: Session) -> None:
    columns = [f"c{n}" for n in range(150)]
    counts = ", ".join(f"(SELECT count(*) FROM w GROUP BY {name}) AS {name}" for name in columns)
    session.exec(f"CREATE TABLE w ({', '.join(columns)})")
    session.exec(f"CREATE VIEW once AS SELECT {counts} FROM w")
    session.exec(f"CREATE VIEW often AS {' UNION ALL '.join(['SELECT * FROM once'] * 49)}")
    error = session.run("helpers.db.query('SELECT * FROM often')").error
    assert (error.code, "250,000 operations" in error.message, "views" in error.hint) == ("sql.limit", True, True)


def test_an_error_carries_its_statement_bounded(desk: Desk) -> None:
    error = failed(desk, "SELECT nothing_here, '" + "x" * 100_000 + "'")
    assert error.sql is not None
    assert len(error.sql) == SQL_SHOWN + 1


CLASSES = [found for found in vars(apsw).values() if isinstance(found, type) and issubclass(found, apsw.Error)]


@given(kind=st.sampled_from(CLASSES), message=st.text(), sql=st.text())
def test_any_error_and_message_is_explained(kind: type[apsw.Error], message: str, sql: str) -> None:
    connection = apsw.Connection(":memory:")
    for words in (message, f"no such column: {message}", f"no such table: {message}", f"no such function: {message}"):
        assert isinstance(explain_error(kind(words), sql, connection), CodemodeError)
    connection.close()


def test_a_closed_connection_is_no_reason_to_fail() -> None:
    connection = apsw.Connection(":memory:")
    connection.close()
    assert explain_error(apsw.SQLError("no such table: x"), "SELECT * FROM x", connection).code.startswith("sql.")
