"""Mends of definitions: tables, indexes and columns as other databases define them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.guard.mending.broken import Broken
from codemode.guard.mending.columns import Column
from codemode.guard.mending.tokens import closing, split, squeezed, tokens
from codemode.guard.scan import only_blanks

_TABLE = re.compile(r"\s*CREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?([\w.\"`\[\]]+)\s*(?=\()", re.IGNORECASE)
_INDEX = re.compile(
    r"(?:INDEX|KEY)\s+(?:[\"`\[]?(\w+)[\"`\]]?\s*)?(?:USING\s+\w+\s*)?(\(.*\))\s*(?:USING\s+\w+)?",
    re.IGNORECASE | re.DOTALL,
)
_UNIQUE = re.compile(
    r"(?:CONSTRAINT\s+\S+\s+)?UNIQUE\s+(?:KEY|INDEX)\s*(?:[\"`\[]?\w+[\"`\]]?\s*)?(\(.*\))", re.IGNORECASE | re.DOTALL
)
_FRAGMENT = re.compile(
    r"(?:\.\.\.|…|etc\.?|UNIQUE|PRIMARY\s+KEY|FOREIGN\s+KEY|CHECK|CONSTRAINT(?:\s+\w+)?|<[^>]*>|)", re.IGNORECASE
)
_OF_THE_TABLE = re.compile(r"(?:CONSTRAINT|PRIMARY\s+KEY|FOREIGN\s+KEY|UNIQUE|CHECK)\b", re.IGNORECASE)
_KEY = re.compile(r"(?:CONSTRAINT\s+\S+\s+)?PRIMARY\s+KEY\s*\(\s*[\"`\[]?(\w+)[\"`\]]?\s*\)", re.IGNORECASE)
_OPTIONS = re.compile(r"\b(?:WITHOUT\s+ROWID|STRICT)\b", re.IGNORECASE)
_PREFIX_LENGTH = re.compile(r"(\w)\s*\(\d+\)")


def table_as_sqlite_has_it(broken: Broken) -> Iterator[str]:
    """CREATE TABLE with the types, defaults, keys and options of other databases; inline indexes come after it."""
    head = _TABLE.match(broken.sql)
    if head is None:
        return
    parts = tokens(broken.sql[head.end() :])
    closed = closing(parts, 0)
    if closed is None or not only_blanks("".join(parts[closed + 1 :]).partition(";")[2]):
        return
    table, indexes, kept, counting = head[2], [], [], []
    for item in map(squeezed, split(parts[1:closed])):
        if _FRAGMENT.fullmatch(item):
            continue
        if found := _INDEX.fullmatch(item):
            indexes.append((found[1], _PREFIX_LENGTH.sub(r"\1", found[2])))
        elif found := _UNIQUE.fullmatch(item):
            kept.append(f"UNIQUE {found[1]}")
        elif _OF_THE_TABLE.match(item):
            kept.append(item)
        elif (column := Column.read(item)) is not None:
            kept.append(column.written())
            if column.counts:
                counting.append(bare(column.name).lower())
        else:
            return
    kept = [item for item in kept if not ((key := _KEY.fullmatch(item)) and key[1].lower() in counting)]  # said already
    if not kept:
        return
    options = ", ".join(_OPTIONS.findall("".join(parts[closed + 1 :])))
    kept.sort(key=lambda item: _OF_THE_TABLE.match(item) is not None)  # to SQLite no column comes behind a constraint
    said = [f"CREATE TABLE {head[1] or ''}{table} ({', '.join(kept)}){' ' + options if options else ''}"]
    names = taken_names(broken)
    for name, columns in indexes:
        unnamed = "_".join([bare(table), *re.findall(r"[A-Za-z_]\w*", columns)])
        free = free_name(name or unnamed, bare(table), names)
        names.add(free.lower())
        said.append(f"CREATE INDEX {'IF NOT EXISTS ' if head[1] else ''}{free} ON {table} {columns}")
    yield ";\n".join(said)


def bare(name: str) -> str:
    """A name without quotes and schema."""
    return name.rpartition(".")[2].strip('"`[]')


def taken_names(broken: Broken) -> set[str]:
    """The names of everything in the session, in small letters."""
    return {name.lower() for name in broken.names()}


def free_name(name: str, table: str, taken: set[str]) -> str:
    """`name`, or one like it that nothing has yet."""
    if name.lower() not in taken:
        return name
    longer = name if name.lower().startswith(table.lower()) else f"{table}_{name}"
    numbered = (f"{longer}_{number}" for number in range(2, 1000))
    return longer if longer.lower() not in taken else next(each for each in numbered if each.lower() not in taken)


def made_unless_it_exists(broken: Broken) -> Iterator[str]:
    """What exists already: left as it is where it is the same, under another name where it is not."""
    if broken.error.code != "sql.already_exists":
        return
    made = re.match(
        r"(\s*CREATE\s+(?:UNIQUE\s+|VIRTUAL\s+)?(TABLE|INDEX|VIEW|TRIGGER)\s+)([\w\"`\[\]]+)([\s\S]*)",
        broken.sql,
        re.IGNORECASE,
    )
    if made is None:
        return
    start, kind, name, rest = made[1], made[2].upper(), made[3], made[4]
    if kind in ("VIEW", "TRIGGER"):
        yield f"DROP {kind} IF EXISTS {name};\n{broken.sql.strip()}"
    elif _is_same(broken, kind, bare(name), rest):
        yield f"{start}IF NOT EXISTS {name}{rest}"
    else:
        owner = re.search(r"\bON\s+[\"`\[]?(\w+)", rest, re.IGNORECASE)
        yield f"{start}{free_name(bare(name), owner[1] if owner else bare(name), taken_names(broken))}{rest}"


def _is_same(broken: Broken, kind: str, name: str, rest: str) -> bool:
    if kind == "INDEX":
        definition = broken.definition(name)
        return definition is not None and _letters(definition).endswith(_letters(rest))
    parts = tokens(rest.strip())
    closed = closing(parts, 0) if parts[:1] == ["("] else None
    if closed is None:
        return False
    wanted = [item.split()[0].strip('"`[]').lower() for item in split(parts[1:closed]) if item]
    return set(map(str.lower, broken.columns(name))) >= set(wanted)


def _letters(text: str) -> str:
    return re.sub(r"[\s\"`\[\]]+", "", text).lower()


_RETYPED = re.compile(
    r"(?:ALTER|MODIFY)\s+(?:COLUMN\s+)?(\S+)\s+(?:SET\s+DATA\s+)?(?:TYPE\s+)?(\w+(?:\s*\([\d, ]+\))?)"
    r"(?:\s+USING\s+.+)?",
    re.IGNORECASE,
)
_ALTER = re.compile(r"\s*ALTER\s+TABLE\s+(\S+)\s+([\s\S]*?);?\s*\Z", re.IGNORECASE)


def column_as_sqlite_adds_it(broken: Broken) -> Iterator[str]:
    """ALTER TABLE with defaults that SQLite cannot have, several changes, IF NOT EXISTS, new types, CHANGE."""
    found = _ALTER.match(broken.sql)
    if found is None:
        return
    table, said = found[1], []
    for change in split(tokens(found[2])):
        changed = _change(broken, table, change)
        if changed is None:
            return
        said += changed
    yield ";\n".join(said)


def _change(broken: Broken, table: str, change: str) -> list[str] | None:
    added = re.fullmatch(r"ADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(.+)", change, re.IGNORECASE | re.DOTALL)
    if added and (column := Column.read(added[1])) is not None:
        return column.added(table)
    renamed = re.fullmatch(r"CHANGE\s+(?:COLUMN\s+)?(\S+)\s+(\S+)\s+.+", change, re.IGNORECASE | re.DOTALL)
    if renamed and renamed[1].lower() != renamed[2].lower():
        return [f"ALTER TABLE {table} RENAME COLUMN {renamed[1]} TO {renamed[2]}"]
    retyped = _RETYPED.fullmatch(change)
    if retyped and retyped[2].upper() not in ("SET", "DROP"):
        return _retyped(broken, table, retyped[1], retyped[2])
    return [f"ALTER TABLE {table} {change}"] if re.match(r"(?:DROP|RENAME)\b", change, re.IGNORECASE) else None


def _retyped(broken: Broken, table: str, column: str, kind: str) -> list[str]:
    """A column's new type: a new column takes its values and then its name."""
    taken = {each.lower() for each in broken.columns(bare(table))}
    new = free_name(f"{bare(column)}_new", bare(column), taken)
    return [
        f"ALTER TABLE {table} ADD COLUMN {new} {kind}",
        f"UPDATE {table} SET {new} = {column}",
        f"ALTER TABLE {table} DROP COLUMN {column}",
        f"ALTER TABLE {table} RENAME COLUMN {new} TO {column}",
    ]


def dropped_if_it_exists(broken: Broken) -> Iterator[str]:
    """DROP of what is not there, and DROP VIEW of a table."""
    other = re.search(r"use DROP (TABLE|VIEW) to delete", broken.error.message)
    if other:
        yield re.sub(r"\A(\s*DROP\s+)(?:TABLE|VIEW)", rf"\1{other[1]}", broken.sql, flags=re.IGNORECASE)
    elif re.match(r"no such (?:table|view|index|trigger):", broken.error.message):
        yield re.sub(
            r"\A(\s*DROP\s+(?:TABLE|VIEW|INDEX|TRIGGER)\s+)(?!IF\b)", r"\1IF EXISTS ", broken.sql, flags=re.IGNORECASE
        )
