"""Rows in the form that their reader wants: objects, columns, CSV or Markdown, as many of them as fit.

| format | JSON of the result | loses |
|---|---|---|
| objects | a list of objects | nothing |
| columns | `{"columns": [names], "rows": [[values], …]}`: each name once | nothing |
| csv | text: a header, a line a row; null is an empty field | what is text and what a number |
| markdown | text: a table with a bar between the cells | as csv; line breaks; cells above 500 characters |
| auto | the shortest of objects, columns and a csv that reads back as it was | nothing |

A cell that is clipped ends in how many characters are missing, and `clipped_cells` counts them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sandbox.form import Form
from sandbox.serialize import TooLarge, to_json
from sandbox.tabular import Table

MARKDOWN_CELL = 500  # a longer one is no table that anybody reads
_NUMBERS = frozenset({int, float})
_READ_BACK = frozenset({type(None), int, float, str})


class Rendered(NamedTuple):
    """JSON text of the first `shown` rows of a table in one format."""

    kind: str
    text: str
    shown: int
    clipped: int
    warnings: tuple[str, ...]


def render(table: Table, form: Form, most_bytes: int) -> Rendered:
    """As many rows of `table` as fit into `most_bytes` of JSON; text null where not even their names do."""
    if form.kind != "auto":
        return _WRITERS[form.kind](table, form.max_cell).fill(most_bytes)
    kinds = ["objects", "columns", *(["csv"] if _reads_back(table) else [])]
    tried = [render(table, Form(kind, form.max_cell), most_bytes) for kind in kinds]
    return min(tried, key=lambda one: (-one.shown, len(one.text)))


class _Writer:
    """Writes rows one by one; a subclass says what stands before, between and after them."""

    kind = "objects"
    start, joint, end = "[", ",", "]"

    def __init__(self, table: Table, max_cell: int | None) -> None:
        self.table, self.max_cell = table, max_cell
        self.clipped = 0
        self.warnings: set[str] = set()

    def piece(self, row: Sequence[Any], most_bytes: int) -> str:
        """JSON text of one row, or a part of a JSON string."""
        return self.json(dict(zip(self.table.columns, map(self.clip, row), strict=True)), most_bytes)

    def fill(self, most_bytes: int) -> Rendered:
        """Write rows until one does not fit."""
        room = most_bytes - _size(self.start + self.end)
        if room < 0:
            return Rendered(self.kind, "null", 0, 0, ())
        pieces: list[str] = []
        clipped = 0
        for row in self.table.rows():
            try:
                piece = self.piece(row, most_bytes)
            except TooLarge:
                break
            room -= _size(piece) + (len(self.joint) if pieces else 0)
            if room < 0:
                break
            pieces.append(piece)
            clipped = self.clipped
        text = self.start + self.joint.join(pieces) + self.end
        return Rendered(self.kind, text, len(pieces), clipped, tuple(sorted(self.warnings)))

    def json(self, value: Any, most_bytes: int) -> str:
        """JSON text of a value; what is lost is remembered."""
        text, info = to_json(value, most_bytes)
        self.warnings.update(info["warnings"])
        return text

    def clip(self, cell: Any) -> Any:
        """The first `max_cell` characters of a text and the number of those that are missing, where that is shorter."""
        if self.max_cell is None or type(cell) is not str or len(cell) <= self.max_cell:
            return cell
        clipped = f"{cell[: self.max_cell]}… (+{len(cell) - self.max_cell:,} characters)"
        if len(clipped) >= len(cell):
            return cell
        self.clipped += 1
        return clipped


class _Columns(_Writer):
    kind = "columns"
    end = "]}"

    def __init__(self, table: Table, max_cell: int | None) -> None:
        super().__init__(table, max_cell)
        self.start = f'{{"columns":{_as_json(table.columns)},"rows":['

    def piece(self, row: Sequence[Any], most_bytes: int) -> str:
        return self.json([self.clip(cell) for cell in row], most_bytes)


class _Lines(_Writer):
    """A format that is text: one line a row, inside one JSON string."""

    joint, end = "", '"'

    def text(self, cell: Any, most_bytes: int) -> str | None:
        """A cell as text, what has no text of its own as JSON; None for null, which a NaN becomes too."""
        if cell is None:
            return None
        if type(cell) is str:
            return str(self.clip(cell))
        text = self.json(cell, most_bytes)
        if text[0] in "[{":
            return str(self.clip(text))
        return None if text == "null" else str(json.loads(text)) if text[0] == '"' else text  # numbers: never clipped


class _Csv(_Lines):
    kind = "csv"

    def __init__(self, table: Table, max_cell: int | None) -> None:
        super().__init__(table, max_cell)
        self.start = '"' + _inside(",".join(map(_csv_field, table.columns)) + "\n")

    def piece(self, row: Sequence[Any], most_bytes: int) -> str:
        texts = (self.text(cell, most_bytes) for cell in row)
        return _inside(",".join("" if text is None else _csv_field(text) for text in texts) + "\n")


class _Markdown(_Lines):
    kind = "markdown"

    def __init__(self, table: Table, max_cell: int | None) -> None:
        super().__init__(table, max_cell or MARKDOWN_CELL)
        right = [_is_numeric(table.column(place)) for place in range(len(table.columns))]
        rule = "|" + "|".join("---:" if is_right else "---" for is_right in right) + "|\n"
        self.start = '"' + _inside(_markdown_line(table.columns) + rule)

    def piece(self, row: Sequence[Any], most_bytes: int) -> str:
        return _inside(_markdown_line([self.text(cell, most_bytes) or "" for cell in row]))


_WRITERS: dict[str, Callable[[Table, int | None], _Writer]] = {
    writer.kind: writer for writer in (_Writer, _Columns, _Csv, _Markdown)
}


def _reads_back(table: Table) -> bool:
    """Whether a reader of CSV who takes what looks like a number for one, and an empty field for null, is right."""
    if len(table.columns) == 1 and any(cell is None for cell in table.column(0)):
        return False  # a blank line, which readers pass over
    return all(
        set(map(type, column)) <= _READ_BACK and all(_is_itself(cell) for cell in column) for column in _cells(table)
    )


def _is_itself(cell: Any) -> bool:
    if type(cell) is float:
        return math.isfinite(cell)
    if type(cell) is not str:
        return True
    if not cell or cell != cell.strip() or cell.lower() in ("null", "na", "true", "false"):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _cells(table: Table) -> Iterator[list[Any]]:
    return (table.column(place) for place in range(len(table.columns)))


def _is_numeric(cells: list[Any]) -> bool:
    kinds = set(map(type, cells)) - {type(None)}
    return bool(kinds) and kinds <= _NUMBERS


def _markdown_line(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.replace("\\", "\\\\").replace("|", "\\|").splitlines()) for cell in cells)
    return "| " + " | ".join(escaped) + " |\n"


def _csv_field(text: str) -> str:
    """A text as a field; the empty one is quoted, because null is empty too."""
    if not text or text != text.strip() or any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _as_json(value: Any) -> str:
    return to_json(value, 1 << 30)[0]


def _inside(text: str) -> str:
    """`text` as the inside of a JSON string."""
    return _as_json(text)[1:-1]


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
