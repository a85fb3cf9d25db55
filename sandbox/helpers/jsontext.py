"""Values → JSON text, by the rules for results: what `save_state`, host functions and nested parameters store.

Integers are exact at any size; NaN and infinities become null; bytes `{"$bytes": base64}`; dates ISO text;
Decimal, UUID, Fraction and timedelta text; sets, tuples and other sequences lists; dataclasses objects; dict keys
text. `sandbox.serialize` follows the same rules for results, which are hostile there and bounded; here they are
the snippet's own affair, and what they become is bounded by the worker. Of two keys that have the same text a result
keeps the last one, with a warning; what would be kept for good without the other is refused.
"""

from __future__ import annotations

import json
import re
from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Callable, ItemsView, KeysView, Mapping, ValuesView
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from uuid import UUID

LISTS = (list, tuple, set, frozenset, deque, range, array, KeysView, ValuesView, ItemsView)
_AS_TEXT = (Decimal, UUID, Fraction, timedelta)
_MAY_BE_NO_TEXT = re.compile(r'"(?:-?[0-9][0-9.e+-]*|true|false|null)":')  # how keys that are not text are written
_DUMP = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Unfit(Exception):
    """A value that cannot be kept; whoever knows its place makes it a HelperError."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def json_text(value: Any, lost: Callable[[str], None]) -> str:
    """`value` as JSON text; `lost` is told the path of each NaN or infinity that became null; raises Unfit."""
    try:
        text = _DUMP(value)  # plain values, nearly always: the encoder's own loop in C
        if _MAY_BE_NO_TEXT.search(text):  # it writes the keys 1 and "1" alike, and whoever reads gets one of them
            text = _converted(value, lost)
    except (TypeError, ValueError, RecursionError):
        text = _converted(value, lost)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unfit("it holds text with a lone surrogate", "store bytes, or replace the character") from None
    return text


def is_record(value: Any) -> bool:
    """Whether `value` is an instance of a dataclass."""
    return is_dataclass(value) and not isinstance(value, type)


def _converted(value: Any, lost: Callable[[str], None]) -> str:
    try:
        return _DUMP(_plain(value, "$", lost))
    except RecursionError:
        raise Unfit("the value contains itself, or is nested too deeply") from None
    except ValueError:  # SQLite's JSON has them, and no reader of Python's takes them
        raise Unfit("an integer of more than 4,300 digits cannot be kept", "keep it as text: hex(n)") from None


def _plain(value: Any, path: str, lost: Callable[[str], None]) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value, path, lost)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return _finite(value, path, lost)
    if isinstance(value, (date, time)) and value != value:  # NaT of pandas
        return lost(path)
    if isinstance(value, Mapping):
        plain: dict[str, Any] = {}
        for key, item in value.items():
            name = _key(key, path, lost)
            if name in plain:
                raise Unfit(f"two keys of the dict at {path} have the same text {name!r}", "make its keys all text")
            plain[name] = _plain(item, f"{path}.{key}", lost)
        return plain
    if isinstance(value, LISTS):
        return [_plain(item, f"{path}[{index}]", lost) for index, item in enumerate(_in_order(value))]
    if is_record(value):
        return {field.name: _plain(getattr(value, field.name), f"{path}.{field.name}", lost) for field in fields(value)}
    return _atom(value, path)


def _in_order(value: Any) -> Any:
    if isinstance(value, (set, frozenset)) and {type(item) for item in value} <= {str}:
        return sorted(value)  # the order of a set of text differs from process to process
    return value


def _finite(value: float, path: str, lost: Callable[[str], None]) -> float | None:
    if value - value == 0.0:
        return value
    lost(path)
    return None


def _atom(value: Any, path: str) -> Any:
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": b64encode(bytes(memoryview(value))).decode()}  # of a view with gaps too
    raise Unfit(f"a {type(value).__name__} at {path} cannot be written as JSON", "use numbers, text, lists and dicts")


def _key(key: Any, path: str, lost: Callable[[str], None]) -> str:
    plain = _plain(key, f"{path} (a key)", lost)
    return str.__str__(plain) if isinstance(plain, str) else _DUMP(plain)
