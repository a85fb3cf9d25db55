"""Which columns of two tables hold the same things, judged by their names and by the values that both have.

Pure functions over samples. Whole numbers overlap by chance (a month is always a day), so numbers need names that
agree; texts speak for themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from codemode.database.sample import Sample

_LEAST_OVERLAP = 0.5
_FEW = 3  # so many common texts say something where one side tells its rows apart
_MANY = 20  # and so many where neither does
_PROBED = 200

# How many of these values occur in the whole of a column; None where there is no time to look.
Probe = Callable[[str, str, list[Any]], int | None]


class Join(NamedTuple):
    """A column and another table's column that it can be joined with.

    `overlap` is the share of its different values that occur there, `covered` the share of theirs that occur here.
    """

    column: str
    table: str
    references: str
    overlap: float
    covered: float
    unique: bool  # there, so that a join adds no rows
    estimated: bool


class _Side(NamedTuple):
    name: str
    values: frozenset[Any]
    unique: bool
    text: bool


def joins(mine: Sample, other: Sample, probe: Probe) -> Iterator[Join]:
    """The joins between two samples."""
    theirs = list(_sides(other))
    for column in _sides(mine):
        for reference in theirs:
            named = alike(mine.table, column.name, other.table, reference.name)
            if column.text != reference.text or not (named or column.text):
                continue
            join = _join(mine, column, other, reference, probe if named else None)
            if join is not None and _convinces(column, reference, named):
                yield join


def _sides(sample: Sample) -> Iterator[_Side]:
    for name in sample.columns:
        values = [value for value in sample.values(name) if value is not None]
        different = frozenset(values)
        kinds = {type(value) for value in different}
        if len(different) > 1 and kinds in ({int}, {str}):  # one value for all rows is no reference to anything
            yield _Side(name, different, len(different) == len(values), kinds == {str})


def _join(mine: Sample, column: _Side, other: Sample, reference: _Side, probe: Probe | None) -> Join | None:
    common = len(column.values & reference.values)
    overlap, covered = common / len(column.values), common / len(reference.values)
    sampled = not (mine.is_whole and other.is_whole)
    if probe is not None and overlap < 1 and not other.is_whole:
        # Two samples of large tables have little in common, whatever the tables have: ask for some values by name.
        asked = sorted(column.values)[:: max(1, len(column.values) // _PROBED)][:_PROBED]
        found = probe(other.table, reference.name, asked)
        overlap = overlap if found is None else max(overlap, found / len(asked))
    if max(overlap, covered) < _LEAST_OVERLAP:
        return None
    return Join(
        column.name, other.table, reference.name, round(overlap, 3), round(covered, 3), reference.unique, sampled
    )


def _convinces(column: _Side, reference: _Side, named: bool) -> bool:
    if named:
        return True
    common = len(column.values & reference.values)
    return common >= (_FEW if column.unique or reference.unique else _MANY)


def alike(table: str, column: str, other: str, reference: str) -> bool:
    """Whether the names say that the columns mean the same: equal, or author_id beside authors.id."""
    mine, theirs = _plain(column), _plain(reference)
    if mine == theirs:
        return mine not in ("id", "name", "key", "value")  # each table has its own
    return _refers(mine, other, theirs) or _refers(theirs, table, mine)


def _refers(name: str, table: str, key: str) -> bool:
    plain = _plain(table)
    return any(name == _plain(f"{one}{key}") for one in (plain, plain.removesuffix("s"), plain.removesuffix("es")))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
