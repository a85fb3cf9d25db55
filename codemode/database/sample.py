"""Rows of a table to judge it by: all of them where they are few, else some from everywhere in it.

Every read goes through a function that the caller gives, because a view's text is its user's and must be read with a
user's rights.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import apsw

from codemode.database import schema
from codemode.database.names import quoted

SAMPLE_ROWS = 10_000
SAMPLE_BYTES = 8_000_000
_MOST_POINTS = 50_000  # places looked at for a sample of a table with gaps in its row ids
_ROWIDS = ("rowid", "_rowid_", "oid")


class Read(Protocol):
    """Answers the rows of a SELECT, at most so many and so large; None where the time for it is over."""

    def __call__(self, sql: str, params: Sequence[Any] = (), rows: int = ..., size: int = ...) -> list[Any] | None:
        """The rows."""
        ...


class Sample:
    """Some rows of `table`, which has `total`, by column."""

    def __init__(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], total: int) -> None:
        self.table, self.columns, self.total = table, tuple(columns), total
        self.count = len(rows)
        self._values = dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else {}

    @property
    def is_whole(self) -> bool:
        """Whether these are all the rows."""
        return self.count >= self.total

    def values(self, column: str) -> tuple[Any, ...]:
        """What `column` holds in these rows."""
        return self._values.get(column, ())


@dataclass(frozen=True, slots=True)
class Source:
    """A table, view or virtual table to take a sample of; `rowid` is a name of its row id, where it has one."""

    table: str
    columns: tuple[str, ...]
    rowid: str | None


def source_of(connection: apsw.Connection, table: str) -> Source:
    """`table` as a source; asks the schema, with the engine's rights."""
    names = tuple(column["name"] for column in schema.columns(connection, table))
    kinds = connection.execute(
        "SELECT type, wr FROM pragma_table_list(?) WHERE schema = 'main'", (table,), can_cache=False
    ).fetchall()
    taken = {name.lower() for name in names}
    free = (name for name in _ROWIDS if name not in taken)
    return Source(table, names, next(free, None) if kinds == [("table", 0)] else None)


def sample_of(read: Read, source: Source, total: int) -> Sample | None:
    """A sample of a table with `total` rows, the same one at each call; None where the time is over.

    A table with row ids is looked at in random places. The first rows stand for a view, a virtual table, a table
    WITHOUT ROWID and one whose row ids are mostly gaps.
    """
    table, columns = source.table, source.columns
    listed = ", ".join(map(quoted, columns))
    everything = f"SELECT {listed} FROM {quoted(table)}"  # noqa: S608 - quoted
    rows = _spread(read, source, everything, total) if total > SAMPLE_ROWS else None
    if rows is None:
        rows = read(f"{everything} LIMIT {SAMPLE_ROWS}", rows=SAMPLE_ROWS, size=SAMPLE_BYTES)
    return None if rows is None else Sample(table, columns, rows, total)


def _spread(read: Read, source: Source, everything: str, total: int) -> list[Any] | None:
    rowid = source.rowid
    ends = read(f"SELECT min({rowid}), max({rowid}) FROM {quoted(source.table)}") if rowid else None  # noqa: S608
    if not ends or ends[0][0] is None:
        return None
    low, high = ends[0]
    points = int(SAMPLE_ROWS * (high - low + 1) / total)
    if points > _MOST_POINTS:
        return None
    chosen = random.Random(total).sample(range(low, high + 1), points)  # noqa: S311 - not for secrets: to repeat
    sql = f"{everything} WHERE {rowid} IN (SELECT value FROM json_each(?))"  # noqa: S608 - quoted
    return read(sql, [json.dumps(chosen)], rows=SAMPLE_ROWS, size=SAMPLE_BYTES)
