"""Values as JSON text: the contract's rules, and nothing of a hostile value runs."""

# ruff: noqa: E501, ISC004 - snippets are one string each
from __future__ import annotations

import base64
import gc
import json
import math
from array import array
from collections import deque
from datetime import date
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.builtins import namespace
from sandbox.compile import compile_snippet
from sandbox.evaluate import evaluate
from sandbox.serialize import TooLarge, Unserializable, to_json


def value_of(code: str) -> Any:
    return evaluate(compile_snippet(code), namespace(None, {}, lambda text: None))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(PLAIN)
def test_plain_values_come_back(value: Any) -> None:
    assert json.loads(to_json(value, 1 << 24)[0]) == value


@given(PLAIN)
def test_the_size_is_that_of_the_text(value: Any) -> None:
    text, info = to_json(value, 1 << 24)
    assert info["bytes"] == len(text.encode())


@given(st.text(st.characters(categories=["Cs", "Ll", "Cc"])))
def test_any_text_becomes_valid_utf8(value: str) -> None:
    text = to_json(value, 1 << 24)[0]
    text.encode()
    # Two surrogates that stand together are one character in JSON, and the same UTF-16.
    assert json.loads(text).encode("utf-16", "surrogatepass") == value.encode("utf-16", "surrogatepass")


@given(st.binary())
def test_bytes_are_base64(value: bytes) -> None:
    assert base64.b64decode(json.loads(to_json([value], 1 << 24)[0])[0]["$bytes"]) == value


RULES = {
    "integers beyond 64 bits": ("return 2 ** 100", 2**100),
    "integers of more digits than Python writes": ("return 10 ** 5000", 10**5000),
    "float": ("return 0.1", 0.1),
    "tuple": ("return (1, (2,))", [1, [2]]),
    "set of numbers, sorted": ("return {3, 1, 2}", [1, 2, 3]),
    "frozenset of text, sorted": ("return frozenset('cab')", ["a", "b", "c"]),
    "keys become text": ("return {1: 'a', None: 'b', True: 'c', 2.5: 'd'}", {"1": "c", "null": "b", "2.5": "d"}),
    "tuple keys": ("return {(1, 'a'): 2}", {'[1,"a"]': 2}),
    "date keys": ("import datetime\nreturn {datetime.date(2024, 1, 2): 1}", {"2024-01-02": 1}),
    "date": ("import datetime\nreturn datetime.date(2024, 1, 2)", "2024-01-02"),
    "datetime": ("import datetime as d\nreturn d.datetime(2024, 1, 2, 3, tzinfo=d.UTC)", "2024-01-02T03:00:00+00:00"),
    "time and timedelta": (
        "import datetime as d\nreturn [d.time(1, 2), d.timedelta(hours=1)]",
        ["01:02:00", "1:00:00"],
    ),
    "Decimal": ("from decimal import Decimal\nreturn Decimal('1.10')", "1.10"),
    "Fraction and UUID": (
        "import uuid, fractions\nreturn [fractions.Fraction(1, 3), uuid.UUID(int=1)]",
        ["1/3", "00000000-0000-0000-0000-000000000001"],
    ),
    "enum": ("from enum import Enum\nclass E(Enum):\n    A = 'x'\nreturn [E.A, {E.A: 1}]", ["x", {"x": 1}]),
    "int enum and flag": (
        "from enum import IntEnum, Flag, auto\nclass E(IntEnum):\n    A = 3\nclass F(Flag):\n    R = auto()\nreturn [E.A, F.R]",
        [3, 1],
    ),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: list\nreturn P(1, [P(2, [])])",
        {"x": 1, "y": [{"x": 2, "y": []}]},
    ),
    "slotted dataclass": (
        "from dataclasses import dataclass\n@dataclass(slots=True, frozen=True)\nclass P:\n    x: int\nreturn P(1)",
        {"x": 1},
    ),
    "named tuple": ("from collections import namedtuple\nreturn namedtuple('P', 'x y')(1, 2)", [1, 2]),
    "containers of collections": (
        "from collections import Counter, deque, OrderedDict, defaultdict, ChainMap, UserDict\no = OrderedDict(a=1, b=2)\n"
        "o.move_to_end('a')\nd = defaultdict(list)\nd['x'].append(1)\n"
        "return [Counter('aab'), deque([1]), list(o), d, ChainMap({'a': 1}), UserDict(k=1)]",
        [{"a": 2, "b": 1}, [1], ["b", "a"], {"x": [1]}, {"a": 1}, {"k": 1}],
    ),
    "views and ranges": (
        "d = {'a': 1}\nreturn [range(3), d.keys(), d.values(), d.items()]",
        [[0, 1, 2], ["a"], [1], [["a", 1]]],
    ),
    "namespace and array": (
        "import types, array\nreturn [types.SimpleNamespace(a=1), array.array('i', [1, 2])]",
        [{"a": 1}, [1, 2]],
    ),
    "typed dict": ("from typing import TypedDict\nclass T(TypedDict):\n    x: int\nreturn T(x=1)", {"x": 1}),
}


@pytest.mark.parametrize(("code", "expected"), RULES.values(), ids=RULES.keys())
def test_rule(code: str, expected: Any) -> None:
    import sys

    digits = sys.get_int_max_str_digits()
    text = to_json(value_of(code), 1 << 20)[0]
    assert sys.get_int_max_str_digits() == digits
    sys.set_int_max_str_digits(0)
    try:
        assert json.loads(text) == expected
    finally:
        sys.set_int_max_str_digits(digits)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_lacks_is_null_and_warned_of(value: float) -> None:
    text, info = to_json([value, 1.5], 100)
    assert text == "[null,1.5]"
    assert "null" in info["warnings"][0]


@pytest.mark.parametrize("key", [math.nan, -math.inf, (1, math.inf)])
def test_a_key_that_json_lacks_is_warned_of(key: object) -> None:
    text, info = to_json({key: "a"}, 100)
    assert "null" in text
    assert info["warnings"] == ["NaN and infinities in the result were replaced by null"]


def test_keys_with_the_same_text_are_warned_of() -> None:
    text, info = to_json({1: "a", "1": "b"}, 100)
    assert json.loads(text) == {"1": "b"}
    assert "same text" in info["warnings"][0]


WHAT = {
    "rows": ([{"a": 1}, {"a": 2}], {"type": "rows", "row_count": 2}),
    "list": ([1, 2, 3], {"type": "list", "length": 3}),
    "empty list": ([], {"type": "list", "length": 0}),
    "object": ({"a": 1}, {"type": "object"}),
    "text": ("x", {"type": "text"}),
    "integer": (1, {"type": "integer"}),
    "boolean": (True, {"type": "boolean"}),
    "null": (None, {"type": "null"}),
    "range": (range(3), {"type": "list"}),
    "deque": (deque([1]), {"type": "list"}),
    "keys": ({"a": 1}.keys(), {"type": "list"}),
    "array": (array("i", [1]), {"type": "list"}),
    "memory": (memoryview(b"x"), {"type": "bytes"}),
    "namespace": (SimpleNamespace(a=1), {"type": "object"}),
    "enumeration": (Enum("E", {"x": 1.5}).x, {"type": "number"}),
    "date": (date(2013, 1, 2), {"type": "text"}),
}


@pytest.mark.parametrize(("value", "info"), WHAT.values(), ids=WHAT.keys())
def test_info_says_what_it_is(value: Any, info: dict[str, Any]) -> None:
    assert info.items() <= to_json(value, 1000)[1].items()


PLACES = {
    "generator": ("return (x for x in [])", "result is a generator", "list("),
    "in a list of dicts": ("return [{'a': [1, lambda: 0]}]", "result[0]['a'][1] is a function", "call it"),
    "as a key": ("return {object(): 1}", "(a key) is a object", "return"),
    "an object": ("class A: pass\nreturn {'x': A()}", "result['x'] is a A", "str("),
    "a class": ("return [int]", "result[0] is a type", "return"),
    "a coroutine inside": ("async def f(): pass\nreturn [f()]", "result[0] is a coroutine", "await"),
    "a map": ("return map(str, [1])", "result is a map", "list("),
    "a complex number": ("return 1j", "result is a complex", "imag"),
    "an exception": ("return ValueError('x')", "result is a ValueError", "str("),
    "a cycle": ("x = [1]\nx.append({'x': x})\nreturn x", "result[1]['x'] contains itself", ""),
    "deep": ("x = []\nfor _ in range(1000):\n    x = [x]\nreturn x", "deeper than", "flatter"),
    "a missing field": (
        "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int = field(init=False)\nreturn P()",
        "has no value for its field 'x'",
        "",
    ),
}


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("code", "says", "hint"), PLACES.values(), ids=PLACES.keys())
def test_what_cannot_be_returned_is_named_with_its_place(code: str, says: str, hint: str) -> None:
    with pytest.raises(Unserializable) as caught:
        to_json(value_of(code), 1 << 20)
    assert says in str(caught.value)
    assert hint in (caught.value.hint or "")
    assert caught.value.code == "code.unserializable"
    del caught
    gc.collect()  # the coroutine goes here, where its warning is ignored, and not in somebody else's test


LARGE = {
    "long text": "'x' * 1000",
    "many items": "list(range(1000))",
    "endless range": "range(10 ** 12)",
    "shared references": "[(a := ['x' * 50])] + [[a] * 10] * 10",
    "huge integer": "1 << 10_000_000",
    "wide characters": "'é' * 60",
    "bytes": "bytes(1000)",
}


@pytest.mark.parametrize("expression", LARGE.values(), ids=LARGE.keys())
def test_growth_is_bounded(expression: str) -> None:
    with pytest.raises(TooLarge) as caught:
        to_json(value_of(f"return {expression}"), 100)
    assert caught.value.code == "code.output_limit"


LYING = {
    "list": ("class L(list):\n    def __iter__(self): 1/0\n    def __len__(self): 1/0\nreturn L([1])", [1]),
    "dict": ("class D(dict):\n    def items(self): 1/0\n    def __iter__(self): 1/0\nreturn D(a=1)", {"a": 1}),
    "str": (
        "class S(str):\n    def __str__(self): 1/0\n    def encode(self, *a): 1/0\nreturn [S('x'), {S('k'): 1}]",
        ["x", {"k": 1}],
    ),
    "int": ("class I(int):\n    def __repr__(self): return 'evil'\n    def bit_length(self): 1/0\nreturn I(5)", 5),
    "float": ("class F(float):\n    def __repr__(self): return 'evil'\nreturn F(1.5)", 1.5),
    "set": ("class S(set):\n    def __iter__(self): 1/0\nreturn S([1])", [1]),
    "tuple": ("class T(tuple):\n    def __iter__(self): 1/0\nreturn T([1])", [1]),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    def __getattr__(self, n): 1/0\nreturn P(1)",
        {"x": 1},
    ),
    "date": (
        "import datetime\nclass D(datetime.date):\n    def isoformat(self): return 'evil'\nreturn D(2024, 1, 2)",
        "2024-01-02",
    ),
}


@pytest.mark.parametrize(("code", "expected"), LYING.values(), ids=LYING.keys())
def test_what_a_subclass_overrides_is_not_called(code: str, expected: Any) -> None:
    assert json.loads(to_json(value_of(code), 1000)[0]) == expected
