"""Foreign keys that were broken: which row is missing, or who still refers to a row that was to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from codemode.database.execute import Connection
from codemode.database.names import folded, quoted

_MOST = 5  # named in one hint
_KEEPS = ("CASCADE", "SET NULL")  # what ON DELETE and ON UPDATE may do instead of failing


class Orphan(NamedTuple):
    """A foreign key of a row whose parent is missing."""

    columns: list[str]
    parent: str
    key: str


def orphan(connection: Connection, table: str, record: Mapping[str, Any]) -> Orphan | None:
    """The first foreign key of `table` that no parent fits; `record` holds the row's values by folded names.

    A key of which a value is NULL or not known is left out, as one that refers to no key.
    """
    for parent, pairs in _keys(connection, table):
        columns, theirs = [column for column, _ in pairs], [key for _, key in pairs]
        values = [record.get(folded(column)) for column in columns]
        if None in values or None in theirs:
            continue
        held = " AND ".join(f"{quoted(key)} = ?" for key in theirs)
        looked = f"SELECT 1 FROM {quoted(parent)} WHERE {held} LIMIT 1"  # noqa: S608 - quoted names
        if connection.execute(looked, values, can_cache=False).fetchone() is None:
            return Orphan(columns, parent, " and ".join(theirs))
    return None


def _keys(connection: Connection, table: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The foreign keys of `table`: parent, and pairs of a column with the parent's; without one, its primary key."""
    sql = """
        SELECT f.id, f."table", f."from", coalesce(f."to", p.name) FROM pragma_foreign_key_list(?) AS f
        LEFT JOIN pragma_table_info(f."table") AS p ON f."to" IS NULL AND p.pk = f.seq + 1 ORDER BY f.id, f.seq
    """
    rows: list[Any] = connection.execute(sql, (table,), can_cache=False).fetchall()
    keys = [(key, list(found)) for key, found in groupby(rows, lambda row: row[:2])]
    return [(str(parent), [(column, to) for *_, column, to in found]) for (_, parent), found in keys]


def unmet(connection: Connection) -> str | None:
    """A row that refers to one which is not there: what a deferred key says only at the commit, without naming it."""
    sql = 'SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1'
    found: Any = connection.execute(sql, can_cache=False).fetchone()
    return f"row {found[1]} of {found[0]} refers to a row of {found[2]} that is not there" if found else None


def holders(connection: Connection, table: str) -> list[str]:
    """Who keeps a row of `table` from being deleted or renumbered, those included that a cascade comes to."""
    sql = """
        SELECT m.name, f."from", f."table", f.on_delete, f.on_update FROM sqlite_schema AS m,
        pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq
    """
    links: Sequence[Any] = connection.execute(sql, can_cache=False).fetchall()
    found, reached, ahead = {}, {folded(table)}, [folded(table)]
    while ahead:
        parent = ahead.pop()
        for child, column, of, deletes, updates in links:
            if folded(of) != parent:
                continue
            if deletes not in _KEEPS or updates not in _KEEPS:
                found[f"{child}.{column} refers to {of}, ON DELETE {deletes}, ON UPDATE {updates}"] = True
            if "CASCADE" in (deletes, updates) and folded(child) not in reached:
                reached.add(folded(child))
                ahead.append(folded(child))
    return list(found)[:_MOST]
