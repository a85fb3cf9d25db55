"""Rows in the form that a caller asks for, and what the outcome says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from codemode import Session
from codemode.errors import RequestInvalid

ROWS = "return helpers.db.query('SELECT a, b FROM t')"
FORMS = {
    "objects": [{"a": 1, "b": "1"}, {"a": 2, "b": "2"}, {"a": 3, "b": "3"}],
    "columns": {"columns": ["a", "b"], "rows": [[1, "1"], [2, "2"], [3, "3"]]},
    "csv": "a,b\n1,1\n2,2\n3,3\n",
    "markdown": "| a | b |\n|---:|---|\n| 1 | 1 |\n| 2 | 2 |\n| 3 | 3 |\n",
}


@pytest.mark.parametrize(("kind", "expected"), FORMS.items())
def test_each_form(table: Session, kind: str, expected: Any) -> None:
    outcome = table.run(ROWS, result_format=kind)
    assert outcome.result == expected
    assert outcome.result_info.format == (None if kind == "objects" else kind)
    assert (outcome.result_info.type, outcome.result_info.row_count, outcome.result_info.truncated) == (
        "rows",
        3,
        False,
    )
    assert outcome.warnings == ()


def test_auto_keeps_texts_that_look_like_numbers_apart(table: Session) -> None:
    repeated = ROWS.replace("FROM t", "FROM t, (VALUES (1), (2), (3), (4))")
    assert table.run(repeated, result_format="auto").result_info.format == "columns"
    assert table.run(repeated.replace("b FROM", "b + 0 AS b FROM"), result_format="auto").result_info.format == "csv"


def test_no_rows_still_have_names(table: Session) -> None:
    outcome = table.run("return helpers.db.query('SELECT a, b FROM t WHERE a > 9')", result_format="columns")
    assert outcome.result == {"columns": ["a", "b"], "rows": []}


@pytest.mark.parametrize("code", ["return {'a': 1}", "return 'text'", "return [1, 2]", "return [{'a': 1}, {'b': 2}]"])
def test_what_is_no_table_is_answered_as_it_is(session: Session, code: str) -> None:
    outcome = session.run(code, result_format="csv")
    assert outcome.result == session.run(code).result
    assert any("is for rows" in warning for warning in outcome.warnings)
    assert session.run(code, result_format="auto").warnings == ()


@pytest.mark.parametrize("kind", ["objects", "columns", "csv", "markdown", "auto"])
def test_of_large_rows_as_many_as_fit_are_answered(session: Session, kind: str) -> None:
    code = "return [{'number': n, 'text': f'text {n}'} for n in range(1000)]"
    outcome = session.run(code, result_format=kind, max_result_bytes=700)
    info = outcome.result_info
    assert len(json.dumps(outcome.result, separators=(",", ":"), ensure_ascii=False)) <= 700
    assert (info.handle, info.row_count, info.truncated) == ("_result_1", 1000, True)
    assert f"the first {info.shown} of 1,000 rows" in info.how_to_read
    assert f"rowid > {info.shown} " in info.how_to_read
    assert session.value("SELECT count(*) FROM _result_1") == 1000


def test_a_shorter_form_holds_more_rows(session: Session) -> None:
    code = "return [{'a long name': n, 'another name': n} for n in range(1000)]"
    shown = [
        session.run(code, result_format=kind, max_result_bytes=900).result_info.shown for kind in ("objects", "columns")
    ]
    assert shown[1] > 2 * shown[0]


def test_clipped_cells_are_counted_and_told(session: Session) -> None:
    outcome = session.run("return [{'a': 'x' * 500, 'b': 'y' * 500}]", max_cell=3)
    assert outcome.result == [{"a": "xxx… (+497 characters)", "b": "yyy… (+497 characters)"}]
    assert outcome.result_info.clipped_cells == 2
    assert any("2 cells were clipped" in warning for warning in outcome.warnings)


def test_clipped_cells_are_whole_in_the_table(session: Session) -> None:
    outcome = session.run("return [{'a': 'x' * 500}] * 100", max_cell=3, max_result_bytes=400)
    assert outcome.result_info.handle == "_result_1"
    assert session.value("SELECT min(length(a)) FROM _result_1") == 500


@pytest.mark.parametrize(
    "options", [{"result_format": "colums"}, {"max_cell": 0}, {"max_cell": True}, {"max_cell": "9"}]
)
def test_a_wrong_wish_is_invalid(session: Session, options: dict[str, Any]) -> None:
    with pytest.raises(RequestInvalid) as caught:
        session.run("1", **options)
    assert "max_cell" in options or caught.value.did_you_mean == ("columns",)


def test_another_form_is_another_request_for_a_key(session: Session) -> None:
    session.run("return 1", idempotency_key="k", result_format="csv")
    with pytest.raises(RequestInvalid, match="another request"):
        session.run("return 1", idempotency_key="k", result_format="columns")


def test_what_is_no_number_is_null_in_csv_and_no_empty_text(session: Session) -> None:
    outcome = session.run("[{'a': float('inf'), 'b': '', 'c': None, 'd': float('nan')}]", result_format="csv")
    assert outcome.result == 'a,b,c,d\n,"",,\n'
