"""Read JSON and NDJSON: records are objects; their keys, in order of first appearance, are the columns.

A JSON file is one array of objects, or objects one after another; it is parsed object by object, so a file of any
size takes the memory of its largest record. A missing key is NULL; arrays and objects as values are kept as JSON text;
`{"$bytes": base64}` is a BLOB; true and false are 1 and 0, unless their column holds text as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from codemode.database.infer import ValueColumn, json_text
from codemode.database.names import folded
from codemode.database.readers import MAX_COLUMNS, TABLE_COLUMNS, Column, Progress, Reading, unique_names
from codemode.database.sources import LINE_CHARACTERS, Source, Text
from codemode.errors import RequestInvalid

CHUNK = 1_000
_CHUNK_CHARACTERS = 4 * 1024 * 1024  # of records that are held together; as Python objects they take a multiple of it
BLOCK = 256 * 1024
NEWLINE = "\n"
_INFINITIES = {"Infinity": float("inf"), "-Infinity": float("-inf")}

_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")

Record = dict[str, Any]


class Records:
    """NDJSON (one object a line) with `lines`, JSON otherwise."""

    def __init__(self, *, lines: bool) -> None:
        decoder = json.JSONDecoder(parse_constant=self._constant)
        self._read = partial(_line_records if lines else _json_records, decoder)
        self._has_nan = False

    def __call__(self, source: Source, *, text: frozenset[str], progress: Progress) -> Reading:
        """Learn the columns; see `Reading`."""
        columns: dict[str, ValueColumn] = {}
        rows, only, self._has_nan = 0, {}, False
        for chunk in self._chunks(source):
            for key in dict.fromkeys(key for record in chunk if not record.keys() <= columns.keys() for key in record):
                if key not in columns:
                    columns[key] = self._new_column(source, key, columns, text, rows)
            if len(columns) <= TABLE_COLUMNS:  # of more no table is made: they are only counted, for the error
                for key, column in columns.items():
                    column.add([record.get(key) for record in chunk])
            rows += len(chunk)
            only = chunk[0] if rows == 1 else {}
            progress(source.position())
        if not columns:
            raise RequestInvalid(f"{source.name} holds no records", hint="its columns are those of its records")
        names, notes = unique_names(list(columns))
        notes += [note for name, c in zip(names, columns.values(), strict=True) if (note := c.note(name))]
        if only and all(isinstance(value, list | dict) for value in only.values()):
            notes.append(
                'one record of nothing but arrays: if they are columns, write records (pandas: orient="records")'
            )
        if self._has_nan:
            notes.append("NaN was read as NULL, and as null inside of a value")
        profile = tuple(Column(name, c.type, c.nulls) for name, c in zip(names, columns.values(), strict=True))

        def chunks() -> Iterator[Sequence[Any]]:
            convert = [(position, key, column.converter()) for position, (key, column) in enumerate(columns.items())]
            for chunk in self._chunks(source):
                values: list[Any] = [None] * (len(chunk) * len(columns))
                for position, key, change in convert:
                    values[position :: len(columns)] = change([record.get(key) for record in chunk])
                yield values
                progress(source.size + source.position())

        return Reading(profile, rows, tuple(notes), chunks)

    def _constant(self, text: str) -> float | None:
        """A word that JSON does not have, and that writers of it use all the same."""
        if text == "NaN":
            self._has_nan = True
            return None
        return _INFINITIES[text]

    def once(self, source: Source, *, text: frozenset[str], progress: Progress) -> None:
        """Records need both passes: any of them may bring another key."""

    def _new_column(
        self, source: Source, key: str, columns: dict[str, ValueColumn], text: frozenset[str], rows: int
    ) -> ValueColumn:
        if len(columns) >= MAX_COLUMNS:
            raise RequestInvalid(f"{source.name} has more than {MAX_COLUMNS:,} different keys", hint="are they data?")
        column = ValueColumn(text=folded(key.strip()) in text)
        column.nulls = rows  # the records before this one do not have the key
        return column

    def _chunks(self, source: Source) -> Iterator[list[Record]]:
        chunk: list[Record] = []
        size = 0
        with source.text() as text:
            for record, length in self._read(source.name, text):
                chunk.append(record)
                size += length
                if len(chunk) == CHUNK or size >= _CHUNK_CHARACTERS:
                    yield chunk
                    chunk, size = [], 0
        if chunk:
            yield chunk


def _line_records(decoder: json.JSONDecoder, name: str, text: Text) -> Iterator[tuple[Record, int]]:
    """Each record, and the length of its text."""
    for number, line in enumerate(text, 1):
        if line.isspace():
            continue
        try:
            record = decoder.decode(line)
        except (ValueError, RecursionError) as error:
            reason = _what(error) or "a value is nested too deeply or too long"
            hint = "NDJSON is one object a line; an array of objects is of the format json"
            raise RequestInvalid(f"{name}, line {number}: not JSON: {reason}", hint=hint) from None
        yield _checked(record, line, partial("{}, line {}".format, name, number)), len(line)


def _what(error: Exception) -> str:
    """What is no JSON about a text, without the place, which is told in front; "" for what is JSON otherwise."""
    if not isinstance(error, json.JSONDecodeError):
        return ""
    return error.msg.removesuffix(" at").removesuffix(" starting")


class _Scanner:
    """A window on a JSON text that slides from value to value and knows its line."""

    def __init__(self, decoder: json.JSONDecoder, name: str, text: Text) -> None:
        self._decoder, self._name, self._text = decoder, name, text
        self._buffer, self._at, self._line = "", 0, 1

    def peek(self) -> str:
        """The next character that is no white space, or "" at the end."""
        while True:
            self._at = _past_space(self._buffer, self._at)
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def skip(self) -> None:
        """Pass the character that `peek` showed."""
        self._at += 1

    def value(self) -> tuple[Any, str]:
        """Parse the value that starts here; answers it with its text."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise self.error("a value is nested too deeply") from None
            except ValueError as error:
                # Whether the text is wrong or only not read to its end shows once more of it is there.
                if len(self._buffer) - self._at >= LINE_CHARACTERS:
                    raise self.error(f"a record has more than {LINE_CHARACTERS:,} characters") from None
                if self._more():
                    continue
                raise self.error(_what(error) or "a number is too long") from None
            text, self._at = self._buffer[self._at : end], end
            return value, text

    def place(self, back: str = "") -> str:
        """The file and the line where the window stands, or stood before it passed the text `back`."""
        return f"{self._name}, line {self._line + self._buffer.count(NEWLINE, 0, self._at) - back.count(NEWLINE)}"

    def error(self, reason: str) -> RequestInvalid:
        """The error for a text that is not JSON here."""
        return RequestInvalid(f"{self.place()}: not JSON: {reason}", hint="an array of objects is read, or NDJSON")

    def _more(self) -> bool:
        # Doubling what is unread keeps a record of many megabytes from being parsed again for every block.
        block = self._text.read(max(BLOCK, len(self._buffer) - self._at))
        self._line += self._buffer.count(NEWLINE, 0, self._at)
        self._buffer, self._at = self._buffer[self._at :] + block, 0
        return bool(block)


def _past_space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return found.end() if found else start


def _json_records(decoder: json.JSONDecoder, name: str, text: Text) -> Iterator[tuple[Record, int]]:
    """Each record, and the length of its text."""
    scanner = _Scanner(decoder, name, text)
    in_array = scanner.peek() == "["
    if in_array:
        scanner.skip()
    ended = not in_array
    while mark := scanner.peek():
        if in_array and mark == "]":
            scanner.skip()
            ended = True
            break
        record, source = scanner.value()
        yield _checked(record, source, partial(scanner.place, source)), len(source)
        mark = scanner.peek()
        if in_array and mark == ",":
            scanner.skip()
            if scanner.peek() == "]":
                raise scanner.error("a comma, and no value after it")
        elif in_array and mark not in ("", "]"):
            raise scanner.error("expected ',' or ']' after a record")
    if not ended:
        raise scanner.error("the array is not closed")
    if scanner.peek():
        raise scanner.error("something follows the array")


def _checked(record: Any, text: str, place: Callable[[], str]) -> Record:
    """The record, if it is an object that SQLite can hold."""
    if not isinstance(record, dict):
        kind = "an array" if isinstance(record, list) else "no object"
        raise RequestInvalid(f"{place()}: the record is {kind}", hint='a record is an object: {"name": value, …}')
    # Only an escape can make a lone surrogate, so a text without \\u needs no second look.
    if ("\\ud" in text or "\\uD" in text) and _SURROGATE.search(json_text(record)):
        raise RequestInvalid(
            f"{place()}: a lone surrogate is no text", hint="the escape \\ud800 to \\udfff comes in pairs"
        )
    return record
