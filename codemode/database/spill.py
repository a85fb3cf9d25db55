"""Tables of results that were too large to be answered: `_result_1`, `_result_2`, … and the list of them.

Everything here runs with the engine's rights; users read these tables and never write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import apsw
import msgspec

from codemode.database import undo
from codemode.database.clock import now
from codemode.database.execute import unique_names
from codemode.database.names import folded, quoted
from codemode.patterns import pattern

KEPT = 20  # results of a session; older ones go when a new one comes
TYPES = frozenset({"", "INTEGER", "REAL", "BOOLEAN", "TEXT", "BLOB"})
_TYPES: dict[type, str] = {int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}

Kind = Literal["rows", "json"]
Columns = tuple[tuple[str, str], ...]  # names with their declared types

_NAME = pattern(r"_result_([1-9][0-9]{0,17})")
_SPARE_PAGES = 64  # for the schema, the list of results, and what SQLite keeps half empty
_LIST = "_codemode_results"


class ResultTable(msgspec.Struct, frozen=True):
    """One table of a result: its number, what it holds, and its columns with their declared types."""

    number: int
    kind: Kind
    columns: Columns

    @property
    def name(self) -> str:
        """Its name in the session."""
        return f"_result_{self.number}"


def columns_for(names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> Columns:
    """Columns for a query's answer, each of the type of its values in `rows`, or of none where they have several."""
    types = [_type_of(column) for column in zip(*rows, strict=True)] or [""] * len(names)
    return tuple(zip(unique_names(names, folded), types, strict=True))


def fit(rows: Sequence[tuple[Any, ...]], columns: Columns) -> bool:
    """Whether the declared types leave all values in `rows` as they are."""
    kept = {kind: {made, type(None)} for made, kind in _TYPES.items()}
    return all(
        kind == "" or set(map(type, column)) <= kept[kind]
        for (_, kind), column in zip(columns, zip(*rows, strict=True), strict=True)
    )


def _type_of(column: tuple[Any, ...]) -> str:
    kinds = set(map(type, column)) - {type(None)}
    return _TYPES[kinds.pop()] if len(kinds) == 1 else ""


def next_number(connection: apsw.Connection) -> int:
    """The number after that of every result so far, and after any table that has such a name for other reasons."""
    last = undo.last_result(connection)
    names = [name.lower() for (name,) in connection.execute("SELECT name FROM main.sqlite_schema", can_cache=False)]
    taken = [int(found[1]) for name in names if (found := _NAME.fullmatch(name))]
    return max([last, *taken]) + 1


def create(connection: apsw.Connection, table: ResultTable) -> None:
    """Make the table, empty."""
    columns = ", ".join(f"{quoted(name)} {kind}".rstrip() for name, kind in table.columns)
    connection.execute(f"CREATE TABLE main.{quoted(table.name)} ({columns})", can_cache=False)


def insert(connection: apsw.Connection, table: ResultTable, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows."""
    values = ", ".join("?" * len(table.columns))
    connection.executemany(f"INSERT INTO main.{quoted(table.name)} VALUES ({values})", rows, can_cache=False)  # noqa: S608


def enlist(connection: apsw.Connection, table: ResultTable, execution_id: str, rows: int, size: int) -> None:
    """Write the table into the list of results, and drop those that are no longer among the last."""
    connection.execute(
        f"INSERT INTO main.{_LIST} VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
        (table.number, execution_id, now(), table.kind, rows, size),
        can_cache=False,
    )
    undo.keep_last_result(connection, table.number)
    old = f"SELECT number FROM main.{_LIST} ORDER BY number DESC LIMIT -1 OFFSET {KEPT}"  # noqa: S608
    for (number,) in connection.execute(old, can_cache=False).fetchall():
        connection.execute(f"DROP TABLE IF EXISTS main._result_{number}", can_cache=False)
        connection.execute(f"DELETE FROM main.{_LIST} WHERE number = ?", (number,), can_cache=False)  # noqa: S608


def listed(connection: apsw.Connection) -> list[dict[str, Any]]:
    """The results that are kept, oldest first: `{"name", "rows"}`; a file that was never written to has none."""
    if connection.execute("SELECT count(*) FROM main.sqlite_schema WHERE name = ?", (_LIST,), can_cache=False).get == 0:
        return []
    found = connection.execute(f"SELECT number, row_count FROM main.{_LIST} ORDER BY number", can_cache=False)  # noqa: S608
    return [{"name": f"_result_{number}", "rows": rows} for number, rows in found]


def is_of(connection: apsw.Connection, name: str, execution_id: str) -> bool:
    """Whether the table `name` keeps the result of that execution, as long as it is there."""
    found = _NAME.fullmatch(name)
    sql = f"SELECT count(*) FROM main.{_LIST} WHERE number = ? AND execution_id = ?"  # noqa: S608
    return found is not None and bool(connection.execute(sql, (int(found[1]), execution_id), can_cache=False).get)


def used_pages(connection: apsw.Connection) -> int:
    """The pages of the database that hold something."""
    return int(connection.pragma("page_count")) - int(connection.pragma("freelist_count"))


def has_room(connection: apsw.Connection, size: int) -> bool:
    """Whether `size` more bytes surely fit into the quota.

    Asked before a write, because a write that SQLite has to break off with "full" may take the whole transaction with
    it, and that is the data of the execution.
    """
    page_size = int(connection.pragma("page_size"))
    free = int(connection.pragma("max_page_count")) - used_pages(connection) - _SPARE_PAGES
    return free * page_size >= size + size // 4
