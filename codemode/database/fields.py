"""The records of a delimited text, block by block.

Most files quote nothing. A block without a quotation mark is lines, which `str.split` takes apart in a third of the
time that the csv module needs; any other block is the csv module's, so that quotes have one reader.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any, NamedTuple

from codemode.database.sources import LINE_CHARACTERS, Text

FIELD_BYTES = LINE_CHARACTERS  # the csv module's own 128 KiB is less than a text column may hold
_BLOCK = 32 * 1024  # characters looked at together: their fields stay in the processor's cache, column after column


def csv_reader(text: Iterable[str], delimiter: str) -> Any:
    """The csv module's reader, as RFC 4180 has it."""
    csv.field_size_limit(FIELD_BYTES)
    return csv.reader(text, delimiter=delimiter, strict=True)


class Block(NamedTuple):
    """Some records: their `lines` where nothing in them is quoted, else the `records` that the csv module read."""

    lines: list[str] = []
    records: list[list[str]] = []

    def fields(self, width: int, delimiter: str) -> list[str] | None:
        """All fields, record after record; None where one of these has not `width` of them."""
        if not set(map(len, self.records)) <= {width}:
            return None
        if not set(map(str.count, self.lines, repeat(delimiter))) <= {width - 1}:
            return None
        if self.records:
            return list(chain.from_iterable(self.records))
        return delimiter.join(self.lines).split(delimiter) if self.lines else []


class RecordLines:
    """Lines for one record of the csv module: quotes may hold a file of gigabytes together, fields without end too."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.begin()

    def begin(self) -> None:
        """The next record may be as long as this one."""
        self._left = LINE_CHARACTERS

    def __iter__(self) -> RecordLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"a record has more than {LINE_CHARACTERS:,} characters")
        return line


def blocks(text: Text, delimiter: str, width: int) -> Iterator[Block]:
    """All records but the header. Raises csv.Error, from which the line cannot be told.

    A blank line is no record; where a record has one field, it is one whose field is empty.
    """
    next(filter(None, csv_reader(RecordLines(text), delimiter)), None)
    while block := text.read(_BLOCK):
        if block[-1] != "\n":
            block += text.readline()
        if '"' in block or len(block) > FIELD_BYTES:
            records = _quoted(block, text, delimiter)
            yield Block(records=[record or [""] for record in records] if width == 1 else list(filter(None, records)))
        else:
            if "\r" in block:  # each of the three ends a line, to the csv module too
                block = block.replace("\r\n", "\n").replace("\r", "\n")
            lines = block.removesuffix("\n").split("\n")
            yield Block(lines if width == 1 else list(filter(None, lines)))


def _quoted(block: str, text: Text, delimiter: str) -> list[list[str]]:
    """The records of `block`, of which the last may go on in what follows of `text`."""
    lines = io.StringIO(block, newline="")
    reader, records = csv_reader(chain(lines, RecordLines(text)), delimiter), []
    while lines.tell() < len(block):
        records.append(next(reader))
    return records
