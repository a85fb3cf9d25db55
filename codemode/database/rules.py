"""The rules of a table in words that a definition says them in: its CHECKs, its unique keys, what partial indexes hold.

SQLite tells these only as text, so the text is read: its tokens, never more than what stands between two brackets.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import apsw

from codemode.database.names import folded, quoted
from codemode.database.script import COMMENT, QUOTED
from codemode.patterns import pattern

_PLAIN = pattern(r"[A-Za-z_]\w*")
_LONGEST = 20_000  # characters of a definition that are read
_QUOTED = pattern(QUOTED)
_TOKEN = pattern(rf"{COMMENT}|{QUOTED}|[^\W\d][\w$]*+|\s++|[\s\S]")
_ONE = r"(?:'(?:[^']|'')*'|[+-]?\d+(?:\.\d+)?)"
_LIST = pattern(
    rf"(?:(?P<null>[\w\"`\[\]]+)\s+IS\s+NULL\s+OR\s+)?[\"`\[]?(?P<column>\w+)[\"`\]]?"
    rf"\s+IN\s*\(\s*(?P<values>{_ONE}(?:\s*,\s*{_ONE})*)\s*\)",
    re.IGNORECASE,
)


class Check(NamedTuple):
    """A CHECK of a table: the name that its constraint has, if one, and what has to hold."""

    name: str | None
    rule: str

    @property
    def called(self) -> str:
        """What SQLite calls it: its name, else its text, of one that begins with a quoted word that word alone."""
        return self.name or _unquoted(self.rule)

    @property
    def values(self) -> tuple[str, list[str]] | None:
        """The column and the values, as SQL writes them, where the rule is a list of those allowed."""
        found = _LIST.fullmatch(self.rule)
        return (found["column"], re.findall(_ONE, found["values"])) if found else None


class Key(NamedTuple):
    """What an index is on: its columns, None for an expression, and which rows it holds, "" for all."""

    columns: tuple[str | None, ...]
    where: str
    sql: str  # as it was made; "" for a constraint of the table

    @property
    def target(self) -> str:
        """What it is on, as ON CONFLICT names a unique one."""
        on = _listed(self.sql) if self.sql else f"({', '.join(map(written, filter(None, self.columns)))})"
        return f"{on} WHERE {self.where}" if self.where else on


def checks(connection: apsw.Connection, table: str) -> list[Check]:
    """The CHECKs of `table`, in the order of its definition."""
    return checks_in(_definition(connection, table))


def checks_in(definition: str) -> list[Check]:
    """The CHECKs of a CREATE TABLE."""
    parts = _parts(definition)
    found, at = [], 0
    while at < len(parts):
        closed = _closing(parts, at + 1) if parts[at][0].upper() == "CHECK" else None
        if closed is not None:
            named = at > 1 and parts[at - 2][0].upper() == "CONSTRAINT"
            rule = definition[parts[at + 1][1] + 1 : parts[closed][1]].strip()
            found.append(Check(_unquoted(parts[at - 1][0]) if named else None, rule))
        at = at + 1 if closed is None else closed + 1
    return found


def where(definition: str) -> str:
    """Which rows a CREATE INDEX takes: what stands behind its WHERE, "" where it takes all."""
    parts, depth = _parts(definition), 0
    for word, at in parts:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word.upper() == "WHERE":
            return definition[at + len(word) :].strip().rstrip(";").strip()
    return ""


def unique_keys(connection: apsw.Connection, table: str) -> list[Key]:
    """What no two rows of `table` may share: the primary key, UNIQUE constraints and unique indexes."""
    rowid = connection.execute(
        "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 AND NOT EXISTS"
        " (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')",
        (table,),
        can_cache=False,
    ).fetchall()
    keys = [Key((str(name),), "", "") for (name,) in rowid]
    indexes: list[Any] = connection.execute(
        "SELECT i.name, coalesce(m.sql, '') FROM pragma_index_list(?) AS i"
        ' LEFT JOIN sqlite_schema AS m ON m.name = i.name WHERE i."unique" ORDER BY i.seq DESC',
        (table,),
        can_cache=False,
    ).fetchall()
    for name, sql in indexes:
        keys.append(index(connection, name, sql))
    return keys


def index(connection: apsw.Connection, name: str, sql: str) -> Key:
    """What the index `name` is on; `sql` made it."""
    held = connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (name,), can_cache=False)
    return Key(tuple(column for (column,) in held), where(sql), sql)


def key_of(connection: apsw.Connection, table: str, columns: tuple[str, ...]) -> Key | None:
    """The unique key on exactly these columns, one that holds all rows before a partial one."""
    wanted = set(map(folded, columns))
    fitting = [key for key in unique_keys(connection, table) if {folded(str(name)) for name in key.columns} == wanted]
    return min(fitting, key=lambda key: bool(key.where), default=None)


def written(name: str) -> str:
    """`name` as people write it in SQL: quoted only where it has to be."""
    return name if _PLAIN.fullmatch(name) and name.upper() not in apsw.keywords else quoted(name)


def _unquoted(text: str) -> str:
    """`text`, or where it begins with a quoted word what stands between the quotes, as SQLite reads a name."""
    found = _QUOTED.match(text)
    return text if found is None else found[0][1:-1].replace(found[0][-1] * 2, found[0][-1])


def _definition(connection: apsw.Connection, table: str) -> str:
    sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE"
    found: Any = connection.execute(sql, (table,), can_cache=False).fetchone()
    return str(found[0])[:_LONGEST] if found and found[0] else ""


def _listed(definition: str) -> str:
    """The brackets of a CREATE INDEX with what it is on."""
    parts = _parts(definition)
    opened = next((at for at, (word, _) in enumerate(parts) if word == "("), len(parts))
    closed = _closing(parts, opened)
    return definition[parts[opened][1] : parts[closed][1] + 1] if closed is not None else ""


def _parts(text: str) -> list[tuple[str, int]]:
    """The tokens of `text` with where they begin, blanks and comments left out."""
    found = ((match[0], match.start()) for match in _TOKEN.finditer(text[:_LONGEST]))
    return [(word, at) for word, at in found if not word.isspace() and not word.startswith(("--", "/*"))]


def _closing(parts: list[tuple[str, int]], opened: int) -> int | None:
    """Where the bracket that begins at `opened` ends; None where none begins or none ends."""
    depth = 0
    for at in range(opened, len(parts)):
        depth += {"(": 1, ")": -1}.get(parts[at][0], 0)
        if depth == 0:
            return at if at > opened else None
    return None
