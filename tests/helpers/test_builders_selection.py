"""Builders that pick rows, run on data with everything that breaks pasted SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.helpers import sql

# Names that only survive quoting: reserved words, blanks, quotes, per cent, Unicode, SQL itself.
NAMES = [
    "order",
    "first name",
    'say "hi"',
    "100%",
    "a_b",
    "größe",
    "価格",
    "select",
    "x; drop table t",
    "it's",
    "[a]",
    "a.b",
]

ROWS = [
    ("O'Brien", 3, None),
    ('say "hi"', 3.5, "x"),
    ("50%  off", None, "  two  blanks  "),
    ("a_b", "text", None),
    (None, -1, "é"),
    ("O'Brien", 2, "x"),
]


@pytest.fixture
def people(engine):
    engine.table("people", ["name", "score", "note"], ROWS)
    return engine


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_characters_works_as_table_and_as_column(engine, name):
    engine.table(name, [name, "other"], [("a", 1), ("b", 2), ("a", None)])
    assert engine.rows(sql.count_by(name, name)) == [{name: "a", "count": 2}, {name: "b", "count": 1}]
    assert engine.rows(sql.distinct_values(name, name)) == [{name: "a"}, {name: "b"}]
    assert engine.rows(sql.build_select_query(name, where={name: "b"})) == [{name: "b", "other": 2}]
    assert engine.rows(sql.text_search(name, name, "B")) == [{name: "b", "other": 2}]
    assert engine.rows(sql.top_n(name, "other", 1, [name])) == [{name: "b"}]
    assert engine.rows(sql.find_duplicates(name, [name])) == [{name: "a", "count": 2}]
    assert engine.rows(sql.rank_by(name, "other", name))[0] == {name: "b", "other": 2, "rank": 1, "percentile": 100.0}
    assert engine.rows(sql.paginate(name, 1, 1, {name: "desc"})) == [{name: "b", "other": 2}]
    assert engine.rows(sql.find_nulls(name, ["other", name])) == [{name: "a", "other": None}]
    assert engine.rows(sql.crosstab(name, name, "other"))[0] == {name: "a", "other": 1, "value": 1}
    assert engine.rows(sql.statistics(name, "other", {name: "a"}))[0]["nulls"] == 1
    assert len(engine.rows(sql.moving_average(name, name, "other", 2))) == 3
    assert engine.rows(sql.temporal(name, name)) == [{"period": None, "count": 3}]
    assert engine.rows(sql.histogram(name, name)) == []


@given(st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_quoting_any_name_round_trips(name):
    quoted = sql.build_select_query("t", {name: "1"})
    assert quoted.startswith('SELECT 1 AS "')
    inner = quoted[len('SELECT 1 AS "') : -len('" FROM "t"')]
    assert inner.replace('""', '"') == name
    assert '"' not in inner.replace('""', "")


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", None, 7, ["a"]])
def test_what_cannot_be_a_name_is_refused(refused, name):
    error = refused(sql.count_by, "t", name)
    assert error.code == "request.invalid"


def test_a_hostile_field_is_a_column_that_does_not_exist(people):
    with pytest.raises(Exception, match="no such column"):
        people.rows(sql.count_by("people", "1; DROP TABLE people --"))
    assert len(people.rows(sql.paginate("people", 1, 10))) == len(ROWS)


def test_select_without_parts_is_every_column(people):
    assert [tuple(row.values()) for row in people.rows(sql.build_select_query("people"))] == ROWS


def test_select_takes_columns_expressions_and_aliases(people):
    query = sql.build_select_query("people", ["name", "upper(note) as loud", '"score"'], limit=2)
    assert people.rows(query)[1] == {"name": 'say "hi"', "loud": "X", "score": 3.5}
    query = sql.build_select_query("people", {"who": "name", "a b": "score * 2"}, limit=1)
    assert people.rows(query) == [{"who": "O'Brien", "a b": 6}]
    assert people.columns(sql.build_select_query("people", "name, note"))[1][0] == "note"


def test_a_plain_identifier_in_select_is_a_column_even_when_it_is_a_reserved_word(engine):
    engine.table("t", ["order", "group"], [(1, 2)])
    assert engine.rows(sql.build_select_query("t", ["order", "group"], order_by="order")) == [{"order": 1, "group": 2}]


def test_group_by_and_having_take_expressions(people):
    query = sql.build_select_query(
        "people", ["name", "count(*) as n"], group_by="name", having={"count(*)": {">": 1}}, order_by="n desc"
    )
    assert people.rows(query) == [{"name": "O'Brien", "n": 2}]
    query = sql.build_select_query("people", "count(*) as n", group_by=["name"], having="n > 1")
    assert people.rows(query) == [{"n": 2}]


@pytest.mark.parametrize(
    "order_by",
    ["score desc", "score DESC", "-score", {"score": "desc"}, {"score": -1}, [("score", "desc")], ["score desc"],
     '"score" DESC', "score desc nulls last", ["-score", "name"]],
)  # fmt: skip
def test_order_by_in_every_spelling(people, order_by):
    query = sql.build_select_query("people", "score", {"score": {">": 0}, "note": "x"}, order_by=order_by)
    assert [row["score"] for row in people.rows(query)] == [3.5, 2]


@pytest.mark.parametrize("nothing", [[], (), {}])
def test_no_columns_to_group_or_order_by_are_none(people, nothing):
    whole = people.rows(sql.build_select_query("people"))
    assert people.rows(sql.build_select_query("people", group_by=nothing, order_by=nothing)) == whole


@pytest.mark.parametrize("order_by", [{"score": "downwards"}, "-score desc", [1], 7, [("score", "up")]])
def test_a_wrong_order_by_is_refused(refused, order_by):
    assert refused(sql.build_select_query, "people", order_by=order_by).code == "request.invalid"


def test_limit_and_offset_are_bound(people):
    query = sql.build_select_query("people", "name", limit=2, offset=1)
    assert query.params == (2, 1)
    assert len(people.rows(query)) == 2
    assert len(people.rows(sql.build_select_query("people", offset=4))) == 2
    assert people.rows(sql.build_select_query("people", limit=0)) == []


@pytest.mark.parametrize("limit", [-1, "5", 2.0, True, 2**63])
def test_a_limit_that_is_no_count_is_refused(refused, limit):
    assert refused(sql.build_select_query, "people", limit=limit).code == "request.invalid"


def test_an_expression_that_ends_in_a_comment_swallows_nothing(people):
    query = sql.build_select_query(
        "people", ["name -- the name", "score"], "score > 1 -- high", order_by="score /* up */"
    )
    assert {tuple(row.values()) for row in people.rows(query)} == {
        ("O'Brien", 2),
        ("O'Brien", 3),
        ('say "hi"', 3.5),
        ("a_b", "text"),
    }


def test_a_query_stands_for_a_table_with_its_parameters_in_order(people):
    inner = sql.build_select_query("people", where={"score": {">": 2}})
    query = sql.build_select_query(inner, "name", {"note": "x"}, limit=5)
    assert query.params == (2, "x", 5)
    assert people.rows(query) == [{"name": 'say "hi"'}]
    assert people.rows(sql.count_by(inner, "note")) == [{"note": "x", "count": 1}]


def test_count_by_leaves_null_out_unless_asked(people):
    assert people.rows(sql.count_by("people", "note"))[0] == {"note": "x", "count": 2}
    assert people.rows(sql.count_by("people", "note", include_nulls=True))[:2] == [
        {"note": None, "count": 2},
        {"note": "x", "count": 2},
    ]


def test_count_by_with_bounds(people):
    assert people.rows(sql.count_by("people", "name", min_count=2)) == [{"name": "O'Brien", "count": 2}]
    assert len(people.rows(sql.count_by("people", "name", limit=2))) == 2


def test_count_by_a_column_that_is_named_count(engine):
    engine.table("t", ["count"], [(5,), (5,), (9,)])
    cursor = engine.connection.execute(sql.count_by("t", "count"))
    assert cursor.fetchall() == [(5, 2), (9, 1)]


def test_top_n_is_ordered_without_nulls(people):
    assert [row["score"] for row in people.rows(sql.top_n("people", "score", 3))] == ["text", 3.5, 3]
    assert people.rows(sql.top_n("people", "score", 2, ["name"])) == [{"name": "a_b"}, {"name": 'say "hi"'}]


def test_distinct_values_under_a_condition(people):
    query = sql.distinct_values("people", "note", {"name": ["O'Brien", "50%  off"]}, limit=5)
    assert people.rows(query) == [{"note": "  two  blanks  "}, {"note": "x"}]


def test_pages_cover_a_table_without_gaps_even_where_the_order_has_ties(engine):
    engine.table("t", ["id", "same"], [(n, n % 3) for n in range(100)])
    seen = [row["id"] for page in range(1, 9) for row in engine.rows(sql.paginate("t", page, 13, "same"))]
    assert sorted(seen) == list(range(100))


@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (1, 0), (1.5, 10), ("1", 10), (2**62, 2**62)])
def test_a_page_that_cannot_be_is_refused(refused, page, size):
    assert refused(sql.paginate, "t", page, size).code == "request.invalid"


def test_a_page_under_a_condition(people):
    query = sql.paginate("people", 2, 1, order_by="score", where={"name": "O'Brien"})
    assert people.rows(query) == [{"name": "O'Brien", "score": 3, "note": None}]


def test_rank_shares_and_skips(engine):
    engine.table("t", ["who", "points"], [("a", 9), ("b", 7), ("c", 9), ("d", None), ("e", 1)])
    ranked = engine.rows(sql.rank_by("t", "points", ["who"]))
    assert [(row["who"], row["rank"]) for row in ranked] == [("a", 1), ("c", 1), ("b", 3), ("e", 4)]
    assert [row["percentile"] for row in ranked][-1] == 0.0
    assert list(ranked[0]) == ["who", "points", "rank", "percentile"]
    assert engine.columns(sql.rank_by("t", "points"))[0][0] == "points"


def test_find_nulls_in_any_of_the_fields(people):
    assert len(people.rows(sql.find_nulls("people", "score"))) == 1
    assert len(people.rows(sql.find_nulls("people", ["name", "score", "note"]))) == 4
    assert len(people.rows(sql.find_nulls("people", ["name", "score", "note"], limit=2))) == 2


@pytest.mark.parametrize("fields", [[], None, {"a": 1}, 3, ""])
def test_no_fields_is_an_error(refused, fields):
    assert refused(sql.find_nulls, "people", fields).code == "request.invalid"


def test_duplicates_are_counted_and_missing_values_are_none(engine):
    rows = [("x", 1), ("x", 1), ("x", None), ("x", None), (None, None), (None, None), ("y", 1)]
    engine.table("t", ["a", "b"], rows)
    assert engine.rows(sql.find_duplicates("t", "a")) == [{"a": "x", "count": 4}]
    assert engine.rows(sql.find_duplicates("t", ["a", "b"])) == [
        {"a": "x", "b": None, "count": 2},
        {"a": "x", "b": 1, "count": 2},
    ]


def test_crosstab_counts_or_aggregates(engine):
    engine.table("t", ["row", "col", "amount"], [("a", "x", 1), ("a", "x", 2), ("a", "y", 5), (None, "x", 9)])
    assert engine.rows(sql.crosstab("t", "row", "col")) == [
        {"row": "a", "col": "x", "value": 2},
        {"row": "a", "col": "y", "value": 1},
    ]
    assert [row["value"] for row in engine.rows(sql.crosstab("t", "row", "col", "sum(amount)"))] == [3, 5]


def test_crosstab_wants_an_expression_to_aggregate(refused):
    error = refused(sql.crosstab, "t", "row", "col", "amount")
    assert "sum(amount)" in error.hint
