"""Remarks on conditions that are true or false whatever the data holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sqlglot import exp

from codemode.database.names import folded
from codemode.guard.calls import called, parameter_of
from codemode.guard.remarking.tree import (
    COMPARED,
    CONDITIONS,
    EQUAL,
    ORDERED,
    Named,
    is_number,
    is_set,
    plain,
    said,
    sides,
    text_of,
    value_of,
)

_TEXTS = frozenset({"strftime", "date", "time", "datetime", "substr", "substring", "upper", "lower", "trim", "ltrim",
    "rtrim", "replace", "hex", "printf", "format", "char", "concat", "concat_ws", "group_concat", "string_agg",
    "typeof", "quote"})  # fmt: skip


def compared_with_null(node: Any, _named: Named) -> str | None:
    """`x = NULL`, which is never true."""
    if is_set(node):
        return None
    left, right = plain(node.this), plain(node.expression)
    other = left if isinstance(right, exp.Null) else right if isinstance(left, exp.Null) else None
    if other is None or isinstance(other, exp.Null):
        return None
    way = "IS NULL" if isinstance(node, exp.EQ) else "IS NOT NULL"
    return f"{said(node)} is never true: write {said(other)} {way}"


def not_in_with_null(node: Any, _named: Named) -> str | None:
    """`x NOT IN ('a', NULL)`, which is never true."""
    inner = plain(node.this)
    if not isinstance(inner, exp.In) or len(inner.expressions) < 2:
        return None
    if not any(isinstance(each, exp.Null) for each in inner.expressions):
        return None
    shown = f"{said(inner.this)} NOT IN ({', '.join(map(said, inner.expressions))})"
    return f"{shown} is never true, for its NULL: leave it out, and add AND {said(inner.this)} IS NOT NULL"


def case_of_null(node: Any, _named: Named) -> str | None:
    """`CASE x WHEN NULL THEN …`."""
    value = node.this
    if value is None or not any(isinstance(each.this, exp.Null) for each in node.args["ifs"]):
        return None
    return f"CASE {said(value)} WHEN NULL is never met: write CASE WHEN {said(value)} IS NULL THEN … END"


def _is_text(node: Any) -> bool:
    return isinstance(node, exp.DPipe | exp.JSONExtract) or called(node) in _TEXTS


def text_with_a_number(node: Any, _named: Named) -> str | None:
    """`strftime('%Y', x) = 2013`: a text is never equal to a number, and above all of them."""
    if is_set(node):
        return None
    left, others = sides(node)
    if is_number(left) and len(others) == 1:
        left, others = plain(others[0]), [left]
    number = next((plain(each) for each in others if is_number(each)), None)
    if not _is_text(left) or number is None:
        return None
    if isinstance(left, exp.JSONExtract):
        return (
            f"{said(left)} is JSON, a text, and {said(number)} a number, which no text equals: write ->> for its value"
        )
    return (
        f"{said(left)} is a text and {said(number)} a number: no text equals a number, and all are above it. Write"
        f" CAST({said(left)} AS INTEGER), or {said(number)} in quotes"
    )


def text_parameters(node: Any) -> Iterator[tuple[int | str, str]]:
    """The parameters that are compared with a text, and the text: a number that is bound there is never equal to it."""
    if not isinstance(node, COMPARED) or is_set(node):
        return
    left, others = sides(node)
    if parameter_of(left) is not None and len(others) == 1:
        left, others = plain(others[0]), [left]
    if _is_text(left):
        for each in others:
            if (which := parameter_of(plain(each))) is not None:
                yield which, said(left)


def json_with_a_text(node: Any, _named: Named) -> str | None:
    """`x -> '$.name' = 'Bob'`, which is '"Bob"'."""
    left, others = sides(node)
    text = next((text for each in others if (text := text_of(plain(each))) is not None), None)
    if not isinstance(left, exp.JSONExtract) or text is None or _is_json(text):
        return None
    return f"{said(left)} is JSON, a text in its double quotes, and never '{text}': write ->> for its value"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def value_as_a_condition(node: Any, _named: Named) -> str | None:
    """`x = 'a' OR 'b'`, of which 'b' is false and a number true."""
    if isinstance(node.parent, type(node)):
        return None  # a chain of them is looked at as one
    parts = [plain(each) for each in node.flatten()]
    if text_of(parts[0]) is None and not any(isinstance(part, CONDITIONS) for part in parts):
        return None
    word = "OR" if isinstance(node, exp.Or) else "AND"
    for before, part in pairwise(parts):
        text = text_of(part)
        if text is None and (not is_number(part) or value_of(part) in (0, 1)):
            continue
        what = "false" if text is not None and not text[:1].isdigit() else "true" if text is None else "a number"
        if not isinstance(before, exp.EQ | exp.Like | exp.NEQ):
            way = "write the comparison out"
        elif isinstance(before, exp.EQ) and word == "OR":
            way = f"write {said(before.this)} IN ({said(before.expression)}, {said(part)})"
        else:
            again = before.copy()
            again.set("expression", part.copy())
            way = f"write {said(before)} {word} {said(again)}"
        return f"{said(part)} beside {word} is compared with nothing, and {what}: {way}"
    return None


def same_column_twice(node: Any, _named: Named) -> str | None:
    """`x <> 'a' OR x <> 'b'`, which is always true; `x = 'a' AND x = 'b'`, which never is."""
    if isinstance(node.parent, type(node)):
        return None
    kind = exp.NEQ if isinstance(node, exp.Or) else exp.EQ
    first: dict[str, Any] = {}
    for part in map(plain, node.flatten()):
        if not isinstance(part, kind) or not isinstance(part.this, exp.Column) or _constant(part) is None:
            continue
        other = first.setdefault(said(part.this).lower(), part)
        one, two = _constant(part), _constant(other)
        if type(one) is type(two) and one != two:
            both = f"{said(other.this)} IN ({said(other.expression)}, {said(part.expression)})"
            if kind is exp.EQ:
                return f"{said(other)} AND {said(part)} is never true: write {both}"
            return f"{said(other)} OR {said(part)} is always true: write {both.replace(' IN (', ' NOT IN (', 1)}"
    return None


def _constant(comparison: Any) -> str | float | None:
    value = plain(comparison.expression)
    text = text_of(value)
    return text.rstrip().lower() if text is not None else value_of(value) if is_number(value) else None


def of_the_other_case(node: Any, _named: Named) -> str | None:
    """`upper(x) = 'ua'`."""
    left, others = sides(node)
    name = called(left)
    if name not in ("upper", "lower"):
        return None
    for text in (text_of(plain(each)) for each in others):
        if text is not None and any(
            letter.isascii() and getattr(letter, f"is{_OTHER_CASE[name]}")() for letter in text
        ):
            return f"{said(left)} is never '{text}': write '{text.upper() if name == 'upper' else text.lower()}'"
    return None


_OTHER_CASE = {"upper": "lower", "lower": "upper"}


def one_behind_another(node: Any, _named: Named) -> str | None:
    """`1 < x < 10`, which compares 0 or 1 with 10."""
    chain = ORDERED if isinstance(node, ORDERED) else EQUAL
    if not isinstance(node.this, chain) or is_set(node) or is_set(node.this):
        return None
    second = node.copy()
    second.set("this", node.this.expression.copy())
    return f"{said(node)} compares the truth of {said(node.this)}, 0 or 1: write {said(node.this)} AND {said(second)}"


def bits_of_a_condition(node: Any, _named: Named) -> str | None:
    """`~(x > 5)`, which is -1 or -2 and so always true."""
    inner = plain(node.this)
    if not isinstance(inner, CONDITIONS):
        return None
    return f"{said(node)} turns bits and is always true: write NOT ({said(inner)})"


def between_nothing(node: Any, named: Named) -> str | None:
    """`x BETWEEN 10 AND 5`, but for a column of texts, to which these are '10' and '5'."""
    low, high = plain(node.args["low"]), plain(node.args["high"])
    first, last = text_of(low), text_of(high)
    if is_number(low) and is_number(high):
        is_empty = value_of(low) > value_of(high) and not named.is_of_texts(node.this)
    else:  # in whatever case, as a column with COLLATE NOCASE compares
        is_empty = first is not None and last is not None and first > last and first.lower() > last.lower()
        is_empty = is_empty and f"{first}{last}".isascii()
    return f"{said(node)} is never true: the smaller value stands first" if is_empty else None


def pattern_without_like(node: Any, _named: Named) -> str | None:
    """`x = '%a%'`."""
    text = text_of(plain(node.expression))
    if is_set(node) or text is None or len(text) < 3 or not (text.startswith("%") and text.endswith("%")):
        return None
    word = "LIKE" if isinstance(node, exp.EQ) else "NOT LIKE"
    return f"{said(node)} looks for % itself: write {said(node.this)} {word} {said(node.expression)}"


def column_from_outside(node: Any, named: Named) -> str | None:
    """`x IN (SELECT x FROM t)` where t has no x: it is the outer one, and equal to itself."""
    select = node.args.get("query")
    select = select.this if isinstance(select, exp.Subquery) else select
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or select.args.get("joins"):
        return None
    column, source = select.expressions[0], select.args.get("from_")
    if not isinstance(column, exp.Column) or column.table or source is None or not isinstance(source.this, exp.Table):
        return None
    table = source.this.name
    columns = named.columns(table)
    if not columns or folded(column.name) in {*map(folded, columns), "rowid", "_rowid_", "oid"}:
        return None
    if folded(table) in {folded(each.alias) for each in node.root().find_all(exp.CTE)}:
        return None
    return f"{table} has no {column.name}: in {said(select)} it is the one of the row outside, which makes it true"


def condition_for_a_comma(node: Any, _named: Named) -> str | None:
    """`SET a = 5 AND b = 6`, which is one assignment."""
    if not is_set(node) or not isinstance(node.expression, exp.And):
        return None
    first, *others = node.expression.flatten()
    if not (is_number(first) or text_of(first) is not None or isinstance(first, exp.Placeholder | exp.Null)):
        return None
    if not any(isinstance(each, exp.EQ) for each in others):
        return None
    assigned = ", ".join(map(said, others))
    return f"SET {said(node)} sets {said(node.this)} to 0 or 1: write SET {said(node.this)} = {said(first)}, {assigned}"


REMARKS = (
    (compared_with_null, EQUAL),
    (not_in_with_null, (exp.Not,)),
    (case_of_null, (exp.Case,)),
    (text_with_a_number, COMPARED),
    (json_with_a_text, (*EQUAL, exp.In)),
    (value_as_a_condition, (exp.Or, exp.And)),
    (same_column_twice, (exp.Or, exp.And)),
    (of_the_other_case, (*EQUAL, exp.In)),
    (one_behind_another, (*EQUAL, *ORDERED)),
    (bits_of_a_condition, (exp.BitwiseNot,)),
    (between_nothing, (exp.Between,)),
    (pattern_without_like, EQUAL),
    (column_from_outside, (exp.In,)),
    (condition_for_a_comma, (exp.EQ,)),
)
