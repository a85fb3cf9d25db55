"""One chunk of records, column by column: every value made fit to be sent, at the speed of C where it is already.

A million records have millions of values, and nearly all of them are fine. So a column's types are collected
first, and only a column that holds something unusual is looked at value by value.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from sandbox.helpers.error import HelperError
from sandbox.helpers.jsontext import Unfit
from sandbox.helpers.values import INT_MAX, INT_MIN, Warn, fitted

_NONE = type(None)
_AS_THEY_ARE = frozenset({_NONE, bool, str, bytes})
_NUMBERS = frozenset({_NONE, bool, int, float})
_SIZED = frozenset({_NONE, str, bytes})
_FLOAT_EXACT = 2**53  # whole numbers up to here survive the way through a float
# What a column of an inferred type keeps as it is, whatever the values; a float in an INTEGER column stays its number.
_KEPT = {
    "INTEGER": frozenset({_NONE, bool, int, float, bytes}),
    "REAL": frozenset({_NONE, bool, float, bytes}),
    "TEXT": _SIZED,
}


def vet(flat: list[Any], columns: Sequence[str], first: int, warn: Warn, types: Sequence[str]) -> int:
    """Make the rows of `flat` fit to be sent, in place, and answer how much text and bytes they hold.

    `first` is the index of the first record, for errors (`sql.value`). A lone surrogate is left to whoever
    encodes the chunk: see `vet_each`. `types`: those of a table that was made from records; a value that its column
    changes is told to `warn`.
    """
    width, weight = len(columns), 0
    for offset, name in enumerate(columns):
        column = flat[offset::width]
        kinds = _kinds(column)
        if not _fits(column, kinds):
            flat[offset::width] = column = _each(column, name, first, warn)
            kinds = _kinds(column)
        if types and not kinds <= _KEPT.get(types[offset], kinds):
            _tell_changed(name, types[offset], column, warn)
        if kinds == {str}:
            weight += len("".join(column))  # in half the time that asking each for its length takes
        elif kinds <= _SIZED:
            weight += sum(map(len, filter(None, column) if _NONE in kinds else column))
        elif kinds & _SIZED - {_NONE}:
            weight += sum(len(value) for value in column if type(value) in _SIZED and value)
    return weight


def vet_each(flat: list[Any], columns: Sequence[str], first: int, warn: Warn) -> None:
    """Look at every value; raises HelperError (`sql.value`) for the first one that cannot be sent."""
    for offset, name in enumerate(columns):
        _each(flat[offset :: len(columns)], name, first, warn)


def column_type(column: list[Any]) -> str:
    """The declared type for a column of vetted values; "" (no conversion) where any other would change one of them."""
    kinds = _kinds(column) - {_NONE}
    if not kinds:  # NULLs say nothing of what comes later
        return ""
    if kinds <= {str}:
        return "TEXT"
    if kinds <= {int, bool}:
        return "INTEGER"
    if kinds <= {int, bool, float}:
        return "" if any(map(_is_rounded, column)) else "REAL"
    return "BLOB" if kinds == {bytes} else ""


def column_types(flat: list[Any], columns: Sequence[str]) -> dict[str, str]:
    """A declared type for each column of vetted rows."""
    width = len(columns)
    return {name: column_type(flat[offset::width]) for offset, name in enumerate(columns)}


def _is_rounded(value: Any) -> bool:
    """Whether a column of floats cannot hold this whole number."""
    return type(value) is int and not -_FLOAT_EXACT <= value <= _FLOAT_EXACT and int(float(value)) != value


def _tell_changed(name: str, declared: str, column: list[Any], warn: Warn) -> None:
    if declared == "TEXT":
        what = "numbers are stored as text"
    elif any(map(_is_number, column)):
        what = "text that reads as a number is stored as one"
    elif declared == "REAL" and any(map(_is_rounded, column)):
        what = "long whole numbers are rounded"
    else:
        return
    warn(f"column {name!r} is {declared}, so {what}; make the table before, with a type that keeps them")


def _is_number(value: Any) -> bool:
    """Whether it is text that SQLite takes for a number: unlike Python it does so with no word and no underscore."""
    if type(value) is not str or value.rstrip()[-1:] not in "0123456789." or "_" in value:
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _kinds(column: list[Any]) -> set[type]:
    """The types in it. Most columns have one: to count that takes two thirds of the time of a set of all."""
    types = list(map(type, column))
    return {types[0]} if types and types.count(types[0]) == len(types) else set(types)


def _fits(column: list[Any], kinds: set[type]) -> bool:
    if kinds <= _AS_THEY_ARE:
        return True
    if not kinds <= _NUMBERS:
        return False
    present = list(filter(None, column)) if _NONE in kinds else column
    try:
        if float not in kinds:
            struct.pack(f"{len(present)}q", *present)  # refuses what 64 bits do not hold; an array takes twice as long
            return True
        total = sum(present)
    except (OverflowError, struct.error):
        return False
    # A NaN makes the sum NaN; infinities of both signs do too, and are then merely looked at one by one.
    return total == total and (
        int not in kinds or (min(present, default=0) >= INT_MIN and max(present, default=0) <= INT_MAX)
    )


def _each(column: list[Any], name: str, first: int, warn: Warn) -> list[Any]:
    kept: list[Any] = []

    def lost(what: str) -> None:
        warn(f"column {name!r}: {what}")

    try:
        for value in column:
            kept.append(fitted(value, lost))  # noqa: PERF401 - how many fitted says which one did not
    except Unfit as unfit:
        place = f"record {first + len(kept)}, column {name!r}"
        raise HelperError("sql.value", f"{place}: {unfit.reason}", hint=unfit.hint) from None
    return kept
