"""The session's virtual tables, as far as the guard has to know them: which there are, and that rtree is connected."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import apsw

from codemode.database.names import folded, quoted
from codemode.guard.authorizer import Event, action_code
from codemode.patterns import pattern

_READ = action_code("READ")
_RANK = pattern("rank|bm25", re.IGNORECASE)
_ALL = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE 'create virtual table%'"
_RANKING = """
    SELECT 1 FROM main.sqlite_schema WHERE type IN ('view', 'trigger') AND (sql LIKE '%rank%' OR sql LIKE '%bm25%')
"""
_BOXES = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE 'create virtual table%using%rtree%'"


class VirtualTables:
    """Looks into the schema when it is asked, with the rights that `engine` lends for the while of a block."""

    def __init__(self, connection: apsw.Connection, engine: Callable[[], AbstractContextManager[object]]) -> None:
        self._connection = connection
        self._engine = engine
        self._names: frozenset[str] | None = None
        self._ranking: bool | None = None  # whether a view or a trigger does

    def forget(self) -> None:
        """The schema may have changed: look again when somebody asks."""
        self._names, self._ranking = None, None

    def is_read(self, events: list[Event]) -> bool:
        """Whether one is read: it may be a full-text search, whose query is read at once."""
        names = self._names
        if names is None:
            with self._engine():
                rows = self._connection.execute(_ALL, can_cache=False).fetchall()
            names = self._names = frozenset(folded(str(row[0])) for row in rows)
        return bool(names) and any(event[0] == _READ and folded(str(event[1])) in names for event in events)

    def may_rank(self, text: str) -> bool:
        """Whether the statement `text` may ask how well rows match a full-text query.

        By the words: of `JOIN docs USING (rank)` SQLite does not tell the authorizer that it reads the column.
        """
        if _RANK.search(text):
            return True
        if self._ranking is None:
            with self._engine():
                self._ranking = bool(self._connection.execute(_RANKING, can_cache=False).fetchall())
        return self._ranking

    def connect(self) -> bool:
        """Connect the rtree tables under the engine's rights, and say whether there are any.

        The first statement of a connection that names one, a SELECT too, makes rtree prepare its own INSERTs, which
        the authorizer refuses a SELECT.
        """
        with self._engine():
            names = [str(row[0]) for row in self._connection.execute(_BOXES, can_cache=False).fetchall()]
            for name in names:
                self._connection.execute(f"SELECT 1 FROM main.{quoted(name)} LIMIT 0", can_cache=False)  # noqa: S608
        return bool(names)
