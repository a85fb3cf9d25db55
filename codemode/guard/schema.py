"""The reserved part of the schema, before and after a schema statement: it must not change.

Here because the authorizer is never told some names: what ALTER TABLE … RENAME TO gives, what a virtual table's
shadow tables become, which table a foreign key refers to. And because a column's type is only known afterwards:
SERIAL and its like number rows in other databases and are a type like any other to SQLite, so that ids stay NULL.
"""

from __future__ import annotations

import re
from typing import Any

import apsw

from codemode.database.names import folded, quoted
from codemode.guard.policy import is_reserved, reserved
from codemode.guard.refusals import TEMP, Violation
from codemode.patterns import pattern

Row = tuple[str, str, str, str, int, str | None]

_OBJECTS = """
    SELECT 'main', type, name, tbl_name, rootpage, sql FROM main.sqlite_schema
    UNION ALL SELECT 'temp', type, name, tbl_name, rootpage, sql FROM temp.sqlite_schema
"""
_REFERENCES = """
    SELECT child.name, link."table"
    FROM main.sqlite_schema AS child, pragma_foreign_key_list(child.name, 'main') AS link
    WHERE child.type = 'table' AND child.sql LIKE '%references%'
"""
_INDEXED = "SELECT name, tbl_name FROM main.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
_FULL_TEXT = "SELECT name FROM main.sqlite_schema WHERE sql LIKE 'create virtual table%fts5%'"
_PARTS = ("_data", "_idx", "_content", "_docsize", "_config")  # of a full-text table: what it keeps its words in
# The type is whatever stands before the first constraint: "INT AUTO_INCREMENT", "INT IDENTITY(1, 1)".
_UNNUMBERED = """
    SELECT made.name, info.name, info.type
    FROM main.sqlite_schema AS made, pragma_table_info(made.name, 'main') AS info
    WHERE made.type = 'table'
        AND (made.sql LIKE '%serial%' OR made.sql LIKE '%auto%increment%' OR made.sql LIKE '%identity%')
"""
_SIZES = """
    SELECT ifnull(sum(octet_length(sql)), 0),
        count(*) FILTER (WHERE type = 'table' AND sql LIKE 'create virtual table%')
    FROM main.sqlite_schema
"""
# SQLite looks each place of a name up among all words of the definition, in one step: 100,000 bytes take 8 s.
RENAMED_BYTES = 50_000
_LONGEST = "SELECT octet_length(sql), type, name FROM main.sqlite_schema ORDER BY 1 DESC LIMIT 1"
# Every connection holds all definitions in memory, up to 9 bytes for one of the text, and all sessions share SQLite's.
MOST_DEFINITION_BYTES = 4_000_000
# Full-text tables whose content is in one another are read in one another, each on a kilobyte of the thread's stack:
# thousands of them end the process.
MOST_VIRTUAL_TABLES = 500
# SQLite weighs each index of a table for each condition on it, while it plans, and heeds no interrupt among ORs: a join
# of sixty with thousands of conditions took minutes with 200 of them, and hours with thousands.
MOST_INDEXES = 64
_INDEXES = (
    "SELECT count(*), tbl_name FROM main.sqlite_schema WHERE type = 'index' GROUP BY tbl_name ORDER BY 1 DESC LIMIT 1"
)
_NUMBERS = pattern(r"\A(?:small|big)?serial[248]?\Z|\b(?:auto_?increment|identity)\b", re.IGNORECASE)


class ReservedSchema:
    """What the schema holds under reserved names; its queries run with the engine's rights."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._before: list[Row] = []
        self._unnumbered_before: list[tuple[str, str, str]] = []
        self._sizes_before = (0, 0)
        self._indexes_before = 0

    def remember(self) -> None:
        """Keep the reserved part as it is now."""
        self._before = self._reserved()
        self._unnumbered_before = self._unnumbered()
        self._sizes_before = self._sizes()
        self._indexes_before = self._most_indexed()[0]

    def violation(self) -> Violation | None:
        """What was taken or changed since `remember`, if anything."""
        now = self._reserved()
        if now != self._before:
            changed = next((row for row in now if row not in self._before), None) or self._before[0]
            if changed[0] == "temp":
                return TEMP  # `CREATE TRIGGER temp.x … ON main.t` is an ordinary trigger to the authorizer
            return reserved(changed[2] if is_reserved(changed[2]) else changed[3])
        references = self._query(_REFERENCES)
        for child, parent in references:
            if is_reserved(parent):
                return Violation(
                    "reserved",
                    f"{child} refers to {parent}, which belongs to the engine: rows there could not be deleted",
                    "keep the key as an ordinary column, without REFERENCES",
                )
        if (found := self._on_a_part(references)) is not None:
            return found
        made = [column for column in self._unnumbered() if column not in self._unnumbered_before]
        return _stays_null(made[0]) if made else self._too_much()

    def too_long_to_rename(self) -> Violation | None:
        """The definition, if any, that is so long that nothing could stop a rename while it reads it."""
        for size, kind, name in self._query(_LONGEST):
            if (size or 0) > RENAMED_BYTES:
                way = (
                    "copy its rows into a new one" if kind == "table" else f"drop {name}, and create it anew afterwards"
                )
                message = f"names cannot be changed while the {kind} {name} has more than {RENAMED_BYTES:,} bytes"
                return Violation("size", f"{message} of definition", way)
        return None

    def _on_a_part(self, references: list[tuple[str, str]]) -> Violation | None:
        """An index on what FTS5 keeps its words in, or a foreign key to it, ends the process at the next write.

        SQLite refuses writes and triggers there, and neither of these.
        """
        parts = {folded(f"{owner}{part}"): owner for (owner,) in self._query(_FULL_TEXT) for part in _PARTS}
        for name, table in [*self._query(_INDEXED), *references] if parts else ():
            if (owner := parts.get(folded(table))) is not None:
                return Violation(
                    "reserved", f"{name} is on {table}, where the full-text table {owner} keeps its words",
                    "put what is to be indexed or referred to into a table of your own",
                )  # fmt: skip
        return None

    def _too_much(self) -> Violation | None:
        (size, virtual), (size_before, virtual_before) = self._sizes(), self._sizes_before
        if size > max(MOST_DEFINITION_BYTES, size_before):
            message = f"the session's tables, views and triggers would have more than {MOST_DEFINITION_BYTES:,} bytes"
            return Violation("size", f"{message} of definitions", "drop some; what is long belongs into rows")
        if virtual > max(MOST_VIRTUAL_TABLES, virtual_before):
            message = f"a session has {MOST_VIRTUAL_TABLES} virtual tables at most"
            return Violation("size", message, "drop some; one full-text table has many documents and columns")
        indexes, table = self._most_indexed()
        if indexes > max(MOST_INDEXES, self._indexes_before):
            message = f"{table} would have more than {MOST_INDEXES} indexes, with those of UNIQUE and PRIMARY KEY"
            return Violation("size", message, "drop those that no statement uses: helpers.db.explain(sql) tells")
        return None

    def _most_indexed(self) -> tuple[int, str]:
        """The number of indexes of the table that has the most."""
        return next(iter(self._query(_INDEXES)), (0, ""))

    def _sizes(self) -> tuple[int, int]:
        """The bytes of all definitions, and the number of virtual tables."""
        [(size, virtual)] = self._query(_SIZES)
        return size, virtual

    def _unnumbered(self) -> list[tuple[str, str, str]]:
        """(table, column, type) of columns whose type promises numbers that SQLite does not give."""
        return [column for column in self._query(_UNNUMBERED) if _NUMBERS.search(column[2])]

    def _reserved(self) -> list[Row]:
        """Everything that has a reserved name or sits on one, and everything temporary: users have nothing there."""
        rows = self._query(_OBJECTS)
        return sorted((row for row in rows if row[0] == "temp" or is_reserved(row[2]) or is_reserved(row[3])), key=repr)

    def _query(self, sql: str) -> list[Any]:
        return self._connection.execute(sql, can_cache=False).fetchall()


def _stays_null(column: tuple[str, str, str]) -> Violation:
    table, name, kind = column
    return Violation(
        "numbering", f"{table}.{name} would stay NULL: to SQLite {kind} is a type that numbers nothing",
        f"write {quoted(name)} INTEGER PRIMARY KEY, and leave it out of INSERT: SQLite numbers the rows",
    )  # fmt: skip
