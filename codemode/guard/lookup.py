"""What the database could offer instead of a name that it does not know: its tables, columns and functions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice

import apsw

from codemode.database import rules
from codemode.database.disk import may_be_at_limit
from codemode.database.names import quoted
from codemode.database.schema import TABLES
from codemode.guard.authorizer import Authorizer
from codemode.guard.policy import is_reserved
from codemode.patterns import pattern

MOST_NAMES = 60  # an error is read by a model: enough to choose from, not a catalogue
# Likeness takes the square of a name's length, and nothing can stop it: what is longer is like nothing.
_COMPARED_CHARACTERS = 128
_MISSPELT = 0.8  # two letters changed in ten
_COMPARED_NAMES = 1_000
_SEARCHED = 4_000  # characters of a statement in which names are looked for
_INSERTS = pattern(r"\b(?:insert|replace)\b", re.IGNORECASE)
_NAMES = pattern(r"[^\W\d][\w$]*|\"(?:[^\"]|\"\")+\"|\[[^\]]+\]|`[^`]+`")


def tables(connection: apsw.Connection) -> list[str]:
    """The user's tables and views."""
    with reading(connection):
        names = [str(row[0]) for row in connection.execute(TABLES, can_cache=False)]
    return [name for name in names if not is_reserved(name)]


def columns(connection: apsw.Connection, table: str) -> list[str]:
    """The columns of one table or view; none where it cannot be read."""
    return [name for name, _ in column_types(connection, table)]


def column_types(connection: apsw.Connection, table: str) -> list[tuple[str, str]]:
    """The columns of one table or view, with the types that they were declared with."""
    with reading(connection):
        found = connection.execute("SELECT name, type FROM pragma_table_xinfo(?)", (table,), can_cache=False)
        return [(str(name), str(kind)) for name, kind in found]


_PLAIN = (
    "SELECT 1 FROM main.sqlite_schema AS s, pragma_table_xinfo(?1) AS c WHERE s.type = 'table' AND s.name = ?1"
    " AND s.sql NOT LIKE 'create virtual%' AND c.name = ?2 COLLATE NOCASE AND c.hidden = 0"
)


def first_text(connection: apsw.Connection, table: str, column: str) -> str | None:
    """How a text of the column begins, in one of the first rows; None of what has to be computed, or is a view's."""
    with reading(connection), suppress(apsw.Error):
        if connection.execute(_PLAIN, (table, column), can_cache=False).fetchone() is not None:
            rows = f"SELECT {quoted(column)} AS x FROM {quoted(table)} LIMIT 5"  # noqa: S608 - quoted names
            sql = f"SELECT substr(x, 1, 20) FROM ({rows}) WHERE typeof(x) = 'text' LIMIT 1"  # noqa: S608 - as above
            found = connection.execute(sql, can_cache=False).fetchone()
            return None if found is None else str(found[0])
    return None


def tables_named_in(sql: str, connection: apsw.Connection) -> list[str]:
    """The tables whose names occur in `sql`, in the order in which they do: for suggestions, nothing more."""
    known = {name.lower(): name for name in tables(connection)}
    words = (found[0].strip('"[]`').lower() for found in _NAMES.finditer(sql[:_SEARCHED]))
    return list(dict.fromkeys(known[word] for word in words if word in known))


def out_of_numbers(sql: str, connection: apsw.Connection) -> str | None:
    """The table with AUTOINCREMENT that `sql` left without a row id, which SQLite calls full; None where the file is.

    It has undone the transaction by then, perhaps with the row of the largest id: what is far from full was not.
    """
    numbered = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE '%autoincrement%'"
    used_up = "SELECT name FROM main.sqlite_sequence WHERE seq = 9223372036854775807"
    with reading(connection):
        known = [str(row[0]) for row in connection.execute(numbered, can_cache=False)]
        named = [name for name in known if name.lower() in sql.lower()]
        over = [str(row[0]) for row in connection.execute(used_up, can_cache=False)] if named else []
        if (found := next((name for name in over if name in named), None)) is None and not may_be_at_limit(connection):
            # Of one that the transaction made, or that a trigger writes, the name is not known.
            found = named[0] if named else "a table" if _INSERTS.search(sql[:_SEARCHED]) else None
    return found


_BEHIND_A_TABLE = (
    "ON USING WHERE JOIN LEFT RIGHT INNER CROSS FULL NATURAL GROUP ORDER LIMIT SET"
    " UNION HAVING VALUES SELECT WINDOW FROM"
)
# A keyword is no alias, and must be left for the next match: in `a, name FROM t`, FROM begins one.
_SOURCE = pattern(
    r"(?:\b(?:FROM|JOIN|UPDATE|INTO)|,)\s+[\"`\[]?(\w+)[\"`\]]?"
    rf"(?:\s+(?:AS\s+)?(?!(?:{'|'.join(_BEHIND_A_TABLE.split())})\b)([A-Za-z_]\w*))?",
    re.IGNORECASE,
)


def aliases(sql: str, connection: apsw.Connection) -> list[tuple[str, str]]:
    """The tables of a statement in its order, each with the name under which the statement knows it."""
    known = {table.lower(): table for table in tables(connection)}
    found = []
    for table, alias in _SOURCE.findall(sql[:_SEARCHED]):
        if table.lower() in known:
            found.append((alias or table, known[table.lower()]))
    return list(dict.fromkeys(found))


_FULL_TEXT = pattern(r"using\s+fts5\b", re.IGNORECASE)
_CONTENT = pattern(r"\bcontent\s*=\s*['\"]?(\w+)", re.IGNORECASE)


def full_text_tables(name: str, sql: str, connection: apsw.Connection) -> list[str]:
    """The full-text table that `name` means in `sql`: the one of that alias, or those over the table of that name."""
    meant = next((table for alias, table in aliases(sql, connection) if alias.lower() == name.lower()), name).lower()
    with reading(connection):
        found = "SELECT name, sql FROM main.sqlite_schema WHERE sql LIKE 'create virtual table%'"
        made = [(str(table), str(text)) for table, text in connection.execute(found, can_cache=False)]
    texts = [(table, _CONTENT.search(text)) for table, text in made if _FULL_TEXT.search(text)]
    return [table for table, of in texts if table.lower() == meant or (of and of[1].lower() == meant)]


def conflict_targets(table: str, connection: apsw.Connection) -> list[str]:
    """The unique keys of `table` as ON CONFLICT names them."""
    with reading(connection):
        return [key.target for key in rules.unique_keys(connection, table)][:MOST_NAMES]


def owners(column: str, sql: str, connection: apsw.Connection) -> list[str]:
    """The names under which a statement knows the tables that have `column`, in its order."""
    lowered = column.lower()
    return [name for name, table in aliases(sql, connection) if lowered in map(str.lower, columns(connection, table))]


def keys_of(name: str, used: Iterable[str], connection: apsw.Connection) -> list[str]:
    """Where `name` is a table's in singular (`airline`), the columns that it shares with the tables `used`."""
    wanted, here = name.lower().removesuffix("_id").removesuffix("_code"), list(used)
    known = tables(connection)
    table = next((each for each in known if each.lower() in (f"{wanted}s", f"{wanted}es", wanted)), None)
    if table is None or table in here:
        return []
    theirs = {column.lower() for column in columns(connection, table)}
    return [column for each in here for column in columns(connection, each) if column.lower() in theirs][:2]


def closest(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names most like `name`, compared without case; those that contain it, or are contained, count as like."""
    if len(name) > _COMPARED_CHARACTERS:
        return []
    short = (candidate for candidate in names if len(candidate) <= _COMPARED_CHARACTERS)
    by_lower = {candidate.lower(): candidate for candidate in islice(short, _COMPARED_NAMES)}
    wanted = name.lower()
    found = difflib.get_close_matches(wanted, by_lower, n=most, cutoff=0.6)
    parts = [word for word in by_lower if len(wanted) > 2 and (wanted in word or (len(word) > 2 and word in wanted))]
    return [by_lower[word] for word in dict.fromkeys(found + sorted(parts, key=len))][:most]


def misspelt(name: str, names: Iterable[str]) -> list[str]:
    """At most three names of which `name` is a misspelling, best first: less like them than that is another name."""
    return difflib.get_close_matches(name.lower()[:_COMPARED_CHARACTERS], list(names), cutoff=_MISSPELT)


def argument_counts(name: str, connection: apsw.Connection) -> list[int]:
    """How many arguments a function of SQLite's takes; none where it takes any number."""
    with reading(connection):
        # A short program: this may be asked while a statement is prepared under a small bound on its operations.
        sql = "SELECT narg FROM pragma_function_list WHERE name = ? COLLATE NOCASE"
        counts = sorted({int(row[0]) for row in connection.execute(sql, (name,), can_cache=False)})
    return [] if any(count < 0 for count in counts) else counts


@contextmanager
def reading(connection: apsw.Connection) -> Iterator[None]:
    """Let the engine's own look-ups pass; they are not cached, so that no user's text finds them prepared."""
    decide = connection.authorizer
    authorizer = getattr(decide, "__self__", None)
    if not isinstance(authorizer, Authorizer):
        yield
        return
    before, authorizer.engine = authorizer.engine, True
    try:
        yield
    finally:
        authorizer.engine = before
