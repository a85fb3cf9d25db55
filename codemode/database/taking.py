"""Take rows from wherever they come, as columns, and no more of them at once than their size allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

_NONE = type(None)
_UNSIZED = frozenset({_NONE, int, float})  # what a frame carries in 9 bytes or fewer
_TEXT = frozenset({_NONE, str})
_STEP_VALUES = 512  # taken at once: a gigabyte at most, if each is as long as a value may be


def take_rows(rows: Iterator[Any], most: int, most_bytes: int) -> tuple[list[tuple[Any, ...]], bool]:
    """At most `most` rows and `most_bytes` bytes from `rows`, and whether more were there."""
    columns, rest = take_columns(rows, most, most_bytes)
    return list(zip(*columns, strict=True)), bool(rest)


def take_columns(
    rows: Iterator[Any], most: int, most_bytes: int, *, at_least_one: bool = False
) -> tuple[list[list[Any]], list[Any]]:
    """The same as a list of values for each column, none where there is no row; and rows that were taken, and not kept.

    Rows are taken in steps, for work on columns costs less than work on rows. The first step is one row, so that wide
    ones (200 values of 2 MB) are noticed at once, and none has more than `_STEP_VALUES` values: however narrow the rows
    before them were, few wide ones are held here at once.
    """
    kept: list[list[Any]] = []
    room, left, step = most_bytes, most, 1
    while taken := list(islice(rows, min(step, left + 1))):
        columns = list(zip(*taken, strict=True))
        size = sum(map(_column_bytes, columns))
        fitting = min(left, len(taken) if size <= room else _fitting(taken, room))
        if at_least_one and not kept:
            fitting = max(fitting, 1)
        if fitting:
            kept = kept or [[] for _ in columns]
            for values, more in zip(kept, columns, strict=True):
                values += more[:fitting]
        if fitting < len(taken):
            return kept, taken[fitting:]
        left -= fitting
        room -= size
        step = max(1, min(_STEP_VALUES // len(columns), 2 * step, room * len(taken) // (size + 1)))
    return kept, []


def in_steps(rows: Iterable[Any], most: int, most_bytes: int) -> Iterator[list[list[Any]]]:
    """All of `rows` as columns, step by step: at most `most` rows and `most_bytes` bytes each, or one larger row.

    Whoever gathers rows by their number alone holds as many as 400 MB times that number: views, generated columns and
    queries have rows of 200 values of 2 MB.
    """
    source, rest = iter(rows), list[Any]()
    while True:
        columns, rest = take_columns(chain(rest, source), most, most_bytes, at_least_one=True)
        if not columns:
            return
        yield columns


def _fitting(rows: list[tuple[Any, ...]], room: int) -> int:
    """How many of `rows`, from the first on, have so much room."""
    for number, row in enumerate(rows):
        room -= row_bytes(row)
        if room < 0:
            return number
    return len(rows)


def _column_bytes(column: tuple[Any, ...]) -> int:
    kinds = set(map(type, column))
    if kinds <= _UNSIZED:
        return 9 * len(column)
    if kinds <= _TEXT:
        texts = tuple(filter(None, column)) if _NONE in kinds else column
        if all(map(str.isascii, texts)):
            return 9 * len(column) + sum(map(len, texts))
    return row_bytes(column)


def row_bytes(row: tuple[Any, ...]) -> int:
    """The size of a row as a frame carries it: 9 bytes a value, and the bytes of texts and blobs."""
    size = 9 * len(row)
    for value in row:
        kind = value.__class__
        if kind is str:
            size += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        elif kind is bytes:
            size += len(value)
    return size
