"""Conditions as data: what they build, and that they mean in SQL what they mean in Python."""

from __future__ import annotations

import datetime
import fnmatch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.helpers import sql
from sandbox.helpers.conditions import OPERATORS


@pytest.mark.parametrize(
    ("conditions", "text", "params"),
    [
        ({"a": 1}, '"a" = ?', (1,)),
        ({"a": None}, '"a" IS NULL', ()),
        ({"a": {"!=": None}}, '"a" IS NOT NULL', ()),
        ({"a": [1, 2]}, '"a" IN (?, ?)', (1, 2)),
        ({"a": (n for n in (1, 2))}, '"a" IN (?, ?)', (1, 2)),
        ({"a": []}, "0", ()),
        ({"a": {"not in": []}}, "1", ()),
        ({"a": {"in": [1, None]}}, '("a" IN (?) OR "a" IS NULL)', (1,)),
        ({"a": {"not in": [1, None]}}, '("a" NOT IN (?) AND "a" IS NOT NULL)', (1,)),
        ({"a": {"not in": [None]}}, '"a" IS NOT NULL', ()),
        ({"a": {">": 3, "<=": 9}}, '("a" > ? AND "a" <= ?)', (3, 9)),
        ({"a": 1, "b": "x"}, '("a" = ? AND "b" = ?)', (1, "x")),
        ({"a": {"like": "x%"}}, '"a" LIKE ?', ("x%",)),
        ({"a": {"contains": "5%"}}, "\"a\" LIKE ? ESCAPE '\\'", ("%5\\%%",)),
        ({"a": {"starts_with": "_"}}, "\"a\" LIKE ? ESCAPE '\\'", ("\\_%",)),
        ({"a": {"endsWith": "x"}}, "\"a\" LIKE ? ESCAPE '\\'", ("%x",)),
        ({"a": {"between": [1, 2]}}, '"a" BETWEEN ? AND ?', (1, 2)),
        ({"a": {"is not": "x"}}, '"a" IS NOT ?', ("x",)),
        ({"a": {"$gte": 1}}, '"a" >= ?', (1,)),
        ({"a": {"==": 1}}, '"a" = ?', (1,)),
        ({"a": {"<>": 1}}, '"a" != ?', (1,)),
        ({"a": {"NOT IN": [1]}}, '"a" NOT IN (?)', (1,)),
        ({"a": b"\0"}, '"a" = ?', (b"\0",)),
        ({"or": [{"a": 1}, {"b": 2}]}, '("a" = ? OR "b" = ?)', (1, 2)),
        ({"or": {"a": 1, "b": 2}}, '("a" = ? OR "b" = ?)', (1, 2)),
        ({"$or": [{"a": 1}]}, '"a" = ?', (1,)),
        ({"or": []}, "0", ()),
        ({"and": []}, "1", ()),
        ({"and": [{"a": 1}, {"or": [{"b": 2}, "c > 3"]}]}, '("a" = ? AND ("b" = ? OR (c > 3)))', (1, 2)),
        ({"not": {"a": 1, "b": 2}}, 'NOT ("a" = ? AND "b" = ?)', (1, 2)),
        ({"NOT": "a > 1"}, "NOT (a > 1)", ()),
        ({"or": 1}, '"or" = ?', (1,)),
        ({"or": {"=": 1}}, '"or" = ?', (1,)),
        ({"not": None}, '"not" IS NULL', ()),
        ([{"a": 1}, "b > 2"], '("a" = ? AND (b > 2))', (1,)),
        (("a > ?", [5]), "(a > ?)", (5,)),
        ("a > 1", "(a > 1)", ()),
        ({}, "1", ()),
        ("", "1", ()),
        (None, "1", ()),
    ],
)
def test_what_conditions_build(conditions, text, params):
    fragment = sql.where(conditions)
    assert (str(fragment), fragment.params) == (text, params)


def test_a_fragment_is_a_condition_itself():
    inner = sql.where({"a": 1})
    assert sql.where([inner, {"b": 2}]).params == (1, 2)
    assert sql.build_select_query("t", where=inner) == 'SELECT * FROM "t" WHERE ("a" = ?)'


def test_a_query_is_a_subquery(engine):
    engine.table("t", ["a"], [(1,), (2,), (3,)])
    most = sql.build_select_query("t", "max(a)")
    high = sql.build_select_query("t", "a", {"a": {">": 1}})
    assert engine.rows(sql.build_select_query("t", where={"a": {"=": most}})) == [{"a": 3}]
    assert engine.rows(sql.build_select_query("t", where={"a": {"not in": high}})) == [{"a": 1}]


@pytest.mark.parametrize(
    "conditions",
    [
        {"a": {"~": 1}},
        {"a": {}},
        {"a": {">": None}},
        {"a": {">": [1]}},
        {"a": {"between": [1]}},
        {"a": {"between": [1, None]}},
        {"a": {"in": "abc"}},
        {"a": {"in": 5}},
        {"a": {"like": 5}},
        {"a": {"contains": None}},
        {"": 1},
        {5: 1},
        7,
        object(),
    ],
)
def test_a_condition_that_means_nothing_is_refused(refused, conditions):
    assert refused(sql.where, conditions).code == "request.invalid"


def test_an_unknown_operator_is_answered_with_the_one_that_was_meant(refused):
    error = refused(sql.where, {"a": {"betwen": [1, 2]}})
    assert "between" in error.did_you_mean
    assert "contains" in refused(sql.where, {"a": {"@@": 1}}).hint


# The law: a row is selected exactly when the same condition holds in Python, by SQL's three-valued logic.

scalars = st.one_of(
    st.none(), st.integers(-3, 3), st.sampled_from([0.5, 2.0]), st.sampled_from(["", "a", "ab", "%", "a_", "é"])
)
present = scalars.filter(lambda value: value is not None)
columns = st.sampled_from(["a", "first name", "or"])


def column_tests():
    return st.one_of(
        scalars,
        st.lists(scalars, max_size=3),
        st.dictionaries(st.sampled_from(["=", "!="]), scalars, min_size=1),
        st.dictionaries(st.sampled_from([">", ">=", "<", "<="]), present, min_size=1, max_size=2),
        st.dictionaries(st.sampled_from(["in", "not in"]), st.lists(scalars, max_size=3), min_size=1),
        st.dictionaries(st.sampled_from(["between", "not between"]), st.tuples(present, present), min_size=1),
        st.dictionaries(st.sampled_from(["is", "is not"]), scalars, min_size=1),
        st.dictionaries(
            st.sampled_from(["contains", "starts with", "ends with"]),
            st.sampled_from(["", "a", "%", "_", "b"]),
            min_size=1,
        ),
        st.dictionaries(st.sampled_from(["glob", "not glob"]), st.sampled_from(["*", "a?", "*b", "%"]), min_size=1),
    )


leaves = st.dictionaries(columns, column_tests(), max_size=2).filter(
    lambda leaf: not isinstance(leaf.get("or"), list)  # a list under "or" is a choice of conditions
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"and": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
        st.lists(inner, max_size=2),
    ),
    max_leaves=6,
)


def rank(value):
    """SQLite's order over types: numbers before text."""
    return (1, value.encode()) if isinstance(value, str) else (0, value)


def compared(value, operand, relation):
    return None if value is None or operand is None else relation(rank(value), rank(operand))


def both(results):
    results = list(results)
    return False if False in results else None if None in results else True


def either(results):
    results = list(results)
    return True if True in results else None if None in results else False


def opposite(result):
    return None if result is None else not result


def folded(value):
    return "".join(letter.lower() if letter.isascii() else letter for letter in str(value))


def among(value, operand):
    if value is None:
        return True if None in operand else (None if operand else False)
    return any(item is not None and rank(item) == rank(value) for item in operand)


def outcome(value, operator, operand):
    relations = {
        ">": lambda x, y: x > y,
        ">=": lambda x, y: x >= y,
        "<": lambda x, y: x < y,
        "<=": lambda x, y: x <= y,
    }
    if operator in relations:
        return compared(value, operand, relations[operator])
    if operator in {"=", "!="}:
        if operand is None:
            return (value is None) == (operator == "=")
        same = compared(value, operand, lambda x, y: x == y)
        return same if operator == "=" else opposite(same)
    if operator in {"is", "is not"}:
        same = value is operand if value is None or operand is None else rank(value) == rank(operand)
        return same == (operator == "is")
    if operator == "in":
        return among(value, operand)
    if operator == "not in":
        if not operand:
            return True
        if value is None:
            return False if None in operand else None
        return not among(value, operand)
    if operator.endswith("between"):
        low, high = operand
        within = both([compared(value, low, lambda x, y: x >= y), compared(value, high, lambda x, y: x <= y)])
        return within if operator == "between" else opposite(within)
    if value is None:
        return None
    if operator.endswith("glob"):
        return fnmatch.fnmatchcase(str(value), operand) == (operator == "glob")
    text, part = folded(value), folded(operand)
    return {"contains": part in text, "starts with": text.startswith(part), "ends with": text.endswith(part)}[operator]


def holds(row, condition):
    if isinstance(condition, list):
        return both(holds(row, item) for item in condition)
    results = []
    for key, value in condition.items():
        if key in {"or", "and"} and isinstance(value, list):
            results.append((either if key == "or" else both)(holds(row, item) for item in value))
        elif key == "not" and isinstance(value, (dict, list)):
            results.append(opposite(holds(row, value)))
        elif isinstance(value, dict):
            results.append(both(outcome(row[key], operator, operand) for operator, operand in value.items()))
        elif isinstance(value, list):
            results.append(outcome(row[key], "in", value))
        else:
            results.append(outcome(row[key], "=", value))
    return both(results)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=400, deadline=None
)
@given(rows=st.lists(st.tuples(scalars, scalars, scalars), min_size=1, max_size=5), conditions=trees)
def test_conditions_mean_in_sql_what_they_mean_in_python(engine, rows, conditions):
    engine.table("t", ["a", "first name", "or"], rows)
    selected = [tuple(row.values()) for row in engine.rows(sql.build_select_query("t", where=conditions))]
    expected = [
        row for row in rows if holds(dict(zip(["a", "first name", "or"], row, strict=True)), conditions) is True
    ]
    assert selected == expected


def test_every_operator_is_spelled_in_the_documentation():
    for operator in {"=", "!=", ">", ">=", "<", "<=", "is", "in", "between", "like", "glob", "contains"}:
        assert operator in OPERATORS
        assert operator in sql.where.__doc__


def test_values_stay_as_they_are_until_they_are_sent():
    day = datetime.date(2013, 1, 2)
    assert sql.where({"a": day}).params == (day,)
