"""Conditions as data → a fragment of SQL with its values bound.

`{"a": 1, "b": [1, 2], "c": {">": 3, "<=": 9}, "d": None, "e": {"like": "x%"}}`, joined by AND; `{"or": [...]}`,
`{"and": [...]}`, `{"not": ...}`; text is an SQL expression, `("price > ?", [3])` one with parameters, and a list
is joined by AND. SQL's own rules for NULL hold: a row whose value is NULL meets neither `=` nor `!=`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.helpers.quoting import Query, compose, invalid, listed, quote
from sandbox.helpers.spelling import closest, did_you_mean, snake

Name = Callable[[Any], str | Query]  # how the key of a condition becomes SQL
SHAPES = (dict, list, tuple, str)  # what under the name of a parameter shows that a dict holds keywords: see Arguments

_COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_PATTERNS = {"like": "LIKE", "not like": "NOT LIKE", "glob": "GLOB", "not glob": "NOT GLOB"}
_PARTS = {"contains": "%{}%", "starts with": "{}%", "ends with": "%{}"}
_LISTS = {"in": "IN", "not in": "NOT IN"}
_RANGES = {"between": "BETWEEN", "not between": "NOT BETWEEN"}
_SAME = {"is": "IS", "is not": "IS NOT"}
OPERATORS = (*_COMPARISONS, *_SAME, *_LISTS, *_PATTERNS, *_RANGES, *_PARTS)
_ALSO = {
    "eq": "=",
    "ne": "!=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "nin": "not in",
    "startswith": "starts with",
    "endswith": "ends with",
}
_TRUE, _FALSE = Query("1"), Query("0")


def conditions(given: Any, name: Name = quote) -> Query | None:
    """The fragment for `given`, or None where it asks for nothing; `name` makes SQL of a key."""
    if given is None:
        return None
    if isinstance(given, Query):
        return _enclosed(given)
    if isinstance(given, str):
        return _enclosed(Query(given)) if given.strip() else None
    if isinstance(given, Mapping):
        return _joined([_entry(key, value, name) for key, value in given.items()], "AND")
    if (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], (list, tuple))
    ):
        return _enclosed(Query(given[0], given[1]))
    if isinstance(given, (list, tuple)):
        return _joined([conditions(item, name) for item in given], "AND")
    raise invalid(
        f"conditions must be a dict, text or a list of them, not {given!r}", 'write {"column": {">": value}, …}'
    )


def clause(keyword: str, given: Any, name: Name = quote) -> Query | None:
    """`WHERE …` or `HAVING …`, or None where there is no condition."""
    fragment = conditions(given, name)
    return None if fragment is None else compose(keyword, fragment)


def _entry(key: Any, value: Any, name: Name) -> Query | None:
    logic = key.lower().lstrip("$") if isinstance(key, str) else ""
    if logic in {"and", "or"} and _is_logic(value):
        items = [{k: v} for k, v in value.items()] if isinstance(value, Mapping) else value
        parts = [conditions(item, name) for item in items]
        if logic == "or":  # nothing to choose from is false, and an empty choice is always met
            return _joined([part or _TRUE for part in parts], "OR") or _FALSE
        return _joined(parts, "AND")
    if logic == "not" and (_is_logic(value) or isinstance(value, str)):
        inner = conditions(value, name)
        return Query(f"NOT {inner}", inner.params) if inner else _FALSE
    return _on_column(Query(*_sql(name(key))), value)


def _is_logic(value: Any) -> bool:
    # `{"or": {"=": 1}}` is a condition on a column that is named "or".
    if isinstance(value, Mapping):
        return not value or not all(_operator(key) for key in value)
    return isinstance(value, (list, tuple))


def _on_column(column: Query, value: Any) -> Query | None:
    if isinstance(value, Mapping):
        if not value:
            raise invalid(f"the condition on {column} is empty", hint=f"use one of {', '.join(OPERATORS)}")
        return _joined([_test(column, operator, operand) for operator, operand in value.items()], "AND")
    if _is_collection(value):
        return _test(column, "in", value)
    return _test(column, "=", value)


def _test(column: Query, given: Any, operand: Any) -> Query:
    operator = _operator(given)
    if operator is None:
        meant = closest(str(given), OPERATORS)
        hint = did_you_mean(meant) or f"use one of {', '.join(OPERATORS)}"
        raise invalid(f"unknown operator {given!r} in the condition on {column}", hint, meant)
    if operator in _LISTS:
        return _membership(column, _LISTS[operator], operand)
    if operator in _RANGES:
        return _range(column, _RANGES[operator], operand)
    if operator in _SAME:
        return _bound(column, _SAME[operator], operand)
    if operator in _COMPARISONS:
        return _comparison(column, _COMPARISONS[operator], operand)
    return _pattern(column, operator, operand)


def _operator(given: Any) -> str | None:
    if not isinstance(given, str):
        return None
    words = " ".join(snake(given.lstrip("$")).replace("_", " ").split())
    words = _ALSO.get(words, words)
    return words if words in OPERATORS else None


def _comparison(column: Query, operator: str, operand: Any) -> Query:
    if operand is None:
        if operator == "=":
            return compose(column, "IS NULL")
        if operator == "!=":
            return compose(column, "IS NOT NULL")
        raise invalid(f"{column} {operator} None is never true", hint='use {"=": None} or {"!=": None}')
    if _is_collection(operand) and operator in {"=", "!="}:
        return _membership(column, "IN" if operator == "=" else "NOT IN", operand)
    return _bound(column, operator, operand)


def _bound(column: Query, operator: str, operand: Any) -> Query:
    if isinstance(operand, Query):
        return compose(column, operator, Query(f"({operand})", operand.params))
    if _is_collection(operand) or isinstance(operand, Mapping):
        raise invalid(f"{column} {operator} takes one value, not {operand!r}")
    return compose(column, operator, Query("?", [operand]))


def _membership(column: Query, operator: str, operand: Any) -> Query:
    if isinstance(operand, Query):
        return compose(column, operator, Query(f"({operand})", operand.params))
    if not _is_collection(operand):
        raise invalid(f"{column} {operator} takes a list, not {operand!r}")
    values = list(operand)
    present = [value for value in values if value is not None]
    among = compose(column, operator, Query(f"({', '.join('?' * len(present))})", present)) if present else None
    if len(present) == len(values):
        return among or (_FALSE if operator == "IN" else _TRUE)
    # A NULL in the list: SQL's own IN would find no such row, and its NOT IN would find no row at all.
    if operator == "IN":
        return _joined([among, compose(column, "IS NULL")], "OR") or _FALSE
    return _joined([among, compose(column, "IS NOT NULL")], "AND") or _TRUE


def _range(column: Query, operator: str, operand: Any) -> Query:
    if not isinstance(operand, (list, tuple)) or len(operand) != 2 or None in operand:
        raise invalid(f"{column} {operator} takes two values, not {operand!r}")
    return Query(f"{column} {operator} ? AND ?", [*column.params, *operand])


def _pattern(column: Query, operator: str, operand: Any) -> Query:
    if not isinstance(operand, str):
        raise invalid(f"{column} {operator} takes text, not {operand!r}")
    if operator in _PATTERNS:
        return compose(column, _PATTERNS[operator], Query("?", [operand]))
    return compose(column, Query("LIKE ? ESCAPE '\\'", [_PARTS[operator].format(escaped(operand))]))


def escaped(term: str) -> str:
    r"""`term` for a LIKE pattern with ESCAPE '\': its own %, _ and \ mean themselves."""
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _is_collection(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, memoryview, Mapping))


def _joined(parts: Iterable[Query | None], word: str) -> Query | None:
    kept = [part for part in parts if part]
    if len(kept) < 2:
        return kept[0] if kept else None
    return _enclosed(listed(kept, f" {word} "))


def _enclosed(fragment: Query) -> Query:
    # A comment at the end of the text must not swallow the bracket.
    ending = "\n)" if "--" in fragment or "/*" in fragment else ")"
    return Query(f"({fragment}{ending}", fragment.params)


def _sql(part: str | Query) -> tuple[str, tuple[Any, ...]]:
    return str.__str__(part), part.params if isinstance(part, Query) else ()
