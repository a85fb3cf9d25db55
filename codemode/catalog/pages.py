"""Lists in pages: what is asked of the rows, and where the next page begins.

A page begins after the key of the last row of the one before, so that rows which come or go meanwhile neither repeat
nor hide others, and the last page costs what the first one does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from codemode.errors import RequestInvalid

Row = TypeVar("Row")
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows; `next` is where the page after them begins, None for the last one."""

    rows: list[Row]
    next: str | None


class Asked:
    """The conditions of one list with their parameters; `?1` is the tenant's and not among them."""

    def __init__(self, first: str = "tenant = ?1") -> None:
        self._conditions = [first]
        self.params: list[Any] = []

    def bind(self, value: Any) -> str:
        """The placeholder of a new parameter."""
        self.params.append(value)
        return f"?{len(self.params) + 1}"

    def that(self, condition: str, value: Any) -> Self:
        """One more condition, with `{}` for its value; none where the value is None."""
        if value is not None:
            self._conditions.append(condition.format(self.bind(value)))
        return self

    @property
    def where(self) -> str:
        """All of them."""
        return " AND ".join(self._conditions)


def paged(
    rows: list[tuple[Any, ...]], limit: int, read: Callable[[tuple[Any, ...]], Row], *, key: int = 0
) -> Page[Row]:
    """The page of `limit` rows of which one more was asked for; column `key` is what the next page begins after."""
    more = str(rows[limit - 1][key]) if len(rows) > limit else None
    return Page([read(row) for row in rows[:limit]], more)


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


def wrong_after() -> RequestInvalid:
    """The error for a beginning that no page answered."""
    return RequestInvalid("`after` is what the page before answered as `next`", hint="start without it")
