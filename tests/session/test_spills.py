"""Results that are too large to be answered: kept as a table, committed with the data, and never cut in silence."""

from __future__ import annotations

import json

import pytest

from codemode import Limits, Outcome, Session, Worker

MANY = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) SELECT x, 'n' || x AS name FROM n"


@pytest.fixture
def large(session: Session) -> Session:
    """A session with `t(x, name)` and 25,000 rows, which is more than one query answers."""
    session.exec(f"CREATE TABLE t AS {MANY.format(25_000)}")
    return session


def handle(outcome: Outcome) -> str:
    assert outcome.ok, outcome.error
    assert outcome.result_info is not None
    assert outcome.result_info.handle is not None, outcome
    return outcome.result_info.handle


def test_rows_above_the_limit_become_a_table(session: Session) -> None:
    outcome = session.run("[{'a': n, 'b': f'text {n}'} for n in range(1000)]", max_result_bytes=500)
    info = outcome.result_info
    assert (handle(outcome), info.type, info.row_count, info.truncated) == ("_result_1", "rows", 1000, True)
    assert [(column.name, column.type) for column in info.columns] == [("a", "INTEGER"), ("b", "TEXT")]
    assert outcome.result == [{"a": n, "b": f"text {n}"} for n in range(len(outcome.result))]
    assert 0 < len(json.dumps(outcome.result, separators=(",", ":"))) <= 500
    assert session.query("SELECT * FROM _result_1") == [{"a": n, "b": f"text {n}"} for n in range(1000)]
    assert info.bytes >= 4096
    assert outcome.usage.result_bytes <= 500


def test_the_line_on_reading_reads_the_rest(session: Session) -> None:
    outcome = session.run("[{'a': n} for n in range(300)]", max_result_bytes=100)
    words, sql = outcome.result_info.how_to_read.split("; the next ones: ")
    assert words == f"the first {len(outcome.result)} of 300 rows"
    rest = session.run(f"return helpers.db.query({sql!r})").result
    assert [row["a"] for row in outcome.result + rest] == list(range(300))


@pytest.mark.parametrize("names", ["{'rowid': n}", "{'rowid': n, '_rowid_': n, 'oid': n}"])
def test_columns_that_take_the_name_of_the_row_number(session: Session, names: str) -> None:
    outcome = session.run(f"[{names} for n in range(300)]", max_result_bytes=100)
    rest = session.query(outcome.result_info.how_to_read.split("; the next ones: ")[1])
    assert [row["rowid"] for row in [*outcome.result, *rest]] == list(range(300))


def test_rows_that_a_query_cut_are_kept_whole(large: Session) -> None:
    outcome = large.run("return helpers.db.query('SELECT * FROM t WHERE x > ?', [5])")
    info = outcome.result_info
    assert (len(outcome.result), info.row_count, info.truncated) == (10_000, 24_995, True)
    assert outcome.warnings == ()
    assert large.query_one(f"SELECT count(*) AS n, min(x) AS a, max(x) AS b FROM {handle(outcome)}") == {
        "n": 24_995, "a": 6, "b": 25_000,
    }  # fmt: skip


def test_a_result_that_was_cut_and_not_returned_is_still_told(large: Session) -> None:
    outcome = large.run("helpers.db.query('SELECT * FROM t'); return helpers.db.query('SELECT x FROM t')")
    assert handle(outcome)
    assert any("was cut at 10,000 rows" in warning for warning in outcome.warnings)


def test_the_rows_of_a_cut_query_keep_their_order_and_types(large: Session) -> None:
    sql = (
        "SELECT CASE x WHEN 24000 THEN '007' WHEN 24001 THEN 1.0 WHEN 24002 THEN NULL ELSE x END AS v FROM t ORDER BY x"
    )
    outcome = large.run(f"return helpers.db.query({sql!r})")
    assert [column.type for column in outcome.result_info.columns] == ["ANY"]
    kept = large.query(f"SELECT v, typeof(v) AS kind FROM {handle(outcome)} WHERE rowid BETWEEN 23999 AND 24003")
    assert [(row["v"], row["kind"]) for row in kept] == [
        (23999, "integer"), ("007", "text"), (1.0, "real"), (None, "null"), (24003, "integer"),
    ]  # fmt: skip


def test_columns_that_differ_only_in_case_are_told_apart(large: Session) -> None:
    outcome = large.run("return helpers.db.query('SELECT x AS a, name AS A, x AS a, x AS ä, x AS Ä FROM t')")
    assert [column.name for column in outcome.result_info.columns] == ["a", "A_2", "a_3", "ä", "Ä"]


CHANGED = {
    "a changed row": "rows = helpers.db.query('SELECT * FROM t'); rows[3]['x'] = -1; return rows",
    "a removed row": "rows = helpers.db.query('SELECT * FROM t'); rows.pop(); return rows",
    "another order": "rows = helpers.db.query('SELECT * FROM t'); rows.reverse(); return rows",
    "a column more": "rows = helpers.db.query('SELECT * FROM t'); rows[0]['y'] = 1; return rows",
    "a value that is none": "rows = helpers.db.query('SELECT * FROM t'); rows[0]['x'] = {1}; return rows",
    "a changed table": "rows = helpers.db.query('SELECT * FROM t'); helpers.db.exec('DELETE FROM t'); return rows",
    "a table that is gone": "rows = helpers.db.query('SELECT * FROM t'); helpers.db.exec('DROP TABLE t'); return rows",
    "another answer each time": "return helpers.db.query('SELECT x, random() AS r FROM t')",
    "a statement that writes": "return helpers.db.query('UPDATE t SET x = x + 0 RETURNING x')",
}


@pytest.mark.parametrize("code", CHANGED.values(), ids=CHANGED.keys())
def test_rows_that_the_query_would_not_answer_again_are_kept_as_they_are(large: Session, code: str) -> None:
    outcome = large.run(code, max_result_bytes=1000)
    name = handle(outcome)
    if outcome.result_info.columns[0].name == "part":
        rows = len(json.loads("".join(row["json"] for row in large.query(f"SELECT json FROM {name} ORDER BY part"))))
    else:
        rows = large.value(f"SELECT count(*) FROM {name}")
    assert outcome.result_info.row_count == rows
    assert rows in (9_999, 10_000)
    assert any("only the" in warning for warning in outcome.warnings), outcome.warnings


def test_cut_rows_that_fit_and_are_not_the_querys_are_answered_as_cut(large: Session) -> None:
    outcome = large.run("rows = helpers.db.query('SELECT x FROM t'); rows[0]['x'] = 0; return rows")
    assert (len(outcome.result), outcome.result_info.truncated, outcome.result_info.handle) == (10_000, True, None)
    assert outcome.result_info.how_to_read == "the first 10,000 of more than 10,000 rows"


def test_a_statement_that_writes_is_not_run_twice(large: Session) -> None:
    outcome = large.run("return helpers.db.query('INSERT INTO t SELECT x, name FROM t RETURNING 0 AS zero')")
    assert outcome.ok
    assert large.value("SELECT count(*) FROM t") == 50_000


OTHERS = {
    "an object": "{'a': list(range(5000)), 'b': {'deep': [None, True, 1.5]}}",
    "a text": "'é\"' * 4000",
    "rows of different keys": "[{'a': 1}, {'b': 2}] * 1000",
    "keys that differ in case": "[{'a': 1, 'A': 2}] * 1000",
    "lists of different lengths": "[[1, 2], [3]] * 1000",
    "a lone surrogate": "[{'a': 'x\\ud800'}] * 1000",
    "true beside 1": "[{'a': n % 2 or True} for n in range(4)] * 1000 + [{'a': 2}]",
    "sets": "{*range(5000)}",
}


@pytest.mark.parametrize("code", OTHERS.values(), ids=OTHERS.keys())
def test_anything_else_becomes_json_text(session: Session, code: str) -> None:
    outcome = session.run(code, max_result_bytes=2000)
    name = handle(outcome)
    assert [column.name for column in outcome.result_info.columns] == ["part", "json"]
    assert outcome.result_info.truncated
    assert f"SELECT json FROM {name} ORDER BY part" in outcome.result_info.how_to_read
    whole = "".join(row["json"] for row in session.query(f"SELECT json FROM {name} ORDER BY part"))
    assert json.loads(whole) == session.run(code).result


TABLES = {
    "lists": ("[[n, str(n), None] for n in range(1000)]", ["column_1", "column_2", "column_3"], (7, "7", None)),
    "numbers": ("[n / 2 for n in range(1000)]", ["value"], (3.5,)),
    "tuples": ("[(n, n % 2 == 0) for n in range(1000)]", ["column_1", "column_2"], (7, 0)),
    "dates": ("from datetime import date\n[{'d': date(2013, 1, 1)} for _ in range(1000)]", ["d"], ("2013-01-01",)),
    "lists in cells": ("[{'l': [n, 'x'], 'b': b'\\x00'} for n in range(1000)]", ["l", "b"], ('[7,"x"]', b"\0")),
    "large integers": ("[{'n': n + 2**70} for n in range(1000)]", ["n"], (str(7 + 2**70),)),
    "keys that differ in the case of other letters": (
        "[{'ä': n, 'Ä': -n} for n in range(1000)]",
        ["ä", "Ä"],
        (7, -7),
    ),
    "keys in another order": (
        "[{'a': n, 'b': 0} if n % 2 else {'b': 0, 'a': n} for n in range(1000)]",
        ["b", "a"],
        (0, 7),
    ),
}


@pytest.mark.parametrize(("code", "columns", "row"), TABLES.values(), ids=TABLES.keys())
def test_what_is_a_table_at_heart_becomes_one(
    session: Session, code: str, columns: list[str], row: tuple[object, ...]
) -> None:
    outcome = session.run(code, max_result_bytes=400)
    name = handle(outcome)
    assert [column.name for column in outcome.result_info.columns] == columns
    assert tuple(session.query_one(f"SELECT * FROM {name} WHERE rowid = 8").values()) == row
    assert outcome.result_info.row_count == 1000


def test_what_a_table_cannot_hold_is_told(session: Session) -> None:
    outcome = session.run("[{'x': float('nan') if n == 700 else 0.5} for n in range(1000)]", max_result_bytes=100)
    assert any("NaN" in warning for warning in outcome.warnings)
    assert session.value(f"SELECT x FROM {handle(outcome)} WHERE rowid = 701") is None


def test_a_value_that_cannot_be_returned_is_an_error_as_ever(session: Session) -> None:
    outcome = session.run("[{'f': print if n == 900 else n} for n in range(1000)]", max_result_bytes=100)
    assert outcome.error.code == "code.unserializable"
    assert session.query("SELECT * FROM _codemode_results") == []


def test_values_larger_than_a_part_are_cut_into_parts(session: Session) -> None:
    outcome = session.run("{'a': 'ä' * 1_300_000, 'b': ['x' * 30] * 60_000}")
    name = handle(outcome)
    sizes = [row["size"] for row in session.query(f"SELECT octet_length(json) AS size FROM {name}")]
    assert max(sizes) <= 1_000_000
    assert len(sizes) >= 5
    code = f"""
    import json
    pages = helpers.db.pages('SELECT json FROM {name} ORDER BY part', size=1)
    return len(json.loads(''.join(row['json'] for page in pages for row in page))['b'])
    """
    assert session.run(code).result == 60_000


@pytest.mark.parametrize("code", ["{'a': 'x' * 70_000_000}", "['x' * 1000] * 70_000"])
def test_above_64_mib_it_is_an_error_and_nothing_stays(table: Session, code: str) -> None:
    outcome = table.run(f"helpers.db.exec('DELETE FROM t')\nreturn {code}")
    assert outcome.error.code == "code.output_limit"
    assert "67,108,864" in outcome.error.message
    assert table.value("SELECT count(*) FROM t") == 3
    assert table.query("SELECT * FROM _codemode_results") == []


def test_the_last_twenty_are_kept(session: Session) -> None:
    for _ in range(23):
        handle(session.run("[1] * 1000", max_result_bytes=10))
    sizes = {table["name"]: table for table in session.metrics()["tables"]}
    assert list(sizes) == [f"_result_{n}" for n in range(4, 24)]
    assert all(size["spilled"] and size["rows"] == 1000 and size["bytes"] > 0 for size in sizes.values())
    assert "_result_4" not in session.get_tables()
    gone = session.run("return helpers.db.query('SELECT * FROM _result_3')").error
    assert (gone.code, "last 20 results" in gone.hint) == ("sql.no_such_table", True)


def test_a_table_of_that_name_that_is_no_result_is_left_alone(worker: Worker, session: Session) -> None:
    with worker.registry.turn(("local", session.id), 5) as opened, opened.guard.engine():
        opened.connection.execute("CREATE TABLE _Result_41 (x)", can_cache=False)
    for _ in range(22):
        name = handle(session.run("[1] * 1000", max_result_bytes=10))
    assert name == "_result_63"
    assert session.query("SELECT * FROM _result_41") == []


@pytest.mark.parametrize("mode", [{}, {"atomic": False}])
def test_the_table_is_committed_with_the_data(session: Session, mode: dict[str, bool]) -> None:
    outcome = session.run("helpers.db.create_table('t', 'a'); return [1] * 1000", max_result_bytes=10, **mode)
    assert (outcome.db.committed, outcome.db.rolled_back) == (True, False)
    assert session.value(f"SELECT count(*) FROM {handle(outcome)}") == 1000
    assert session.value("SELECT count(*) FROM t") == 0
    assert outcome.db.tables_changed == ("t",)


@pytest.mark.parametrize("mode", [{"dry_run": True}, {"read_only": True}])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return [{'a': n} for n in range(1000)]", "of 1,000 rows"),
        ("return helpers.db.query('SELECT * FROM t')", "of more than 10,000 rows"),
        ("return 'x' * 5000", "of 5,000 characters"),
        ("return {'a': 'x' * 5000}", "nothing of the value"),
    ],
)
def test_where_nothing_may_be_kept_the_beginning_is_answered(
    large: Session, mode: dict[str, bool], code: str, words: str
) -> None:
    outcome = large.run(code, max_result_bytes=500, **mode)
    info = outcome.result_info
    assert (outcome.ok, info.truncated, info.handle) == (True, True, None)
    assert words in info.how_to_read
    assert any("run the snippet without it" in warning for warning in outcome.warnings)
    assert large.query("SELECT * FROM _codemode_results") == []


def small(worker: Worker, megabytes: float) -> Session:
    return worker.session(limits=Limits(database_bytes=int(megabytes * 1_000_000)))


@pytest.mark.parametrize("mode", [{}, {"atomic": False}])
@pytest.mark.parametrize(
    "value",
    ["['y' * 1000 for _ in range(3000)]", "{'a': 'y' * 3_000_000}", "helpers.db.query('SELECT * FROM big, n')"],
)
def test_a_result_that_meets_the_quota_leaves_the_data(worker: Worker, mode: dict[str, bool], value: str) -> None:
    session = small(worker, 2)
    session.exec("CREATE TABLE big AS SELECT printf('%.1000c', 'x') AS x")
    session.exec(f"CREATE TABLE n AS {MANY.format(12_000)}")
    outcome = session.run(f"helpers.db.create_table('kept', 'a')\nreturn {value}", **mode)
    assert (outcome.ok, outcome.result, outcome.db.committed, outcome.db.rolled_back) == (True, None, True, False)
    assert (outcome.result_info.handle, outcome.result_info.truncated) == (None, True)
    assert any("database_bytes" in warning for warning in outcome.warnings), outcome.warnings
    assert session.get_tables() == ["big", "kept", "n"]
    assert session.query("SELECT * FROM _codemode_results") == []
    assert session.run("return 1").ok


def test_a_full_database_keeps_its_data_too(worker: Worker) -> None:
    session = small(worker, 1)
    code = """
    helpers.db.create_table('t', 'a')
    try:
        while True:
            helpers.db.exec("INSERT INTO t VALUES (randomblob(3000))")
    except helpers.Error as error:
        assert error.code == 'sql.disk_quota', error
    return [1] * 1_000_000
    """
    outcome = session.run(code)
    # SQLite itself may have to undo everything when a statement meets the quota: then the execution has failed.
    assert outcome.ok == outcome.db.committed
    assert not outcome.ok or session.value("SELECT count(*) FROM t") > 200


def test_the_time_for_the_rows_is_the_executions(worker: Worker) -> None:
    session = worker.session(limits=Limits(execution_seconds=3))
    session.exec(f"CREATE TABLE n AS {MANY.format(20_000)}")
    outcome = session.run(
        "helpers.db.exec('DELETE FROM n WHERE x = 1')\nreturn helpers.db.query('SELECT a.x, b.name FROM n a, n b')"
    )
    assert (outcome.status, outcome.db.rolled_back) == ("timeout", True)
    assert session.value("SELECT count(*) FROM n") == 20_000
    assert session.query("SELECT * FROM _codemode_results") == []


def test_a_failed_execution_keeps_no_result(session: Session) -> None:
    outcome = session.run("helpers.db.exec('CREATE TABLE t (a)'); helpers.db.exec('INSERT INTO t VALUES (')")
    assert not outcome.ok
    assert handle(session.run("[1] * 1000", max_result_bytes=10)) == "_result_1"


def test_it_is_in_the_log(session: Session) -> None:
    outcome = session.run("[1] * 1000", max_result_bytes=10)
    kinds = {entry.kind: entry.statement for entry in session.logs() if entry.execution_id == outcome.execution_id}
    assert kinds["spill"] == "_result_1"


WRITES = [
    "INSERT INTO _result_1 VALUES (1)",
    "REPLACE INTO _result_1 VALUES (1)",
    "UPDATE _RESULT_1 SET value = 2",
    "DELETE FROM main._result_1",
    "DROP TABLE _result_1",
    "ALTER TABLE _result_1 ADD COLUMN y",
    "ALTER TABLE _result_1 RENAME TO yours",
    "ALTER TABLE mine RENAME TO _result_99",
    "CREATE TABLE _result_99 (x)",
    "CREATE VIEW _result_99 AS SELECT 1",
    "CREATE INDEX i ON _result_1 (value)",
    "CREATE TRIGGER g AFTER INSERT ON _result_1 BEGIN SELECT 1; END",
    "CREATE TABLE child (x REFERENCES _result_1 (value))",
    "DELETE FROM _codemode_results",
    "UPDATE _codemode_results SET number = 900",
]


@pytest.mark.parametrize("sql", WRITES)
def test_only_the_engine_writes_results(session: Session, sql: str) -> None:
    session.run("helpers.db.create_table('mine', 'a'); return [1] * 1000", max_result_bytes=10)
    before = session.query("SELECT * FROM sqlite_schema")
    assert session.run(f"helpers.db.exec({sql!r})").error.code == "sql.refused"
    assert session.query("SELECT * FROM sqlite_schema") == before
    assert session.query_one("SELECT count(*) AS n, sum(value) AS s FROM _result_1") == {"n": 1000, "s": 1000}


def test_a_trigger_does_not_write_results_either(session: Session) -> None:
    session.run("helpers.db.create_table('mine', 'a'); return [1] * 1000", max_result_bytes=10)
    session.exec("CREATE TRIGGER g AFTER INSERT ON mine BEGIN DELETE FROM _result_1; END")
    assert session.run("helpers.db.exec('INSERT INTO mine VALUES (1)')").error.code == "sql.refused"
    assert session.value("SELECT count(*) FROM _result_1") == 1000
    assert handle(session.run("[1] * 1000", max_result_bytes=10)) == "_result_2"


def test_a_retry_answers_with_the_same_handle(session: Session) -> None:
    request = {"max_result_bytes": 10, "idempotency_key": "once"}
    first = session.run("helpers.db.create_table('t', 'a'); return [1] * 1000", **request)
    again = session.run("helpers.db.create_table('t', 'a'); return [1] * 1000", **request)
    assert (again.replayed, again.result, again.result_info) == (True, first.result, first.result_info)
    assert [row["number"] for row in session.query("SELECT number FROM _codemode_results")] == [1]


def test_cut_rows_of_an_earlier_execution_are_kept_whole_too(worker: Worker) -> None:
    session = worker.session(stateful=True)
    session.exec(f"CREATE TABLE t AS {MANY.format(25_000)}")
    assert session.run("rows = helpers.db.query('SELECT * FROM t')").result_info.handle is None
    assert session.value(f"SELECT count(*) FROM {handle(session.run('return rows'))}") == 25_000
    session.exec("DELETE FROM t WHERE x = 1")
    outcome = session.run("return rows")
    assert (outcome.result_info.handle, len(outcome.result)) == (None, 10_000)
    assert any("only the 10,000 rows" in warning for warning in outcome.warnings)


def test_a_fork_has_the_results_and_counts_on(worker: Worker, session: Session) -> None:
    handle(session.run("return [1] * 1000", max_result_bytes=10))
    fork = session.fork()
    assert fork.value("SELECT sum(value) FROM _result_1") == 1000
    assert handle(fork.run("return [2] * 1000", max_result_bytes=10)) == "_result_2"


def test_no_handle_means_another_result_after_a_way_back(session: Session) -> None:
    def kept() -> str:
        return handle(session.run("[1] * 1000", max_result_bytes=10))

    session.exec("CREATE TABLE t (a)")
    session.checkpoint("empty")
    assert [kept(), kept()] == ["_result_1", "_result_2"]
    session.undo()
    assert kept() == "_result_3"
    session.undo()
    session.undo()  # through the states that only know of the numbers
    assert session.value("SELECT group_concat(number) FROM _codemode_results") is None
    session.redo()
    assert session.value("SELECT count(*) FROM _result_1") == 1000
    session.restore("empty")
    assert kept() == "_result_4"


LONG_AND_SHORT = {
    "a long row before many": "[{'a': 'x' * 900_000}] + [{'a': f'y{n}'} for n in range(30_000)]",
    "a long row behind many": "[{'a': f'y{n}'} for n in range(30_000)] + [{'a': 'é' * 400_000}]",
    "long rows between": "[{'a': 'x' * (900_000 if n % 999 == 0 else n % 7)} for n in range(20_000)]",
}


@pytest.mark.parametrize("code", LONG_AND_SHORT.values(), ids=LONG_AND_SHORT.keys())
def test_rows_of_very_different_lengths_are_kept_in_order(session: Session, code: str) -> None:
    outcome = session.run(code)
    lengths = [(n, len(row["a"])) for n, row in enumerate(eval(code), 1)]
    assert [tuple(row) for page in session.pages(
        f"SELECT rowid AS n, length(a) AS size FROM {handle(outcome)}", size=10_000
    ) for row in (each.values() for each in page)] == lengths  # fmt: skip


def test_a_value_of_very_many_small_pieces_is_kept(worker: Worker) -> None:
    outcome = worker.session("small", limits={"value_bytes": 1_000}).run("'é' * 2_500_000")
    kept = worker.session("small").query_one(f"SELECT count(*) AS parts, sum(length(json)) AS n FROM {handle(outcome)}")
    assert kept["parts"] > 10_000
    assert kept["n"] == 2_500_002
