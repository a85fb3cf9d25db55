"""Rows as the structs that everybody sees: a struct's fields are the columns, in their order."""

from __future__ import annotations

import json
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
    fields = kind.__struct_fields__
    return kind(**{name: _value(name, value) for name, value in zip(fields, row, strict=False)})


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at") or name == "at":
        return iso(value)
    if name in _JSON:
        return json.loads(value)
    return bool(value) if name in _TRUTH else value
