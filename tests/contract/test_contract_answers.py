"""A host's own calls answer the same whoever asks: each case runs embedded and on every backend with all calls."""

from __future__ import annotations

import datetime
import decimal
import math
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codemode import Limits, Session
from codemode.errors import RequestInvalid
from codemode.values import LogEntry
from sandbox.helpers import Rows
from tests.contract.backends import Backend, Blocking
from tests.contract.test_contract_outcomes import kinds

SEED = """
    CREATE TABLE t (a INTEGER PRIMARY KEY, b, c BLOB);
    INSERT INTO t VALUES (1, 'one', x'00ff'), (2, 2.5, NULL), (3, 9223372036854775807, x'');
    CREATE TABLE "odd /?%#.. name" ("a/b" REAL)
"""
MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n"
COUNT = "SELECT count(*) FROM t"
Point = namedtuple("Point", "a b")


@dataclass
class Record:
    a: int
    b: Any


CALLS: dict[str, Callable[[Any], Any]] = {
    "exec": lambda s: s.exec("UPDATE t SET b = ? WHERE a < ?", ["x", 3]),
    "exec with rows": lambda s: s.exec("DELETE FROM t WHERE a = 1 RETURNING a, c, a"),
    "exec by name": lambda s: s.exec("UPDATE t SET b = :b", {"b": b"\x01\xfe"}),
    "exec of a query": lambda s: s.exec("SELECT c FROM t ORDER BY a"),
    "exec with a NaN": lambda s: s.exec("UPDATE t SET b = ?", [math.nan]),
    "exec with one value": lambda s: s.exec("UPDATE t SET b = ? WHERE a = 1", 5),
    "query": lambda s: s.query("SELECT * FROM t ORDER BY a"),
    "query twice a column": lambda s: s.query("SELECT a, a, b AS a FROM t ORDER BY 1"),
    "query nothing": lambda s: s.query("SELECT a FROM t WHERE a > 9"),
    "query only reading": lambda s: s.query("SELECT * FROM t ORDER BY a", read_only=True),
    "query with RETURNING": lambda s: s.query("INSERT INTO t (b) VALUES (1) RETURNING a, b"),
    "query with kinds of parameters": lambda s: s.query(
        "SELECT ? a, ? b, ? c, ? d, ? e, ? f, ? g, ? h",
        [None, True, -(2**63), 1e300, "ü\u2028\x00", b"\xff", [1, {"$bytes": "AA=="}], {"$float": "x"}],
    ),
    "query with dates": lambda s: s.query(
        "SELECT ? a, ? b, ? c", (datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 2, 3), decimal.Decimal("1.10"))
    ),
    "query with infinities": lambda s: s.query("SELECT ? a, -9e999 b, ? c", [math.inf, -math.inf]),
    "query with all rows of a limit": lambda s: s.query("SELECT value FROM json_each(?)", [list(range(30))]),
    "query with a NaN": lambda s: s.query("SELECT a FROM t WHERE a = ?", [math.nan]),
    "query that can hardly be meant": lambda s: s.query("SELECT a FROM t WHERE b = NULL", read_only=True),
    "exec that can hardly be meant": lambda s: s.exec("DELETE FROM t WHERE b = NULL OR b = ?", [math.nan]),
    "batch that can hardly be meant": lambda s: s.batch(["DELETE FROM t WHERE b = NULL", "DELETE FROM t"]),
    "query_one": lambda s: s.query_one("SELECT c, c FROM t ORDER BY a"),
    "query_one of nothing": lambda s: s.query_one("SELECT a FROM t WHERE a > 9"),
    "value": lambda s: s.value("SELECT c FROM t"),
    "value that is a real": lambda s: s.value("SELECT 1.0"),
    "value of nothing": lambda s: s.value("SELECT a FROM t WHERE a > 9"),
    "batch": lambda s: s.batch([("UPDATE t SET b = ?", [1]), "SELECT a, c FROM t", {"sql": "DELETE FROM t"}]),
    "batch of a generator": lambda s: s.batch(("INSERT INTO t (b) VALUES (?)", [n]) for n in range(3)),
    "script": lambda s: s.script("INSERT INTO t (b) VALUES (1); SELECT b FROM t; DELETE FROM t;"),
    "insert dicts": lambda s: s.batch_insert("n", [{"a": 1, "b": None}, {"a": 2.5, "c": "x"}], create=True),
    "insert lists": lambda s: s.batch_insert("t", [[10, "x"], (11, b"\x00")], columns=["a", "b"]),
    "insert lists into all columns": lambda s: s.batch_insert("t", [[10, "x", None]]),
    "insert a generator": lambda s: s.batch_insert("n", ({"a": n, "b": str(n)} for n in range(3_000)), create=True),
    "insert named tuples": lambda s: s.batch_insert("n", [Point(1, "x"), Point(2, "y")], create=True),
    "insert dataclasses": lambda s: s.batch_insert("n", [Record(1, [1]), Record(2, {"x": None})], create=True),
    "insert what is converted": lambda s: s.batch_insert(
        "n", [{"a": datetime.date(2024, 1, 1), "b": decimal.Decimal("2.50"), "c": {"$bytes": "AA=="}}], create=True
    ),
    "insert NaN": lambda s: s.batch_insert("n", [{"a": math.nan}, {"a": math.inf}], create=True),
    "insert or update": lambda s: s.batch_insert("t", [{"a": 1, "b": "new"}], on_conflict="update", key="a"),
    "insert or ignore": lambda s: s.batch_insert("t", [{"a": 1, "b": "new"}], on_conflict="IGNORE"),
    "insert nothing": lambda s: s.batch_insert("t", []),
    "create_table": lambda s: s.create_table("n", {"id": int, "name": "TEXT"}),
    "create_table from text": lambda s: s.create_table("n", "(id INTEGER)", if_not_exists=True),
    "state": lambda s: [s.save_state("a/b?c", {"x": [2**70, None, "ü"]}), s.get_state("a/b?c"), s.list_state()],
    "state of nothing": lambda s: [s.get_state("x"), s.get_state("x", 5), s.delete_state("x")],
    "state of null": lambda s: [s.save_state("x", None), s.get_state("x", 5), s.delete_state("x")],
    "state of dates and bytes": lambda s: [s.save_state("x", (datetime.date(2024, 1, 1), b"\x00")), s.get_state("x")],
    "commit": lambda s: s.commit(),
    "explain": lambda s: s.explain("SELECT * FROM t WHERE a = ?", [1]),
    "get_tables": lambda s: s.get_tables(),
    "get_columns": lambda s: s.get_columns("T"),
    "get_columns of an odd name": lambda s: s.get_columns("odd /?%#.. name"),
    "has_column": lambda s: [s.has_column("t", "A"), s.has_column("t", "x")],
    "has_column without a name": lambda s: s.has_column("t", ""),
    "find_column": lambda s: [s.find_column("t", "a"), s.find_column("t", "zebra"), s.find_column("t", "")],
    "logs of a kind": lambda s: [len(s.logs(1)), s.logs(kind="undo"), s.table_changes("no such table")],
    "describe_table": lambda s: {k: v for k, v in s.describe_table("t").items() if k not in ("provenance", "profile")},
    "describe_table of an odd name": lambda s: s.describe_table("odd /?%#.. name")["columns"],
    "pages": lambda s: list(s.pages("SELECT * FROM t ORDER BY a", size=2)),
    "pages by name": lambda s: list(s.pages("SELECT c FROM t WHERE a > :a", {"a": 1}, size=1)),
    "pages of nothing": lambda s: list(s.pages("SELECT a FROM t WHERE a > 9")),
    "stream": lambda s: _streamed(s, "SELECT a, b, c, c FROM t ORDER BY a"),
    "stream with kinds of parameters": lambda s: _streamed(
        s, "SELECT ? a, ? b, ? c", (datetime.date(2024, 2, 29), bytearray(b"\xff"), [1, "x"])
    ),
    "stream by one value": lambda s: _streamed(s, "SELECT a FROM t WHERE a > ?", 1),
    "stream of many": lambda s: _streamed(s, MANY),
    "checkpoints": lambda s: _all(s.checkpoint("one").name, [each.name for each in s.checkpoints()]),
    "a checkpoint that is deleted": lambda s: _all(
        s.checkpoint("one").name, s.delete_checkpoint("one"), s.list_checkpoints()
    ),
    "restore": lambda s: _all(
        s.checkpoint("one").name, s.exec("DELETE FROM t")["changes"], s.restore("one").name, s.value(COUNT)
    ),
    "undo and redo": lambda s: _all(
        s.exec("DELETE FROM t")["changes"], s.undo().what, s.value(COUNT), s.redo().what, s.value(COUNT)
    ),
    "diff": lambda s: _all(
        s.checkpoint("one").name, s.exec("UPDATE t SET c = x'aa', b = 9e999 WHERE a = 1")["changes"],
        s.diff("one", sample=2),
    ),
    "fork": lambda s: _forked(s),
    "logs": lambda s: [(type(e) is LogEntry, e.kind, e.statement, e.rows_written, e.error_code) for e in s.logs(3)],
    "logs of one kind": lambda s: [e.statement for e in s.logs(kind="exec", errors=True)],
    "table_changes": lambda s: [(c.table, c.execution_id, c.inserted) for c in s.table_changes("t", limit=5)],
    "slow_statements": lambda s: s.slow_statements(),
    "usage_by_day": lambda s: [(d.rows_written, d.warnings, d.executions) for d in s.usage_by_day()],
    "size_history": lambda s: [each.size_bytes for each in s.size_history()],
    "compact": lambda s: s.compact(),
    "metrics": lambda s: [s.metrics()[name] for name in ("database_size", "tables", "limits", "rows_written")],
    "cancel": lambda s: s.cancel(),
}  # fmt: skip


def _streamed(session: Any, sql: str, params: Any = ()) -> Any:
    columns, rows = session.stream(sql, params)
    return [columns, [tuple(row) for row in rows]]


def _forked(session: Any) -> Any:
    fork = session.fork()
    fork.exec("DELETE FROM t WHERE a = 1")
    return [
        fork.id.startswith("s_"),
        fork.limits.rows,
        *(each.value("SELECT count(*) FROM t") for each in (session, fork)),
    ]


def _all(*answers: Any) -> Any:
    return answers


@pytest.mark.parametrize("name", CALLS)
def test_a_call_answers_as_the_engine_does(whole: Any, here: Session, name: str) -> None:
    for session in (whole, here):
        session.script(SEED)
    found, expected = CALLS[name](whole), CALLS[name](here)
    assert found == expected
    assert kinds(found) == kinds(expected)
    if isinstance(expected, Rows):
        assert type(found) is Rows
        for attribute in ("columns", "row_count", "truncated", "rows_read", "source", "warnings"):
            assert getattr(found, attribute) == getattr(expected, attribute), attribute
    everything = "SELECT * FROM t"
    assert whole.query(everything, read_only=True) == here.query(everything, read_only=True)
    tables = here.get_tables()
    assert whole.get_tables() == tables
    if "n" in tables:
        told = "SELECT *, (SELECT sql FROM sqlite_schema WHERE name = 'n') AS sql FROM n"
        assert list(whole.pages(told)) == list(here.pages(told))


def test_rows_are_truncated_by_the_limits_of_the_session(complete: Backend, here: Session) -> None:
    session = complete.session(limits=Limits(rows=3))
    found = session.query("SELECT value FROM json_each(?)", [[1, 2, 3, 4]])
    assert (len(found), found.truncated, found.source) == (3, True, ("SELECT value FROM json_each(?)", ["[1,2,3,4]"]))
    done = session.exec("SELECT value FROM json_each(?)", [[1, 2, 3, 4]])
    assert (done["truncated"], done["rows"].truncated, len(done["rows"])) == (True, True, 3)
    assert sum(map(len, session.pages("SELECT value FROM json_each(?)", [list(range(10))], size=2))) == 10


def failing(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"a": number}
    raise LookupError("the source broke")


@pytest.mark.parametrize("count", [0, 3, 50_000])
def test_records_that_break_off_leave_nothing(whole: Any, count: int) -> None:
    whole.exec("CREATE TABLE n (a)")
    with pytest.raises(LookupError, match="the source broke"):
        whole.batch_insert("n", failing(count))
    assert whole.value("SELECT count(*) FROM n") == 0


def test_records_may_come_from_a_query_of_the_same_session(whole: Any) -> None:
    if isinstance(whole, Blocking):
        pytest.skip("a blocking generator cannot wait for the event loop that it holds up")
    whole.script("CREATE TABLE a (x); INSERT INTO a VALUES (1), (2), (3); CREATE TABLE b (x)")
    rows = (row for page in whole.pages("SELECT x FROM a", size=1) for row in page)
    assert whole.batch_insert("b", rows)["rows_written"] == 3


def test_files_go_in_and_out(whole: Any, here: Session, tmp_path: Path) -> None:
    source = tmp_path / "2024 trips.csv"
    source.write_text("code;name\n007;Bond\n008;NA\n", encoding="utf-8")
    for number, session in enumerate((whole, here)):
        profile = session.import_file(source, delimiter=";", null="NA")
        assert (profile.table, profile.rows, [column.type for column in profile.columns]) == (
            "t_2024_trips", 2, ["TEXT", "TEXT"],
        )  # fmt: skip
        session.exec('CREATE VIEW "my trips" AS SELECT * FROM t_2024_trips')
        done = session.export("my trips", tmp_path / f"{number}.ndjson.gz")
        assert (done.rows, done.notes) == (2, ())
    assert (tmp_path / "0.ndjson.gz").read_bytes() == (tmp_path / "1.ndjson.gz").read_bytes()


def test_a_large_import_and_a_large_export(whole: Any, tmp_path: Path) -> None:
    source = tmp_path / "many.ndjson"
    source.write_text("".join(f'{{"a": {n}, "b": "text {n}"}}\n' for n in range(20_000)), encoding="utf-8")
    assert whole.import_file(source, "many").rows == 20_000
    assert whole.export("SELECT a FROM many WHERE a >= ?", tmp_path / "out.csv", [10]).rows == 19_990
    assert (tmp_path / "out.csv").read_text().count("\n") == 19_991


def test_a_session_is_written_to_a_database_file(whole: Any, tmp_path: Path) -> None:
    whole.script(SEED)
    path = tmp_path / "session.db"
    assert whole.export_file(path) == path.stat().st_size
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(1,), (2,), (3,)]
    with pytest.raises(RequestInvalid, match="exists"):
        whole.export_file(path)
    assert whole.export_file(path, force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["session.db"]
