"""Values as the wire can carry them: what a snippet answers with is any JSON, and not every JSON survives the way.

Clients are written in languages with other bounds than Python's, and the SDK's own encoder has some too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from codemode.plain import json_text, plain

Item = TypeVar("Item")
_DIGITS = 4_300  # Python, in which many clients are written, reads no longer integer
_LEVELS = 120  # an envelope of a few levels stands around it, and encoders give up at about 250


def fit(document: Any) -> Any:
    """The document (structs, rows, plain values) as plain values that every JSON encoder takes.

    Blobs, NaN and the like are as in every answer of Codemode. Integers beyond 4,300 digits, and what is nested deeper
    than 120 levels, become text; a lone surrogate becomes its escape.
    """
    return _fit(plain(msgspec.to_builtins(document, builtin_types=(bytes,))), 0)


def within(items: Iterable[Item], most: int) -> list[Item]:
    """As many of `items`, plain values, as fit into `most` bytes of JSON; the first one in any case."""
    kept: list[Item] = []
    for item in items:
        most -= len(text(item).encode()) + 1
        if most < 0 and kept:
            break
        kept.append(item)
    return kept


def text(value: Any) -> str:
    """The value as JSON for a model to read."""
    return printable(json_text(value))


def printable(words: str) -> str:
    """The text with lone surrogates, which UTF-8 does not have, as escapes."""
    return words.encode("utf-8", "backslashreplace").decode()


def _fit(value: Any, level: int) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int):
        return value if value.bit_length() < _DIGITS * 3 else text(value)
    if level > _LEVELS and isinstance(value, dict | list):
        return text(value)
    if isinstance(value, dict):
        return {printable(key): _fit(each, level + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_fit(each, level + 1) for each in value]
    return value
