"""What a child says about its own run, checked for type and size before anybody uses it.

Nothing here is believed: an escaped snippet can write any "done" frame. What can be wrong in a harmless way is cut;
what no honest child sends is a ProtocolViolation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, Literal, NamedTuple

from sandbox.errors import ProtocolViolation
from sandbox.protocol import DONE_STATUSES

TEXT_CHARACTERS = 65_536
LIST_ITEMS, ITEM_CHARACTERS = 1_000, 1_000  # of an honest child: 200 names of 200 characters
WARNINGS = 100
_CODE = re.compile(r"(?:code|sql|session|storage|worker|request|helpers)\.[a-z_]{1,40}", re.ASCII)
# What is at fault then is not the snippet: operators are alerted, and what failed under an idempotency key runs again.
# Anybody can write `raise helpers.Error("worker.internal", "…")`, so these have to have been told to the snippet.
_OURS = ("session.", "storage.", "worker.")
_TEXTS = ("hint", "sql", "suggestion", "traceback")
_LISTS = ("did_you_mean", "available")
_INFO_KEYS = 32
_STR = frozenset({str})
_PLAIN = frozenset({type(None), bool, int, float})


class Claim(NamedTuple):
    """A checked "done" frame."""

    status: Literal["completed", "error", "rejected"]
    value_json: str | None
    info: dict[str, Any]
    error: dict[str, Any] | None
    warnings: tuple[str, ...]


def parse_done(frame: list[Any], result_bytes: int, told: Collection[str] = ()) -> Claim:
    """Check a "done" frame; `told` are the codes that its calls failed with. Raises ProtocolViolation."""
    if len(frame) != 2 or type(frame[1]) is not dict:
        raise ProtocolViolation("a last frame has no fields")
    fields = frame[1]
    status = fields.get("status")
    if type(status) is not str or status not in DONE_STATUSES:
        raise ProtocolViolation("a last frame has no proper status")
    completed = status == "completed"
    if completed != (fields.get("error") is None) or completed != (fields.get("value") is not None):
        raise ProtocolViolation("a last frame has neither or both of value and error")
    return Claim(
        status=fields["status"],
        value_json=_value(fields["value"], result_bytes) if completed else None,
        info=_info(fields.get("info")),
        error=None if completed else _error(fields["error"], told),
        warnings=tuple(_texts(fields.get("warnings"), WARNINGS)),
    )


def _value(text: Any, result_bytes: int) -> str:
    most = max(result_bytes, len("null"))  # which stands for a result that is nothing, or is kept elsewhere
    if type(text) is not str or len(text) > most or len(text.encode()) > most:
        raise ProtocolViolation(f"the result is no text of at most {most:,} bytes")
    try:
        _JSON.decode(text)
    except (ValueError, RecursionError):
        raise ProtocolViolation("the result is not valid JSON") from None
    return text


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's own, not JSON's


# Numbers stay text: a thousand-digit integer is valid JSON, and turning it into one is not this check's work.
_JSON = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse_constant)


def _info(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if type(value) is not dict or len(value) > _INFO_KEYS:
        raise ProtocolViolation("the result's description is not a small map")
    return {str(key)[:64]: _small(item) for key, item in value.items()}


def _small(item: Any) -> Any:
    if type(item) in _PLAIN:
        return item
    if type(item) is str:
        return item[:TEXT_CHARACTERS]
    if type(item) is list:
        return _texts(item, LIST_ITEMS)
    raise ProtocolViolation("the result's description holds more than plain values")


def _texts(value: Any, most: int) -> list[str]:
    if value is None:
        return []
    if type(value) is not list or not _STR.issuperset(map(type, value)):
        raise ProtocolViolation("a list of texts is something else")
    return [item[:ITEM_CHARACTERS] for item in value[:most]]


def _error(value: Any, told: Collection[str]) -> dict[str, Any]:
    if type(value) is not dict:
        raise ProtocolViolation("the error is not a map")
    code, message, line = value.get("code"), value.get("message"), value.get("line")
    if type(code) is not str or type(message) is not str:
        raise ProtocolViolation("the error has no code and message")
    if not _CODE.fullmatch(code) or (code.startswith(_OURS) and code not in told):
        code = "code.runtime"  # a snippet may raise helpers.Error with any word as its code
    if line is not None and (type(line) is not int or not 0 <= line < 2**31):
        raise ProtocolViolation("the error's line is not a line")
    error: dict[str, Any] = {"code": code, "message": message[:TEXT_CHARACTERS], "line": line}
    for name in _TEXTS:
        text = value.get(name)
        if text is not None and type(text) is not str:
            raise ProtocolViolation(f"the error's {name} is not text")
        error[name] = None if text is None else text[:TEXT_CHARACTERS]
    for name in _LISTS:
        error[name] = _texts(value.get(name), LIST_ITEMS)
    return error
