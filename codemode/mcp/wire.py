"""Values as the wire can carry them: what a snippet answers with is any JSON, and not every JSON survives the way.

Clients are written in languages with other bounds than Python's, and the SDK's own encoder has some too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from codemode.plain import json_text, portable, printable

Item = TypeVar("Item")
_BITS = 4_300 * 3  # Python, in which many clients are written, reads no integer of over 4,300 digits


def fit(document: Any) -> Any:
    """The document (structs, rows, plain values) as plain values that every JSON encoder takes.

    Blobs, NaN and the like are as in every answer of Codemode. Integers beyond 4,300 digits, and what is nested deeper
    than 120 levels, become text; a lone surrogate becomes its escape.
    """
    return portable(document, _BITS)


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
