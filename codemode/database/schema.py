"""Describe the tables of a session: what `helpers.schema` answers. Reserved tables are not listed.

Everything is read with SQLite's table-valued pragma functions and bound names: no name is ever pasted.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

import apsw

from codemode.database import provenance
from codemode.database.execute import take_rows
from codemode.database.names import is_reserved, quoted
from codemode.errors import NoSuchTable

_SAMPLE_ROWS = 5
_SAMPLE_BYTES = 64 * 1024
_LEAST_SCORE = 0.5  # below this a name is no better than a guess
# Likeness takes the square of a name's length, and nothing can stop it: what is longer is like nothing.
_COMPARED_CHARACTERS = 128
_COMPARED_NAMES = 1_000
_SHOWN_NAMES = 60  # an error is read by a model: enough to choose from, not a catalogue


def _rows(connection: apsw.Connection, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    return connection.execute(sql, params, can_cache=False).fetchall()


def tables(connection: apsw.Connection) -> list[str]:
    """Names of the session's tables, views and virtual tables, sorted; shadow tables are left out."""
    found = _rows(
        connection, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' ORDER BY name"
    )
    return [name for (name,) in found if not is_reserved(name)]


def real_name(connection: apsw.Connection, table: str) -> str:
    """The table's name as it was created; raises NoSuchTable with the closest ones."""
    found = _rows(
        connection,
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE"
        " UNION ALL SELECT name FROM pragma_table_list WHERE schema = 'temp' AND name = ? COLLATE NOCASE LIMIT 1",
        table, table,
    )  # fmt: skip
    if found:
        return str(found[0][0])
    available = tables(connection)
    raise NoSuchTable(
        f"no such table: {table[:_COMPARED_CHARACTERS]}",
        hint="create it with helpers.db.create_table(...) first" if not available else None,
        did_you_mean=closest(table, available),
        available=available[:_SHOWN_NAMES],
    )


def closest(name: str, names: list[str]) -> list[str]:
    """At most three of `names` that `name` may have meant; case does not matter."""
    if len(name) > _COMPARED_CHARACTERS:
        return []
    by_lower = {known.lower(): known for known in names[:_COMPARED_NAMES] if len(known) <= _COMPARED_CHARACTERS}
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3)]


def columns(connection: apsw.Connection, table: str) -> list[dict[str, Any]]:
    """The columns of `table`, generated ones included."""
    name = real_name(connection, table)
    found = _rows(
        connection,
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid',
        name,
    )
    return [
        {"name": column, "type": kind, "not_null": bool(not_null), "default_value": default, "primary_key": bool(key)}
        for column, kind, not_null, default, key in found
    ]


def insertable(connection: apsw.Connection, table: str) -> list[str]:
    """The columns of `table` that an INSERT may name: all but generated and hidden ones."""
    name = real_name(connection, table)
    found = _rows(connection, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", name)
    return [str(column) for (column,) in found]


def has_column(connection: apsw.Connection, table: str, column: str) -> bool:
    """Whether `table` has `column`; case does not matter, as in SQLite."""
    return any(found["name"].lower() == column.lower() for found in columns(connection, table))


def indexes(connection: apsw.Connection, table: str) -> list[dict[str, Any]]:
    """The indexes of `table`; a column that is an expression is None."""
    name = real_name(connection, table)
    found = _rows(connection, 'SELECT name, "unique", partial FROM pragma_index_list(?) ORDER BY seq', name)
    return [
        {
            "name": index,
            "unique": bool(unique),
            "partial": bool(partial),
            "columns": [c for (c,) in _rows(connection, "SELECT name FROM pragma_index_info(?) ORDER BY seqno", index)],
        }
        for index, unique, partial in found
    ]


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
    sql = "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE AND type = 'virtual'"
    return bool(_rows(connection, sql, table))


def row_count(connection: apsw.Connection, table: str) -> int:
    """How many rows `table` has, counted."""
    return int(connection.execute(f"SELECT count(*) FROM {quoted(table)}", can_cache=False).get)  # noqa: S608


def describe(connection: apsw.Connection, table: str) -> dict[str, Any]:
    """Everything about `table`: columns, indexes, foreign keys, its rows' number, a few of them, who changed it."""
    name = real_name(connection, table)
    cursor = connection.execute(f"SELECT * FROM {quoted(name)} LIMIT {_SAMPLE_ROWS}", can_cache=False)  # noqa: S608
    sample, _ = take_rows(cursor, _SAMPLE_ROWS, _SAMPLE_BYTES)
    names = [column["name"] for column in columns(connection, name)]
    return {
        "table": name,
        "columns": columns(connection, name),
        "indexes": indexes(connection, name),
        "foreign_keys": foreign_keys(connection, name),
        "row_count": row_count(connection, name),
        "sample_rows": [dict(zip(names, row, strict=False)) for row in sample],
        "provenance": provenance.of_table(connection, name),
    }


def find_column(connection: apsw.Connection, table: str, meaning: str) -> dict[str, Any] | None:
    """The column of `table` whose name is closest to `meaning` (score 0 to 1), or None when none is close."""
    wanted = _words(meaning[:_COMPARED_CHARACTERS])
    names = [column["name"] for column in columns(connection, table)]
    scored = [(_likeness(wanted, _words(name[:_COMPARED_CHARACTERS])), name) for name in names]
    score, name = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
    if score < _LEAST_SCORE:
        return None
    return {"table": real_name(connection, table), "name": name, "score": round(score, 3)}


def _words(name: str) -> list[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.split(r"[\W_]+", spaced) if word]


def _likeness(wanted: list[str], have: list[str]) -> float:
    """1 for the same words; otherwise how alike the texts are, or how many words of one are in the other."""
    if wanted == have:
        return 1.0
    spelled = difflib.SequenceMatcher(None, "".join(wanted), "".join(have)).ratio()
    shared = sum(1 for word in wanted if any(word == w or (len(word) > 2 and w.startswith(word)) for w in have))
    covered = shared / max(len(wanted), len(have), 1)
    contained = 0.9 if wanted and shared == len(wanted) else 0.0
    return min(0.99, max(spelled, covered, contained))
