"""Bounded versions of the built-in functions that run to their end whatever happens.

SQLite looks at its deadline between operations, and a function is one operation: on values of 2 MB, which are
allowed, instr and replace take 17 s, two-argument trim, unhex and json_patch minutes. These take milliseconds, or
refuse. Small or unusual arguments (numbers, blobs, NUL) go to SQLite's own function on a plain connection in memory,
so that the answers are the same; tests/database/test_functions.py holds that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import apsw

Value = None | int | float | str | bytes

_STRIP_AT_ONCE = 16  # str.strip looks each character up among these, one by one
_WORK = 20_000_000  # size times size up to which SQLite's own function answers within about 10 ms
_PATCH_WORK = 4_000_000_000  # the same for json_patch, whose steps are larger and fewer: about 0.1 s
_HEX = frozenset("0123456789abcdefABCDEF")


class _Original(threading.local):
    """SQLite's own functions, on a connection in memory; one a thread, made when first needed."""

    def __init__(self) -> None:
        self.connection: apsw.Connection | None = None

    def __call__(self, name: str, *values: Value) -> Any:
        if self.connection is None:
            self.connection = apsw.Connection(":memory:")
        marks = ", ".join("?" * len(values))
        return next(self.connection.execute(f"SELECT {name}({marks})", values))[0]


_original = _Original()


def register_functions(connection: apsw.Connection, value_bytes: int) -> None:
    """Replace the functions on `connection`; innocuous and deterministic, so that views and indexes may use them."""
    functions: tuple[tuple[str, int, Callable[..., Any]], ...] = (
        ("trim", 2, _trim("trim", str.strip, both_sides(True, True))),
        ("ltrim", 2, _trim("ltrim", str.lstrip, both_sides(True, False))),
        ("rtrim", 2, _trim("rtrim", str.rstrip, both_sides(False, True))),
        ("instr", 2, _instr),
        ("replace", 3, _replace(value_bytes)),
        ("unhex", 2, _unhex),
        ("json_patch", 2, _patch("json_patch")),
        ("jsonb_patch", 2, _patch("jsonb_patch")),
    )
    for name, arguments, function in functions:
        connection.create_scalar_function(name, function, arguments, deterministic=True, flags=apsw.SQLITE_INNOCUOUS)


def both_sides(left: bool, right: bool) -> Callable[[str, frozenset[str]], str]:
    """Strip by a set of characters: one pass, however many there are."""

    def strip(text: str, characters: frozenset[str]) -> str:
        start, end = 0, len(text)
        while left and start < end and text[start] in characters:
            start += 1
        while right and end > start and text[end - 1] in characters:
            end -= 1
        return text[start:end]

    return strip


def _trim(
    name: str, few: Callable[[str, str], str], many: Callable[[str, frozenset[str]], str]
) -> Callable[[Value, Value], Any]:
    def trim(value: Value, characters: Value) -> Any:
        if value is None or characters is None:
            return None
        if type(value) is str is type(characters) and "\0" not in characters:
            if not characters:
                return value
            if len(characters) > _STRIP_AT_ONCE:
                characters = "".join(set(characters).intersection(value))  # those that do not occur strip nothing
            if len(characters) <= _STRIP_AT_ONCE:
                return few(value, characters) if characters else value
            return many(value, frozenset(characters))
        return _small(name, _WORK, value, characters)

    return trim


def _instr(value: Value, part: Value) -> Any:
    if type(value) is str is type(part):
        return value.find(part) + 1
    if type(value) is bytes is type(part):
        return value.find(part) + 1
    if value is None or part is None:
        return None
    return _small("instr", _WORK, value, part)


def _replace(value_bytes: int) -> Callable[[Value, Value, Value], Any]:
    def replace(value: Value, part: Value, new: Value) -> Any:
        if type(value) is str and type(part) is str and type(new) is str and "\0" not in part:
            if not part:
                return value
            # Counted first: a million times a megabyte must be refused before it is built.
            growth = len(new) - len(part)
            if growth > 0 and len(value) + value.count(part) * growth > value_bytes:
                raise apsw.TooBigError("string or blob too big")
            return value.replace(part, new)
        return _small("replace", _WORK, value, part, new)

    return replace


def _unhex(value: Value, skipped: Value) -> Any:
    if value is None or skipped is None:
        return None
    if _size(value) * _size(skipped) <= _WORK:
        return _original("unhex", value, skipped)
    if type(value) is not str or type(skipped) is not str or "\0" in value or "\0" in skipped:
        raise _too_large("unhex")
    return _unhex_text(value, frozenset(skipped) - _HEX)


def _unhex_text(text: str, skipped: frozenset[str]) -> bytes | None:
    """Hex digits in pairs; characters of `skipped` may stand between pairs, not inside one."""
    digits: list[str] = []
    for character in text:
        if character in _HEX:
            digits.append(character)
        elif len(digits) % 2 or character not in skipped:
            return None
    return bytes.fromhex("".join(digits)) if len(digits) % 2 == 0 else None


def _patch(name: str) -> Callable[[Value, Value], Any]:
    def patch(target: Value, change: Value) -> Any:
        return _small(name, _PATCH_WORK, target, change)

    return patch


def _small(name: str, work: int, value: Value, part: Value, *more: Value) -> Any:
    """SQLite's own answer, where the arguments are small enough for it to come soon."""
    if _size(value) * _size(part) > work:
        raise _too_large(name)
    return _original(name, value, part, *more)


def _size(value: Value) -> int:
    return len(value) if isinstance(value, str | bytes) else 8


def _too_large(name: str) -> apsw.Error:
    return apsw.TooBigError(f"the arguments of {name}() are too large together: it could not be interrupted")
