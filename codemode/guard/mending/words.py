"""Mends of the text itself: quotes, commas, comments, fences and other signs that SQLite reads otherwise.

Each takes a Broken statement and yields texts that may be what was meant; SQLite decides which of them it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.database.names import literal
from codemode.database.rules import written
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.tokens import (
    closing,
    following,
    is_word,
    preceding,
    replaced,
    split,
    tokens,
    top_level,
    word,
)
from codemode.guard.ways import clause_meant

_FENCE = re.compile(r"\A\s*```\w*\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
_CURLY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": "'", "\u201d": "'"})


_ITEM = r"(?:'(?:[^']|'')*'|\"[^\"]*\"|-?\d+(?:\.\d+)?)"
_LIST = re.compile(rf"\[\s*((?:{_ITEM}(?:\s*,\s*{_ITEM})*)?)\s*\]")


def without_fence(broken: Broken) -> Iterator[str]:
    """A statement inside a Markdown fence."""
    if found := _FENCE.match(broken.sql):
        yield found[1].strip()


def with_straight_quotes(broken: Broken) -> Iterator[str]:
    """Typographic quotes, and quotes escaped by a backslash."""
    yield broken.sql.translate(_CURLY)
    yield broken.sql.replace("\\'", "''")


def with_doubled_apostrophes(broken: Broken) -> Iterator[str]:
    """An apostrophe between two letters inside a text: `'O'Hare'`."""
    if not broken.error.code.startswith("sql.no_such"):
        yield re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z]+[^',()]*')", "''", broken.sql)


def with_texts_in_single_quotes(broken: Broken) -> Iterator[str]:
    """`"UA"` where no column is called so: all of the texts in double quotes at once, then only the one named."""
    name = broken.missing_name
    if broken.error.code != "sql.no_such_column" or name is None or f'"{name}"' not in broken.sql:
        return
    if _LIST.fullmatch(f"[{name}]") and not name.isalnum():
        return  # a list, `['a', 'b']`, of which a grammar has made a name
    if broken.error.did_you_mean and not re.search(rf'(?:[=<>]|\bLIKE|\bGLOB|\()\s*"{re.escape(name)}"', broken.sql):
        return  # a misspelt name of a column, unless it is compared with
    if re.search(rf'(?i)"{re.escape(name)}"\s*(?:[=<>!]+|(?:IN|LIKE|BETWEEN)\b)\s*[(?:@$\'\d]', broken.sql):
        return  # a value is compared with it: as a text it would be the same for each row
    known = {column.lower() for column in broken.error.available}
    parts = tokens(broken.sql)
    for only in (None, name):
        changed = [
            _text(part) if _is_quoted(part) and _may_be_text(parts, at, known, only) else part
            for at, part in enumerate(parts)
        ]
        yield "".join(changed)


def _is_quoted(part: str) -> bool:
    return len(part) > 1 and part[0] == part[-1] == '"'


def _text(part: str) -> str:
    return literal(part[1:-1].replace('""', '"'))


def _may_be_text(parts: list[str], at: int, known: set[str], only: str | None) -> bool:
    name = parts[at][1:-1]
    before, after = word(parts, preceding(parts, at)), word(parts, following(parts, at))
    if only is not None:
        return name == only and before != "BY"
    return (
        name.lower() not in known
        and "." not in (before, after)
        and before not in ("AS", "FROM", "JOIN", "INTO", "TABLE", "UPDATE", "BY")
    )


def with_a_bare_word_quoted(broken: Broken) -> Iterator[str]:
    """`origin = JFK`: a word in capitals behind a comparison, which no column is like."""
    name = broken.missing_name
    if broken.error.code == "sql.no_such_column" and name and not broken.error.did_you_mean and name.isidentifier():
        yield re.sub(rf"(=|<>|!=|\(|,|\bLIKE)(\s*){re.escape(name)}\b(?!\s*[.('])", rf"\1\2'{name}'", broken.sql)


def with_a_pasted_list(broken: Broken) -> Iterator[str]:
    """`IN ([1, 2])`, `IN ['a', "it's"]`: a list of Python's, where SQLite reads a name in brackets."""
    parts = tokens(broken.sql)
    for at, part in enumerate(parts):
        before = preceding(parts, at)
        inside = word(parts, before) == "("
        if word(parts, preceding(parts, before) if inside else before) == "IN" and (found := _LIST.fullmatch(part)):
            items = "".join(_text(each) if _is_quoted(each) else each for each in tokens(found[1]))
            parts[at] = items if inside else f"({items})"
    yield "".join(parts)


def with_a_list_as_one_value(broken: Broken) -> Iterator[str]:
    """`IN :codes`: a list is bound as one JSON text, and read by json_each."""
    yield replaced(r"\bIN\s+([:@$]\w+|\?\d*)", r"IN (SELECT value FROM json_each(\1))", broken.sql)


def with_dates_in_quotes(broken: Broken) -> Iterator[str]:
    """`x >= 2013-01-01 10:00`: a day, or a day and a time, is a text."""
    if broken.error.code == "sql.syntax":
        moment = r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?|\d{4}-\d\d-\d\d)(?![\w:'-])"
        yield replaced(rf"([=<>]\s*|\b(?:BETWEEN|AND)\s+){moment}", r"\1'\2'", broken.sql)


def with_null_for_none(broken: Broken) -> Iterator[str]:
    """`x = None`, pasted in from Python: IS NULL where it is compared, NULL where it is a value."""
    if broken.missing_name != "None":
        return
    text = replaced(r"(?<=[\w)\"\]])\s*(?:!=|<>)\s*None\b", " IS NOT NULL", broken.sql)
    where = re.search(r"\b(?:WHERE|ON|HAVING|WHEN)\b", text, re.IGNORECASE)
    at = where.start() if where else len(text)
    compared = replaced(r"(?<=[\w)\"\]])\s*==?\s*None\b", " IS NULL", text[at:])
    yield replaced(r"\bNone\b", "NULL", text[:at] + compared)


def without_a_trailing_comma(broken: Broken) -> Iterator[str]:
    """A comma before FROM, a closing bracket or the end."""
    if broken.error.code == "sql.syntax":
        yield replaced(r",(\s*(?:\)|\bFROM\b|;?\s*\Z))", r"\1", broken.sql)


def with_the_clause_meant(broken: Broken) -> Iterator[str]:
    """`SELECT * FORM t`, `ODER BY x`: the word of the clause."""
    clause = clause_meant(broken.error.message, broken.sql)
    if clause is not None and not broken.destroys:
        yield replaced(rf"\b{clause[0]}\b", clause[1], broken.sql)


def without_an_ellipsis(broken: Broken) -> Iterator[str]:
    """`CREATE TABLE t (a, ...)`: without the dots, where something else stands there."""
    yield replaced(r",\s*(?:\.\.\.|…)", "", broken.sql)


def with_sqlite_comments(broken: Broken) -> Iterator[str]:
    """`# a comment` of MySQL."""
    parts = tokens(broken.sql)
    if "#" in parts:
        yield replaced(r"(?m)(^|\s)#(?=.*$)", r"\1--", broken.sql)


def with_brackets_closed(broken: Broken) -> Iterator[str]:
    """The closing brackets that are missing at the end."""
    parts = tokens(broken.sql.rstrip().rstrip(";"))
    missing = parts.count("(") - parts.count(")")
    if 0 < missing <= 3 and broken.error.code == "sql.syntax":
        yield "".join(parts) + ")" * missing


def with_keywords_quoted(broken: Broken) -> Iterator[str]:
    """A keyword that stands for a name: `AS group`, `order INTEGER`."""
    found = re.search(r'near "(\w+)"', broken.error.message)
    if found is None or broken.error.code != "sql.syntax":
        return
    name = found[1]
    quoted = f'"{name}"'
    yield replaced(rf"(\bAS\s+){name}\b", rf"\1{quoted}", broken.sql)
    yield from _quoted_as_name(broken.sql, name, quoted)


def _quoted_as_name(sql: str, name: str, quoted: str) -> Iterator[str]:
    """In a definition every column of that name; elsewhere a table's alias and what it qualifies."""
    if re.match(r"\s*CREATE\s+TABLE", sql, re.IGNORECASE):
        yield replaced(rf"([(,]\s*){name}(?=\s+[A-Za-z]+\s*[,)(]|\s*[,)])", rf"\1{quoted}", sql)
    alias = replaced(rf"(\b(?:FROM|JOIN)\s+\w+\s+){name}\b(?!\s+BY)", rf"\1{quoted}", sql)
    yield replaced(rf"\b{name}\.(?=\w)", f"{quoted}.", alias)
    yield replaced(rf"(?<![\w\"]){name}(?![\w\"(]|\s+BY\b)", quoted, sql)


def with_odd_names_quoted(broken: Broken) -> Iterator[str]:
    """A name with a hyphen, a digit in front, or a blank: quoted where a name is due."""
    if broken.error.code != "sql.syntax":
        return
    due = r"(\b(?:TABLE|VIEW|INDEX)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?|\b(?:INTO|FROM|JOIN|UPDATE)\s+)"
    yield replaced(rf"{due}(\d\w*|\w+(?:-\w+)+)", r'\1"\2"', broken.sql)
    parts = tokens(broken.sql)
    for at, part in enumerate(parts):
        first, second = following(parts, at), following(parts, following(parts, at))
        if part.upper() != "AS" or second >= len(parts) or not (is_word(parts[first]) and is_word(parts[second])):
            continue
        if parts[second].upper() not in _AFTER_ALIAS:
            yield "".join([*parts[:first], f'"{parts[first]} {parts[second]}"', *parts[second + 1 :]])


_CLAUSES = "FROM WHERE JOIN ON GROUP ORDER LIMIT UNION LEFT INNER CROSS SELECT HAVING WINDOW USING"
_AFTER_ALIAS = frozenset(_CLAUSES.split())


_LEFT_OUT = (
    r"\bFOR\s+(?:UPDATE|SHARE)(?:\s+OF\s+\w+)?(?:\s+NOWAIT|\s+SKIP\s+LOCKED)?\s*;?\s*\Z",
    r"\bWITH\s*\(\s*NOLOCK\s*\)",
    r"\bCOLLATE\s+[\"']?(?!NOCASE|BINARY|RTRIM)\w+[\"']?",
    r"(?<=\bINDEX)\s+CONCURRENTLY\b",
    r"\bUSING\s+(?:BTREE|HASH)\b",
    r"(?<=\w)\s+(?:CASCADE|RESTRICT)\s*;?\s*\Z",
    r"\bFROM\s+dual\b",
    r"\bSTRAIGHT_JOIN\b(?=\s+\w+\s*,)",
)


def without_what_sqlite_lacks(broken: Broken) -> Iterator[str]:
    """Words that change nothing of what a statement means here: locks, hints, ways to build an index."""
    shorter = broken.sql
    for pattern in _LEFT_OUT:
        shorter = replaced(pattern, "", shorter)
    yield shorter.strip()


def with_placeholders(broken: Broken) -> Iterator[str]:
    """`%s` and `$1` are `?` and `?1`; `%(name)s` is `:name`."""
    changed = replaced(r"%\((\w+)\)s", r":\1", re.sub(r"'%s'|\"%s\"", "%s", broken.sql))
    yield replaced(r"\$(\d+)\b", r"?\1", replaced("%s", "?", changed))


def with_offset_behind_a_limit(broken: Broken) -> Iterator[str]:
    """OFFSET without LIMIT."""
    parts = tokens(broken.sql)
    at = top_level(parts, "OFFSET")
    if at is not None and top_level(parts, "LIMIT") is None and top_level(parts, "FETCH") is None:
        yield "".join([*parts[:at], "LIMIT -1 ", *parts[at:]])


def with_a_column_list(broken: Broken) -> Iterator[str]:
    """INSERT with more or fewer values than columns: the columns that the values were meant for."""
    if "values for" not in broken.error.message and "columns but" not in broken.error.message:
        return
    parts = tokens(broken.sql)
    values = top_level(parts, "VALUES")
    table = broken.table_written()
    if values is None or table is None:
        return
    first = following(parts, values)
    closed = closing(parts, first) if word(parts, first) == "(" else None
    if closed is None:
        return
    count, columns = len(split(parts[first + 1 : closed])), broken.columns(table)
    into = top_level(parts, "INTO")
    if count <= len(columns) and into is not None:
        name = following(parts, into)
        listed = ", ".join(written(column) for column in columns[:count])
        yield f"{''.join(parts[: name + 1])} ({listed}) {''.join(parts[values:])}"
