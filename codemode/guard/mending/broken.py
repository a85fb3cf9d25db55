"""A statement that failed, with its error and what a mend may ask the session about."""

from __future__ import annotations

import re
from dataclasses import dataclass

import apsw

from codemode.errors import CodemodeError
from codemode.guard import lookup

_MISSING = re.compile(r"(?:no such (?:column|table|function): |has no column named )(?P<name>.+)$")
_WRITTEN = re.compile(
    r"\b(?:INTO|UPDATE|FROM|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\.)?([\w\"`\[\]]+)", re.IGNORECASE
)
OWN_TABLES = (
    "SELECT name AS {0} FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE '\\_%' ESCAPE '\\' AND name <> 'session_state' ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Broken:
    """One failed statement."""

    sql: str
    error: CodemodeError
    connection: apsw.Connection

    @property
    def destroys(self) -> bool:
        """Whether it removes without asking which rows: no name in it may be guessed."""
        text = self.sql.lstrip().upper()
        return text.startswith(("DROP", "TRUNCATE")) or (text.startswith("DELETE") and "WHERE" not in text)

    @property
    def missing_name(self) -> str | None:
        """The name that SQLite did not find, without its table and quotes."""
        found = _MISSING.search(self.error.message)
        if found is None:
            return None
        name = found["name"]
        return name[1:-1] if name[:1] == name[-1:] == '"' else name.rpartition(".")[2]

    def table_written(self) -> str | None:
        """The table that the statement writes to, or reads first."""
        found = _WRITTEN.search(self.sql)
        if found is None:
            return None
        name = found[1].strip('"`[]').lower()
        return next((table for table in self.tables() if table.lower() == name), None)

    def tables(self) -> list[str]:
        """The session's tables and views."""
        return lookup.tables(self.connection)

    def names(self) -> list[str]:
        """The names of everything that the session's schema holds."""
        with lookup.reading(self.connection):
            found = self.connection.execute("SELECT name FROM main.sqlite_schema", can_cache=False)
            return [str(row[0]) for row in found]

    def definition(self, name: str) -> str | None:
        """The statement that made an object of the schema."""
        with lookup.reading(self.connection):
            sql = "SELECT sql FROM main.sqlite_schema WHERE name = ? COLLATE NOCASE"
            found = self.connection.execute(sql, (name,), can_cache=False).fetchone()
            return str(found[0]) if found and found[0] else None

    def columns(self, table: str) -> list[str]:
        """The columns of a table."""
        return lookup.columns(self.connection, table)
