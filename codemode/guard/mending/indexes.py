"""Mends of indexes that SQLite has no word for: full text, and columns that are only carried along."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.database.rules import written
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.definitions import free_name, taken_names

_TEXT_INDEX = re.compile(
    r"\s*CREATE\s+INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?\S+\s+ON\s+[\"`\[]?(\w+)[\"`\]]?\s+"
    r"USING\s+GI(?:N|ST)\s*\(\s*to_tsvector\s*\((.*)\)\s*\)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CARRIED = re.compile(r"(\s*CREATE\s+INDEX\s.*)\)\s*INCLUDE\s*\((.*)\)\s*;?\s*", re.IGNORECASE | re.DOTALL)


def full_text_as_sqlite_has_it(broken: Broken) -> Iterator[str]:
    """An index on to_tsvector(a, b): a table of fts5 over the same columns, kept in step by triggers, and filled."""
    found = _TEXT_INDEX.fullmatch(broken.sql)
    if found is None:
        return
    known = {table.lower(): table for table in broken.tables()}
    table = known.get(found[1].lower())
    if table is None:
        return
    words = {name.lower() for name in re.findall(r"[A-Za-z_]\w*", re.sub(r"'[^']*'", "", found[2]))}
    columns = [name for name in broken.columns(table) if name.lower() in words]
    if columns:
        yield _full_text(broken, table, columns)


def _full_text(broken: Broken, table: str, columns: list[str]) -> str:
    name = free_name(f"{table}_fts", table, taken_names(broken))
    of, listed = written(table), ", ".join(map(written, columns))
    old, new = (", ".join(f"{row}.{written(column)}" for column in columns) for row in ("old", "new"))
    forget = f"INSERT INTO {name} ({name}, rowid, {listed}) VALUES ('delete', old.rowid, {old});"
    take = f"INSERT INTO {name} (rowid, {listed}) VALUES (new.rowid, {new});"
    return ";\n".join((
        f"CREATE VIRTUAL TABLE {name} USING fts5({listed}, content='{table}', content_rowid='rowid')",
        f"CREATE TRIGGER {name}_insert AFTER INSERT ON {of} BEGIN {take} END",
        f"CREATE TRIGGER {name}_delete AFTER DELETE ON {of} BEGIN {forget} END",
        f"CREATE TRIGGER {name}_update AFTER UPDATE ON {of} BEGIN {forget} {take} END",
        f"INSERT INTO {name} ({name}) VALUES ('rebuild')",
    ))  # fmt: skip


def with_its_columns_last(broken: Broken) -> Iterator[str]:
    """INCLUDE (b): columns at the end of the index, which holds them too."""
    if found := _CARRIED.fullmatch(broken.sql):
        yield f"{found[1].rstrip()}, {found[2].strip()})"
