"""SQL text with its parameters: `Query`, and the only ways in which names become part of it.

A *column* or *table* parameter is always one whole name and is always quoted. An *expression* parameter (select,
group_by, having, order_by, aggregate) is quoted when it is exactly one plain identifier, and SQL otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.helpers.error import HelperError, UnknownHelper

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_ORDERED = re.compile(r"(-?)([^\W\d]\w*)(\s+(?:asc|desc))?(\s+nulls\s+(?:first|last))?", re.IGNORECASE)
_DIRECTIONS = {"asc": "ASC", "ascending": "ASC", "1": "ASC", "desc": "DESC", "descending": "DESC", "-1": "DESC"}
MOST = 2**63 - 1


class Query(str):
    """SQL text that carries its `.params`; `helpers.db` reads them. Joining it to other text loses them."""

    __slots__ = ("params",)
    params: tuple[Any, ...]

    def __new__(cls, text: str, params: Iterable[Any] = ()) -> Query:
        """`text` with the values for its placeholders."""
        query = super().__new__(cls, text)
        super().__setattr__(query, "params", tuple(params))
        return query

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnknownHelper("request.invalid", "a query cannot be changed; build another one")

    def __reduce__(self) -> tuple[Any, ...]:
        return (Query, (str.__str__(self), self.params))


def invalid(message: str, hint: str | None = None, meant: Sequence[str] = ()) -> HelperError:
    """The error of every builder: `request.invalid`."""
    return HelperError("request.invalid", message, hint=hint, did_you_mean=meant)


def compose(*parts: str | Query | None) -> Query:
    """The parts in one text, a blank between them, their parameters in order; None and "" are left out."""
    kept = [part for part in parts if part]
    params = [value for part in kept if isinstance(part, Query) for value in part.params]
    return Query(" ".join(kept), params)


def listed(parts: Iterable[str | Query], separator: str = ", ") -> Query:
    """The parts joined by `separator`, their parameters in order."""
    kept = list(parts)
    return Query(separator.join(kept), [v for part in kept if isinstance(part, Query) for v in part.params])


def quote(name: Any, what: str = "a column") -> str:
    """`name` as a quoted identifier, whatever characters it holds."""
    if not isinstance(name, str) or not name:
        raise invalid(f"{what} must be a name, not {name!r}")
    text = str.__str__(name)
    if "\0" in text or not _encodable(text):
        raise invalid(f"{what} cannot be named {text!a}")
    return '"' + text.replace('"', '""') + '"'


def source(table: Any) -> str | Query:
    """What stands behind FROM: a table's quoted name, or a query as a subquery."""
    if isinstance(table, Query):
        return Query(f"({_fenced(table)})", table.params)
    return quote(table, "the table")


def columns(fields: Any, what: str = "fields") -> list[str]:
    """Quoted names of one column or several; never empty."""
    names = [fields] if isinstance(fields, str) else _items(fields, what)
    if not names:
        raise invalid(f"{what} must name at least one column")
    return [quote(name) for name in names]


def expression(text: Any) -> str | Query:
    """A plain identifier as a quoted column; any other text as the SQL expression that it is."""
    if not isinstance(text, str) or not text.strip():
        raise invalid(f"an expression must be text, not {text!r}")
    if isinstance(text, Query):
        return text
    return quote(text) if _IDENTIFIER.fullmatch(text) else _fenced(text)


def expressions(items: Any, what: str) -> Query:
    """One expression or several; a dict means alias → expression."""
    if isinstance(items, dict):
        return listed(compose(expression(text), "AS", quote(alias)) for alias, text in items.items())
    return listed(expression(item) for item in ([items] if isinstance(items, str) else _items(items, what)))


def ordering(items: Any) -> Query | None:
    """ORDER BY: `"name"`, `"name desc"`, `"-name"`, `("name", "desc")`, `{"name": "desc"}`, or an expression."""
    if items in (None, "", [], (), {}):
        return None
    if isinstance(items, dict):
        terms = [_directed(name, direction) for name, direction in items.items()]
    elif isinstance(items, str):
        terms = [_term(items)]
    else:
        terms = [_directed(*item) if _is_pair(item) else _term(item) for item in _items(items, "order_by")]
    return compose("ORDER BY", listed(terms))


def whole(value: Any, what: str, least: int = 0, most: int = MOST) -> int:
    """A whole number within bounds, or `request.invalid`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"{what} must be a whole number, not {value!r}")
    if not least <= value <= most:
        bounds = f"{least:,} or more" if most == MOST else f"{least:,} to {most:,}"
        raise invalid(f"{what} must be {bounds}, not {value:,}")
    return int(value)


def limited(limit: Any, offset: Any = None) -> Query | None:
    """LIMIT and OFFSET, bound; None where neither is given."""
    if limit is None and offset is None:
        return None
    rows = -1 if limit is None else whole(limit, "limit")
    if offset is None:
        return Query("LIMIT ?", [rows])
    return Query("LIMIT ? OFFSET ?", [rows, whole(offset, "offset")])


def _items(items: Any, what: str) -> list[Any]:
    if isinstance(items, (list, tuple)):
        return list(items)
    if isinstance(items, Iterable) and not isinstance(items, (str, bytes, dict)):
        return list(items)
    raise invalid(f"{what} must be text or a list of text, not {items!r}")


def _is_pair(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2


def _directed(name: Any, direction: Any) -> str:
    known = _DIRECTIONS.get(str(direction).lower())
    if known is None:
        raise invalid(f"the direction of {name!r} must be asc or desc, not {direction!r}")
    return f"{quote(name)} {known}"


def _term(item: Any) -> str | Query:
    match = _ORDERED.fullmatch(item.strip()) if isinstance(item, str) else None
    if match is None:
        return expression(item)
    minus, name, direction, nulls = match.groups(default="")
    if minus and direction:
        raise invalid(f"order_by {item!r} says its direction twice")
    return f"{quote(name)}{' DESC' if minus else direction.upper()}{nulls.upper()}"


def _fenced(text: str) -> str:
    # A comment at the end of an expression must not swallow what follows it.
    return f"{text}\n" if "--" in text or "/*" in text else str.__str__(text)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
