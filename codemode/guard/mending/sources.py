"""Mends of where rows come from and how many: series, TOP, ROWNUM, the parts of a UNION, distinct lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.guard.mending.broken import Broken
from codemode.guard.mending.tokens import closing, following, is_word, split, tokens, top_level, word


def with_a_series(broken: Broken) -> Iterator[str]:
    """generate_series(1, 10) AS n: a recursive query in its place."""
    parts = tokens(broken.sql)
    at = next((place for place, part in enumerate(parts) if part.lower() == "generate_series"), None)
    opened = at + 1 if at is not None else len(parts)
    closed = closing(parts, opened) if word(parts, opened) == "(" else None
    if at is None or closed is None:
        return
    args = split(parts[opened + 1 : closed])
    if not 2 <= len(args) <= 3 or not all(re.fullmatch(r"[+-]?\d+|\?\d*|:\w+", arg) for arg in args):
        return
    name, column, end = _alias(parts, closed)
    step = args[2] if len(args) == 3 else "1"
    rows = (
        f"(WITH RECURSIVE series({column}) AS (SELECT {args[0]} WHERE {args[0]} <= {args[1]} UNION ALL"
        f" SELECT {column} + {step} FROM series WHERE {column} + {step} <= {args[1]}) SELECT {column} FROM series)"
    )
    if not step.startswith("-"):
        yield "".join([*parts[:at], f"{rows} AS {name}", *parts[end:]])


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
