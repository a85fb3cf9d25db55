"""SQLite values as JSON and back: what JSON cannot say is an object of one key.

    a blob            {"$bytes": base64}
    an infinity       {"$float": "Infinity"} or {"$float": "-Infinity"}

A cell of SQLite is never an object, so nothing else reads like these. Used for parameters, records and rows; results,
inputs and the state of a session are JSON documents of their own, and are left as they are.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from codemode.errors import ValueRefused

_INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}


def to_json(cell: Any) -> Any:
    """One cell as JSON can hold it."""
    if type(cell) is bytes:
        return {"$bytes": base64.b64encode(cell).decode()}
    if type(cell) is float and not math.isfinite(cell):
        return {"$float": "Infinity" if cell > 0 else "-Infinity"}
    return cell


def from_json(value: Any) -> Any:
    """The cell that a value from JSON stands for; other objects and lists stay what they are.

    Raises ValueRefused for what claims to be bytes or a float and is none.
    """
    if type(value) is not dict or len(value) != 1:
        return value
    ((name, told),) = value.items()
    if name == "$bytes":
        return _bytes(told)
    if name == "$float":
        if type(told) is not str or told not in _INFINITIES:
            raise ValueRefused(f'"$float" is "Infinity" or "-Infinity", not {str(told)[:40]!r}')
        return _INFINITIES[told]
    return value


def row_to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row, by the names of its columns."""
    return {name: to_json(cell) for name, cell in row.items()}


def rows_to_json(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as objects."""
    return [row_to_json(row) for row in rows]


def row_from_json(row: Any) -> Any:
    """One record: an object or a list of cells."""
    if type(row) is list:
        return [from_json(cell) for cell in row]
    return {name: from_json(cell) for name, cell in row.items()}


def all_to_json(document: Any) -> Any:
    """Every cell in a document of lists and objects."""
    if isinstance(document, dict):
        return {name: all_to_json(value) for name, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [all_to_json(value) for value in document]
    return to_json(document)


def all_from_json(document: Any, rows: Collection[str] = ()) -> Any:
    """The document with every cell that it held; under the names in `rows` are rows, of columns of any name."""
    if isinstance(document, dict):
        cell = from_json(document)
        if cell is not document:
            return cell
        told = document.items()
        return {name: _rows(value) if name in rows else all_from_json(value, rows) for name, value in told}
    return [all_from_json(value, rows) for value in document] if isinstance(document, list) else document


def _rows(value: Any) -> Any:
    if isinstance(value, list):
        return [_rows(each) for each in value]
    return row_from_json(value) if isinstance(value, dict) else value


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ValueRefused('"$bytes" is not base64', hint="encode the bytes with the standard alphabet") from None
