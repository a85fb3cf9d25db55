"""Outcomes are the same whoever asks: each case runs embedded and on every backend, and the two must be equal."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from msgspec import structs

from codemode import Limits, Session
from codemode.errors import RequestInvalid
from codemode.values import DatabaseUse, Outcome, ResultInfo, Usage
from tests.contract.backends import Backend, SessionLike


class Case(NamedTuple):
    name: str
    code: str
    status: str = "completed"
    error: str | None = None
    options: dict[str, Any] = {}


CASES = [
    Case("nothing", "pass"),
    Case("a value", "return [1, 2.5, 'ü\u2028\\n', None, True, {'a': {'b': []}}]"),
    Case("an expression", "40 + 2"),
    Case("a variable named result", "result = {'x': 1}"),
    Case("printed", "print('one'); print('two', end='')"),
    Case("a lot printed", "for n in range(60_000): print(n)"),
    Case("integers beyond 53 bits", "return [2**53 + 1, -2**63, 2**64, 10**30]"),
    Case("an integer of 6000 digits", "return 10**6000 + 1"),
    Case("no numbers", "return [float('nan'), float('inf'), -float('inf')]"),
    Case("bytes", "return {'b': b'\\x00\\xff'}"),
    Case("dates", "import datetime\nreturn [datetime.date(2024, 2, 29), datetime.time(12, 30)]"),
    Case("decimals", "import decimal\nreturn [decimal.Decimal('1.10')]"),
    Case("sets, tuples and odd keys", "return [{3}, (1, 2), {1: 'a', None: 'b', 2.5: 'c'}]"),
    Case("a lone surrogate", "return '\\ud800'"),
    Case("rows", "return helpers.db.query('SELECT a, b FROM t ORDER BY a')"),
    Case("rows with a column twice", "return helpers.db.query('SELECT a, a, b FROM t ORDER BY a')"),
    Case("rows as columns", "return helpers.db.query('SELECT a FROM t')", options={"result_format": "columns"}),
    Case("rows as text", "return helpers.db.query('SELECT b FROM t')", options={"result_format": "csv", "max_cell": 3}),
    Case("a write", "return helpers.db.exec('UPDATE t SET b = 1')"),
    Case("a dry run", "helpers.db.exec('DELETE FROM t')", options={"dry_run": True}),
    Case("each call by itself", "helpers.db.exec('DELETE FROM t'); 1 / 0", "error", "code.runtime", {"atomic": False}),
    Case("kept by commit", "helpers.db.exec('DELETE FROM t'); helpers.db.commit(); 1 / 0", "error", "code.runtime"),
    Case("inputs", "return [a, b, c]", options={"inputs": {"a": 2**70, "b": {"x": [1.5, None]}, "c": "ü"}}),
    Case("inputs of odd kinds", "return x", options={"inputs": {"x": {1: (2, 3)}}}),
    Case("a fault", "def f():\n    return 1 / 0\nf()", "error", "code.runtime"),
    Case("a fault undoes", "helpers.db.exec('DELETE FROM t')\n1 / 0", "error", "code.runtime"),
    Case("no Python", "return (", "rejected", "code.syntax"),
    Case("refused", "class A(metaclass=type): pass", "rejected", "code.refused"),
    Case("a module that is not there", "import os", "error", "code.runtime"),
    Case("no such column", "helpers.db.query('SELECT bb FROM t')", "error", "sql.no_such_column"),
    Case("no such table", "helpers.db.query('SELECT * FROM tt')", "error", "sql.no_such_table"),
    Case("no SQL", "helpers.db.query('SELEC 1')", "error", "sql.syntax"),
    Case("a refused statement", "helpers.db.exec('PRAGMA writable_schema = 1')", "error", "sql.refused"),
    Case("two statements", "helpers.db.exec('SELECT 1; SELECT 2')", "error", "sql.multiple_statements"),
    Case("a constraint", "helpers.db.exec('INSERT INTO u VALUES (1), (1)')", "error", "sql.constraint"),
    Case("too few parameters", "helpers.db.query('SELECT ?')", "error", "sql.parameters"),
    Case("an integer beyond SQLite", "helpers.db.query('SELECT ?', [2**64])", "error", "sql.value"),
    Case("a wrong helper", "helpers.db.querry('SELECT 1')", "error", "request.invalid"),
    Case("read only", "helpers.db.exec('DELETE FROM t')", "error", "sql.refused", {"read_only": True}),
    Case("too late", "while True: pass", "timeout", "code.timeout", {"timeout": 0.3}),
    Case("unserializable", "return object()", "error", "code.unserializable"),
    Case(
        "a large result", "return [{'n': n, 't': 'x' * 50} for n in range(2_000)]", options={"max_result_bytes": 2_000}
    ),
    Case("a large text", "return 'x' * 5_000", options={"max_result_bytes": 1_000}),
    Case("a timeout above the limit", "return 1", options={"timeout": 1e6}),
    Case("sizes beyond 64 bits", "return 1", options={"max_cell": 2**64, "result_format": "csv"}),
    Case("warned of NaN", "helpers.db.exec('INSERT INTO t VALUES (?, ?)', [1, float('nan')])"),
]
SEED = "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'one, \"1\"'), (2, 'two'); CREATE TABLE u (a PRIMARY KEY)"


def comparable(outcome: Outcome) -> Outcome:
    """The outcome without what no two executions share: ids, times, sizes of memory."""
    usage = structs.replace(outcome.usage, duration_ms=0, queue_ms=0, cpu_ms=0, worker_cpu_ms=0, peak_memory_bytes=0)
    return structs.replace(outcome, execution_id="", session_id="", usage=usage)


def kinds(value: Any) -> Any:
    """The types of everything in a value."""
    if isinstance(value, dict):
        return [(type(key), key, kinds(item)) for key, item in value.items()]
    return [kinds(item) for item in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_outcome_is_the_one_of_the_engine(backend: Backend, there: SessionLike, here: Session, case: Case) -> None:
    if case.name in backend.changes:
        pytest.skip("this backend tells it in another form")
    # Under a key of ours: clients make one for each request, and what is kept under it takes room in the database.
    for session in (there, here):
        assert session.run(f"helpers.db.script({SEED!r})", idempotency_key="seed").ok
    found, expected = (session.run(case.code, idempotency_key="case", **case.options) for session in (there, here))
    assert (found.status, found.error and found.error.code) == (case.status, case.error)
    assert comparable(found) == comparable(expected)
    assert kinds(found.result) == kinds(expected.result)  # 1 and 1.0 and True are equal, and not the same
    assert found.session_id == there.id
    assert found.execution_id.startswith("ex_")


def test_an_outcome_is_made_of_the_same_structs(there: SessionLike) -> None:
    outcome = there.run("return helpers.db.query('SELECT 1 AS a')")
    assert type(outcome) is Outcome
    assert type(outcome.usage) is Usage
    assert type(outcome.db) is DatabaseUse
    assert type(outcome.result_info) is ResultInfo
    assert type(outcome.warnings) is type(outcome.isolation) is tuple
    assert outcome.usage.duration_ms > 0


def test_a_failed_execution_leaves_nothing(there: SessionLike) -> None:
    there.run("helpers.db.script('CREATE TABLE t (a); INSERT INTO t VALUES (1)')")
    failed = there.run("helpers.db.exec('DELETE FROM t')\nraise ValueError('no')")
    assert (failed.db.rolled_back, failed.db.committed) == (True, False)
    assert there.query("SELECT count(*) AS n FROM t", read_only=True) == [{"n": 1}]


def test_a_large_result_is_kept_as_a_table(there: SessionLike) -> None:
    outcome = there.run("return [{'n': n} for n in range(5_000)]", max_result_bytes=1_000)
    info = outcome.result_info
    assert info is not None
    assert (info.row_count, info.truncated, info.shown) == (5_000, True, len(outcome.result))
    assert there.query(f"SELECT count(*) AS n, max(n) AS m FROM {info.handle}", read_only=True) == [
        {"n": 5_000, "m": 4_999}
    ]


def test_what_is_printed_is_told_at_once_and_in_the_end(backend: Backend, there: SessionLike) -> None:
    if "on_output" in backend.lacks:
        pytest.skip("this backend tells output at the end")
    printed: list[str] = []
    outcome = there.run("for n in range(2_000): print(n, 'ü\u2028')", on_output=printed.append)
    assert "".join(printed) == outcome.stdout
    assert outcome.stdout.count("\n") == 2_000


def test_a_key_runs_once(there: SessionLike) -> None:
    there.run("helpers.db.exec('CREATE TABLE t (a)')")
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('once')\nreturn 10**40"
    first, again = (there.run(code, idempotency_key="order-1") for _ in range(2))
    assert (first.replayed, again.replayed) == (False, True)
    assert structs.replace(again, replayed=False) == first
    assert there.query("SELECT count(*) AS n FROM t", read_only=True) == [{"n": 1}]
    with pytest.raises(RequestInvalid, match="order-1"):
        there.run("return 2", idempotency_key="order-1")


def test_a_stateful_session_keeps_its_variables(backend: Backend) -> None:
    session = backend.session(stateful=True)
    assert session.run("x = 20").variables == "fresh"
    kept = session.run("return x + 1")
    assert (kept.result, kept.variables) == (21, "kept")


def test_limits_of_a_session_go_down(backend: Backend) -> None:
    if "limits" in backend.lacks:
        pytest.skip("this backend cannot lower them")
    session = backend.session(limits=Limits(rows=3))
    code = "rows = helpers.db.query('SELECT value FROM json_each(?)', [numbers])\nreturn [len(rows), rows.truncated]"
    outcome = session.run(code, inputs={"numbers": [1, 2, 3, 4, 5]})
    assert outcome.result == [3, True]
    hurried = backend.session(limits=Limits(execution_seconds=0.5))
    assert hurried.run("while True: pass").status == "timeout"


class Markup(str):
    """What libraries make of text."""


def test_numbers_of_any_size_and_texts_of_any_kind_are_taken(whole: Any) -> None:
    options = {"timeout": 10**400, "max_result_bytes": 10**400, "max_cell": 10**400}
    outcome = whole.run(Markup("return n"), inputs={"n": Markup("x")}, **options)
    assert (outcome.status, outcome.result) == ("completed", "x")
    assert [text.partition(" ")[0] for text in outcome.warnings] == ["timeout", "max_result_bytes"]


REFUSED = [
    ({"code": 5}, "code must be text"),
    ({"code": "return 1", "inputs": {"a b": 1}}, "inputs"),
    ({"code": "return 1", "inputs": {"a": b"x"}}, "inputs"),
    ({"code": "return 1", "inputs": {"a": float("nan")}}, "inputs"),
    ({"code": "return 1", "inputs": [1]}, "inputs must be a dict"),
    ({"code": "return 1", "timeout": 0}, "timeout must be a number above zero"),
    ({"code": "return 1", "timeout": "5"}, "timeout must be a number above zero"),
    ({"code": "return 1", "max_result_bytes": -1}, "max_result_bytes must be a number above zero"),
    ({"code": "return 1", "dry_run": True, "atomic": False}, "exclude each other"),
    ({"code": "return 1", "result_format": "xml"}, "result_format"),
    ({"code": "return 1", "max_cell": 0}, "max_cell"),
    ({"code": "return 1", "idempotency_key": ""}, "idempotency key"),
    ({"code": "return 1", "dryrun": True}, "has no argument 'dryrun'"),
    ({"code": "x = 1\n" * 100_000}, "code_bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_a_wrong_argument_raises(whole: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestInvalid, match=words):
        whole.run(**options)
