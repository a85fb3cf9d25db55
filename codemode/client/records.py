"""Records as lines of NDJSON: made while they are sent, so that no more than one chunk of them is ever held."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import IO, Any

import msgspec

from codemode import cells
from codemode.client.ask import Upload
from codemode.complaints import as_error
from sandbox.helpers import HelperError
from sandbox.helpers.batch import iterator_of
from sandbox.helpers.jsontext import Unfit, is_record
from sandbox.helpers.values import INT_MAX, INT_MIN, Warn, fitted

_CHUNK_BYTES = 64 * 1024
NDJSON = "application/x-ndjson"


class RecordLines:
    """Makes the line of each record; `columns`: what the values of a sequence are for, where the caller said so."""

    def __init__(self, columns: Sequence[str] | None, warn: Warn) -> None:
        self._listed, self._warn = columns is not None, warn
        self._number = 0

    def line(self, record: Any) -> bytes:
        """The next record's line; raises HelperError for what is no record, or holds what cannot be stored."""
        document = self._document(record)
        number, self._number = self._number, self._number + 1
        try:
            return msgspec.json.encode(document) + b"\n"
        except UnicodeEncodeError:  # values were looked at before
            what = f"record {number} has a key with a lone surrogate, which is no character"
            raise HelperError("request.invalid", what) from None

    def _document(self, record: Any) -> dict[str, Any] | list[Any]:
        named = record if isinstance(record, Mapping) else self._fields(record)
        if named is not None:
            return {self._key(key): self._cell(value, key) for key, value in named.items()}
        if isinstance(record, Sequence) and not isinstance(record, (str, bytes, bytearray, memoryview)):
            return [self._cell(value, place) for place, value in enumerate(record, 1)]
        raise HelperError(
            "request.invalid",
            f"record {self._number} is a {type(record).__name__}, not a dict or a sequence",
            hint="pass dicts, or lists of values with columns=[...]",
        )

    def _fields(self, record: Any) -> Mapping[Any, Any] | None:
        if isinstance(record, tuple) and hasattr(record, "_fields") and not self._listed:
            return dict(zip(record._fields, record, strict=True))
        if is_record(record):
            return {field.name: getattr(record, field.name) for field in fields(record)}
        return None

    def _key(self, key: Any) -> str:
        if isinstance(key, str):
            return key if type(key) is str else str.__str__(key)
        raise HelperError("request.invalid", f"record {self._number} has a key that is not text: {key!r}")

    def _cell(self, value: Any, column: Any) -> Any:
        kind = type(value)
        if kind is int and INT_MIN <= value <= INT_MAX:
            return value
        if (kind is str and value.isascii()) or value is None:  # others may hold a lone surrogate
            return value
        try:
            return cells.to_json(fitted(value, lambda lost: self._warn(f"column {column!r}: {lost}")))
        except Unfit as unfit:
            place = f"record {self._number}, column {column!r}"
            raise HelperError("sql.value", f"{place}: {unfit.reason}", hint=unfit.hint) from None


def chunks(records: Iterable[Any], columns: Sequence[str] | None, warn: Warn) -> Iterator[bytes]:
    """The lines of all records in pieces; raises CodemodeError for a record that cannot be sent."""
    lines, held = RecordLines(columns, warn), bytearray()
    for record in records:
        held += _told(lines.line, record)
        if len(held) >= _CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


async def async_chunks(records: AsyncIterable[Any], columns: Sequence[str] | None, warn: Warn) -> AsyncIterator[bytes]:
    """The same for records that come asynchronously."""
    lines, held = RecordLines(columns, warn), bytearray()
    async for record in records:
        held += _told(lines.line, record)
        if len(held) >= _CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def upload_of(records: Any, columns: Sequence[str] | None, warn: Warn) -> Upload:
    """The body for records: an iterable of any kind, or an open file of NDJSON; raises CodemodeError."""
    if hasattr(records, "read"):
        return file_upload(records, NDJSON)
    if isinstance(records, AsyncIterable):
        return Upload(begin=lambda: async_chunks(records, columns, warn), media=NDJSON, again=False)
    _told(iterator_of, records)
    # What gives itself out as its own iterator is used up by the first attempt.
    again = not isinstance(records, Iterator)
    return Upload(begin=lambda: chunks(records, columns, warn), media=NDJSON, again=again)


def file_upload(file: IO[Any], media: str) -> Upload:
    """The body for an open file, from where it stands."""
    start = file.tell() if file.seekable() else None

    def pieces() -> Iterator[bytes]:
        if start is not None:
            file.seek(start)
        while piece := file.read(_CHUNK_BYTES):
            yield piece.encode() if isinstance(piece, str) else piece

    return Upload(begin=pieces, media=media, again=start is not None)


def _told(call: Callable[[Any], Any], value: Any) -> Any:
    try:
        return call(value)
    except HelperError as error:
        raise as_error(error) from None
