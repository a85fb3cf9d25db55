"""Lists in pages: what is asked of the rows, and where the next page begins.

A page begins after the key of the last row of the one before, so that rows which come or go meanwhile neither repeat
nor hide others, and the last page costs what the first one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import parse_limit
from codemode.catalog.rows import Kind, record
from codemode.errors import RequestInvalid
from codemode.values.records import Page

__all__ = ["Asked", "Page", "parse_after", "parse_number_after", "parse_pair_after", "wrong_after"]
_LONGEST = 512


class Asked:
    """The conditions of one list with their parameters; `?1` is the tenant's and not among them."""

    def __init__(self, first: str = "tenant = ?1") -> None:
        self._conditions = [first]
        self.params: list[Any] = []

    def bind(self, value: Any) -> str:
        """The placeholder of a new parameter."""
        self.params.append(value)
        return f"?{len(self.params) + 1}"

    def all(self, condition: str) -> Self:
        """One more condition, which has its placeholders."""
        self._conditions.append(condition)
        return self

    def that(self, condition: str, value: Any) -> Self:
        """One more condition, with `{}` for its value; none where the value is None."""
        if value is not None:
            self._conditions.append(condition.format(self.bind(value)))
        return self

    def those(self, condition: str, values: Sequence[Any] | None) -> Self:
        """One more condition, with `{}` for each of several values; none where there are None."""
        if values is not None:
            self._conditions.append(condition.format(*map(self.bind, values)))
        return self

    @property
    def where(self) -> str:
        """All of them."""
        return " AND ".join(self._conditions)

    def page(
        self, store: BoundStore, kind: type[Kind], rows: str, order: str, limit: int, *, key: Sequence[str] = ("id",)
    ) -> Page[Kind]:
        """A page of structs: `rows` is what stands between SELECT and WHERE, `key` the fields that order them.

        A key that is no field of theirs is the column behind these. Raises RequestInvalid for a wrong limit.
        """
        fields = kind.__struct_fields__
        places = [fields.index(name) if name in fields else len(fields) for name in key]
        sql = f"SELECT {rows} WHERE {self.where} ORDER BY {order} LIMIT {self.bind(parse_limit(limit) + 1)}"
        found = store.look(sql, *self.params)
        more = "~".join(str(found[limit - 1][column]) for column in places) if len(found) > limit else None
        return Page([record(kind, row) for row in found[:limit]], more)


def parse_after(after: Any) -> str | None:
    """Where a page begins, None for the first one; raises RequestInvalid for what no page answered."""
    if after is None or (isinstance(after, str) and 0 < len(after) <= _LONGEST and after.isprintable()):
        return after
    raise wrong_after()


def parse_number_after(after: Any) -> int | None:
    """The same for pages whose keys are numbers."""
    if after is None:
        return None
    if isinstance(after, str) and after.isascii() and after.isdecimal() and len(after) <= 18:
        return int(after)
    raise wrong_after()


def parse_pair_after(after: Any) -> tuple[int, str] | None:
    """The same for pages whose keys are a number and a text."""
    if after is None:
        return None
    number, _, text = str(parse_after(after)).partition("~")
    if number.isascii() and number.isdecimal() and len(number) <= 18 and text:
        return int(number), text
    raise wrong_after()


def wrong_after() -> RequestInvalid:
    """The error for a beginning that no page answered."""
    return RequestInvalid("`after` is what the page before answered as `next`", hint="start without it")
