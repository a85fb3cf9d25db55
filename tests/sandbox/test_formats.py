"""Rows in the forms that their readers want, and how much each of them takes."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.form import FORMATS, Form
from sandbox.formats import Rendered, render
from sandbox.tabular import Table

FLIGHTS = Path(__file__).parents[2] / "benchmarks/data/nycflights13/flights.csv.gz"
PLENTY = 1 << 30


def form(rows: list[dict[str, Any]], kind: str, *, max_cell: int | None = None, most: int = PLENTY) -> Rendered:
    return render(Table(dict, list(rows[0]), rows), Form(kind, max_cell), most)


def value(rendered: Rendered) -> Any:
    return json.loads(rendered.text)


def flights(count: int) -> list[dict[str, Any]]:
    """The first flights as the import would store them: numbers as numbers, NA as None."""
    with gzip.open(FLIGHTS, "rt", encoding="utf-8", newline="") as file:
        records = csv.DictReader(file)
        return [{name: _typed(text) for name, text in next(records).items()} for _ in range(count)]


def _typed(text: str) -> Any:
    if text == "NA":
        return None
    try:
        return int(text)
    except ValueError:
        return text


def _dicts(columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns["columns"], row, strict=True)) for row in columns["rows"]]


def test_columns_save_forty_percent_of_the_bytes_on_flights() -> None:
    rows = flights(10_000)
    objects, columns = form(rows, "objects"), form(rows, "columns")
    assert value(objects) == rows
    assert _dicts(value(columns)) == rows
    assert len(columns.text.encode()) <= 0.6 * len(objects.text.encode())


def test_auto_is_the_shortest_that_loses_nothing_on_flights() -> None:
    rows = flights(2_000)
    chosen = form(rows, "auto")
    assert len(chosen.text) == min(len(form(rows, kind).text) for kind in FORMATS)
    read = csv.DictReader(io.StringIO(value(chosen)))
    assert [{name: _typed(text or "NA") for name, text in row.items()} for row in read] == rows


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([{"a": 1, "b": "x"}] * 9, "csv"),
        ([{"a": "007"}] * 9, "columns"),
        ([{"a": ""}, {"a": None}] * 9, "columns"),
        ([{"a": True}] * 9, "columns"),
        ([{"a": [1]}] * 9, "columns"),
        ([{"a": " x"}] * 9, "columns"),
        ([{"a": float("nan")}] * 9, "columns"),
        ([{"a": "NA"}] * 9, "columns"),
        ([{"a": None}, {"a": 1}] * 9, "columns"),
        ([{"a": None, "b": 2}, {"a": 1, "b": 2}] * 9, "csv"),
        ([{"a": 2**60}], "csv"),
        ([{"a": "x" * 40 + '"' * 40}], "objects"),
    ],
)
def test_auto_takes_no_csv_that_would_read_differently(rows: list[dict[str, Any]], kind: str) -> None:
    assert form(rows, "auto").kind == kind


CELLS = {
    "null": (None, ""),
    "an empty text": ("", '""'),
    "a comma": ("a,b", '"a,b"'),
    "quotes": ('a"b', '"a""b"'),
    "a line break": ("a\nb", '"a\nb"'),
    "blanks": (" a", '" a"'),
    "true": (True, "true"),
    "a float": (1.5, "1.5"),
    "a list": ([1, "x"], '"[1,""x""]"'),
    "a letter of four bytes": ("😀", "😀"),
}


@pytest.mark.parametrize(("cell", "field"), CELLS.values(), ids=CELLS.keys())
def test_fields_of_csv(cell: Any, field: str) -> None:
    text = value(form([{"a": cell, "b": 1}], "csv"))
    assert text == f"a,b\n{field},1\n"
    assert next(csv.DictReader(io.StringIO(text)))["b"] == "1"


def test_markdown_is_one_line_a_row() -> None:
    text = value(form([{"n": 1.5, "a|b": "x|y\\\nz"}, {"n": None, "a|b": None}], "markdown"))
    assert text == "| n | a\\|b |\n|---:|---|\n| 1.5 | x\\|y\\\\ z |\n|  |  |\n"


@pytest.mark.parametrize("kind", ["objects", "columns", "csv", "markdown"])
def test_a_clipped_cell_says_how_much_is_missing(kind: str) -> None:
    rendered = form([{"a": "x" * 100, "b": 10**60, "c": "short"}], kind, max_cell=10)
    assert "xxxxxxxxxx… (+90 characters)" in rendered.text
    assert "x" * 11 not in rendered.text
    assert str(10**60) in rendered.text
    assert rendered.clipped == 1


def test_a_cell_that_clipping_would_lengthen_stays_whole() -> None:
    assert form([{"a": "x" * 20}], "csv", max_cell=10).clipped == 0


def test_markdown_clips_by_itself_and_the_others_do_not() -> None:
    rows = [{"a": "x" * 3000}]
    assert form(rows, "markdown").clipped == 1
    assert form(rows, "markdown", max_cell=4000).clipped == 0
    assert [form(rows, kind).clipped for kind in ("objects", "columns", "csv", "auto")] == [0, 0, 0, 0]


names = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=5)
cells = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
tables = st.lists(names, min_size=1, max_size=4, unique_by=str.lower).flatmap(
    lambda columns: st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cells)), min_size=1, max_size=6)
)


@given(tables, st.sampled_from(["objects", "columns", "csv", "markdown", "auto"]), st.integers(0, 400))
def test_what_is_shown_fits_and_is_whole_rows(rows: list[dict[str, Any]], kind: str, most: int) -> None:
    rendered = form(rows, kind, most=most)
    assert len(rendered.text.encode()) <= max(most, len("null"))
    shown = value(rendered)
    if shown is None:
        assert rendered.shown == 0
    elif rendered.kind == "objects":
        assert shown == rows[: rendered.shown]
    elif rendered.kind == "columns":
        assert _dicts(shown) == rows[: rendered.shown]
    elif rendered.kind == "csv":
        assert len(list(csv.reader(io.StringIO(shown), strict=True))) == rendered.shown + 1
    else:
        assert shown.count("\n") == rendered.shown + 2


@given(tables)
def test_objects_and_columns_lose_nothing(rows: list[dict[str, Any]]) -> None:
    assert value(form(rows, "objects")) == rows
    assert _dicts(value(form(rows, "columns"))) == rows
