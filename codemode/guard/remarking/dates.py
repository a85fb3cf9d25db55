"""Remarks on dates: what SQLite's functions cannot read is NULL, and a date is a text."""

from __future__ import annotations

import re
from contextlib import closing
from functools import lru_cache
from itertools import pairwise
from typing import Any

import apsw
from sqlglot import exp

from codemode.guard.calls import called
from codemode.guard.remarking.tree import COMPARED, Named, is_number, plain, said, sides, text_of

_FUNCTIONS = frozenset({"strftime", "date", "time", "datetime", "julianday", "unixepoch"})
_CODES = frozenset("defFgGHIjJklmMnpPRsSTtuUVwWY%")
_CODE_WAYS = {
    "B": "CASE strftime('%m', x) WHEN '01' THEN 'January' … END",
    "b": "CASE strftime('%m', x) WHEN '01' THEN 'Jan' … END",
    "A": "CASE strftime('%w', x) WHEN '0' THEN 'Sunday' … END",
    "a": "CASE strftime('%w', x) WHEN '0' THEN 'Sun' … END",
    "y": "substr(strftime('%Y', x), 3)",
    "i": "%M for minutes",
    "D": "%m/%d/ and substr(strftime('%Y', x), 3)",
    "q": "(CAST(strftime('%m', x) AS INTEGER) + 2) / 3",
}
_MODIFIER_WAYS = (
    (re.compile(r"week", re.IGNORECASE), "'+7 days' for a week, '-6 days', 'weekday 1' for its Monday"),
    (re.compile(r"quarter", re.IGNORECASE), "'+3 months' for a quarter"),
    (re.compile(r"\bmins?\b|\bsecs?\b|\bhrs?\b", re.IGNORECASE), "'+5 minutes', '+5 seconds', '+5 hours'"),
)
_SOME_DAY = "2000-01-01 00:00:00"


@lru_cache(maxsize=512)
def _answer(function: str, *args: str | float) -> Any:
    """What SQLite answers, asked of a connection without data."""
    with closing(apsw.Connection(":memory:")) as connection:
        return connection.execute(f"SELECT {function}({', '.join('?' * len(args))})", args).get


def _is_null(function: str, *args: str | float) -> bool:
    return _answer(function, *args) is None


def date_without_quotes(node: Any, named: Named) -> str | None:
    """`x = 2013-01-01`."""
    left = node.this
    if not isinstance(left, exp.Sub) or not all(map(is_number, (left.this, left.expression, node.expression))):
        return None
    written = f"{left.this.sql()}-{left.expression.sql()}-{node.expression.sql()}"
    if re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2]|[1-9])-(0[1-9]|[12]\d|3[01]|[1-9])", written) is None:
        return None
    if written not in named.text:  # 2013 - 1 - 5 is meant as a subtraction
        return None
    answer = int(left.this.this) - int(left.expression.this) - int(node.expression.this)
    year, month, day = written.split("-")
    return f"{written} without quotes is the number {answer}: write '{year}-{month:0>2}-{day:0>2}'"


def always_null(node: Any, named: Named) -> str | None:
    """A call that answers NULL for every row: its format, its modifiers or its date are none."""
    name, args = called(node), node.expressions
    if name not in _FUNCTIONS or not args:
        return None
    if name == "strftime":
        return _format(node, args) or _time_and_modifiers(node, name, args[1:], named)
    return _time_and_modifiers(node, name, args, named)


def _format(node: Any, args: list[Any]) -> str | None:
    form = text_of(args[0])
    if form is None:
        second = text_of(args[1]) if len(args) > 1 else None
        if second is None or "%" not in second:
            return None
        return f"{said(node)} is NULL: the format is first, strftime({said(args[1])}, {said(args[0])})"
    unknown = next((code for code in re.findall(r"%(.?)", form, re.DOTALL) if code not in _CODES or not code), None)
    if unknown is None:
        if "%" not in form and len(args) > 1 and "%" in (text_of(args[1]) or ""):
            return f"{said(node)} is NULL: the format is first, strftime({said(args[1])}, {said(args[0])})"
        return None
    if not _is_null("strftime", form, _SOME_DAY):
        return None
    way = f": use {_CODE_WAYS[unknown]}" if unknown in _CODE_WAYS else "; the codes are %Y %m %d %H %M %S %j %w %W %s"
    return f"{said(node)} is NULL: SQLite's strftime has no %{unknown}{way}"


def _time_and_modifiers(node: Any, name: str, args: list[Any], named: Named) -> str | None:
    if not args:
        return None
    form = ("%Y",) if name == "strftime" else ()
    time, modifiers = text_of(args[0]), args[1:]
    known = [str(each) for each in map(text_of, modifiers) if each is not None]
    if time is not None and len(known) == len(modifiers):
        if not _is_null(name, *form, time, *known):
            return None
        if _is_null(name, *form, time):
            return (
                f"{said(node)} is NULL: SQLite reads no date in '{time}': write it as 2013-01-31, or 2013-01-31 12:00"
            )
    for each in modifiers:
        if is_number(each) or (isinstance(each, exp.Column) and named.is_whole(each)):
            return (
                f"{said(node)} is NULL: behind the date stand modifiers, '+1 day'; of numbers a date is made by"
                " printf('%04d-%02d-%02d', y, m, d)"
            )
    bad = next((each for each in known if _is_no_modifier(each)), None)
    if bad is None:
        return None
    way = next((way for found, way in _MODIFIER_WAYS if found.search(bad)), "'+1 day', '-3 months', 'start of month'")
    return f"{said(node)} is NULL: '{bad}' is no modifier of SQLite's: use {way}"


def _is_no_modifier(text: str) -> bool:
    times: tuple[str | float, ...] = (_SOME_DAY, 0)
    return all(_is_null("datetime", time, text) and _is_null("datetime", time, "+1 month", text) for time in times)


def without_a_zero(node: Any, named: Named) -> str | None:
    """`date(year || '-' || month || '-' || day)` of whole numbers: 2013-1-5 is no date."""
    if called(node) not in _FUNCTIONS:
        return None
    value = plain(node.expressions[-1 if called(node) == "strftime" and len(node.expressions) == 2 else 0])
    if not isinstance(value, exp.DPipe):
        return None
    parts = [plain(each) for each in value.flatten()]
    for before, part in pairwise(parts):
        if (text_of(before) or "").endswith("-") and isinstance(part, exp.Column) and named.is_whole(part):
            return (
                f"{said(node)} is NULL where {said(part)} has one digit: use printf('%04d-%02d-%02d', year, month, day)"
            )
    return None


def counted_as_a_year(node: Any, named: Named) -> str | None:
    """`date(x) - 7`, `date(a) - date(b)`, `a - lag(a) OVER (…)`: only the year of a date is a number."""
    left, right = plain(node.this), plain(node.expression)
    if not named.is_day(left):
        return None
    is_count = is_number(right) or named.is_whole(right)
    if not is_count and not (isinstance(node, exp.Sub) and named.is_day(right)):
        return None
    years = f"{said(node)} counts years, for a date is a text: for days write"
    if is_number(right):
        sign = "-" if isinstance(node, exp.Sub) else "+"
        function = called(left) if isinstance(left, exp.Anonymous) else "date"
        return f"{years} {function}({_of_call(left)}, '{sign}{said(right)} days')"
    if is_count:
        sign = "'-' || " if isinstance(node, exp.Sub) else ""
        return f"{years} date({_of_call(left)}, {sign}{said(right)} || ' days')"
    return f"{years} julianday({_of_call(left)}) - julianday({_of_call(right)})"


def _of_call(day: Any) -> str:
    args = getattr(day, "expressions", [])
    return said(args[0] if called(day) and len(args) == 1 else day)


_DAY, _CLOCK = r"-?\d{4}-\d\d-\d\d", r"\d\d:\d\d:\d\d"
_SHAPES = {"date": _DAY, "time": _CLOCK, "datetime": f"{_DAY} {_CLOCK}"}
_SHAPES_OF_CODES = {
    "Y": r"-?\d{4}", "G": r"-?\d{4}", "j": r"\d{3}", "w": r"\d", "u": r"\d", "F": _DAY, "T": _CLOCK, "R": r"\d\d:\d\d",
    **dict.fromkeys("dHmMSUVW", r"\d\d"), "%": "%",
}  # fmt: skip


def _shape(node: Any) -> str | None:
    """The pattern that all answers of a call have."""
    name, args = called(node), getattr(node, "expressions", [])
    if name != "strftime":
        return (
            None if len(args) > 1 and any("sub" in (text_of(each) or "sub") for each in args[1:]) else _SHAPES.get(name)
        )
    form = text_of(args[0]) if args else None
    if form is None:
        return None
    pieces = re.findall(r"%(.)|([^%]+)", form)
    if any(code and code not in _SHAPES_OF_CODES for code, _ in pieces):
        return None
    return "".join(_SHAPES_OF_CODES[code] if code else re.escape(words) for code, words in pieces)


_EXACT = (exp.EQ, exp.NEQ, exp.In, exp.Is)


def of_another_shape(node: Any, _named: Named) -> str | None:
    """`date(x) = '2013-1-5'`, `strftime('%m', x) = '1'`: no date is written so."""
    left, others = sides(node)
    if text_of(left) is not None and len(others) == 1:
        left, others = plain(others[0]), [left]
    shape = _shape(left)
    if shape is None:
        return None
    is_digits = re.fullmatch(r"(\\d|-\?|\{\d\})+", shape) is not None
    for each in others:
        text = text_of(plain(each))
        if not text or re.fullmatch(shape, text):  # date(x) <> '' asks whether there is a date
            continue
        unlike = (called(left) == "datetime" and text[10:11] == "T") or re.fullmatch(
            r"\d{4}-\d{1,2}-\d{1,2}(?<!-\d\d-\d\d)|\d{1,2}/\d{1,2}/\d{4}|\d{4}/\d+/\d+", text
        )
        if isinstance(node, _EXACT) or unlike or (is_digits and text.isdecimal()):
            example = _example(left)
            return f"{said(left)} is never written as '{text}', but as '{example}': {said(node)}"
    return None


def _example(call: Any) -> str:
    day = "2013-01-05 09:00:00"
    name = called(call)
    return str(_answer(name, str(text_of(call.expressions[0])), day) if name == "strftime" else _answer(name, day))


REMARKS = (
    (date_without_quotes, (exp.Sub,)),
    (always_null, (exp.Anonymous,)),
    (without_a_zero, (exp.Anonymous,)),
    (counted_as_a_year, (exp.Sub, exp.Add)),
    (of_another_shape, (*COMPARED, exp.Is)),
)
