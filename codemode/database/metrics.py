"""Sizes of a session's database, measured."""

from __future__ import annotations

from typing import Any

import apsw

from codemode.database import schema, spill


def size_bytes(connection: apsw.Connection) -> int:
    """The size of the database in bytes, pages free for reuse included, changes of the open transaction too."""
    return int(connection.pragma("page_count")) * int(connection.pragma("page_size"))


def table_sizes(connection: apsw.Connection) -> list[dict[str, Any]]:
    """Each table with its rows and bytes (its indexes and shadow tables included); a view has bytes 0.

    `rows` is None for a view, whose text is its user's and may take any time or fail, and for a virtual table that is
    out of step with what it reads. `spilled` marks the tables of results that were too large to be answered.
    """
    pages = dict(
        connection.execute("SELECT name, sum(pgsize) FROM dbstat WHERE aggregate = TRUE GROUP BY name", can_cache=False)
    )
    owners = connection.execute(
        "SELECT name, tbl_name FROM sqlite_schema WHERE type IN ('table', 'index')", can_cache=False
    )
    virtual = {
        name for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'create virtual table%'", can_cache=False
        )
    }  # fmt: skip
    shadows = schema.shadows(connection)
    sizes: dict[str, int] = {}
    for name, table in owners:
        owner = shadows.get(table, table)
        sizes[owner] = sizes.get(owner, 0) + int(pages.get(name, 0))
    views = schema.views(connection)
    own = [
        {"name": name, "rows": None if name in views else _rows(connection, name, fails=name in virtual)}
        for name in schema.tables(connection)
    ]
    results = [{**result, "spilled": True} for result in spill.listed(connection)]
    return [{**table, "bytes": sizes.get(table["name"], 0)} for table in [*own, *results]]


def _rows(connection: apsw.Connection, table: str, *, fails: bool) -> int | None:
    try:
        return schema.row_count(connection, table)
    except apsw.SQLError:
        if fails:
            return None
        raise
