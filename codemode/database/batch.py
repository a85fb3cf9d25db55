"""Chunked inserts: many records, one statement a chunk, values always bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import apsw
import msgspec

from codemode.database.names import folded, quoted
from codemode.database.values import sqlite_value
from codemode.errors import RequestInvalid, ValueRefused

OnConflict = Literal["error", "ignore", "replace", "update"]
_VERBS = {"error": "INSERT", "ignore": "INSERT OR IGNORE", "replace": "INSERT OR REPLACE", "update": "INSERT"}
_VARIABLES = 32_766  # SQLite's bound parameters in one statement
_KEPT_BYTES = 16_384  # apsw keeps no statement of a longer text prepared: each chunk would be compiled anew


class Insert(msgspec.Struct, frozen=True):
    """How records go into `table`: `sql(n)` inserts n of them."""

    table: str
    columns: tuple[str, ...]
    on_conflict: OnConflict
    key: tuple[str, ...]
    key_rows: str = ""  # which rows the key is unique among, where it is a partial index: its WHERE

    def sql(self, rows: int) -> str:
        """The statement for `rows` records, with one placeholder a value."""
        names = ", ".join(map(quoted, self.columns))
        values = ", ".join(["(" + ", ".join("?" * len(self.columns)) + ")"] * rows)
        return f"{_VERBS[self.on_conflict]} INTO {quoted(self.table)} ({names}) VALUES {values}{self._upsert()}"

    def _upsert(self) -> str:
        if self.on_conflict != "update":
            return ""
        changed = [c for c in self.columns if folded(c) not in set(map(folded, self.key))]
        assignments = ", ".join(f"{quoted(c)} = excluded.{quoted(c)}" for c in changed)
        target = f"({', '.join(map(quoted, self.key))})" + (f" WHERE {self.key_rows}" if self.key_rows else "")
        return f" ON CONFLICT {target} DO " + (f"UPDATE SET {assignments}" if changed else "NOTHING")

    def chunk_rows(self, most: int, sql_bytes: int) -> int:
        """How many records to put into one statement: what fits it, of a length that stays prepared."""
        one = len(self.sql(1).encode())
        more = len(self.sql(2).encode()) - one
        fitting = (min(sql_bytes, _KEPT_BYTES) - one) // more + 1
        return max(1, min(most, _VARIABLES // len(self.columns), fitting))


def insert_for(table: str, columns: Sequence[str], on_conflict: str, key: Sequence[str], key_rows: str = "") -> Insert:
    """An Insert of checked arguments; raises RequestInvalid."""
    if on_conflict not in _VERBS:
        raise RequestInvalid(
            f"on_conflict is {on_conflict!r}", hint="use one of error, ignore, replace, update", available=list(_VERBS)
        )
    if on_conflict == "update" and not key:
        raise RequestInvalid(
            "on_conflict='update' needs key=", hint="name the column or columns that identify a record"
        )
    if len(set(map(folded, columns))) != len(columns):
        raise RequestInvalid("a column is named twice", available=list(columns))
    return Insert(table, tuple(columns), on_conflict, tuple(key), key_rows)  # type: ignore[arg-type]


def create_sql(table: str, types: dict[str, str]) -> str:
    """CREATE TABLE for records that have no table yet."""
    columns = ", ".join(f"{quoted(name)} {kind}".rstrip() for name, kind in types.items())
    return f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({columns})"


def insert_chunk(connection: apsw.Connection, sql: str, values: Sequence[Any], first: int, width: int) -> int:
    """Insert one chunk of flat `values` and return the number of rows that changed.

    Values are bound as they came; only when SQLite cannot take one are all of them looked at, to convert lists
    and to name the record (`first` is the number of the chunk's first one) of a value that cannot be stored.
    """
    total = connection.total_changes()
    try:
        connection.execute(sql, values)
    except (TypeError, OverflowError, UnicodeEncodeError, ValueError):
        connection.execute(sql, [_stored(value, first, number, width) for number, value in enumerate(values)])
    # changes() would be an earlier statement's figure when every record of the chunk was ignored.
    return connection.changes() if connection.total_changes() != total else 0


def _stored(value: Any, first: int, number: int, width: int) -> Any:
    try:
        return sqlite_value(value, f"record {first + number // width}")
    except ValueRefused:
        raise
    except RecursionError:
        raise ValueRefused(f"record {first + number // width}: a value is nested too deeply") from None
