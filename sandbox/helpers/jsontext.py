"""Values → JSON text, by the rules for results: what `save_state`, host functions and nested parameters store.

Integers are exact at any size; NaN and infinities become null; bytes `{"$bytes": base64}`; dates ISO text;
Decimal and UUID text; sets and tuples lists; dataclasses objects; dict keys text.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

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
    except (TypeError, ValueError, RecursionError):
        try:
            text = _DUMP(_plain(value, "$", lost))
        except RecursionError:
            raise Unfit("the value contains itself, or is nested too deeply") from None
        except ValueError as error:  # an integer of more digits than Python writes out
            raise Unfit(str(error)) from None
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unfit("it holds text with a lone surrogate", "store bytes, or replace the character") from None
    return text


def _plain(value: Any, path: str, lost: Callable[[str], None]) -> Any:
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return _finite(value, path, lost)
    if isinstance(value, Enum):
        return _plain(value.value, path, lost)
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, f"{path}.{key}", lost) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, f"{path}[{index}]", lost) for index, item in enumerate(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), f"{path}.{field.name}", lost) for field in fields(value)}
    return _atom(value, path)


def _finite(value: float, path: str, lost: Callable[[str], None]) -> float | None:
    if value - value == 0.0:
        return value
    lost(path)
    return None


def _atom(value: Any, path: str) -> Any:
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": b64encode(value).decode()}
    raise Unfit(f"a {type(value).__name__} at {path} cannot be written as JSON", "use numbers, text, lists and dicts")


def _key(key: Any, path: str) -> str:
    if isinstance(key, Enum):
        return _key(key.value, path)
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        return repr(key)
    if isinstance(key, (date, time)):
        return key.isoformat()
    if isinstance(key, (Decimal, UUID)):
        return str(key)
    raise Unfit(f"a dict key at {path} is a {type(key).__name__}", "use text keys")
