"""Mends of where rows come from and how many: series, TOP, ROWNUM, the parts of a UNION, distinct lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.guard.mending.broken import Broken
from codemode.guard.mending.dates import by_interval, unit_of
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


def with_a_series(broken: Broken) -> Iterator[str]:
    """generate_series(1, 10) AS n, or of days: a recursive query in its place."""
    parts = tokens(broken.sql)
    calls = (place for place, part in enumerate(parts) if part.lower() == "generate_series")
    at = next((place for place in calls if word(parts, place + 1) == "("), None)
    opened = at + 1 if at is not None else len(parts)
    closed = closing(parts, opened) if word(parts, opened) == "(" else None
    # In a list of values it makes rows elsewhere; a query in brackets is one value here.
    if at is None or closed is None or (top_level(parts[:at], "FROM") is None and "(" not in parts[:at]):
        return
    name, column, end = _alias(parts, closed)
    if name == "generate_series" and re.search(r"\bgenerate_series\b(?!\s*\()", broken.sql, re.IGNORECASE):
        column = name
    rows = _rows_of_series(split(parts[opened + 1 : closed]), column)
    if rows is not None:
        yield "".join([*parts[:at], f"({rows}) AS {name}", *parts[end:]])


_STEP = re.compile(r"(?:INTERVAL\s+)?'?\s*(\d+)'?\s+([a-z]+)\s*'?\s*(?:::\s*interval)?", re.IGNORECASE)


def _rows_of_series(args: list[str], column: str) -> str | None:
    """The query whose one column counts up from args[0] to args[1]."""
    step = args[2] if len(args) == 3 else "1"
    if not 2 <= len(args) <= 3 or step.startswith("-"):
        return None
    if all(re.fullmatch(r"[+-]?\d+|\?\d*|:\w+", arg) for arg in args):
        first, last, later = args[0], args[1], f"{column} + {step}"
    elif found := _STEP.fullmatch(step):
        kind = "datetime" if unit_of(found[2]) in ("hour", "minute", "second") else "date"
        first, last = (f"{kind}({_without_cast(arg)})" for arg in args[:2])
        moved = by_interval(f"{kind}({column})", found[1], found[2], "+")
        if moved is None:
            return None
        later = moved
    else:
        return None
    return (
        f"WITH RECURSIVE series({column}) AS (SELECT {first} WHERE {first} <= {last} UNION ALL"
        f" SELECT {later} FROM series WHERE {later} <= {last}) SELECT {column} FROM series"
    )


def _without_cast(moment: str) -> str:
    """`'2013-01-05'::date`, `DATE '2013-01-05'`: the text alone."""
    found = re.fullmatch(r"(?:DATE|TIMESTAMP)?\s*('[^']*')\s*(?:::\s*\w+)?", moment.strip(), re.IGNORECASE)
    return found[1] if found else moment


def _alias(parts: list[str], closed: int) -> tuple[str, str, int]:
    """The name behind a call, the name of its column, and where the text goes on."""
    at = following(parts, closed)
    if word(parts, at) == "AS":
        at = following(parts, at)
    if at >= len(parts) or not is_word(parts[at]) or parts[at].upper() in _NO_NAME:
        return "generate_series", "value", closed + 1
    name = parts[at]
    if word(parts, at + 1) == "(" and (end := closing(parts, at + 1)) is not None:
        return name, "".join(parts[at + 2 : end]).strip(), end + 1
    return name, name, at + 1


_NO_NAME = frozenset({"WHERE", "JOIN", "LEFT", "CROSS", "INNER", "ON", "GROUP", "ORDER", "LIMIT", "UNION"})


_OF_ELEMENTS = ("json_array_elements", "jsonb_array_elements", "json_array_elements_text", "jsonb_array_elements_text",
    "unnest", "explode", "flatten", "json_object_keys", "jsonb_object_keys")  # fmt: skip


def with_the_elements_of_a_list(broken: Broken) -> Iterator[str]:
    """`, jsonb_array_elements_text(t.x) AS e(tag)`, `CROSS JOIN UNNEST(x) AS tag`: json_each, and e.value for tag."""
    parts = tokens(broken.sql)
    at = next((place for place, part in enumerate(parts) if part.lower() in _OF_ELEMENTS), None)
    closed = closing(parts, at + 1) if at is not None and word(parts, at + 1) == "(" else None
    if at is None or closed is None or top_level(parts[:at], "FROM") is None:
        return
    lateral = preceding(parts, at)
    start = lateral if word(parts, lateral) == "LATERAL" else at
    inner = re.sub(r"\A\s*input\s*=>", "", "".join(parts[at + 2 : closed]), flags=re.IGNORECASE).strip()
    name, column, end = _alias(parts, closed)
    if not re.fullmatch(r"[\w.]+(?:\s*->>?\s*'[^']*')*", inner) or end == closed + 1 or word(parts, end) == "(":
        return
    read = [*parts[:start], f"json_each({inner}) AS {name}", *parts[end:]]
    field = "key" if parts[at].lower().endswith("object_keys") else "value"
    yield "".join(_with_values(read, start, name, column, field))


def with_json_each(broken: Broken) -> Iterator[str]:
    """`jsonb_each_text(x)`, which has key and value as json_each has."""
    yield replaced(r"\bjsonb?_each_text(?=\s*\()", "json_each", broken.sql)


def _with_values(parts: list[str], but: int, name: str, column: str, field: str) -> list[str]:
    """`parts` with name.value, or name.key, where the column, or a table of one column, is read."""
    changed = list(parts)
    for at, part in enumerate(parts):
        owned = word(parts, at - 1) == "." and word(parts, at - 2) == name.upper()
        is_read = part.lower() == column.lower() and word(parts, at + 1) not in (".", "(") and at != but
        if not is_read or (word(parts, at - 1) == "." and not owned) or word(parts, preceding(parts, at)) == "AS":
            continue
        before = preceding(parts, at - 2 if owned else at)
        is_item = word(parts, before) in ("SELECT", "DISTINCT", ",") and word(parts, following(parts, at)) in (
            ",", "FROM",
        )  # fmt: skip
        said = field if owned else f"{name}.{field}"
        changed[at] = f"{said} AS {column}" if is_item and at < but else said
    return changed


_FIRST_ROWS = re.compile(
    r"\s*SELECT\s+(?:TOP\s*\(?\s*(?P<top>\d+)\s*\)?\s+)?(?P<columns>[\w.]+(?:\s*,\s*[\w.]+)*)\s+FROM\s+(?P<table>\w+)"
    r"(?:\s+(?:AS\s+)?(?!WHERE\b)(?P<name>\w+))?\s+(?P<rest>WHERE\b.+?)(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)


# What would be another order, or other rows, of row ids.
_OTHERWISE = re.compile(r"\bORDER\s+BY\s+\d|\b(?:GROUP|HAVING|UNION|EXCEPT|INTERSECT|OFFSET|FETCH)\b", re.IGNORECASE)


def with_the_first_rows_of_each(broken: Broken) -> Iterator[str]:
    """`LEFT JOIN LATERAL (SELECT x FROM b WHERE b.id = a.id ORDER BY y LIMIT 1) t ON true`, OUTER APPLY: by row id."""
    found = re.search(
        r"(?:,|(LEFT)\s+(?:OUTER\s+)?JOIN|(?:CROSS|INNER)\s+JOIN|\bJOIN)\s*LATERAL\s*(?=\()|\b(?:(OUTER)|CROSS)\s+APPLY\s*(?=\()",
        broken.sql,
        re.IGNORECASE,
    )
    parts = tokens(broken.sql[found.end() :]) if found else []
    closed = closing(parts, 0) if parts else None
    if found is None or closed is None:
        return
    inner, (name, _, end) = _FIRST_ROWS.fullmatch("".join(parts[1:closed])), _alias(parts, closed)
    count = (inner["top"] or inner["limit"]) if inner else None
    if (
        inner is None
        or count is None
        or end == closed + 1
        or _OTHERWISE.search(inner["rest"])
        or re.search(rf"\b{name}\s*\.\s*\*|SELECT\s+\*", broken.sql)
    ):
        return
    rest = re.sub(r"\A\s*ON\s+(?:true|1\s*=\s*1)\b", "", "".join(parts[end:]), flags=re.IGNORECASE)
    table = f"{inner['table']} AS {inner['name']}" if inner["name"] else inner["table"]
    rows = f"SELECT {inner['name'] or inner['table']}.rowid FROM {table} {inner['rest']} LIMIT {count}"
    join = "LEFT JOIN" if found[1] or found[2] else "JOIN"
    yield f"{broken.sql[: found.start()].rstrip()} {join} {inner['table']} AS {name} ON {name}.rowid IN ({rows}){rest}"


_CLAUSES = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "WINDOW", ";")


def with_rows_that_have_none(broken: Broken) -> Iterator[str]:
    """`a ANTI JOIN b ON …`, `a SEMI JOIN b USING (x)`: WHERE NOT EXISTS, WHERE EXISTS."""
    found = re.search(
        r"(\w+)\s+(?:LEFT\s+)?(ANTI|SEMI)\s+JOIN\s+(\w+)(?:\s+(?:AS\s+)?(?!ON\b|USING\b)(\w+))?\s+"
        r"(?:ON\b|USING\s*\(([\w\s,]+)\))",
        broken.sql,
        re.IGNORECASE,
    )
    if found is None:
        return
    parts = tokens(broken.sql[found.end() :])
    stops = [at for each in _CLAUSES if (at := top_level(parts, each)) is not None]
    end = min(stops, default=len(parts))
    inner = found[4] or found[3]
    said = "".join(parts[:end]).strip()
    if found[5]:
        said = " AND ".join(f"{inner}.{each.strip()} = {found[1]}.{each.strip()}" for each in found[5].split(","))
    if not said or re.search(r"\bJOIN\b", said, re.IGNORECASE):
        return
    table = f"{found[3]} AS {found[4]}" if found[4] else found[3]
    no = "NOT " if found[2].upper() == "ANTI" else ""
    condition = f"{no}EXISTS (SELECT 1 FROM {table} WHERE {said})"
    if word(parts, end) == "WHERE":
        last = min((at for at in stops if at > end), default=len(parts))
        condition, end = f"{condition} AND ({''.join(parts[end + 1 : last]).strip()})", last
    rest = "".join(parts[end:])
    yield f"{broken.sql[: found.start()]}{found[1]} WHERE {condition}{' ' if rest else ''}{rest}"


def with_a_limit(broken: Broken) -> Iterator[str]:
    """SELECT TOP 5 and WHERE ROWNUM <= 5: LIMIT 5 at the end of that query."""
    parts = tokens(broken.sql.strip().rstrip(";"))
    for at, part in enumerate(parts):
        if part.upper() == "TOP" and word(parts, at - 2) in ("SELECT", "DISTINCT", "ALL"):
            yield from _limited(parts, at)
    rownum = re.search(r"\s+(?:WHERE|(AND))\s+ROWNUM\s*(<=?)\s*(\d+)(\s+AND\b)?", broken.sql, re.IGNORECASE)
    if rownum and not re.search(r"\bORDER\s+BY\b|\bUNION\b", broken.sql, re.IGNORECASE):
        number = int(rownum[3]) - (rownum[2] == "<")
        between = " WHERE" if rownum[4] and not rownum[1] else " AND" if rownum[4] else ""
        rest = broken.sql[rownum.end() :].strip().rstrip(";")
        yield f"{broken.sql[: rownum.start()]}{between}{' ' + rest if rest else ''} LIMIT {number}"


def _limited(parts: list[str], at: int) -> Iterator[str]:
    number = following(parts, at)
    last = closing(parts, number) if word(parts, number) == "(" else number
    if last is None or last >= len(parts):
        return
    count = "".join(parts[number : last + 1]).strip("()")
    behind = following(parts, last)
    if not re.fullmatch(r"\d+|\?\d*|:\w+|@\w+", count) or word(parts, behind) in ("PERCENT", "WITH"):
        return
    end = _end_of_query(parts, at)
    if end is not None:
        yield "".join([*parts[:at], *parts[behind:end]]).rstrip() + f" LIMIT {count}" + "".join(parts[end:])


def _end_of_query(parts: list[str], at: int) -> int | None:
    """Where the query that `at` stands in ends; None where it is a part of a UNION."""
    depth = 0
    for place in range(at, len(parts)):
        depth += {"(": 1, ")": -1}.get(parts[place], 0)
        if depth < 0:
            return place
        if depth == 0 and parts[place].upper() in ("UNION", "INTERSECT", "EXCEPT"):
            return None
    return len(parts)


def with_the_parts_of_a_union_apart(broken: Broken) -> Iterator[str]:
    """ORDER BY or LIMIT before UNION: each part that has one becomes a subquery."""
    if "clause should come after" not in broken.error.message:
        return
    parts = tokens(broken.sql.strip().rstrip(";"))
    pieces, joints, start = [], [], 0
    while (at := top_level(parts, "UNION", start)) is not None:
        end = following(parts, at) + 1 if word(parts, following(parts, at)) == "ALL" else at + 1
        pieces.append("".join(parts[start:at]).strip())
        joints.append("".join(parts[at:end]))
        start = end
    pieces.append("".join(parts[start:]).strip())
    apart = [f"SELECT * FROM ({piece})" if _is_bounded(piece) else piece for piece in pieces]
    yield " ".join(piece for pair in zip(apart, [*joints, ""], strict=True) for piece in pair).strip()


def _is_bounded(piece: str) -> bool:
    parts = tokens(piece)
    return top_level(parts, "LIMIT") is not None or top_level(parts, "ORDER") is not None


_DISTINCT_LIST = re.compile(
    r"\s*SELECT\s+(?:string_agg|group_concat)\s*\(\s*DISTINCT\s+([\w.]+)\s*,\s*('(?:[^']|'')*')\s*\)"
    r"(\s+AS\s+\w+)?\s+(FROM\s+[\s\S]+?);?\s*",
    re.IGNORECASE,
)


def with_distinct_rows_below(broken: Broken) -> Iterator[str]:
    """string_agg(DISTINCT x, '; ') as the only thing that is selected: over a subquery of the distinct values."""
    found = _DISTINCT_LIST.fullmatch(broken.sql)
    if found and not re.search(r"\bGROUP\s+BY\b|\bORDER\s+BY\b|\bLIMIT\b", found[4], re.IGNORECASE):
        rows = f"SELECT DISTINCT {found[1]} AS value {found[4]}"
        yield f"SELECT group_concat(value, {found[2]}){found[3] or ''} FROM ({rows})"
