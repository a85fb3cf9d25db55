"""Reads questions with their SQL as Spider and BIRD keep them: lists of objects in JSON, a database named by each.

The database is `<db_id>.sqlite` or `.db` anywhere below the folder, else `<db_id>.sql` or `<db_id>/schema.sql`, else
the tables that a `*tables.json` describes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .statements import Script, Statement, split

_TYPES = {"number": "NUMERIC", "time": "TEXT", "text": "TEXT", "boolean": "INTEGER"}


def scripts(folder: Path) -> Iterator[Script]:
    files = [(path, _objects(path)) for path in sorted(folder.rglob("*.json"))]
    described = {entry["db_id"]: entry for _, entries in files for entry in entries if "table_names_original" in entry}
    for path, entries in files:
        by_database: dict[str, list[Statement]] = {}
        for number, entry in enumerate(entries, 1):
            sql = entry.get("SQL") or entry.get("query")
            if isinstance(sql, str) and "db_id" in entry:
                by_database.setdefault(entry["db_id"], []).append(Statement(path, number, sql))
        for name, statements in by_database.items():
            yield _script(folder, path, name, statements, described)


def _script(folder: Path, path: Path, name: str, statements: list[Statement], described: dict[str, Any]) -> Script:
    script = Script(path, statements, database=_first(folder, f"{name}.sqlite", f"{name}.db"))
    if script.database is None:
        schema = _first(folder, f"{name}.sql", f"{name}/schema.sql")
        if schema is not None:
            script.schema = [part.sql for part in split(schema.read_text(encoding="utf-8", errors="replace"), schema)]
        elif name in described:
            script.schema = list(_tables(described[name]))
    return script


def _first(folder: Path, *patterns: str) -> Path | None:
    return next((found for pattern in patterns for found in sorted(folder.rglob(pattern))), None)


def _objects(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _tables(described: dict[str, Any]) -> Iterator[str]:
    """CREATE TABLE for each table, with types and primary keys; nothing is referred to, since nothing is inserted."""
    keys = {column for key in described.get("primary_keys", []) for column in (key if isinstance(key, list) else [key])}
    columns = list(enumerate(zip(described["column_names_original"], described["column_types"], strict=True)))
    for number, table in enumerate(described["table_names_original"]):
        own = [(at, name, kind) for at, ((of, name), kind) in columns if of == number]
        parts = [f"{_quoted(name)} {_TYPES.get(kind, '')}".strip() for _, name, kind in own]
        key = ", ".join(_quoted(name) for at, name, _ in own if at in keys)
        yield f"CREATE TABLE {_quoted(table)} ({', '.join([*parts, *([f'PRIMARY KEY ({key})'] if key else [])])})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
