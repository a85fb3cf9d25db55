"""Values that are a table at heart: lists of dicts with the same keys, of lists of one length, or of plain values.

Values are hostile, as in `serialize`: their type is read with `type()`, and what a subclass overrides is never called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sandbox.pieces import MOST_COLUMNS, folded

_NAME_CHARACTERS = 200
_PLAIN = frozenset({type(None), bool, int, float, str})


class Table(NamedTuple):
    """The columns of a list and its items; `kind` is what its items are."""

    kind: type  # dict, list or object
    columns: list[str]
    items: list[Any]

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[Sequence[Any]]:
        """The items as rows, in the order of the columns."""
        items = islice(self.items, start, stop)
        if self.kind is dict:
            take = dict.__getitem__
            return ([take(item, name) for name in self.columns] for item in items)
        return (list(item) for item in items) if self.kind is list else ([item] for item in items)

    def column(self, place: int) -> list[Any]:
        """The cells of one column."""
        if self.kind is dict:
            name, take = self.columns[place], dict.__getitem__
            return [take(item, name) for item in self.items]
        return [item[place] for item in self.items] if self.kind is list else self.items


def items_of(value: Any) -> list[Any] | None:
    """The items of a list or tuple, as a plain list; None for anything else."""
    kind = type(value)
    if issubclass(kind, list):
        return list(list.__iter__(value))
    return list(tuple.__iter__(value)) if issubclass(kind, tuple) else None


def table_of(value: Any) -> Table | None:
    """`value` as a table, or None where it is none: another shape, no items, names that are no columns."""
    items = items_of(value)
    if not items:
        return None
    kinds = set(map(type, items))
    if all(issubclass(kind, dict) for kind in kinds):
        return _of_dicts(items)
    if kinds <= {list, tuple}:
        width = len(items[0])
        uniform = 0 < width <= MOST_COLUMNS and all(len(item) == width for item in items)
        return Table(list, [f"column_{n}" for n in range(1, width + 1)], items) if uniform else None
    return Table(object, ["value"], items) if kinds <= _PLAIN else None


def _of_dicts(items: list[Any]) -> Table | None:
    columns = list(dict.keys(items[0]))
    if not 0 < len(columns) <= MOST_COLUMNS or not all(type(name) is str and _is_name(name) for name in columns):
        return None
    if len(set(map(folded, columns))) < len(columns):  # SQLite does not tell "a" from "A"
        return None
    keys = set(columns)
    return Table(dict, columns, items) if all(dict.keys(item) == keys for item in items) else None


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _NAME_CHARACTERS and name.isprintable()
