"""The last frame of a child: checked for type and size, cut where that is harmless, refused where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.claims import ITEM_CHARACTERS, TEXT_CHARACTERS, parse_done
from sandbox.errors import ProtocolViolation

GOOD = {"status": "completed", "value": "[1,2]", "info": {"type": "list", "length": 2}, "warnings": ["w"]}
ERROR = {"code": "code.runtime", "message": "m", "line": 3, "hint": None, "did_you_mean": [], "available": ["a"]}


def _parse(**changes: Any) -> Any:
    return parse_done(["done", {**GOOD, **changes}], 1000)


def test_a_good_claim_is_taken_over() -> None:
    claim = _parse()
    assert (claim.status, claim.value_json, claim.info, claim.warnings) == ("completed", "[1,2]", GOOD["info"], ("w",))


@pytest.mark.parametrize("status", ["error", "rejected"])
def test_an_error_is_taken_over(status: str) -> None:
    claim = parse_done(["done", {"status": status, "error": ERROR}], 1000)
    assert claim.error is not None
    assert (claim.status, claim.error["code"], claim.error["line"]) == (status, "code.runtime", 3)


REFUSED: dict[str, dict[str, Any]] = {
    "an unknown status": {"status": "timeout"},
    "a status that is no text": {"status": ["completed"]},
    "no value": {"value": None},
    "a value and an error": {"error": ERROR},
    "a value that is no text": {"value": 1},
    "a value that is too long": {"value": '"' + "x" * 1000 + '"'},
    "a value that is too long in bytes": {"value": '"' + "\u20ac" * 500 + '"'},
    "a value that is no JSON": {"value": "[1,"},
    "two values": {"value": "1 2"},
    "a Python constant": {"value": "NaN"},
    "nesting that exhausts the parser": {"value": "[" * 999},
    "info that is no map": {"info": [1]},
    "info that nests": {"info": {"a": {"b": 1}}},
    "info with too many keys": {"info": {str(n): n for n in range(100)}},
    "warnings that are no list": {"warnings": "w"},
    "warnings that are no texts": {"warnings": [1]},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED.keys())
def test_what_no_honest_child_claims_is_a_violation(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation):
        _parse(**changes)


BAD_ERRORS: dict[str, Any] = {
    "no map": "boom",
    "no code": {"message": "m"},
    "no message": {"code": "code.runtime"},
    "a line that is no line": {**ERROR, "line": True},
    "a negative line": {**ERROR, "line": -1},
    "a hint that is no text": {**ERROR, "hint": 1},
    "names that are no texts": {**ERROR, "available": [None]},
}


@pytest.mark.parametrize("error", BAD_ERRORS.values(), ids=BAD_ERRORS.keys())
def test_a_malformed_error_is_a_violation(error: Any) -> None:
    with pytest.raises(ProtocolViolation):
        parse_done(["done", {"status": "error", "error": error}], 1000)


def test_an_unknown_code_becomes_an_ordinary_one() -> None:
    error = parse_done(["done", {"status": "error", "error": {**ERROR, "code": "my own\n"}}], 1000).error
    assert error is not None
    assert error["code"] == "code.runtime"


@pytest.mark.parametrize("code", ["worker.internal", "storage.full", "session.busy"])
def test_a_fault_of_the_service_has_to_have_been_told(code: str) -> None:
    """Anybody can write `raise helpers.Error("worker.internal", …)`; it alerted the operators."""
    frame = ["done", {"status": "error", "error": {**ERROR, "code": code}}]
    codes = [claim.error and claim.error["code"] for claim in (parse_done(frame, 9), parse_done(frame, 9, {code}))]
    assert codes == ["code.runtime", code]


def test_long_texts_and_lists_are_cut() -> None:
    error = {**ERROR, "message": "m" * 200_000, "available": ["a" * 70_000] * 5000}
    told = parse_done(["done", {"status": "error", "error": error, "warnings": ["w" * 70_000] * 5000}], 1000)
    assert told.error is not None
    assert {len(each) for each in (*told.error["available"], *told.warnings)} == {ITEM_CHARACTERS}
    assert len(told.error["message"]) == TEXT_CHARACTERS
    assert (len(told.error["available"]), len(told.warnings)) == (1000, 100)


def test_an_integer_of_any_size_is_valid_and_cheap() -> None:
    number = "9" * 900
    assert _parse(value=number).value_json == number


@pytest.mark.parametrize("frame", [["done"], ["done", 1], ["done", {}, {}], ["done", {}]])
def test_a_last_frame_without_its_fields_is_a_violation(frame: list[Any]) -> None:
    with pytest.raises(ProtocolViolation):
        parse_done(frame, 1000)
