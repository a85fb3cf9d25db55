"""Lists on the command line: the first so many rows of what is kept in pages, and whether there are more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from codemode.cli.app import App
from codemode.cli.fields import cell
from codemode.cli.output import warn
from codemode.cli.table import show

if TYPE_CHECKING:
    from codemode.values.records import Page

Row = TypeVar("Row")
Columns = Mapping[str, str | Callable[[Any], Any]]  # by what people call them: a field, or what is made of a record
_PAGE = 1_000


class Pages(Protocol[Row]):
    """A list that answers a page at a time."""

    def __call__(self, *, after: str | None = None, limit: int = 50) -> Page[Row]:
        """At most `limit` rows after a place."""
        ...


class Found(NamedTuple, Generic[Row]):
    """Rows, and whether there are more than these."""

    rows: list[Row]
    more: bool


def every(pages: Pages[Row], most: int) -> Found[Row]:
    """At most so many rows of a list."""
    found: list[Row] = []
    after = None
    while True:
        page = pages(after=after, limit=min(_PAGE, most - len(found)))
        found += page.rows
        after = page.next
        if after is None or len(found) >= most:
            return Found(found, after is not None)


def tell(app: App, found: Found[Any], columns: Columns, none: str, whole: Collection[str] = ()) -> None:
    """Answer with a list: as JSON, or as a table without the columns in which nothing stands, or `none`."""
    remark = f"there are more: --limit N lists more than {len(found.rows):,}"
    if app.as_json:
        app.answer(found.rows, warnings=(remark,) if found.more else ())
    else:
        cells = {name: [_cell(each, what) for each in found.rows] for name, what in columns.items()}
        kept = {name: column for name, column in cells.items() if any(one != "" for one in column)}
        show([*kept], [*zip(*kept.values(), strict=True)], whole=whole, none=none)
        if found.more:
            warn(remark)


def _cell(record: Any, what: str | Callable[[Any], Any]) -> Any:
    return cell(record, what) if isinstance(what, str) else what(record)
