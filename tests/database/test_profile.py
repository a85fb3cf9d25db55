"""What is said of columns, keys and joins, on rows whose truth is known."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from codemode.database import joins, meaning, profile
from codemode.database.sample import Sample


def sample(table: str = "t", total: int | None = None, **columns: list[Any]) -> Sample:
    rows = list(zip(*columns.values(), strict=True))
    return Sample(table, list(columns), rows, len(rows) if total is None else total)


def test_a_column_that_was_read_whole():
    found = profile.column_profile([3, None, 1, 1, "x", 2.5, b"ab"], 7)
    assert found["stored"] == {"integer": 0.5, "text": 0.1667, "real": 0.1667, "blob": 0.1667}
    assert (found["nulls"], found["distinct"], found["min"], found["max"]) == (1, 5, 1, "<2 bytes>")
    assert found["frequent"][0] == {"value": 1, "share": 0.2857}
    assert found["estimated"] == []


def test_whole_and_real_numbers_that_are_equal_keep_their_types():
    assert profile.column_profile([1, 1.0, 2], 3)["stored"] == {"integer": 0.6667, "real": 0.3333}


def test_an_empty_column_and_one_of_nulls():
    assert profile.column_profile([], 0)["distinct"] == 0
    found = profile.column_profile([None, None], 2)
    assert (found["nulls"], found["distinct"], found["min"], found["stored"]) == (2, 0, None, {})


def test_long_texts_are_shown_cut_with_their_length():
    found = profile.column_profile(["a" * 5_000] * 2, 2)
    assert found["max"] == "a" * 80 + "… (5,000 characters)"
    assert found["frequent"][0]["value"] == found["max"]


@pytest.mark.parametrize("different", [3, 500, 5_000, 100_000])
def test_the_number_of_different_values_is_estimated_within_a_third(different: int):
    rows = [n % different for n in range(100_000)]
    seen = Counter(random.Random(1).sample(rows, 10_000))
    assert profile.distinct_estimate(seen, 10_000, 100_000) == pytest.approx(different, rel=1 / 3)


def test_what_was_counted_takes_the_place_of_guesses_and_strays_are_told():
    found = profile.column_profile([1, 2, 3], 1_000)
    assert found["estimated"] == ["stored", "nulls", "distinct", "min", "max", "frequent"]
    profile.make_exact(found, 1_000, 990, 0, "n/a")
    assert (found["nulls"], found["min"], found["max"]) == (10, 0, "n/a")
    assert found["stored"] == {"integer": 1.0, "text": 0.0}
    assert found["estimated"] == ["stored", "distinct", "frequent"]


def keys(rows: Sample) -> list[tuple[str, ...]]:
    profiles = {name: profile.column_profile(rows.values(name), rows.total) for name in rows.columns}
    return list(profile.likely_keys(rows, profiles))


def test_keys_are_single_columns_before_pairs_and_no_measurements():
    assert keys(sample(a=[1, 2, 3], b=[1, 1, 1], c=[0.1, 0.2, 0.3], d=[1, 2, None])) == [("a",)]
    pairs = sample(a=[1, 2] * 6, b=[n // 2 for n in range(12)], c=[n / 10 for n in range(12)])
    assert keys(pairs) == [("a", "b")]
    assert keys(sample(a=[1, 1], b=[2, 2])) == []
    assert keys(sample(a=[1])) == []


def test_of_few_rows_one_key_is_told_and_no_pair():
    assert keys(sample(a=[1, 1, 2], b=[1, 2, 3], c=[3, 2, 1])) == [("b",)]
    assert keys(sample(a=[1, 1, 2], b=[1, 2, 1])) == []


def found_joins(mine: Sample, other: Sample, probed: int | None = None) -> list[tuple[str, str]]:
    return [(j.column, j.references) for j in joins.joins(mine, other, lambda *_: probed)]


def test_texts_join_by_their_values_alone():
    flights = sample("flights", origin=["JFK", "LGA", "EWR", "JFK"], note=["a", "b", "c", "d"])
    airports = sample("airports", faa=["JFK", "LGA", "EWR", "BOS"], name=["k", "l", "m", "n"])
    assert found_joins(flights, airports) == [("origin", "faa")]
    assert found_joins(airports, flights) == [("faa", "origin")]


def test_two_flags_with_the_same_two_values_are_no_join():
    assert found_joins(sample("a", paid=["Y", "N", "Y"]), sample("b", active=["N", "Y", "Y"])) == []


def test_numbers_join_only_where_the_names_agree():
    books = sample("books", author_id=[1, 2, 2, 3], pages=[1, 2, 3, 1], id=[1, 2, 3, 4])
    authors = sample("authors", id=[1, 2, 3], born=[1, 2, 3])
    assert found_joins(books, authors) == [("author_id", "id")]


def test_a_column_with_one_value_refers_to_nothing():
    assert found_joins(sample("flights", year=[2013] * 5), sample("planes", year=[1999, 2013, 2004])) == []


def test_two_samples_of_large_tables_are_joined_by_asking_for_values():
    mine = sample("orders", 10_000_000, user_id=list(range(100)))
    other = sample("users", 10_000_000, id=list(range(50_000, 50_100)))
    assert found_joins(mine, other) == []
    found = list(joins.joins(mine, other, lambda table, column, values: len(values)))
    assert [(j.column, j.references, j.overlap, j.estimated) for j in found] == [("user_id", "id", 1.0, True)]


TABLE = sample(
    "t",
    dep_delay=[5, -2, 7],
    arr_delay=[1, 2, 3],
    carrier=["UA", "AA", "B6"],
    dest=["IAH", "MIA", "BQN"],
    placed_at=["2013-01-01T10:00:00Z", "2013-01-02T11:00:00Z", "2013-01-03T12:00:00Z"],
    contact=["a@b.org", "c@d.org", "e@f.org"],
    tailnum=["N1", "N2", "N3"],
    unitPrice=[1.5, 2.5, 3.5],
    hour=[1, 2, 3],
)


@pytest.mark.parametrize(
    ("wanted", "name", "because"),
    [
        ("dep_delay", "dep_delay", "name"),
        ("departure delay", "dep_delay", "synonym"),
        ("how late it arrived", "arr_delay", "synonym"),
        ("airline", "carrier", "synonym"),
        ("destination", "dest", "synonym"),
        ("MIA", "dest", "content"),
        ("mia", "dest", "content"),
        ("when", "placed_at", "type"),
        ("e-mail", "contact", "type"),
        ("aircraft", "tailnum", "synonym"),
        ("cost", "unitPrice", "synonym"),
        ("unit price", "unitPrice", "name"),
        ("carier", "carrier", "name"),
    ],
)
def test_columns_are_found_by_name_synonym_type_and_content(wanted: str, name: str, because: str):
    found = meaning.find_column(wanted, TABLE)
    assert found is not None
    assert (found["name"], found["because"]) == (name, because), meaning.ranked(wanted, TABLE)


@pytest.mark.parametrize("wanted", ["colour", "", "  ", "of the", "zzz", "x" * 10_000])
def test_no_column_is_better_than_a_wrong_one(wanted: str):
    assert meaning.find_column(wanted, TABLE) is None


AUTHORS = sample("authors", **{"id": [1, 2], "fullName": ["Ann", "Bob"], "birth year": [1970, 1980]})


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("full name", "fullName"), ("name", "fullName"), ("birth_year", "birth year"), ("birthYear", "birth year"),
     ("ID", "id"), ("temperature", None), ("", None), ("born", "birth year"), ("Bob", "fullName")],
)  # fmt: skip
def test_find_column(wanted: str, found: str | None) -> None:
    answer = meaning.find_column(wanted, AUTHORS)
    assert (answer and answer["name"]) == found


def test_other_columns_that_fit_are_told():
    found = meaning.find_column("delay", TABLE)
    assert found is not None
    assert [found["name"], *(each["name"] for each in found["alternatives"])] == ["dep_delay", "arr_delay"]
