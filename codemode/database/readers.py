"""Read a file of records twice: once to learn its columns, once for its rows.

Both passes stream. A record that does not fit is told with the file and the line where it starts; nothing is
skipped, padded or cut to make it fit.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

import msgspec

from codemode.database.infer import TextColumn
from codemode.database.sources import Source
from codemode.errors import RequestInvalid

CHUNK = 5_000  # records looked at together: enough to amortise a pass over their columns, 10 MB at most in practice
FIELD_BYTES = 16 * 1024 * 1024  # the csv module's own 128 KiB is less than a text column may hold
MAX_COLUMNS = 2_000  # SQLite's own bound on a table; a file with more is no table

Progress = Callable[[int], None]


class Column(msgspec.Struct, frozen=True):
    """One column of a file: its name in the table, its SQLite type, how many of its values are NULL."""

    name: str
    type: str
    nulls: int


class Reading(NamedTuple):
    """What the first pass learned, and `chunks` for the second: lists of rows ready to bind."""

    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...]
    chunks: Callable[[], Iterator[list[tuple[Any, ...]]]]


class Reader(Protocol):
    """Reads one format: `text` names the columns (case-folded) that are text whatever their values look like."""

    def __call__(self, source: Source, *, text: frozenset[str], progress: Progress) -> Reading:
        """Make the first pass."""
        ...


class Delimited:
    """CSV, TSV and their kin: a header line, then records; quotes as RFC 4180 has them."""

    def __init__(self, delimiter: str = ",", nulls: Iterable[str] = ("",)) -> None:
        self.delimiter, self.nulls = delimiter, frozenset(nulls)

    def __call__(self, source: Source, *, text: frozenset[str], progress: Progress) -> Reading:
        """Learn the columns; see `Reading`."""
        header = self._header(source)
        names, notes = unique_names(header)
        columns = [TextColumn(self.nulls, text=name.casefold() in text) for name in names]
        rows = 0
        for chunk in self._records(source, len(names)):
            rows += len(chunk)
            for column, cells in zip(columns, zip(*chunk, strict=True), strict=True):
                column.add(cells)
            progress(source.position())
        notes += [note for name, column in zip(names, columns, strict=True) if (note := column.kinds.note(name))]
        notes += self._wrong_delimiter(header)
        profile = tuple(Column(name, c.type, c.nulls) for name, c in zip(names, columns, strict=True))

        def chunks() -> Iterator[list[tuple[Any, ...]]]:
            convert = [column.converter() for column in columns]
            for chunk in self._records(source, len(names)):
                cells = zip(*chunk, strict=True)
                yield list(zip(*[change(cell) for change, cell in zip(convert, cells, strict=True)], strict=True))
                progress(source.size + source.position())

        return Reading(profile, rows, tuple(notes), chunks)

    def _wrong_delimiter(self, header: list[str]) -> list[str]:
        other = next((mark for mark in ";\t|," if mark in header[0]), None) if len(header) == 1 else None
        return (
            [f"only one column was found: if {other!r} separates the fields, say --delimiter {other!r}"]
            if other
            else []
        )

    def _header(self, source: Source) -> list[str]:
        for _, record in self._lines(source):
            if any("\0" in name for name in record):
                raise RequestInvalid(
                    f"{source.name} is a binary file", hint="import reads CSV, TSV, JSON and NDJSON text"
                )
            if len(record) > MAX_COLUMNS:
                raise RequestInvalid(
                    f"{source.name} has {len(record):,} columns; a table holds {MAX_COLUMNS:,} at most"
                )
            return record
        raise RequestInvalid(f"{source.name} is empty", hint="a header line with the column names comes first")

    def _records(self, source: Source, width: int) -> Iterator[list[list[str]]]:
        """The records after the header, in chunks; blank lines are no records."""
        with source.text() as text:
            reader = self._reader(text)
            records = (record for record in reader if record)
            try:
                next(records)
                while chunk := list(islice(records, CHUNK)):
                    if set(map(len, chunk)) != {width}:
                        raise self._ragged(source, width)
                    yield chunk
            except csv.Error as error:
                raise _unreadable(source, reader.line_num, error) from None

    def _ragged(self, source: Source, width: int) -> RequestInvalid:
        for line, record in self._lines(source):
            if len(record) != width:
                return RequestInvalid(
                    f"{source.name}, line {line}: {_fields(len(record))}, but the header names {width}",
                    hint="quote a field that holds the delimiter, or complete the record",
                )
        return changed(source)

    def _lines(self, source: Source) -> Iterator[tuple[int, list[str]]]:
        """Every record with the number of the line where it starts: the slow way, for the header and for errors."""
        with source.text() as text:
            reader = self._reader(text)
            before = 0
            try:
                for record in reader:
                    if record:
                        yield before + 1, record
                    before = reader.line_num
            except csv.Error as error:
                raise _unreadable(source, reader.line_num, error) from None

    def _reader(self, text: Iterable[str]) -> Any:
        csv.field_size_limit(FIELD_BYTES)
        return csv.reader(text, delimiter=self.delimiter, strict=True)


def _unreadable(source: Source, line: int, error: csv.Error) -> RequestInvalid:
    reason, hint = str(error), "a quote inside a quoted field is written twice"
    if "unexpected end" in reason:
        reason = "the file ends inside a quoted field"
    return RequestInvalid(f"{source.name}, line {line}: {reason}", hint=hint)


def changed(source: Source) -> RequestInvalid:
    """The error for a file whose two passes disagree."""
    return RequestInvalid(f"{source.name} changed while it was read", hint="import a copy that nobody writes to")


def unique_names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Column names that SQLite can tell apart, and a note for each one that had to be mended."""
    names: list[str] = []
    notes: list[str] = []
    taken: set[str] = set()
    tidy = [" ".join(name.replace("\0", " ").split()) for name in header]
    wanted = Counter(name.casefold() for name in tidy)
    for position, (given, base) in enumerate(zip(header, tidy, strict=True), 1):
        name = base = base or f"column_{position}"
        suffix = 2
        while name.casefold() in taken or (name != base and name.casefold() in wanted):
            name, suffix = f"{base}_{suffix}", suffix + 1
        if name != given.strip():
            reason = (
                "has no name" if not given.strip() else "repeats a name" if name != base else "has blanks in its name"
            )
            notes.append(f"column {position} {reason}: called {name}")
        taken.add(name.casefold())
        names.append(name)
    return names, notes


def affinity_is_text(declared: str) -> bool:
    """Whether SQLite stores what goes into a column of this declared type as text."""
    kind = declared.upper()
    return "INT" not in kind and any(word in kind for word in ("CHAR", "CLOB", "TEXT"))


def text_columns(types: Mapping[str, str]) -> frozenset[str]:
    """The case-folded names of those columns of an existing table that hold text."""
    return frozenset(name.casefold() for name, declared in types.items() if affinity_is_text(declared))


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"
