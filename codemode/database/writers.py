"""Write rows as CSV, TSV, JSON, NDJSON or Markdown, chunk by chunk: each writer yields text, its caller keeps it.

What a format cannot say is counted in `Written.notes`, never lost in silence: texts that read like the NULL marker
of a CSV, and blobs, which are written as base64 (`{"$bytes": …}` in JSON, which the import reads back as a blob).
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from codemode.database.infer import with_infinities
from codemode.database.taking import in_steps

CHUNK = 1_000
_CHUNK_BYTES = 4 * 1024 * 1024  # of rows that are written together; as text they take a multiple of it

Rows = Iterable[Sequence[Any]]


class Written:
    """What has been written so far, of it `like_null` texts that cannot be told from NULL."""

    def __init__(self) -> None:
        self.rows = self.like_null = self.blobs = 0

    def notes(self, null: str) -> tuple[str, ...]:
        """What the file does not say by itself."""
        notes = []
        if self.like_null:
            what = "1 text equals" if self.like_null == 1 else f"{self.like_null:,} texts equal"
            notes.append(f"{what} {null!r}, the marker of NULL: choose another (null, --null)")
        if self.blobs:
            what = "1 blob was" if self.blobs == 1 else f"{self.blobs:,} blobs were"
            notes.append(f"{what} written as base64 text")
        return tuple(notes)


class DelimitedWriter:
    """CSV and TSV, quoted where needed; NULL is `null`."""

    def __init__(self, delimiter: str, null: str) -> None:
        self._delimiter, self._null = delimiter, null

    def __call__(self, columns: Sequence[str], rows: Rows, written: Written) -> Iterator[str]:
        """Yield the header line, then the records."""
        yield self._lines([columns])
        for chunk in _chunks(rows, written):
            cells = [self._column(column, written) for column in chunk]
            yield self._lines(zip(*cells, strict=True))

    def _column(self, cells: Sequence[Any], written: Written) -> Sequence[Any]:
        types = set(map(type, cells))
        if str in types:
            written.like_null += cells.count(self._null)
        if bytes in types:
            cells = [_base64(cell) if isinstance(cell, bytes) else cell for cell in cells]
        if type(None) in types:
            cells = [self._null if cell is None else cell for cell in cells]
        return cells

    def _lines(self, records: Iterable[Sequence[Any]]) -> str:
        records = list(records)
        text = self._write(records, csv.QUOTE_MINIMAL)
        # The csv module leaves a lone carriage return unquoted, which readers take for the end of a line.
        return self._write(records, csv.QUOTE_ALL) if "\r" in text else text

    def _write(self, records: list[Sequence[Any]], quoting: Any) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=self._delimiter, lineterminator="\n", quoting=quoting).writerows(records)
        return buffer.getvalue()


def write_ndjson(columns: Sequence[str], rows: Rows, written: Written) -> Iterator[str]:
    """One object a line."""
    for chunk in _chunks(rows, written):
        yield "".join(f"{_json_object(columns, row)}\n" for row in zip(*chunk, strict=True))


def write_json(columns: Sequence[str], rows: Rows, written: Written) -> Iterator[str]:
    """One array of objects, an object a line."""
    before = "[\n"
    for chunk in _chunks(rows, written):
        yield before + ",\n".join(_json_object(columns, row) for row in zip(*chunk, strict=True))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def write_markdown(columns: Sequence[str], rows: Rows, written: Written) -> Iterator[str]:
    """A pipe table; numbers to the right where the first rows hold numbers."""
    chunks = _chunks(rows, written)
    first = next(chunks, [])
    numeric = [
        any(cell is not None for cell in cells) and all(isinstance(cell, int | float | None) for cell in cells)
        for cells in first
    ] or [False] * len(columns)
    yield _markdown_line(columns)
    yield "|" + "|".join("---:" if right else "---" for right in numeric) + "|\n"
    for chunk in chain([first], chunks):
        yield "".join(_markdown_line(row) for row in zip(*chunk, strict=True))


def _markdown_line(row: Sequence[Any]) -> str:
    return "| " + " | ".join(_markdown_cell(cell) for cell in row) + " |\n"


def _markdown_cell(cell: Any) -> str:
    if isinstance(cell, bytes):
        return _base64(cell)
    text = "" if cell is None else str(cell)
    return " ".join(
        text.replace("\\", "\\\\").replace("|", "\\|").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )


def _json_object(columns: Sequence[str], row: Sequence[Any]) -> str:
    record = dict(zip(columns, row, strict=True))
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False, default=_blob)
    except ValueError:
        return with_infinities(
            {name: _blob(cell) if isinstance(cell, bytes) else cell for name, cell in record.items()}
        )


def _blob(value: bytes) -> dict[str, str]:
    return {"$bytes": _base64(value)}


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _chunks(rows: Rows, written: Written) -> Iterator[list[list[Any]]]:
    """The rows as columns, some of them together."""
    for columns in in_steps(rows, CHUNK, _CHUNK_BYTES):
        written.blobs += sum(map(_blobs_in, columns))
        yield columns
        written.rows += len(columns[0])


def _blobs_in(column: list[Any]) -> int:
    return list(map(type, column)).count(bytes)
