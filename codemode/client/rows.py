"""A whole result as it comes: lines of NDJSON to rows, and rows to pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codemode import cells
from codemode.client.ask import Ask, parsed, stranger
from codemode.client.calls import Place, statement_body
from codemode.client.problems import problem

Row = Sequence[Any]


def rows(place: Place, sql: Any, params: Any) -> Ask:
    """The request for all rows of a statement."""
    body = statement_body(sql, params)
    return Ask(method="POST", path=f"{place.path}/rows", body=body, safe=True, seconds=place.seconds)


class RowLines:
    """Reads the lines: `columns` from the first, rows from the others, and the last that says that it is whole."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.whole = False

    def begin(self, line: bytes) -> list[str]:
        """The columns, from the first line."""
        self.columns = _read(line)["columns"]
        return self.columns

    def row(self, line: bytes) -> Row | None:
        """The row of a line, None for the last; raises the CodemodeError that ended the rows too early."""
        found = _read(line)
        if type(found) is list:
            # A text may hold the sign too; then looking at each cell costs time and changes nothing.
            return tuple(map(cells.from_json, found)) if b'"$' in line else tuple(found)
        if "problem" in found:
            raise problem(found["problem"])
        self.whole = True
        return None

    def end(self) -> None:
        """Raise WorkerUnreachable unless the last line came."""
        if not self.whole:
            raise stranger("rows that end in the middle")


class Pages:
    """Gathers rows into pages of one size."""

    def __init__(self, columns: Sequence[str], size: int) -> None:
        self._columns, self._size = columns, size
        self._held: list[dict[str, Any]] = []

    def add(self, row: Row) -> list[dict[str, Any]] | None:
        """The page that this row fills, if it does."""
        self._held.append(dict(zip(self._columns, row, strict=True)))
        return self.rest() if len(self._held) >= self._size else None

    def rest(self) -> list[dict[str, Any]]:
        """The rows that fill no page."""
        page, self._held = self._held, []
        return page


def _read(line: bytes) -> Any:
    try:
        return parsed(line)
    except ValueError:
        raise stranger("a line of rows that is no JSON") from None
