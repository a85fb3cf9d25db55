"""Wire values: what SQLite can hold comes back as it was, and the rest is refused by name."""

from __future__ import annotations

import json

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemode.database.values import parameters, sqlite_value
from codemode.errors import ParametersInvalid, ValueRefused

PLAIN = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary()
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_plain_values_come_back(value: object) -> None:
    try:
        stored = sqlite_value(value, "x")
    except ValueRefused:
        with pytest.raises(UnicodeEncodeError):
            value.encode()
        return
    assert apsw.Connection(":memory:").execute("SELECT ?", (stored,)).get == value


@given(st.lists(NESTED, max_size=4) | st.dictionaries(st.text(), NESTED, max_size=4))
def test_lists_and_dicts_become_json(value: object) -> None:
    assert json.loads(sqlite_value(value, "x")) == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "\ud800", object(), {1, 2}, [float("nan")], [object()]])
def test_the_rest_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(ValueRefused, match="record 7"):
        sqlite_value(value, "record 7")


def test_deep_nesting_is_refused_and_no_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueRefused):
        sqlite_value(deep, "x")


def test_parameters() -> None:
    assert parameters(None) == ()
    assert parameters([1, [2]]) == [1, "[2]"]
    assert parameters({":a": 1, "b": 2}) == {"a": 1, "b": 2}
    for wrong in (7, "text", {1: 2}):
        with pytest.raises(ParametersInvalid):
            parameters(wrong)
