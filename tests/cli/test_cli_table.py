from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import HANG_SECONDS

from codemode.cli.output import duration, plural, printable, relative, size
from codemode.cli.progress import bar
from codemode.cli.table import cell_text, draw, records
from codemode.plain import plain


def test_numbers_stand_right_and_texts_left():
    assert draw(["name", "n"], [["a", 5], ["long name", 12345]]).lines == [
        "name           n",
        "─────────  ─────",
        "a              5",
        "long name  12345",
    ]


def test_a_table_that_fits_is_not_cut():
    drawn = draw(["a", "b"], [["x" * 30, "y" * 30]], width=62)
    assert drawn.lines[2] == f"{'x' * 30}  {'y' * 30}"
    assert drawn.remarks == []


def test_cut_cells_end_in_an_ellipsis_and_are_told():
    drawn = draw(["id", "text"], [[1, "x" * 100]], width=20)
    assert drawn.lines[2] == " 1  " + "x" * 15 + "…"
    assert drawn.remarks == ["some cells are cut (…)"]


def test_the_widest_text_gives_way_first_and_numbers_never():
    drawn = draw(["n", "a", "b"], [[123456789012, "x" * 10, "y" * 80]], width=50)
    assert drawn.lines[2] == f"123456789012  {'x' * 10}  {'y' * 23}…"


def test_a_column_that_is_whole_is_not_cut_for_a_wider_one():
    drawn = draw(["at", "what"], [["2026-11-29 00:17:17", "x" * 30]], width=40, whole=["at"])
    assert drawn.lines[2] == f"2026-11-29 00:17:17  {'x' * 18}…"


def test_columns_that_do_not_fit_are_named():
    drawn = draw([f"column_{n}" for n in range(30)], [["x" * 20] * 30], width=40)
    assert all(len(line) <= 40 for line in drawn.lines)
    assert "column_29" not in drawn.lines[0]
    assert any("columns do not fit (column_4" in remark for remark in drawn.remarks)
    assert draw(["a" * 20, "b" * 20], [[1, 2]], width=30).remarks == [f"1 column does not fit ({'b' * 20})"]


@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=30)), min_size=4, max_size=4), max_size=5),
    st.integers(30, 200),
)
def test_no_line_is_wider_than_the_terminal(rows, width):
    from rich.cells import cell_len

    rows = [[cell if not isinstance(cell, int) else cell % 10**6 for cell in row] for row in rows]
    assert all(cell_len(line) <= width for line in draw(["a", "b", "c", "d"], rows, width).lines)


def test_a_long_text_beyond_ascii_is_cut_as_fast_as_another():
    began = time.monotonic()  # one character after the other it would take hours
    assert draw(["a"], [["ä" * 1_000_000]], width=20).lines[2] == "ä" * 19 + "…"
    assert draw(["a"], [["漢" * 1_000_000]], width=20).lines[2] == "漢" * 9 + "…"
    assert time.monotonic() - began < HANG_SECONDS


def test_wide_characters_count_double():
    drawn = draw(["city", "n"], [["東京", 1], ["Oslo", 2]])
    assert drawn.lines[2:] == ["東京  1", "Oslo  2"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (1.5, "1.5"),
        (2**70, str(2**70)),
        (b"abc", "<3 bytes>"),
        ("two\nlines\t\x1b[31m", "two\\nlines\\t\\x1b[31m"),
        ({"a": [1, "é"]}, '{"a": [1, "é"]}'),
    ],
)
def test_every_value_has_one_line(cell, text):
    assert cell_text(cell) == text


def test_untrusted_text_cannot_steer_the_terminal():
    assert printable("a\x1b[2Jb\u202ec\x9b") == "a\\x1b[2Jb\\u202ec\\x9b"


def test_rows_may_lack_keys():
    assert records([{"a": 1}, {"b": 2, "a": 3}]) == (["a", "b"], [[1, None], [3, 2]])


def test_json_values_are_made_plain():
    assert plain({"a": [b"hi", float("inf"), 2**70, ("x",)]}) == {"a": [{"$bytes": "aGk="}, None, 2**70, ["x"]]}


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (35_200_000, "35.2 MB")]
)
def test_sizes_read_well(count, text):
    assert size(count) == text


@pytest.mark.parametrize(("value", "text"), [(0.421, "0.42 ms"), (12.3, "12 ms"), (1240, "1.24 s")])
def test_times_read_well(value, text):
    assert duration(value) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-01-02T11:59:30.000Z", "30 seconds ago"),
        ("2026-01-02T11:00:00.000Z", "60 minutes ago"),
        ("2026-01-03T11:59:59.000Z", "in 23 hours"),
        ("2026-01-09T12:00:01.000Z", "in 7 days"),
    ],
)
def test_times_are_told_from_now(time, text):
    assert relative(time, datetime(2026, 1, 2, 12, tzinfo=UTC)) == text


def test_counts_agree_with_their_noun():
    assert [plural(n, "row") for n in (0, 1, 3000)] == ["0 rows", "1 row", "3,000 rows"]


def test_a_terminal_that_takes_nothing_back_gets_no_bar(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with bar("planes.csv", quiet=False) as progress:
        progress(1, 2)
    assert capsys.readouterr().err == ""
