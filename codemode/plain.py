"""Answers as JSON, and back: integers are exact at any size, blobs say that they are, and nothing is a NaN."""

from __future__ import annotations

import base64
import json
import math
import sys
import threading
from contextlib import suppress
from typing import Any

import msgspec

_SCALARS = frozenset({str, int, float, bool, type(None)})
_DIGITS = 4300  # up to here int() is fast and always allowed (sys.int_info.default_max_str_digits)
_unbounded = threading.Lock()  # Python's bound on an integer's digits is the process's, which two threads would mix up
_LEVELS = 120  # an envelope of a few levels stands around it, and encoders give up at about 250


def plain(value: Any) -> Any:
    """The value as JSON can hold it: blobs as `{"$bytes": base64}`, what is no number as null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def portable(document: Any, bits: int) -> Any:
    """The document (structs, rows, plain values) as plain values that encoders with narrower bounds than ours take.

    Integers of `bits` and more, and what is nested deeper than 120 levels, become text; a lone surrogate its escape.
    """
    return _portable(plain(msgspec.to_builtins(document, builtin_types=(bytes,))), bits, 0)


def _portable(value: Any, bits: int, level: int) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int):
        return value if value.bit_length() < bits else json_text(value)
    if level > _LEVELS and isinstance(value, dict | list):
        return printable(json_text(value))
    if isinstance(value, dict):
        return {printable(key): _portable(each, bits, level + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_portable(each, bits, level + 1) for each in value]
    return value


def printable(words: str) -> str:
    """The text with lone surrogates, which UTF-8 does not have, as escapes."""
    return words.encode("utf-8", "backslashreplace").decode()


def encode(document: Any) -> bytes:
    """The document (structs, rows, plain values) as one line of JSON."""
    if _is_plain(document):
        with suppress(ValueError, UnicodeEncodeError):
            return msgspec.json.encode(document)
    ready = plain(msgspec.to_builtins(document, builtin_types=(bytes, msgspec.Raw)))
    try:
        return msgspec.json.encode(ready)
    except (ValueError, UnicodeEncodeError):  # an integer of over 4,300 digits, a lone surrogate
        return json_text(ready).encode("utf-8", "backslashreplace")


def _is_plain(value: Any) -> bool:
    """Whether it can be written just so: no blob is in it, nor anything that is not looked into here.

    Looking takes a tenth of the time of copying all values, and most answers need no copy.
    """
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif isinstance(value, msgspec.Struct):
        fields = getattr(kind, "HOLDS_ANY", None)  # a struct that says so spares looking into the others
        value = msgspec.structs.astuple(value) if fields is None else [getattr(value, name) for name in fields]
    elif kind is not list and kind is not tuple:
        return kind in _SCALARS
    for each in value:  # noqa: SIM110 - a generator's steps would cost as much again
        if type(each) not in _SCALARS and not _is_plain(each):
            return False
    return True


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Plain values as JSON; integers of any size, since results hold them exactly and `result_bytes` bounds them."""
    with _unbounded:
        most = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        finally:
            sys.set_int_max_str_digits(most)


def decode(text: str | bytes) -> Any:
    """The value of JSON `text`, integers exact at any size.

    Raises ValueError for text that is no JSON or nested beyond what Python can read.
    """
    try:
        return _decode(text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _integer(digits: str) -> int:
    """The integer that `digits` spell.

    Python refuses texts of over 4,300 digits because its own conversion takes quadratic time; halving them
    makes it a few multiplications, which are not.
    """
    if len(digits) <= _DIGITS:
        return int(digits)
    if digits[0] == "-":
        return -_integer(digits[1:])
    low = len(digits) // 2
    scale: int = 10**low
    return _integer(digits[:-low]) * scale + _integer(digits[-low:])


_decode = json.JSONDecoder(parse_int=_integer).decode  # once: `json.loads` makes one for each text
