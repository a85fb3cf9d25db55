"""Mends of what SQLite only finds while it runs: keys that exist, searches, JSON that is none.

And the values of a write as they stand in its text, for who tells which of them was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.database.names import literal
from codemode.database.rules import written
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.tokens import (
    closing,
    content,
    following,
    is_text,
    operand_before,
    preceding,
    split,
    tokens,
    top_level,
    word,
)

# Possessive, as is `_UPDATE`: they are matched against statements of any length.
_INSERT = re.compile(
    r"\s*+INSERT\s++INTO\s++([\w.\"`\[\]]++)\s*+(\([^)]*+\))?+\s*+(?=VALUES|SELECT|WITH)", re.IGNORECASE
)


def updated_where_it_exists(broken: Broken) -> Iterator[str]:
    """INSERT of a key that exists: the row of that key takes the new values."""
    failed = re.match(r"UNIQUE constraint failed: (.+)", broken.error.message)
    insert = _INSERT.match(broken.sql)
    if failed is None or insert is None or re.search(r"\bON\s+CONFLICT\b", broken.sql, re.IGNORECASE):
        return
    keys = [name.strip().rpartition(".")[2] for name in failed[1].split(",")]
    table = broken.table_written()
    named = split(tokens(insert[2][1:-1])) if insert[2] else broken.columns(table) if table else []
    columns = [name.strip('"`[] ') for name in named]
    others = [name for name in columns if name.lower() not in map(str.lower, keys)]
    listed = ", ".join(written(key) for key in keys)
    changes = ", ".join(f"{written(name)} = excluded.{written(name)}" for name in others)
    text = broken.sql.strip().rstrip(";")
    if re.search(r"\bSELECT\b", text, re.IGNORECASE) and not re.search(r"\bWHERE\b", text, re.IGNORECASE):
        text += " WHERE true"  # else SQLite takes ON for a join's
    yield f"{text} ON CONFLICT ({listed}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"


def with_the_rows_of_its_key(broken: Broken) -> Iterator[str]:
    """ON CONFLICT (a) where the unique index on a holds only some rows: it is named with its WHERE."""
    found = re.search(r"\bON\s+CONFLICT\s*\(([\w\s,\"]+)\)(?!\s*WHERE)", broken.sql, re.IGNORECASE)
    if "ON CONFLICT clause does not match" not in broken.error.message or found is None:
        return
    wanted = sorted(name.strip(' "').lower() for name in found[1].split(","))
    for key in broken.error.available:
        names, partial, _ = key.partition(") WHERE ")
        if partial and sorted(name.strip(' ("').lower() for name in names.split(",")) == wanted:
            yield f"{broken.sql[: found.start()]}ON CONFLICT {key}{broken.sql[found.end() :]}"


def with_a_key_for_its_conflict(broken: Broken) -> Iterator[str]:
    """ON CONFLICT (a) without a unique index on a: the index first. It cannot be made where values of it repeat."""
    found = re.search(r"\bON\s+CONFLICT\s*\(([\w\s,\"]+)\)", broken.sql, re.IGNORECASE)
    table = broken.table_written()
    if "ON CONFLICT clause does not match" not in broken.error.message or found is None or table is None:
        return
    if re.search(r"[?@$]|(?<!:):\w", "".join(part for part in tokens(broken.sql) if not is_text(part))):
        return  # a script takes no parameters
    name = "_".join([table, *re.findall(r"\w+", found[1])])
    yield f"CREATE UNIQUE INDEX {written(name)} ON {written(table)} ({found[1]});\n{broken.sql.strip()}"


_SEARCH = re.compile(r"(\bMATCH\s+)('(?:[^']|'')*')", re.IGNORECASE)


def with_the_words_of_a_search_quoted(broken: Broken) -> Iterator[str]:
    """MATCH 'state-of-the-art': words with signs in them stand in double quotes."""
    if "MATCH" in broken.sql.upper() and (
        broken.error.code == "sql.no_such_column"
        or "fts5" in broken.error.message
        or "unterminated" in broken.error.message
    ):
        yield _SEARCH.sub(_quoted_words, broken.sql)


def _quoted_words(found: re.Match[str]) -> str:
    words = content(found[2]).replace('"', "").split()
    plain = [each if re.fullmatch(r"\w+\*?", each) else f'"{each}"' for each in words]
    return found[1] + literal(" ".join(plain))


def with_like_for_match(broken: Broken) -> Iterator[str]:
    """MATCH on a table that is no full-text index."""
    if "unable to use function MATCH" in broken.error.message:
        yield re.sub(r"\bMATCH\s+'((?:[^'%]|'')*)'", r"LIKE '%\1%'", broken.sql, flags=re.IGNORECASE)


_READS_JSON = frozenset({"json_extract", "json_type", "json_array_length", "json_each", "json_tree", "json"})


def with_json_checked(broken: Broken) -> Iterator[str]:
    """Values that are no JSON read as NULL."""
    if broken.error.message != "malformed JSON":
        return
    parts = tokens(broken.sql)
    for at in range(len(parts) - 1, -1, -1):
        if parts[at] in ("->", "->>"):
            start = operand_before(parts, at)
            if start is not None and not is_text(parts[start]):
                end = preceding(parts, at)
                parts[start : end + 1] = [f"({_checked(''.join(parts[start : end + 1]))})"]
        elif parts[at].lower() in _READS_JSON and word(parts, at + 1) == "(":
            closed = closing(parts, at + 1)
            args = split(parts[at + 2 : closed]) if closed is not None else []
            if closed is not None and args and not is_text(args[0]):
                parts[at + 2 : closed] = [", ".join([_checked(args[0]), *args[1:]])]
    yield "".join(parts)


def _checked(value: str) -> str:
    return f"CASE WHEN json_valid({value}) THEN {value} END"


def with_the_root_of_a_path(broken: Broken) -> Iterator[str]:
    """`'a.b'` for `'$.a.b'`."""
    found = re.match(r"bad JSON path: '(\w[\w.\[\]]*)'", broken.error.message)
    if found:
        yield broken.sql.replace(f"'{found[1]}'", f"'$.{found[1]}'")


def with_the_index_rebuilt(broken: Broken) -> Iterator[str]:
    """A full-text index that is out of step with its table: rebuilt first."""
    if (
        not re.search(r"fts5: missing row|fts5: corruption|malformed", broken.error.message)
        or "JSON" in broken.error.message
    ):
        return
    for table in broken.tables():
        made = broken.definition(table) or ""
        if re.search(r"USING\s+fts5", made, re.IGNORECASE) and re.search(rf"\b{re.escape(table)}\b", broken.sql):
            name = written(table)
            yield f"INSERT INTO {name}({name}) VALUES ('rebuild');\n{broken.sql.strip().rstrip(';')}"


_UPDATE = re.compile(r"\s*+UPDATE\s++(?:OR\s++\w++\s++)?[\w.\"`\[\]]++\s++(?:AS\s++\w++\s++)?SET\s++", re.IGNORECASE)


def values_set(sql: str) -> dict[str, str]:
    """The values that an UPDATE sets as they stand in its text, by column."""
    update = _UPDATE.match(sql)
    if update is None:
        return {}
    parts = tokens(sql[update.end() :].strip().rstrip(";"))
    ends = [at for word in ("WHERE", "FROM", "RETURNING") if (at := top_level(parts, word)) is not None]
    found = (item.partition("=") for item in split(parts[: min(ends, default=len(parts))]))
    return {name.strip().strip('"`[]'): value.strip() for name, equal, value in found if equal}


def row_values(sql: str, columns: list[str]) -> dict[str, str]:
    """The values of an INSERT of one row as they stand in its text, by column; `columns` are those of its table."""
    insert = _INSERT.match(sql)
    if insert is None:
        return {}
    parts = tokens(sql.strip().rstrip(";"))
    values = top_level(parts, "VALUES")
    opened = following(parts, values) if values is not None else len(parts)
    closed = closing(parts, opened) if word(parts, opened) == "(" else None
    if closed is None or word(parts, following(parts, closed)) == ",":
        return {}
    names = [name.strip('"`[] ') for name in split(tokens(insert[2][1:-1]))] if insert[2] else columns
    return dict(zip(names, split(parts[opened + 1 : closed]), strict=False))
