"""Describe the tables of a session: what `helpers.schema` answers. Reserved tables are not listed.

Everything is read with SQLite's table-valued pragma functions and bound names: no name is ever pasted.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import apsw

from codemode.database import provenance, rules
from codemode.database.names import folded, is_reserved, quoted
from codemode.errors import NoSuchColumn, NoSuchTable

# Likeness takes the square of a name's length, and nothing can stop it: what is longer is like nothing.
_COMPARED_CHARACTERS = 128
_COMPARED_NAMES = 1_000
_GENERATED = (2, 3)  # what pragma_table_xinfo calls hidden: VIRTUAL and STORED
_SHOWN_NAMES = 60  # an error is read by a model: enough to choose from, not a catalogue
# pragma_table_list knows the shadow tables, but counts the columns of every view, and nothing stops it: views on views
# take seconds each.
_SHADOWS = {"fts5": ("data", "idx", "content", "docsize", "config"), "rtree": ("node", "rowid", "parent")}
_IS_SHADOW = " OR ".join(
    f"(owner.sql LIKE '%using%{module}%' AND substr(found.name, 1, length(owner.name) + 1) = owner.name || '_'"
    f" AND substr(found.name, length(owner.name) + 2) IN {parts})"
    for module, parts in _SHADOWS.items()
)
_OWNER = """
    WITH owner AS MATERIALIZED (SELECT name, sql FROM main.sqlite_schema WHERE sql LIKE 'create virtual table%')
"""
TABLES = f"""{_OWNER}
    SELECT name FROM main.sqlite_schema AS found
    WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND NOT EXISTS (
        SELECT 1 FROM owner WHERE {_IS_SHADOW}
    )
    ORDER BY name
"""  # noqa: S608 - fixed words
_REAL_NAME = """
    SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE
    UNION ALL SELECT name FROM temp.sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE
    UNION ALL SELECT 'sqlite_schema' WHERE ?1 = 'sqlite_schema' COLLATE NOCASE LIMIT 1
"""


def _rows(connection: apsw.Connection, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    return connection.execute(sql, params, can_cache=False).fetchall()


def tables(connection: apsw.Connection) -> list[str]:
    """Names of the session's tables, views and virtual tables, sorted; shadow tables are left out."""
    return [name for (name,) in _rows(connection, TABLES) if not is_reserved(name)]


def views(connection: apsw.Connection) -> set[str]:
    """Names of the session's views."""
    return {str(name) for (name,) in _rows(connection, "SELECT name FROM main.sqlite_schema WHERE type = 'view'")}


def shadows(connection: apsw.Connection) -> dict[str, str]:
    """The shadow tables, each with the virtual table that it is a part of."""
    sql = f"{_OWNER} SELECT found.name, owner.name FROM main.sqlite_schema AS found JOIN owner ON {_IS_SHADOW}"  # noqa: S608
    return dict(_rows(connection, sql))


def ordinary_tables(connection: apsw.Connection) -> list[str]:
    """The tables that hold rows themselves: no views, no virtual tables and not what those are made of."""
    found = _rows(
        connection, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name"
    )
    return [name for (name,) in found if not name.startswith("sqlite_")]


def all_names(connection: apsw.Connection) -> set[str]:
    """Every name of the schema that is taken, folded."""
    return {folded(name) for (name,) in _rows(connection, "SELECT name FROM sqlite_schema")}


def view_statements(connection: apsw.Connection) -> list[str]:
    """The statements that made the views, in the order in which they were made."""
    found = _rows(connection, "SELECT sql FROM sqlite_schema WHERE type = 'view' AND sql IS NOT NULL ORDER BY rowid")
    return [sql for (sql,) in found]


def real_name(connection: apsw.Connection, table: str) -> str:
    """The table's name as it was created; raises NoSuchTable with the closest ones."""
    found = _rows(connection, _REAL_NAME, table)
    if found:
        return str(found[0][0])
    available = tables(connection)
    near = closest(table, available)
    raise NoSuchTable(
        f"no such table: {table[:_COMPARED_CHARACTERS]}",
        hint="create it with helpers.db.create_table(...) first" if not available else did_you_mean(near),
        did_you_mean=near,
        available=available[:_SHOWN_NAMES],
    )


def closest(name: str, names: list[str]) -> list[str]:
    """At most three of `names` that `name` may have meant; case does not matter."""
    if len(name) > _COMPARED_CHARACTERS:
        return []
    by_lower = {known.lower(): known for known in names[:_COMPARED_NAMES] if len(known) <= _COMPARED_CHARACTERS}
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3)]


def did_you_mean(names: Sequence[str]) -> str | None:
    """The hint that one of `names` may have been meant; None where there is none."""
    return f"did you mean {' or '.join(names)}?" if names else None


def columns(connection: apsw.Connection, table: str) -> list[dict[str, Any]]:
    """The columns of `table`, generated ones included."""
    name = real_name(connection, table)
    sql = (
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid'
    )
    found = _rows(connection, sql, name)
    return [
        {
            "name": column,
            "type": kind,
            "not_null": bool(not_null),
            "default_value": default,
            "primary_key": bool(key),
            "generated": hidden in _GENERATED,
        }
        for column, kind, not_null, default, key, hidden in found
    ]


def insertable(connection: apsw.Connection, table: str) -> list[str]:
    """The columns of `table` that an INSERT may name: all but generated and hidden ones."""
    name = real_name(connection, table)
    found = _rows(connection, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", name)
    return [str(column) for (column,) in found]


def real_columns(table: str, insertable: list[str], names: Sequence[str]) -> list[str]:
    """`names` as the columns of `table` are written that an INSERT may name; raises NoSuchColumn."""
    by_folded = {folded(name): name for name in insertable}
    unknown = [name for name in names if folded(name) not in by_folded]
    if unknown:
        near = closest(unknown[0], insertable)
        raise NoSuchColumn(
            f"{table} has no column {unknown[0]!r} that can be inserted into",
            hint=did_you_mean(near),
            did_you_mean=near,
            available=insertable,
        )
    return [by_folded[folded(name)] for name in names]


def has_column(connection: apsw.Connection, table: str, column: str) -> bool:
    """Whether `table` has `column`; case does not matter, as in SQLite."""
    return any(folded(found["name"]) == folded(column) for found in columns(connection, table))


def indexes(connection: apsw.Connection, table: str) -> list[dict[str, Any]]:
    """The indexes of `table`; a column that is an expression is None, and `on` has all in words of SQL."""
    sql = """
        SELECT i.name, i."unique", i.partial, coalesce(m.sql, '') FROM pragma_index_list(?) AS i
        LEFT JOIN sqlite_schema AS m ON m.type = 'index' AND m.name = i.name ORDER BY i.seq
    """
    answers = []
    for name, unique, partial, made in _rows(connection, sql, real_name(connection, table)):
        held = rules.index(connection, name, made)
        kept = {"name": name, "unique": bool(unique), "partial": bool(partial), "columns": list(held.columns)}
        answers.append(kept | {"on": held.target})
    return answers


def triggers(connection: apsw.Connection, table: str) -> list[str]:
    """The triggers on `table`, by name."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name"
    return [str(name) for (name,) in _rows(connection, sql, table)]


def referring(connection: apsw.Connection, table: str) -> list[str]:
    """The other tables that have a foreign key to `table`."""
    sql = """
        SELECT DISTINCT t.name FROM main.sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f
        WHERE t.type = 'table' AND f."table" = ?1 COLLATE NOCASE AND t.name <> ?1 COLLATE NOCASE ORDER BY t.name
    """
    return [str(name) for (name,) in _rows(connection, sql, table)]


def foreign_keys(connection: apsw.Connection, table: str) -> list[dict[str, Any]]:
    """The foreign keys of `table`, one entry a column."""
    name = real_name(connection, table)
    found = _rows(
        connection,
        'SELECT "from", "table", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq',
        name,
    )
    return [dict(zip(("column", "table", "references", "on_update", "on_delete"), row, strict=True)) for row in found]


def is_virtual(connection: apsw.Connection, table: str) -> bool:
    """Whether `table` is a virtual table."""
    sql = "SELECT 1 FROM pragma_table_list(?) WHERE schema = 'main' AND type = 'virtual'"
    return bool(_rows(connection, sql, table))


def row_count(connection: apsw.Connection, table: str) -> int:
    """How many rows `table` has, counted."""
    return int(connection.execute(f"SELECT count(*) FROM {quoted(table)}", can_cache=False).get)  # noqa: S608


def structure(connection: apsw.Connection, table: str) -> dict[str, Any]:
    """What `table` was declared as: its columns, indexes and foreign keys; and who changed it."""
    name = real_name(connection, table)
    return {
        "table": name,
        "columns": columns(connection, name),
        "indexes": indexes(connection, name),
        "foreign_keys": foreign_keys(connection, name),
        "checks": [check._asdict() for check in rules.checks(connection, name)],
        "triggers": triggers(connection, name),
        "provenance": provenance.of_table(connection, name),
    }
