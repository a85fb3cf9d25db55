"""A tool call as an API hands it over, and the text that goes back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from codemode import Limits, Session, Worker
from codemode.adapters import Answer, dispatch, dispatch_async
from codemode.adapters.answer import MOST, clipped, fitting
from codemode.adapters.session import RunSettings
from codemode.errors import RequestInvalid, SessionNotFound
from codemode.session.request import RunOptions


def document(answer: Answer) -> Any:
    return json.loads(answer.text)


def test_a_snippet_answers_with_its_value_and_what_it_printed(session: Session):
    answer = dispatch(session, "execute_code", '{"code": "print(1)\\nreturn [2, None]"}')
    assert document(answer) == {"result": [2, None], "stdout": "1\n"}
    assert not answer.is_error
    assert answer.outcome is not None
    assert answer.outcome.result == [2, None]


def test_what_a_snippet_wrote_is_told(session: Session):
    code = "helpers.db.create_table('t', 'a')\nhelpers.db.exec('INSERT INTO t VALUES (1), (2)')\nreturn None"
    answer = dispatch(session, "execute_code", {"code": code})
    assert document(answer) == {"result": None, "rows_written": 2}


def test_a_snippet_that_fails_is_an_error_with_the_way_out(table: Session):
    code = "helpers.db.exec('DELETE FROM t')\nreturn helpers.db.query('SELECT b FROM tt')"
    answer = dispatch(table, "execute_code", {"code": code})
    assert answer.is_error
    error = document(answer)["error"]
    assert (error["code"], error["line"]) == ("sql.no_such_table", 2)
    assert error["suggestion"] == "SELECT b FROM t"
    assert document(answer)["undone"] is True
    assert table.value("SELECT count(*) FROM t") == 3


def test_what_a_commit_kept_of_a_snippet_that_fails_is_not_told_as_undone(table: Session):
    code = "helpers.db.exec('DELETE FROM t WHERE a = 1')\nhelpers.db.commit()\nhelpers.db.exec('DELETE FROM t')\n1 / 0"
    told = document(dispatch(table, "execute_code", {"code": code}))
    assert told["undone"] == "what commit() or a call of its own made permanent stays; the writes after it were undone"
    assert table.value("SELECT count(*) FROM t") == 2


@pytest.mark.parametrize(
    ("name", "arguments", "answered"),
    [
        ("list_tables", None, {"tables": ["t"]}),
        ("list_tables", "", {"tables": ["t"]}),
        ("list_tables", "{}", {"tables": ["t"]}),
        ("query", {"sql": "SELECT a, b FROM t WHERE a > ?", "params": [1]},
         {"columns": ["a", "b"], "rows": [[2, "2"], [3, "3"]], "row_count": 2}),
        ("query", '{"sql": "SELECT a\nFROM t\tLIMIT 1", "params": null}',
         {"columns": ["a"], "rows": [[1]], "row_count": 1}),
        ("query", {"sql": "SELECT a FROM t WHERE 0"}, {"columns": ["a"], "rows": [], "row_count": 0}),
        ("query", {"sql": "SELECT a FROM t WHERE a = NULL"},
         {"columns": ["a"], "rows": [], "row_count": 0, "warnings": ["a = NULL is never true: write a IS NULL"]}),
        ("query", {"sql": "SELECT x'00' AS b", "params": []},
         {"columns": ["b"], "rows": [[{"$bytes": "AA=="}]], "row_count": 1}),
    ],
)  # fmt: skip
def test_a_call_is_answered(table: Session, name: str, arguments: Any, answered: Any):
    answer = dispatch(table, name, arguments)
    assert document(answer) == answered
    assert not answer.is_error


def test_a_table_is_described(table: Session):
    found = document(dispatch(table, "describe_table", {"table": "t"}))
    assert [column["name"] for column in found["columns"]] == ["a", "b"]
    assert found["row_count"] == 3


@pytest.mark.parametrize(
    ("name", "arguments", "code", "said"),
    [
        ("execute_code", "return 1", "request.invalid", "not JSON"),
        ("execute_code", '{"code": "x', "request.invalid", "not JSON"),
        ("execute_code", "[" * 100_000, "request.invalid", "not JSON"),
        ("execute_code", "[]", "request.invalid", "an object, not list"),
        ("execute_code", "0", "request.invalid", "an object, not int"),
        ("execute_code", '"return 1"', "request.invalid", "an object, not str"),
        ("execute_code", None, "request.invalid", "missing required field `code`"),
        ("execute_code", {"code": 1}, "request.invalid", "Expected `str`, got `int`"),
        ("execute_code", {"code": None}, "request.invalid", "Expected `str`, got `null`"),
        ("execute_code", {"code": "return '\ud800'"}, "request.invalid", "surrogate"),
        ("execute_code", {"code": "1", "language": "python"}, "request.invalid", "no argument 'language'"),
        ("execute_code", {1: "x"}, "request.invalid", "no argument 1"),
        ("query", {"sql": "SELECT 1", "params": {"a": 1}}, "request.invalid", "array | null"),
        ("query", {"sql": "SELECT ?", "params": [[1]]}, "request.invalid", "$.params[0]"),
        ("query", {"sql": "SELECT ?", "params": [2**70]}, "sql.value", "64"),
        ("query", {"sql": "DROP TABLE t"}, "sql.refused", ""),
        ("query", {"sql": "DELETE FROM t RETURNING a"}, "sql.refused", ""),
        ("query", {"sql": "SELECT nope FROM t"}, "sql.no_such_column", "nope"),
        ("describe_table", {"table": "nope"}, "sql.no_such_table", "nope"),
        ("query", {"sql": "SELECT '\ud800'", "params": None}, "request.invalid", "surrogate"),
        ("query", {"sql": "SELECT ?", "params": ["\ud800"]}, "request.invalid", "surrogate"),
        ("query", {"sql": "SELECT ?", "params": "\ud800"}, "request.invalid", "surrogate"),
        ("describe_table", {"table": "\ud800"}, "request.invalid", "surrogate"),
        ("run_python", {"code": "1"}, "request.invalid", "no tool 'run_python'"),
    ],
)
def test_what_a_model_got_wrong_is_told_by_code_and_words(table: Session, name, arguments, code, said):
    answer = dispatch(table, name, arguments)
    assert answer.is_error
    error = document(answer)["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert table.value("SELECT count(*) FROM t") == 3


def test_wrong_arguments_are_answered_with_the_shape_of_right_ones(session: Session):
    error = document(dispatch(session, "query", "{"))["error"]
    assert error["hint"] == 'send {"sql": …, "params": …}'
    error = document(dispatch(session, "query", {"sqll": "SELECT 1"}))["error"]
    assert (error["did_you_mean"], error["available"]) == (["sql"], ["sql", "params"])


def test_a_large_result_is_kept_and_the_answer_says_how_to_read_on(session: Session):
    session.batch_insert("t", [{"a": n, "b": "x" * 50} for n in range(2_000)], create=True)
    answer = dispatch(session, "execute_code", {"code": "return helpers.db.query('SELECT * FROM t')"})
    assert len(answer.text) <= MOST
    found = document(answer)
    assert len(found["result"]) < 2_000
    assert "SELECT * FROM _result_1" in found["how_to_read"]


def test_rows_that_do_not_fit_are_counted(session: Session):
    session.batch_insert("t", [{"a": n, "b": "x" * 50} for n in range(2_000)], create=True)
    answer = dispatch(session, "query", {"sql": "SELECT * FROM t", "params": None})
    found = document(answer)
    assert len(answer.text) <= MOST
    assert 200 < len(found["rows"]) < 2_000
    assert found["row_count"] == 2_000
    assert f"the first {len(found['rows'])} of 2,000 rows" in found["note"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("execute_code", {"code": "print('y' * 100_000)"}),
        ("execute_code", {"code": "return ['z' * 90_000]"}),
        ("execute_code", {"code": "raise ValueError('v' * 90_000)"}),
        ("execute_code", {"code": "print('€' * 100_000); raise ValueError('€' * 90_000)"}),
        ("query", {"sql": "SELECT printf('%.100000c', 'x') AS a"}),
        ("query", {"sql": "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1_500))}),
        ("query", {"sql": "SELECT '" + "x" * 50_000}),
        ("x" * 50_000, {}),
        ("execute_code", {"x" * 50_000: 1}),
    ],
    ids=["stdout", "result", "error", "both", "cell", "columns", "statement", "name", "argument"],
)
@pytest.mark.parametrize("most", [MOST, 1_000])
def test_an_answer_is_never_longer_than_what_was_asked(session: Session, name, arguments, most):
    answer = dispatch(session, name, arguments, most=most)
    assert 0 < len(answer.text) <= most


def test_a_text_that_is_cut_keeps_its_ends_and_says_how_long_it_was():
    text = clipped("a" * 500 + "z" * 500, 200)
    assert len(text) == 200
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    assert "of 1,000 characters" in text
    assert clipped("short", 200) == "short"


def test_a_document_that_is_too_long_loses_texts_and_items_before_its_form():
    found = json.loads(fitting({"names": [f"table_{n}" for n in range(5_000)], "text": "x" * 10_000}, 5_000))
    assert found["names"][:2] == ["table_0", "table_1"]
    assert found["names"][-1].endswith(" more")
    assert len(found["text"]) <= 4_000


def test_the_host_says_how_snippets_run(table: Session):
    called: list[str] = []
    code = {"code": "helpers.host.note('x')\nhelpers.db.exec('DELETE FROM t')"}
    answer = dispatch(table, "execute_code", code, functions={"note": called.append}, read_only=True)
    assert document(answer)["error"]["code"] == "sql.refused"
    assert called == ["x"]


def test_what_a_host_may_set_is_what_run_takes():
    known = {name for name in RunOptions.__annotations__ if not name.startswith("on_")}
    assert set(RunSettings.__annotations__) == known - {"inputs", "idempotency_key"}


def test_an_option_that_the_host_got_wrong_is_raised(session: Session):
    with pytest.raises(RequestInvalid, match="timeout"):
        dispatch(session, "execute_code", {"code": "1"}, timeout=-1)


def test_a_session_that_answers_little_is_no_reason_for_a_warning(worker: Worker):
    session = worker.session(limits=Limits(result_bytes=500))
    assert document(dispatch(session, "execute_code", {"code": "return 1"})) == {"result": 1}


def test_a_session_that_is_gone_is_raised(worker: Worker):
    session = worker.session()
    worker.remove(session.id)
    for name, arguments in (("query", {"sql": "SELECT 1"}), ("list_tables", None)):
        with pytest.raises(SessionNotFound):
            dispatch(session, name, arguments)


def test_the_event_loop_goes_on_while_a_call_runs(session: Session):
    async def main() -> tuple[Any, bool]:
        call = asyncio.create_task(
            dispatch_async(
                session, "execute_code", {"code": "return await helpers.host.wait()"}, functions={"wait": wait}
            )
        )
        await asyncio.wait_for(begun.wait(), 60)
        running = not call.done()
        go_on.set()
        return document(await call), running

    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> str:
        begun.set()
        await go_on.wait()
        return "went on"

    assert asyncio.run(main()) == ({"result": "went on"}, True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("list_tables", None), ("query", {"sql": "SELECT nope"}), ("execute_code", {"code": "1 / 0"}), ("nope", None)],
)
def test_the_asynchronous_call_answers_the_same(table: Session, name: str, arguments: Any):
    one, other = dispatch(table, name, arguments), asyncio.run(dispatch_async(table, name, arguments))
    assert (one.text, one.is_error) == (other.text, other.is_error)
