"""Mends of names: a column, a table or a function that is not there, and one that is there twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.database.rules import written
from codemode.guard import lookup
from codemode.guard.mending.broken import OWN_TABLES, Broken
from codemode.guard.mending.tokens import is_blank, preceding, replaced, tokens, word


def with_the_closest_name(broken: Broken) -> Iterator[str]:
    """The name that was most likely meant, in the place of the one that SQLite did not find."""
    name = broken.missing_name
    if (
        name is None
        or broken.destroys
        or not broken.error.did_you_mean
        or not broken.error.code.startswith("sql.no_such")
    ):
        return
    for meant in broken.error.did_you_mean[:2]:
        yield "".join(
            written(meant) if part.strip('"`[]').lower() == name.lower() and not is_blank(part) else part
            for part in tokens(broken.sql)
        )


def without_the_schema(broken: Broken) -> Iterator[str]:
    """`public.flights`, `dbo.flights`, `project.dataset.flights`: a session has one database."""
    if broken.error.code not in ("sql.no_such_table", "sql.runtime", "sql.refused"):
        return
    known = "|".join(re.escape(name) for name in broken.tables())
    if known:
        pattern = rf"(?:`(?:[\w-]+\.)+({known})`|(?<![\w.])(?:[\w\[\]\"]+\.){{1,2}}[\[\"]?({known})[\]\"]?(?![\w.]))"
        yield re.sub(pattern, lambda m: m[1] or m[2], broken.sql, flags=re.IGNORECASE)


def with_the_column_s_own_table(broken: Broken) -> Iterator[str]:
    """`p.carrier` where only another table of the statement has a column of that name."""
    found = re.search(r"no such column: (\w+)\.(\w+)$", broken.error.message)
    if found is None:
        return
    for alias, table in lookup.aliases(broken.sql, broken.connection):
        if found[2].lower() in (column.lower() for column in broken.columns(table)):
            yield replaced(rf"\b{found[1]}\.{found[2]}\b", f"{alias}.{found[2]}", broken.sql)


def with_the_table_before_it(broken: Broken) -> Iterator[str]:
    """An ambiguous column, with the first of the tables that have it."""
    found = re.search(r"ambiguous column name: (\w+)$", broken.error.message)
    if found is None:
        return
    parts = tokens(broken.sql)
    for owner in lookup.owners(found[1], broken.sql, broken.connection):
        changed = [
            f"{owner}.{part}" if part.lower() == found[1].lower() and _is_bare(parts, at) else part
            for at, part in enumerate(parts)
        ]
        yield "".join(changed)


def _is_bare(parts: list[str], at: int) -> bool:
    return word(parts, preceding(parts, at)) not in (".", "AS") and word(parts, at + 1) not in (".", "(")


_CATALOGUES = {"information_schema.tables": "table_name", "pg_catalog.pg_tables": "tablename", "pg_tables": "tablename"}


def from_the_catalogue(broken: Broken) -> Iterator[str]:
    """Questions to information_schema, asked of SQLite's own."""
    for catalogue, column in _CATALOGUES.items():
        if catalogue in broken.sql.lower():
            yield OWN_TABLES.format(column)
    table = re.search(r"\btable_name\s*=\s*'(\w+)'", broken.sql, re.IGNORECASE)
    if table and re.search(r"information_schema\.columns", broken.sql, re.IGNORECASE):
        asked = re.search(r"SELECT\s+(.*?)\s+FROM\b", broken.sql, re.IGNORECASE | re.DOTALL)
        names = {"column_name": "name AS column_name", "data_type": "type AS data_type"}
        wanted = [names.get(item.strip().lower()) for item in (asked[1] if asked else "").split(",")]
        listed = ", ".join(filter(None, wanted)) if all(wanted) else "*"
        yield f"SELECT {listed} FROM pragma_table_info('{table[1]}')"
