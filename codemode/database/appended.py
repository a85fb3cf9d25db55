"""What becomes of a file's values in a table that is there: SQLite converts them to the affinity of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from codemode.database.infer import FLOAT_EXACT
from codemode.database.names import folded
from codemode.patterns import pattern

# What SQLite takes for a number where it converts a text: unlike Python with no word and no underscore.
_NUMBER = pattern(r"[ \t-\r]*+[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?[ \t-\r]*+", re.ASCII)
_AFFINITIES = (("INT", "INTEGER"), ("CHAR", "TEXT"), ("CLOB", "TEXT"), ("TEXT", "TEXT"), ("BLOB", ""), ("REAL", "REAL"),
               ("FLOA", "REAL"), ("DOUB", "REAL"))  # fmt: skip


def affinity(declared: str) -> str:
    """INTEGER, REAL, NUMERIC or TEXT, or "" where values stay as they are."""
    kind = declared.upper()
    if kind in ("", "ANY"):  # which is any type in STRICT tables alone, where most people use it
        return ""
    return next((found for word, found in _AFFINITIES if word in kind), "NUMERIC")


def text_columns(types: Mapping[str, str]) -> frozenset[str]:
    """The folded names of those columns of an existing table that hold text."""
    return frozenset(folded(name) for name, declared in types.items() if affinity(declared) == "TEXT")


class Appended:
    """Looks at what goes into a table of columns with these declared types; `notes` say what is not stored as it is."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = {folded(name): declared for name, declared in types.items()}
        self._notes: dict[str, str] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """A note for each column in which values are changed."""
        return tuple(self._notes.values())

    def seen(self, columns: Iterable[tuple[str, str]], chunks: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """The chunks, values of one row of `columns` (name, type) after another, looked at."""
        names = list(columns)
        watched = [found for place, (name, kind) in enumerate(names) if (found := self._watched(place, name, kind))]
        self._notes.clear()  # of a reading that was begun anew
        for chunk in chunks:
            for place, name, changes, note in watched:
                if name not in self._notes and changes(chunk[place :: len(names)]):
                    self._notes[name] = note
            yield chunk

    def _watched(self, place: int, name: str, kind: str) -> tuple[int, str, Any, str] | None:
        declared = self._types.get(folded(name), "")
        into, has_it = affinity(declared), f"{name}: the table has it as {declared}"
        if kind == "TEXT" and into in ("INTEGER", "REAL", "NUMERIC"):
            return place, name, _has_numbers, f"{has_it}: text that reads like a number is stored as one"
        if kind == "INTEGER" and into == "REAL":
            return place, name, _has_long_numbers, f"{has_it}: long whole numbers are rounded"
        return None


def _has_numbers(cells: Sequence[Any]) -> bool:
    return any(map(_NUMBER.fullmatch, set(filter(None, cells))))


def _has_long_numbers(cells: Sequence[Any]) -> bool:
    long = (cell for cell in cells if cell is not None and not -FLOAT_EXACT <= cell <= FLOAT_EXACT)
    return any(int(float(cell)) != cell for cell in long)
