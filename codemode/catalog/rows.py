"""Rows as the structs that everybody sees: a struct's fields are the columns, in their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from codemode.moments import iso

Kind = TypeVar("Kind", bound=msgspec.Struct)
_JSON = frozenset({"metadata", "context_data", "signal_data", "document", "body", "value", "old_values", "new_values"})
_TRUTH = frozenset({"pinned", "sensitive"})


def columns(kind: type[msgspec.Struct], table: str = "") -> str:
    """The columns of a struct, as a SELECT or RETURNING names them."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + name for name in kind.__struct_fields__)


def record(kind: type[Kind], row: tuple[Any, ...]) -> Kind:
    """The struct of a row that begins with its columns: times as ISO text, JSON as the value that it is."""
    return kind(
        **{
            name: value if value is None or read is None else read(value)
            for (name, read), value in zip(_readers(kind), row, strict=False)
        }
    )


def only(kind: type[Kind], rows: list[tuple[Any, ...]], missing: Exception) -> Kind:
    """The struct of the one row; raises `missing` where there is none."""
    if not rows:
        raise missing
    return record(kind, rows[0])


@cache
def _readers(kind: type[msgspec.Struct]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """Each field with what makes its value of a column's; None for those that are the same."""
    return tuple((name, _reader(name)) for name in kind.__struct_fields__)


def _reader(name: str) -> Callable[[Any], Any] | None:
    if name == "at" or name.endswith("_at"):
        return iso
    if name in _JSON:
        return json.loads
    return bool if name in _TRUTH else None
