"""Answers as JSON: the short way for those that hold nothing special says the same as the long one."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from codemode.plain import encode, json_text
from codemode.values import Outcome

SCALARS = {
    inspect.BoolType, inspect.FloatType, inspect.IntType, inspect.LiteralType, inspect.NoneType, inspect.StrType,
}  # fmt: skip


class Held(msgspec.Struct, omit_defaults=True):
    inner: Any
    usual: int = 1


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"a": [1, 2.5, None, True, "é"]}, '{"a":[1,2.5,null,true,"é"]}'),
        ((1, (2,)), "[1,[2]]"),
        (float("nan"), "null"),
        ([{"a": float("inf")}], '[{"a":null}]'),
        (b"x", '{"$bytes":"eA=="}'),
        ([{"a": [(b"x",)]}], '[{"a":[[{"$bytes":"eA=="}]]}]'),
        (Held(Held(b"x")), '{"inner":{"inner":{"$bytes":"eA=="}}}'),
        (Held([Held(2, usual=3)]), '{"inner":[{"inner":2,"usual":3}]}'),
        (Held(msgspec.Raw(b'{"a": 1}')), '{"inner":{"a": 1}}'),
        (2**70, str(2**70)),
        ("\ud800", r'"\ud800"'),
    ],
)
def test_a_document_is_one_line_of_json(document: Any, text: str) -> None:
    assert encode(document).decode() == text


def test_an_integer_of_any_length_is_exact() -> None:
    assert encode({"n": 10**5_000}) == b'{"n": 1' + b"0" * 5_000 + b"}"


def test_an_outcome_holds_a_blob_nowhere_but_where_it_says_that_it_may() -> None:
    def kinds(kind: inspect.Type) -> set[type[inspect.Type]]:
        match kind:
            case inspect.StructType():
                return {each for field in kind.fields for each in kinds(field.type)}
            case inspect.UnionType():
                return {each for one in kind.types for each in kinds(one)}
            case inspect.VarTupleType():
                return kinds(kind.item_type)
        return {type(kind)}

    outcome = inspect.type_info(Outcome)
    assert isinstance(outcome, inspect.StructType)
    open_ = [field.name for field in outcome.fields if not kinds(field.type) <= SCALARS]
    assert tuple(open_) == Outcome.HOLDS_ANY


def test_an_outcome_with_a_blob_is_written_like_one_without() -> None:
    def outcome(result: Any) -> Outcome:
        return Outcome(ok=True, status="completed", execution_id="e", session_id="s", result=result)

    assert encode(outcome(b"x")) == encode(outcome(1)).replace(b'"result":1', b'"result":{"$bytes":"eA=="}')


def test_threads_that_write_long_integers_leave_the_bound_of_the_process_as_it_is() -> None:
    """The first waits in the midst of its writing for the second, which then goes on when the first is over."""
    bound = sys.get_int_max_str_digits()
    first_writes, second_writes, first_is_over = threading.Event(), threading.Event(), threading.Event()

    class First(dict[str, int]):
        def items(self) -> Any:
            first_writes.set()
            second_writes.wait(0.3)  # it cannot, where one writes after the other
            return super().items()

    class Second(dict[str, int]):
        def items(self) -> Any:
            second_writes.set()
            assert first_is_over.wait(60)
            return super().items()

    long = 10**5_000
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(json_text, First(a=long))
        assert first_writes.wait(60)
        second = threads.submit(json_text, Second(a=long))
        assert len(first.result()) > 5_000
        first_is_over.set()
        assert len(second.result()) > 5_000
    assert sys.get_int_max_str_digits() == bound
