"""Lists on the command line: every row of what is kept in pages, or the first so many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from codemode.values.records import Page

Row = TypeVar("Row")
_PAGE = 1_000


class Pages(Protocol[Row]):
    """A list that answers a page at a time."""

    def __call__(self, *, after: str | None = None, limit: int = 50) -> Page[Row]:
        """At most `limit` rows after a place."""
        ...


def every(pages: Pages[Row], most: int | None = None) -> list[Row]:
    """All rows of a list, or at most so many."""
    found: list[Row] = []
    after = None
    while most is None or len(found) < most:
        page = pages(after=after, limit=_PAGE if most is None else min(_PAGE, most - len(found)))
        found += page.rows
        after = page.next
        if after is None:
            break
    return found
