"""Remarks on numbers: divisions that drop what is asked for, texts that are added, types that SQLite has not."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from codemode.guard.calls import called
from codemode.guard.remarking.tree import DECIMALS, Named, is_cast_to, is_number, plain, said, text_of, value_of

_REALS = frozenset({"DOUBLE", "FLOAT", "DECIMAL"})


def _whole_division(node: Any, named: Named) -> Any:
    """The division of whole numbers in `node`, where all of it is one."""
    if not named.is_whole(node):
        return None
    node = plain(node)
    while isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Neg):
        node = plain(next((each for each in (node.this, node.args.get("expression")) if _divides(each)), node.this))
    return node if isinstance(node, exp.Div) else None


def _divides(node: Any) -> bool:
    return (
        node is not None
        and isinstance(plain(node), exp.Div | exp.Add | exp.Sub | exp.Mul)
        and node.find(exp.Div) is not None
    )


def _without_decimals(node: Any, division: Any) -> str:
    way = f"{said(division.this)} * 1.0 / {said(division.expression)}"
    return f"{said(node)} divides whole numbers, and drops what is behind the point: write {way}"


def decimals_of_a_whole_number(node: Any, named: Named) -> str | None:
    """`round(count(x) * 100 / count(*), 2)`."""
    name, args = called(node), node.expressions
    if (
        (name == "round" and len(args) == 2 and is_number(args[1]) and value_of(args[1]) >= 1)
        or (name in ("ceil", "ceiling") and len(args) == 1)
        or (name == "avg" and isinstance(plain(args[0]), exp.Div) and not is_number(plain(args[0]).expression))
    ):
        division = _whole_division(args[0], named)
    elif (
        name in ("printf", "format")
        and len(args) == 2
        and re.fullmatch(r"[^%]*%\d*\.[1-9]\d*f(%%|[^%])*", text_of(args[0]) or "")
    ):
        division = _whole_division(args[1], named)
    else:
        return None
    return None if division is None else _without_decimals(node, division)


def made_real_too_late(node: Any, named: Named) -> str | None:
    """`CAST(a / b AS REAL)`."""
    if not is_cast_to(node, _REALS):
        return None
    division = _whole_division(node.this, named)
    return None if division is None else _without_decimals(node, division)


def times_a_real_too_late(node: Any, named: Named) -> str | None:
    """`a / b * 100.0`, `1.0 * (a / b)`."""
    left, right = plain(node.this), plain(node.expression)
    for real, other in ((left, right), (right, left)):
        if isinstance(other, exp.Div) and is_number(real) and "." in said(real) and value_of(real) in (1, 100):
            return _without_decimals(node, other) if named.is_whole(other) else None
    return None


def decimal_stays_whole(node: Any, named: Named) -> str | None:
    """`CAST(a AS DECIMAL) / b`: SQLite keeps a whole number, and divides it as one."""
    left, right = plain(node.this), plain(node.expression)
    cast = next((each for each in (left, right) if is_cast_to(each, DECIMALS)), None)
    if cast is None or not named.is_whole(node):
        return None
    return f"CAST({said(cast.this)} AS DECIMAL) stays whole, and is divided without decimals: write AS REAL"


def mean_without_decimals(node: Any, named: Named) -> str | None:
    """`sum(x) / count(*)`, `count(a) / count(b)`."""
    names = [
        called(each.this if isinstance(each, exp.Filter) else each)
        for each in (plain(node.this), plain(node.expression))
    ]
    if names[0] not in ("sum", "count") or names[1] != "count" or not named.is_whole(node):
        return None
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if called(parent) or isinstance(parent, exp.Cast):  # other remarks say it, or decimals are dropped there
        return None
    if isinstance(parent, exp.Mul) and any(is_number(each) and "." in said(each) for each in parent.iter_expressions()):
        return None
    return _without_decimals(node, node)


def negative_digits(node: Any, _named: Named) -> str | None:
    """`round(x, -2)`, which is round(x)."""
    args = node.expressions
    if called(node) != "round" or len(args) != 2 or not is_number(args[1]) or value_of(args[1]) >= 0:
        return None
    unit = 10 ** int(min(15, -value_of(args[1])))
    return f"{said(node)} rounds to whole numbers: write round({said(args[0])} / {unit}.0) * {unit}"


_NO_TYPES = {
    "DATE": "date({})", "TIME": "time({})", "DATETIME": "datetime({})", "TIMESTAMP": "datetime({})",
    "TIMESTAMPTZ": "datetime({})", "JSON": "json({})", "JSONB": "jsonb({})", "UUID": "CAST({} AS TEXT)",
}  # fmt: skip


_STRING_CAST = re.compile(r"\bAS\s+STRING\s*\)", re.IGNORECASE)


def column_of_strings(node: Any, named: Named) -> str | None:
    """`zip STRING`, of which SQLite makes a number."""
    if not re.search(rf"\b{re.escape(node.name)}\W{{1,9}}STRING\b", named.text, re.IGNORECASE):
        return None
    return f"{node.name} STRING keeps '007' as the number 7: SQLite knows no such type, write TEXT"


def no_type(node: Any, named: Named) -> str | None:
    """`CAST(x AS DATE)`, which is 2013 of '2013-01-31'."""
    name = node.to.this.name
    if name == "TEXT" and _STRING_CAST.search(named.text):
        return f"CAST({said(node.this)} AS STRING) makes a number of it, 7 of '007' and 0 of a word: write AS TEXT"
    way = _NO_TYPES.get(name)
    if way is None:
        return None
    return f"CAST({said(node.this)} AS {name}) is a number, 2013 of '2013-01-31': write {way.format(said(node.this))}"


def added_text(node: Any, _named: Named) -> str | None:
    """`first + ' ' + last`, which is 0."""
    texts = [text_of(plain(each)) for each in (node.this, node.expression)]
    text = next((each for each in texts if each is not None and re.match(r"\s*[-+]?\.?\d", each) is None), None)
    if text is None:
        return None
    return f"+ adds numbers, and '{text}' counts as 0: texts are joined by ||"


_SHAPE = re.compile(r"[yMdHhmsDY][yMdHhmsDY/:., T-]*|[NnCcPpFf]\d?|[#0][#0,.]*")


def format_last(node: Any, named: Named) -> str | None:
    """`format(day, 'yyyy-MM')`, `format(cost, 2)`: the first value is the format here, and is answered as it is."""
    args = node.expressions
    if called(node) not in ("format", "printf") or len(args) != 2 or text_of(args[0]) is not None:
        return None
    shape = text_of(args[1])
    if not (is_number(args[1]) and named.is_number_of(args[0])) and not (shape and _SHAPE.fullmatch(shape)):
        return None
    way = f"printf('%,.2f', {said(args[0])}) for numbers, strftime('%Y-%m', {said(args[0])}) for dates"
    return f"{said(node)} is {said(args[0])} as it is: the format is first, {way}"


REMARKS = (
    (format_last, (exp.Anonymous,)),
    (decimals_of_a_whole_number, (exp.Anonymous,)),
    (made_real_too_late, (exp.Cast,)),
    (times_a_real_too_late, (exp.Mul,)),
    (decimal_stays_whole, (exp.Div,)),
    (mean_without_decimals, (exp.Div,)),
    (negative_digits, (exp.Anonymous,)),
    (no_type, (exp.Cast,)),
    (column_of_strings, (exp.ColumnDef,)),
    (added_text, (exp.Add,)),
)
