"""The reserved part of the schema, before and after a schema statement: it must not change.

Here because the authorizer is never told some names: what ALTER TABLE … RENAME TO gives, what a virtual table's
shadow tables become, which table a foreign key refers to.
"""

from __future__ import annotations

from typing import Any

import apsw

from codemode.guard.policy import is_reserved, reserved
from codemode.guard.refusals import TEMP, Violation

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


class ReservedSchema:
    """What the schema holds under reserved names; its queries run with the engine's rights."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._before: list[Row] = []

    def remember(self) -> None:
        """Keep the reserved part as it is now."""
        self._before = self._reserved()

    def violation(self) -> Violation | None:
        """What was taken or changed since `remember`, if anything."""
        now = self._reserved()
        if now != self._before:
            changed = next((row for row in now if row not in self._before), None) or self._before[0]
            if changed[0] == "temp":
                return TEMP  # `CREATE TRIGGER temp.x … ON main.t` is an ordinary trigger to the authorizer
            return reserved(changed[2] if is_reserved(changed[2]) else changed[3])
        for child, parent in self._query(_REFERENCES):
            if is_reserved(parent):
                return Violation(
                    "reserved",
                    f"{child} refers to {parent}, which belongs to the engine: rows there could not be deleted",
                    "keep the key as an ordinary column, without REFERENCES",
                )
        return None

    def _reserved(self) -> list[Row]:
        """Everything that has a reserved name or sits on one, and everything temporary: users have nothing there."""
        rows = self._query(_OBJECTS)
        return sorted((row for row in rows if row[0] == "temp" or is_reserved(row[2]) or is_reserved(row[3])), key=repr)

    def _query(self, sql: str) -> list[Any]:
        return self._connection.execute(sql, can_cache=False).fetchall()
