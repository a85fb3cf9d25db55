"""How Python values are stored: by one table of rules, wherever they are given."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import uuid
from collections import OrderedDict, deque, namedtuple
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.helpers import HelperError
from sandbox.helpers.jsontext import Unfit, json_text
from sandbox.helpers.values import wire_params, wire_value


class Shade(enum.Enum):
    DARK = "dark"
    LIGHT = 2


class Level(enum.IntEnum):
    LOW = 1


class Loud(str):
    def __str__(self):
        return "LOUD"


class Odd(int):
    def __int__(self):
        return 99

    __index__ = __int__


@dataclasses.dataclass
class Point:
    x: int
    when: datetime.date


class Missing(datetime.datetime):
    """As NaT of pandas: a datetime that equals nothing."""

    __hash__ = datetime.datetime.__hash__

    def __eq__(self, other):
        return False

    def __ne__(self, other):
        return True


Pair = namedtuple("Pair", "a b")
EAST = datetime.timezone(datetime.timedelta(hours=2))


def stored(value):
    warned = []
    return wire_value(value, "here", warned.append), warned


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (1.5, 1.5),
        (math.inf, math.inf),
        ("é\0 x", "é\0 x"),
        (b"\0", b"\0"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"abc")[1:], b"bc"),
        (datetime.date(2013, 1, 2), "2013-01-02"),
        (datetime.datetime(2013, 1, 2, 3, 4, 5, 600), "2013-01-02T03:04:05.000600"),
        (datetime.datetime(2013, 1, 2, 3, tzinfo=EAST), "2013-01-02T03:00:00+02:00"),
        (datetime.time(3, 4), "03:04:00"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Shade.DARK, "dark"),
        (Shade.LIGHT, 2),
        (Level.LOW, 1),
        (Loud("quiet"), "quiet"),
        (Odd(7), 7),
        ([1, "a", None], '[1,"a",null]'),
        ((1, 2), "[1,2]"),
        ([memoryview(b"abc")[::2]], '[{"$bytes":"YWM="}]'),
        ({"a": {1: 2}}, '{"a":{"1":2}}'),
        ({3}, "[3]"),
        (Pair(1, 2), "[1,2]"),
        (Point(1, datetime.date(2013, 1, 2)), '{"x":1,"when":"2013-01-02"}'),
        ([decimal.Decimal("1.0"), b"a", Shade.DARK], '["1.0",{"$bytes":"YQ=="},"dark"]'),
        ({datetime.date(2013, 1, 2): 1, None: 2, True: 3}, '{"2013-01-02":1,"null":2,"true":3}'),
        ({(1, "a"): 2, 1.5: 3}, '{"[1,\\"a\\"]":2,"1.5":3}'),
        (range(2), "[0,1]"),
        (deque([datetime.timedelta(1)]), '["1 day, 0:00:00"]'),
        ([{"b", "a"}, fractions.Fraction(1, 3)], '[["a","b"],"1/3"]'),
        ({1: 2}.items(), "[[1,2]]"),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ([2**100], "[1267650600228229401496703205376]"),
    ],
)
def test_a_value_is_stored_as(value, kept):
    got, warned = stored(value)
    assert (got, type(got)) == (kept, type(kept))
    assert warned == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**63, "65 bits does not fit"),
        (-(2**63) - 1, "does not fit"),
        pytest.param(10**5000, "does not fit", id="5001 digits"),
        ("a\ud800", "lone surrogate"),
        (["a\ud800"], "lone surrogate"),
        (object(), "a object cannot be stored"),
        (datetime.timedelta(1), "timedelta"),
        (fractions.Fraction(1, 3), "Fraction"),
        (1j, "complex"),
        ((n for n in range(3)), "generator"),
        (print, "builtin_function"),
        (Point, "type"),
        ([[object()]], "$[0][0]"),
        ({object(): 3}, "a object at $ (a key)"),
        ([10**5000], "digits"),
    ],
)
def test_a_value_that_cannot_be_stored_is_refused_by_place(value, said):
    with pytest.raises(HelperError) as caught:
        stored(value)
    assert caught.value.code == "sql.value"
    assert caught.value.message.startswith("here: ")
    assert said in caught.value.message


def test_a_refusal_says_what_to_store_instead():
    with pytest.raises(HelperError) as caught:
        stored(datetime.timedelta(days=1))
    assert "total_seconds" in caught.value.hint
    with pytest.raises(HelperError) as caught:
        stored(iter([1]))
    assert "list(value)" in caught.value.hint


def test_nan_is_null_with_a_warning():
    assert stored(math.nan) == (None, ["here: NaN is stored as NULL"])
    lost = "here: NaN or infinity is stored as null in JSON, at "
    assert stored([math.nan, -math.inf]) == ("[null,null]", [f"{lost}$[0]", f"{lost}$[1]"])


def test_a_key_that_is_nan_or_infinity_is_told():
    lost = ["here: NaN or infinity is stored as null in JSON, at $ (a key)"]
    assert stored({math.inf: 1}) == ('{"null":1}', lost)


def test_a_date_that_is_missing_is_null_and_told():
    missing = Missing(2013, 1, 2)
    assert stored(missing) == (None, ["here: NaT is stored as NULL"])
    assert stored([missing]) == ("[null]", ["here: NaN or infinity is stored as null in JSON, at $[0]"])


def test_a_list_that_contains_itself_is_refused():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(HelperError, match="contains itself"):
        stored(endless)


def test_deep_nesting_is_refused_and_no_crash():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(HelperError, match="nested too deeply"):
        stored(deep)


texts = st.text(st.characters(codec="utf-8"))
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(plain)
def test_plain_values_survive_json_text(value):
    assert json.loads(json_text(value, pytest.fail)) == value


@given(plain)
def test_the_slow_way_writes_what_the_fast_way_writes(value):
    slow = json.loads(json_text([value, math.nan], lambda path: None))  # the NaN forces the slow way
    assert slow == [value, None]


@given(st.integers())
def test_integers_of_64_bits_and_no_others_are_stored(value):
    if -(2**63) <= value < 2**63:
        assert stored(value) == (value, [])
    else:
        with pytest.raises(HelperError):
            stored(value)


@given(st.text())
def test_text_is_stored_exactly_when_it_can_be_encoded(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(HelperError):
            stored(text)
    else:
        assert stored(text) == (text, [])


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        (None, []),
        ((), []),
        ([1, "a"], [1, "a"]),
        ({"a": 1, ":b": 2, "@c": 3, "$d": 4}, {"a": 1, "b": 2, "c": 3, "d": 4}),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Pair(1, 2), [1, 2]),
        ((n for n in (1, 2)), [1, 2]),
        (range(2), [0, 1]),
        ({"a": 1}.values(), [1]),
        (5, [5]),
        (0, [0]),
        ("text", ["text"]),
        (b"ab", [b"ab"]),
        (1.5, [1.5]),
        (datetime.date(2013, 1, 2), ["2013-01-02"]),
        (decimal.Decimal(1), ["1"]),
        (Level.LOW, [1]),
        ([[1, 2]], ["[1,2]"]),
        ([{"a": 1}], ['{"a":1}']),
    ],
)
def test_parameters_in_every_form(params, sent):
    assert wire_params(params, pytest.fail) == sent


@pytest.mark.parametrize("params", [{1, 2}, frozenset({1}), object(), {5: 1}, print])
def test_parameters_that_have_no_order_or_names_are_refused(params):
    with pytest.raises(HelperError) as caught:
        wire_params(params, pytest.fail)
    assert caught.value.code == "sql.parameters"


def test_parameters_that_look_like_many_rows_are_warned_of():
    warned = []
    assert wire_params([(1, 2), (3, 4)], warned.append) == ["[1,2]", "[3,4]"]
    assert "batch_insert" in warned[0]


def test_endless_parameters_end():
    def endless():
        while True:
            yield 1

    assert len(wire_params(endless(), pytest.fail)) == 32_767  # one more than SQLite takes: refused there


@pytest.mark.parametrize(("params", "place"), [([1, 2**64], "parameter 2"), ({"a": object()}, "parameter :a")])
def test_a_parameter_that_cannot_be_stored_is_named(params, place):
    with pytest.raises(HelperError, match=place):
        wire_params(params, pytest.fail)


def test_what_is_unfit_says_why():
    with pytest.raises(Unfit) as caught:
        json_text({"a": object()}, pytest.fail)
    assert caught.value.reason == "a object at $.a cannot be written as JSON"
