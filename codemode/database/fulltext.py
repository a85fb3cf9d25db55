"""Bounds the parts of FTS5 that nothing can stop: two of its functions, and the reading of a long query.

Taken away are snippet() and highlight() on a long document.

The guard refuses them by name, but FTS5 also calls them by a name that is data: `rank MATCH 'highlight(0, …)'` in a
query, or 'rank' in the table's own configuration. No authorizer hears of that, so the functions themselves refuse.

A query is read in the square of its number of words, in one operation: 100,000 words take 20 s, so long queries are
refused. The length seen is that of the statement and its parameters; the guard shortens the values of a statement
that computes its query (guard/weight.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from codemode.database.values import longest
from codemode.errors import StatementLimit

QUERY_CHARACTERS = 32_000
_ANY_FULL_TEXT = """
    SELECT 1 FROM main.sqlite_schema AS found JOIN json_each(?) AS used ON used.value = found.name COLLATE NOCASE
    WHERE found.type = 'table' AND found.sql LIKE 'create virtual table%using%fts5%'
"""

UNSTOPPABLE = ("snippet", "highlight")


def refuse_unstoppable(connection: apsw.Connection) -> None:
    """Put functions that only refuse in the place of those; FTS5 finds the newest of a name."""
    try:
        for name in UNSTOPPABLE:
            connection.register_fts5_function(name, _refusing(name))
    except apsw.NoFTS5Error:
        next(connection.execute("SELECT 1 FROM sqlite_schema", can_cache=False), None)  # raises what is wrong with it
        raise


def _refusing(name: str) -> Any:
    def refuse(_api: object, *_arguments: object) -> None:
        raise apsw.SQLError(f"{name}() is not available: on long documents it cannot be stopped")

    return refuse


def may_be_long_query(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> bool:
    """Whether the statement or a parameter is too long for a full-text query, if it should be one."""
    return len(sql) > QUERY_CHARACTERS or longest(params) > QUERY_CHARACTERS


def refuse_long_query(connection: apsw.Connection, tables_read: tuple[str, ...]) -> None:
    """Raise StatementLimit where one of `tables_read` is a full-text table; runs with the engine's rights."""
    if connection.execute(_ANY_FULL_TEXT, (json.dumps(tables_read),), can_cache=False).get is not None:
        raise StatementLimit(
            f"a full-text search takes a statement and values of {QUERY_CHARACTERS:,} characters at most",
            hint="search for fewer words at a time; write documents with INSERT or UPDATE … WHERE rowid = ?",
        )
