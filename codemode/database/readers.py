"""Read a file of records twice, once to learn its columns and once for its rows; or once, where its beginning tells.

Every pass streams. A record that does not fit is told with the file and the line where it starts; nothing is
skipped, padded or cut to make it fit.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

import msgspec

from codemode.counts import plural
from codemode.database.fields import Block, RecordLines, blocks, csv_reader
from codemode.database.infer import TextColumn
from codemode.database.names import folded
from codemode.database.onepass import AgreeingColumn, OnePass
from codemode.database.sources import Source
from codemode.database.typed import TypedLines
from codemode.errors import RequestInvalid

_BEGINNING = 16  # blocks that tell the types: half a million characters, so that a column of mostly NULLs shows itself
_TOLD = 16  # blocks between two words of how far a pass is
TABLE_COLUMNS = 200  # what a table may have, as connection.py tells SQLite, which clients of a service do not load
MAX_COLUMNS = 2_000  # ten times what a table may have: a file with more is read no further

Progress = Callable[[int], None]


class Column(msgspec.Struct, frozen=True):
    """One column of a file: its name in the table, its SQLite type, how many of its values are NULL."""

    name: str
    type: str
    nulls: int


class Reading(NamedTuple):
    """What the first pass learned, and `chunks` for the second: values ready to bind, of one row after another."""

    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...]
    chunks: Callable[[], Iterator[Sequence[Any]]]


class Once(NamedTuple):
    """A file that may be read in one pass: `chunks` raises Contradicted where that was wrong.

    `columns` are names and types; `learned` is what a first pass would have learned, after the last chunk.
    """

    columns: list[tuple[str, str]]
    chunks: Callable[[], Iterator[Sequence[Any]]]
    learned: Callable[[], Reading]


class Reader(Protocol):
    """Reads one format: `text` names the columns (case-folded) that are text whatever their values look like."""

    def __call__(self, source: Source, *, text: frozenset[str], progress: Progress) -> Reading:
        """Make the first pass."""
        ...

    def once(self, source: Source, *, text: frozenset[str], progress: Progress) -> Once | None:
        """The beginning of the only pass, or None where the format needs two."""
        ...


class _Head(NamedTuple):
    """What the header line says: its fields, the names they become, remarks on these, a column for each."""

    header: list[str]
    names: list[str]
    notes: list[str]
    columns: list[TextColumn]


class Delimited:
    """CSV, TSV and their kin: a header line, then records; quotes as RFC 4180 has them."""

    def __init__(self, delimiter: str = ",", nulls: Iterable[str] = ("",)) -> None:
        self.delimiter, self.nulls = delimiter, frozenset(nulls)

    def __call__(self, source: Source, *, text: frozenset[str], progress: Progress) -> Reading:
        """Learn the columns; see `Reading`."""
        head = self._head(source, text)
        columns, width, seen = head.columns, len(head.columns), 0
        for block in self._blocks(source, width, lambda: progress(source.position())):
            fields = self._fields(source, block, width)
            seen += len(fields)
            for position, column in enumerate(columns):
                column.add(fields[position::width])

        def chunks() -> Iterator[Sequence[Any]]:
            converters = [(position, column.converter()) for position, column in enumerate(columns)]
            for block in self._blocks(source, width, lambda: progress(source.size + source.position())):
                fields = self._fields(source, block, width)
                for position, convert in converters:
                    if convert is not None:
                        fields[position::width] = convert(fields[position::width])
                yield fields

        return self._reading(head, columns, seen // width, chunks)

    def once(self, source: Source, *, text: frozenset[str], progress: Progress) -> Once:
        """Take the types from the first blocks of the file; see `Once`."""
        head = self._head(source, text)
        width = len(head.columns)
        for block in islice(self._blocks(source, width), _BEGINNING):
            fields = self._fields(source, block, width)
            for position, column in enumerate(head.columns):
                column.add(fields[position::width])
        passed = OnePass(
            head.columns,
            blocks=lambda: self._blocks(source, width, lambda: progress(2 * source.position())),
            fields=lambda block: self._fields(source, block, width),
            lines=TypedLines([column.type for column in head.columns], self.nulls, self.delimiter),
        )
        return Once(
            [(name, column.type) for name, column in zip(head.names, head.columns, strict=True)],
            passed.chunks,
            lambda: self._reading(head, passed.columns, passed.count, passed.chunks),
        )

    def _head(self, source: Source, text: frozenset[str]) -> _Head:
        header = self._header(source)
        names, notes = unique_names(header)
        columns = [TextColumn(self.nulls, text=folded(name) in text) for name in names]
        return _Head(header, names, notes, columns)

    def _reading(
        self,
        head: _Head,
        columns: Sequence[TextColumn | AgreeingColumn],
        rows: int,
        chunks: Callable[[], Iterator[Sequence[Any]]],
    ) -> Reading:
        kept = [note for name, c in zip(head.names, head.columns, strict=True) if (note := c.kinds.note(name))]
        notes = (*head.notes, *kept, *self._wrong_delimiter(head.header))
        profile = tuple(Column(name, c.type, c.nulls) for name, c in zip(head.names, columns, strict=True))
        return Reading(profile, rows, notes, chunks)

    def _wrong_delimiter(self, header: list[str]) -> list[str]:
        other = next((mark for mark in ";\t|," if mark in header[0]), None) if len(header) == 1 else None
        return (
            [f"only one column was found: if {other!r} separates the fields, say so (delimiter, --delimiter {other!r})"]
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
                    f"{source.name} has {len(record):,} columns, and no table has so many",
                    hint="bring fewer columns, or one row for each of their values (name, value)",
                )
            return record
        raise RequestInvalid(f"{source.name} is empty", hint="a header line with the column names comes first")

    def _blocks(self, source: Source, width: int, passed: Callable[[], None] = lambda: None) -> Iterator[Block]:
        """All records, block by block; `passed` is called from time to time, and at the end."""
        with source.text() as text:
            try:
                for number, block in enumerate(blocks(text, self.delimiter, width), 1):
                    yield block
                    if number % _TOLD == 0:
                        passed()
            except csv.Error:
                raise self._misread(source, width) from None
        passed()

    def _fields(self, source: Source, block: Block, width: int) -> list[Any]:
        """All fields of a block, record after record."""
        fields = block.fields(width, self.delimiter)
        if fields is None:
            raise self._misread(source, width)
        return fields

    def _misread(self, source: Source, width: int) -> RequestInvalid:
        """What the first record that cannot be read is told as, with its line: found by reading record by record."""
        for line, record in self._lines(source):
            if len(record) != width:
                return RequestInvalid(
                    f"{source.name}, line {line}: {plural(len(record), 'field')}, but the header names {width}",
                    hint="quote a field that holds the delimiter, or complete the record",
                )
        return changed(source)

    def _lines(self, source: Source) -> Iterator[tuple[int, list[str]]]:
        """Every record with the number of the line where it starts: the slow way, for the header and for errors."""
        with source.text() as text:
            lines = RecordLines(text)
            reader = csv_reader(lines, self.delimiter)
            before = 0
            try:
                for record in reader:
                    lines.begin()
                    if record:
                        yield before + 1, record
                    before = reader.line_num
            except csv.Error as error:
                raise _unreadable(source, reader.line_num, error) from None


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
    wanted = Counter(map(folded, tidy))
    for position, (given, base) in enumerate(zip(header, tidy, strict=True), 1):
        name = base = base or f"column_{position}"
        suffix = 2
        while folded(name) in taken or (name != base and folded(name) in wanted):
            name, suffix = f"{base}_{suffix}", suffix + 1
        if name != given.strip():
            reason = (
                "has no name" if not given.strip() else "repeats a name" if name != base else "has blanks in its name"
            )
            notes.append(f"column {position} {reason}: called {name}")
        taken.add(folded(name))
        names.append(name)
    return names, notes
