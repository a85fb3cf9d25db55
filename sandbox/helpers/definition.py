"""What `create_table` may be given as a schema → what the worker takes: text, or a dict of column → type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.helpers.error import HelperError

_TYPES: dict[type, str] = {int: "INTEGER", bool: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}
_STATEMENT = re.compile(r"\s*create\b", re.IGNORECASE)


def definition(schema: Any) -> str | dict[str, str]:
    """The text between the brackets, or column → type; raises HelperError for anything else.

    Types may be SQLite's, as text, or Python's own. A list holds texts, `("id", "INTEGER")` or
    `{"name": "id", "type": "INTEGER"}`.
    """
    if isinstance(schema, str) and schema.strip():
        return _between_brackets(str.__str__(schema))
    if isinstance(schema, Mapping) and schema:
        return dict(_column(name, kind) for name, kind in schema.items())
    if isinstance(schema, (list, tuple)) and schema:
        if all(isinstance(item, str) for item in schema):
            return ", ".join(schema)
        return dict(_column(*_pair(item)) for item in schema)
    raise _wrong(f"schema cannot be {schema!r}")


def _between_brackets(text: str) -> str:
    if _STATEMENT.match(text):
        raise _wrong(
            "schema is a whole statement", "run it with helpers.db.exec, or pass the text between the brackets"
        )
    stripped = text.strip()
    return stripped[1:-1] if stripped.startswith("(") and stripped.endswith(")") else text


def _pair(item: Any) -> tuple[Any, Any]:
    if isinstance(item, Mapping) and {"name", "type"} == set(item):
        return item["name"], item["type"]
    if isinstance(item, (list, tuple)) and len(item) == 2:
        return item[0], item[1]
    raise _wrong(f"a column of the schema cannot be {item!r}")


def _column(name: Any, kind: Any) -> tuple[str, str]:
    if not isinstance(name, str) or not name:
        raise _wrong(f"a column's name must be text, not {name!r}")
    if isinstance(kind, str):
        return str.__str__(name), str.__str__(kind)
    if isinstance(kind, type) and kind in _TYPES:
        return str.__str__(name), _TYPES[kind]
    raise _wrong(f"the type of {name!r} cannot be {kind!r}")


def _wrong(message: str, hint: str = 'pass "id INTEGER PRIMARY KEY, name TEXT" or {"id": "INTEGER"}') -> HelperError:
    return HelperError("request.invalid", message, hint=hint)
