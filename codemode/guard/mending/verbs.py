"""Mends of statements that a session does not run: what they ask for, asked in a way that it does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.database.names import literal
from codemode.database.script import statements
from codemode.guard.mending.broken import OWN_TABLES, Broken

_TABLE = r"[\"'`\[(]?\s*[\"'`]?(?P<table>\w+)[\"'`\])]*\s*[\"')]*\s*;?\s*\Z"
_COLUMNS = "SELECT * FROM pragma_table_info({table})"
_INDEXES = "SELECT * FROM pragma_index_list({table})"
_DEFINITION = "SELECT sql FROM sqlite_schema WHERE name = {table}"
# What other databases and SQLite's shell say, and the query that answers it; {table} is the name as a text.
_QUESTIONS: tuple[tuple[str, str], ...] = (
    (r"SHOW\s+(?:FULL\s+)?TABLES\b.*", OWN_TABLES.format("name")),
    (r"\.tables?\b.*|\\d[t+]?\s*\Z|PRAGMA\s+table_list\s*;?\s*\Z", OWN_TABLES.format("name")),
    (rf"SHOW\s+(?:FULL\s+)?(?:COLUMNS|FIELDS)\s+(?:FROM|IN)\s+{_TABLE}", _COLUMNS),
    (rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?{_TABLE}", _COLUMNS),
    (rf"\\d\+?\s+{_TABLE}", _COLUMNS),
    (rf"PRAGMA\s+(?:main\.)?table_x?info\s*=?\s*{_TABLE}", _COLUMNS),
    (rf"PRAGMA\s+(?:main\.)?index_list\s*=?\s*{_TABLE}", _INDEXES),
    (rf"SHOW\s+(?:INDEX|INDEXES|KEYS)\s+(?:FROM|IN|ON)\s+{_TABLE}", _INDEXES),
    (rf"PRAGMA\s+(?:main\.)?foreign_key_list\s*=?\s*{_TABLE}", "SELECT * FROM pragma_foreign_key_list({table})"),
    (rf"(?:\.schema|SHOW\s+CREATE\s+(?:TABLE|VIEW))\s+{_TABLE}", _DEFINITION),
    (r"\.schema\s*\Z", "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'session_state'"),
    (r"\.indexes\s*\Z|\.indices\s*\Z", "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index'"),
)
# Whole statements under another name.
_OTHER_WORDS: tuple[tuple[str, str], ...] = (
    (r"\ATRUNCATE\s+(?:TABLE\s+)?(\S+)\s*\Z", r"DELETE FROM \1"),
    (r"\AEXPLAIN\s+(?:ANALYZE|EXTENDED|FORMAT\s*=\s*\w+)\s+(?=\w)", "EXPLAIN QUERY PLAN "),
    (r"\ACREATE\s+(?:GLOBAL\s+|LOCAL\s+)?TEMP(?:ORARY)?\s+", "CREATE "),
    (r"\ACREATE\s+UNLOGGED\s+", "CREATE "),
    (r"\ACREATE\s+MATERIALIZED\s+VIEW\s+", "CREATE TABLE "),
    (r"\ACREATE\s+OR\s+REPLACE\s+(?:TEMP(?:ORARY)?\s+)?(VIEW|TABLE)\s+(\S+)", r"DROP \1 IF EXISTS \2;\nCREATE \1 \2"),
    (r"\ARENAME\s+TABLE\s+(\S+)\s+TO\s+(\S+)\s*\Z", r"ALTER TABLE \1 RENAME TO \2"),
    (r"\ADROP\s+INDEX\s+(?:CONCURRENTLY\s+)?((?:IF\s+EXISTS\s+)?\S+)\s+ON\s+\S+\s*\Z", r"DROP INDEX \1"),
    (r"\AINSERT\s+OVERWRITE\s+(?:TABLE\s+|INTO\s+)?(\S+)", r"DELETE FROM \1;\nINSERT INTO \1"),
    (r"\ACREATE\s+TABLE\s+((?:IF\s+NOT\s+EXISTS\s+)?\S+)\s+\(?\s*LIKE\s+(\w+)[^)]*\)?\s*\Z",
     r"CREATE TABLE \1 AS SELECT * FROM \2 LIMIT 0"),
)  # fmt: skip


def asked_of_the_schema(broken: Broken) -> Iterator[str]:
    """SHOW TABLES, DESCRIBE t, PRAGMA table_info(t), .schema: the queries that answer them."""
    for pattern, query in _QUESTIONS:
        if found := re.match(rf"\s*(?:{pattern})", broken.sql, re.IGNORECASE | re.DOTALL):
            names = found.groupdict()
            yield query.format(table=literal(names["table"])) if names.get("table") else query
            return


def in_other_words(broken: Broken) -> Iterator[str]:
    """TRUNCATE, TEMP, OR REPLACE, MATERIALIZED and their like."""
    text = broken.sql.strip().rstrip(";").strip()
    for pattern, instead in _OTHER_WORDS:
        changed = re.sub(pattern, instead, text, flags=re.IGNORECASE)
        if changed != text:
            yield changed


_TRANSACTION = re.compile(r"(?:BEGIN|COMMIT|START\s+TRANSACTION|END|SET|USE)\b(?![\s\S]*;)", re.IGNORECASE)


def as_a_script(broken: Broken) -> Iterator[str]:
    """Several statements in one text, without those that begin and end a transaction: executions are atomic."""
    if ";" not in broken.sql:
        return
    kept = [each.rstrip(";").strip() for each in statements(broken.sql)]
    kept = [each for each in kept if not _TRANSACTION.match(each)]
    if kept:
        yield ";\n".join(kept)
