"""The helper calls as snippets write them: first the seven of the original design, in both spellings."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from codemode import Session, Worker
from codemode.database.execute import Deadline
from codemode.errors import NoSuchFunction
from codemode.guard.mending import translate
from codemode.session.calls import Calls
from codemode.session.host import HostFunctions
from codemode.session.statements import Statements
from codemode.session.transaction import Transaction
from sandbox.errors import HelperFailed

SEVEN = [
    ("helpers.db.exec('CREATE TABLE x (a)')", True),
    ("helpers.db.query('SELECT b FROM t WHERE a = ?', [2])", [{"b": "2"}]),
    ("helpers.db.batch_insert('t', [{'a': 8}, {'a': 9}])['rows_written']", 2),
    ("helpers.db.batchInsert('t', [{'a': 8}, {'a': 9}])['rows_written']", 2),
    ("helpers.db.create_table('y', 'a INTEGER, b TEXT')", {"success": True}),
    ("helpers.db.createTable('y', {'a b': 'INTEGER', 'select': 'TEXT'})", {"success": True}),
    ("helpers.db.save_state('k', {'deep': [1, None]}) or helpers.db.get_state('k')", {"deep": [1, None]}),
    ("helpers.db.saveState('k', 'v') or helpers.db.getState('k')", "v"),
    ("helpers.db.get_metrics()['tables'][0]['rows']", 3),
    ("helpers.db.getMetrics()['session_id'][:2]", "s_"),
]


@pytest.mark.parametrize("awaiting", ["", "await "])
@pytest.mark.parametrize(("call", "expected"), SEVEN)
def test_the_seven_calls(table: Session, call: str, expected: object, awaiting: str) -> None:
    outcome = table.run(f"result = {awaiting}{call}" if " or " not in call else call)
    assert outcome.ok, outcome.error
    if expected is True:
        assert outcome.result["success"] is True
    else:
        assert outcome.result == expected


MORE = [
    ("helpers.db.query_one('SELECT a, b FROM t WHERE a = 2')", {"a": 2, "b": "2"}),
    ("helpers.db.query_one('SELECT a FROM t WHERE a = 99')", None),
    ("helpers.db.value('SELECT max(a) FROM t')", 3),
    ("helpers.db.query('SELECT a, a FROM t WHERE a = 1')", [{"a": 1, "a_2": 1}]),
    ("helpers.db.query('SELECT :x + 1 AS y', {'x': 4})", [{"y": 5}]),
    ("helpers.db.query('DELETE FROM t WHERE a = 1 RETURNING b')", [{"b": "1"}]),
    ("helpers.db.exec('UPDATE t SET b = 0')['changes']", 3),
    ("helpers.db.exec('CREATE TABLE z (q)')['changes']", 0),
    ("helpers.db.exec('SELECT a FROM t WHERE a < 3')['rows']", [{"a": 1}, {"a": 2}]),
    ("helpers.db.exec(\"INSERT INTO t (b) VALUES ('new')\")['last_row_id']", 4),
    ("[r['changes'] for r in helpers.db.batch([('DELETE FROM t WHERE a = ?', [1]), 'UPDATE t SET b = 1'])]", [1, 2]),
    ("[r['changes'] for r in helpers.db.script('DELETE FROM t WHERE a = 1; -- ;\\nUPDATE t SET b = 1;')]", [1, 2]),
    ("[len(page) for page in helpers.db.pages('SELECT * FROM t', size=2)]", [2, 1]),
    ("helpers.db.save_state('a', 1) or helpers.db.list_state()", ["a"]),
    ("helpers.db.delete_state('missing')", False),
    ("helpers.db.explain('SELECT * FROM t WHERE b = 1')['scans']", ["t"]),
    ("helpers.schema.get_tables()", ["t"]),
    ("helpers.schema.getColumns('t')[0]['primary_key']", True),
    ("helpers.schema.has_column('t', 'B')", True),
    ("helpers.schema.describe_table('T')['row_count']", 3),
    ("helpers.schema.findColumn('t', 'a')['name']", "a"),
    ("helpers.db.query(helpers.sql.count_by('t', 'b'))[0]['count']", 1),
    ("helpers.db.query(helpers.sql.topN('t', 'a', 1))", [{"a": 3, "b": "3"}]),
]


@pytest.mark.parametrize(("call", "expected"), MORE)
def test_every_other_call(table: Session, call: str, expected: object) -> None:
    outcome = table.run(call)
    assert outcome.ok, outcome.error
    assert outcome.result == expected


def test_what_goes_takes_its_triggers_along_and_changes_no_rows(session: Session) -> None:
    session.script(
        "CREATE TABLE a (x PRIMARY KEY); CREATE TABLE b (x REFERENCES a ON DELETE CASCADE);"
        "CREATE VIEW v AS SELECT x FROM a;"
        "CREATE TRIGGER added AFTER INSERT ON a BEGIN INSERT INTO b VALUES (new.x); END;"
        "CREATE TRIGGER through INSTEAD OF INSERT ON v BEGIN INSERT INTO a VALUES (new.x); END;"
        "INSERT INTO v VALUES (1), (2)"
    )
    for dropped in ("DROP VIEW v", "DROP TABLE a"):
        answer = session.exec(dropped)
        assert (answer["changes"], answer["rows_written"]) == (0, 0), dropped
    assert session.query("SELECT name FROM sqlite_schema WHERE type = 'trigger'") == []
    assert session.value("SELECT count(*) FROM b") == 0


BAD = [
    ("helpers.db.qurey('SELECT 1')", "request.invalid", "query"),
    ("helpers.db.query('SELECT 1', [1, 2])", "sql.parameters", ""),
    ("helpers.db.query(\"SELECT * FROM t WHERE b LIKE '%?%'\", ['x'])", "sql.parameters", "in quotes ? is a text"),
    ("helpers.db.create_table('t', 'x')", "sql.already_exists", "if_not_exists=True"),
    ("helpers.db.query('DELETE FROM t')", "sql.refused", "exec"),
    ("helpers.db.query('SELECT * FROM tt')", "sql.no_such_table", "t"),
    ("helpers.db.query('SELECT aa FROM t')", "sql.no_such_column", "a"),
    ("helpers.db.query('SELEC 1')", "sql.syntax", ""),
    ("helpers.db.query('SELECT 1; SELECT 2')", "sql.multiple_statements", "script"),
    ("helpers.db.query('SELECT nofunction(1)')", "sql.no_such_function", ""),
    ("helpers.db.exec('INSERT INTO t VALUES (1, 1)')", "sql.constraint", ""),
    ("helpers.db.exec('CREATE TABLE t (x)')", "sql.already_exists", ""),
    ("helpers.db.exec('INSERT INTO t VALUES (?, 1)', [2**63])", "sql.value", ""),
    ("helpers.db.exec('INSERT INTO t VALUES (50, ?)', ['\\ud800'])", "sql.value", ""),
    ("helpers.db.exec('PRAGMA journal_mode')", "sql.refused", ""),
    ("helpers.db.batch_insert('t', [{'a': 9}, {'c': 1}])", "sql.no_such_column", "c"),
    ("helpers.schema.get_columns('nothing')", "sql.no_such_table", "t"),
]


@pytest.mark.parametrize(("call", "code", "way_out"), BAD)
def test_a_bad_call_says_what_and_how_to_go_on(table: Session, call: str, code: str, way_out: str) -> None:
    outcome = table.run(call)
    assert not outcome.ok
    assert outcome.error.code == code, outcome.error
    told = f"{outcome.error.message} {outcome.error.hint} {outcome.error.did_you_mean} {outcome.error.available}"
    assert way_out in told
    assert outcome.error.line == 1
    assert table.value("SELECT count(*) FROM t") == 3


def test_values_arrive_in_the_database_as_the_contract_says(session: Session) -> None:
    code = """
import datetime, decimal
values = [None, True, 7, 1.5, float("nan"), "tëxt", b"\\x00\\xff", [1, {"a": None}], datetime.date(2026, 1, 2),
          decimal.Decimal("1.10")]
helpers.db.exec("CREATE TABLE v (x)")
for value in values:
    helpers.db.exec("INSERT INTO v VALUES (?)", [value])
"""
    outcome = session.run(code)
    assert outcome.ok, outcome.error
    assert any("NULL" in warning for warning in outcome.warnings)
    stored = [row["x"] for row in session.query("SELECT x FROM v ORDER BY rowid")]
    assert stored == [None, 1, 7, 1.5, None, "tëxt", b"\x00\xff", '[1,{"a":null}]', "2026-01-02", "1.10"]


def test_numbers_are_counted_by_sqlite(table: Session) -> None:
    outcome = table.run("helpers.db.query('SELECT * FROM t ORDER BY b')\nhelpers.db.exec('UPDATE t SET b = 1')")
    assert (outcome.db.rows_read, outcome.db.rows_written) == (3, 3)
    assert outcome.db.scan_steps > 0
    assert outcome.db.vm_steps > 10
    assert outcome.db.sorts == 1
    assert outcome.usage.helper_calls == 2


def test_the_last_row_id_is_of_this_statement(table: Session) -> None:
    assert table.exec("INSERT INTO t (b) VALUES (1)")["last_row_id"] == 4
    assert table.exec("SELECT 1")["last_row_id"] == 0


OF_NO_ROW = {
    "an update": "UPDATE t SET b = 'x' WHERE a = 1",
    "a delete": "DELETE FROM t WHERE a = 1",
    "an upsert that updates": "INSERT INTO t VALUES (1, 'x') ON CONFLICT (a) DO UPDATE SET b = 'x'",
    "a table without row ids": "INSERT INTO w VALUES (5)",
    "a view": "INSERT INTO v VALUES (5)",
}


@pytest.mark.parametrize("sql", OF_NO_ROW.values(), ids=OF_NO_ROW.keys())
def test_the_last_row_id_is_of_no_earlier_statement(table: Session, sql: str) -> None:
    table.script(
        "CREATE TABLE log (id INTEGER PRIMARY KEY); CREATE TABLE w (k PRIMARY KEY) WITHOUT ROWID;"
        "CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER tv INSTEAD OF INSERT ON v BEGIN SELECT 1; END"
    )
    code = f"""
helpers.db.exec("INSERT INTO log VALUES (99)")
told = helpers.db.exec({sql!r})["last_row_id"]
helpers.db.exec("INSERT INTO log SELECT last_insert_rowid() + 1")
return told, helpers.db.value("SELECT max(id) FROM log")
"""
    assert table.run(code).result == [0, 100]


def test_views_and_triggers_may_ask_for_the_last_row_id(session: Session) -> None:
    session.script(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (y); CREATE TABLE seen (id);"
        "CREATE VIEW last AS SELECT last_insert_rowid() AS id;"
        "CREATE TRIGGER bi BEFORE INSERT ON b BEGIN INSERT INTO seen VALUES (last_insert_rowid()); END;"
        "CREATE TRIGGER bd AFTER DELETE ON b BEGIN INSERT INTO seen VALUES (last_insert_rowid()); END"
    )
    outcome = session.run("""
for statement in ("INSERT INTO b SELECT id FROM last", "DELETE FROM b"):
    helpers.db.exec("INSERT INTO a VALUES (NULL)")
    helpers.db.exec("UPDATE a SET id = id + 70")
    helpers.db.exec("INSERT INTO a VALUES (7)")
    helpers.db.exec(statement)
    helpers.db.exec("DELETE FROM a")
return [row["id"] for row in helpers.db.query("SELECT id FROM seen")]
""")
    assert outcome.result == [7, 7], outcome.error


def test_a_host_is_told_which_values_were_not_stored_as_they_came(
    table: Session, caplog: pytest.LogCaptureFixture
) -> None:
    nan = float("nan")
    answer = table.batch_insert("t", [{"a": 10, "b": nan}, {"a": 11, "b": "x"}])
    assert answer["warnings"] == ["column 'b': NaN is stored as NULL"]
    assert table.exec("UPDATE t SET b = ? WHERE a = 11", [nan])["warnings"] == ["parameter 1: NaN is stored as NULL"]
    table.save_state("k", [nan])
    table.load("t", [("a", "INTEGER"), ("b", "TEXT")], [(12, "x"), (13, nan), (14, nan)], if_exists="append")
    assert table.value("SELECT count(*) FROM t WHERE b IS NULL") == 4
    assert "warnings" not in table.exec("DELETE FROM t")
    told = [record.getMessage() for record in caplog.records]
    assert [text.partition(": ")[2] for text in told] == [
        "column 'b': NaN is stored as NULL",
        "parameter 1: NaN is stored as NULL",
        "state 'k': NaN or infinity at $[0] is stored as null",
        "column 'b': NaN is stored as NULL",
    ]
    assert table.metrics()["usage"]["warnings"] == {"value": 4}


UNREADABLE = {"digits": '{"a": [' + "7" * 5_000 + "]}", "depth": "[" * 2_000 + "]" * 2_000, "no JSON": "{"}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_state_that_could_not_be_read_again_is_refused_where_it_comes_in(
    worker: Worker, table: Session, text: str
) -> None:
    with worker.registry.turn(("local", table.id), 5) as opened:  # as an escaped child sends it
        transaction = Transaction(opened, "atomic")
        calls = Calls(Statements(opened, transaction, "ex"), HostFunctions(), dict)
        with pytest.raises(HelperFailed, match="could not be read again") as refused:
            calls("db.save_state", ["k", text])
        assert refused.value.code == "sql.value"
        transaction.finish(keep=True)
    assert (table.get_state("k", "none"), table.list_state()) == ("none", [])


def test_a_kept_statement_answers_the_columns_of_now(table: Session) -> None:
    def columns() -> list[str]:
        return list(table.query("SELECT * FROM t")[0])

    assert columns() == ["a", "b"]
    assert table.run("helpers.db.exec('ALTER TABLE t ADD COLUMN c DEFAULT 5')").ok
    assert columns() == ["a", "b", "c"]
    assert table.run("helpers.db.exec('ALTER TABLE t DROP COLUMN b')").ok
    assert columns() == ["a", "c"]


def test_an_index_of_values_that_are_not_unique_says_where_to_look(table: Session) -> None:
    outcome = table.run("""
helpers.db.exec("UPDATE t SET b = 'same'")
helpers.db.exec("CREATE UNIQUE INDEX i ON t (b)")
""")
    assert (outcome.error.code, "HAVING count(*) > 1" in outcome.error.hint) == ("sql.constraint", True)


VIEWS = {
    "of a column that is gone": "CREATE VIEW v AS SELECT nope FROM t",
    "of itself": "CREATE VIEW v AS SELECT * FROM v",
    "of a value that fails": "CREATE VIEW v AS SELECT abs(-9223372036854775807 - 1) AS x",
    "without end": "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n",
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_is_in_the_way_of_nothing_but_itself(worker: Worker, view: str) -> None:
    session = worker.session(limits={"query_seconds": 2.0})
    session.script(f"CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIRTUAL TABLE f USING fts5(x); {view}")
    told = [(table["name"], table["rows"]) for table in session.metrics()["tables"]]
    assert told == [("f", 0), ("t", 1), ("v", None)]
    assert session.describe_table("t")["row_count"] == 1
    assert session.run("return helpers.db.get_metrics()['tables']").ok


def test_a_full_text_index_of_a_table_that_is_gone_has_no_number_of_rows(table: Session) -> None:
    table.script("CREATE VIRTUAL TABLE f USING fts5(b, content=t, content_rowid=a); DROP TABLE t")
    assert [(each["name"], each["rows"]) for each in table.metrics()["tables"]] == [("f", None)]


def test_a_read_that_was_interrupted_keeps_no_later_one_out(session: Session) -> None:
    session.exec("CREATE TABLE t (a)")
    with session._registry.reading(session._key) as reader, reader.guard.engine():
        reader.connection.execute("BEGIN")  # as Ctrl-C leaves it that comes just after this
    assert session.query("SELECT a FROM t", read_only=True) == []
    assert session.describe_table("t")["row_count"] == 0


def test_the_first_error_of_a_process_has_a_suggestion_too(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading the grammars counted among the second that a suggestion may take: on a busy machine there was none."""
    happened: list[str] = []
    until = Deadline.until

    def noted(deadline: Deadline, at: float) -> AbstractContextManager[None]:
        happened.append("until")
        return until(deadline, at)

    monkeypatch.setattr(Deadline, "until", noted)
    monkeypatch.setattr(translate, "load_dialects", lambda: happened.append("loaded"))
    with pytest.raises(NoSuchFunction) as raised:
        session.query("SELECT least(1, 2)")
    assert raised.value.suggestion == "SELECT min(1, 2)"
    assert "until" in happened[happened.index("loaded") :]
