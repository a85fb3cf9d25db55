"""Records into a table in chunks, however many there are: the child's side of `batch_insert`.

The worker inserts one frame of chunks while the next one is built here. Each record is copied out before the next one
is asked for, since a generator may hand out the same dict again and again.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.helpers.channel import Channel
from sandbox.helpers.error import HelperError
from sandbox.helpers.records import Columns
from sandbox.helpers.values import Warn
from sandbox.helpers.vetting import column_types, vet, vet_each

_CHUNK_ROWS = 500  # until the worker's answer says otherwise
_PROBE_ROWS = 16  # looked at first, to learn how heavy the records are
_FRAME_VALUES = 8_000  # a frame costs both sides as much as a hundred records: it waits for so many values
_FRAME_CHARACTERS = 4 * 1024 * 1024  # text and bytes in one frame: even as UTF-8 well below the protocol's limit


def iterator_of(records: Any) -> Iterator[Any]:
    """What `batch_insert` may be given as records; raises HelperError for what only looks like it."""
    hint = "pass a list or a generator of dicts, or of sequences with columns=[...]"
    if isinstance(records, AsyncIterable) and not isinstance(records, Iterable):
        hint = "collect it first: [record async for record in ...]"
    elif isinstance(records, Mapping):
        hint = "pass a list: [record]"
    elif isinstance(records, Iterable) and not isinstance(records, (str, bytes, bytearray, memoryview)):
        return iter(records)
    raise HelperError("request.invalid", f"records cannot be a {type(records).__name__}", hint=hint)


@dataclass
class _Frame:
    """Chunks of records that go to the worker together: their columns, and the index of the first record."""

    columns: list[str]
    first: int
    chunks: list[list[Any]] = field(default_factory=list)
    weight: int = 0

    def vet_each(self, warn: Warn) -> None:
        """Raise HelperError for the first value that cannot be sent."""
        first = self.first
        for chunk in self.chunks:
            vet_each(chunk, self.columns, first, warn)
            first += len(chunk) // len(self.columns)


class Load:
    """One batch_insert: all of its records, or nothing of them."""

    def __init__(
        self, channel: Channel, table: str, columns: list[str] | None, options: dict[str, Any], warn: Warn
    ) -> None:
        self._channel, self._table, self._options, self._warn = channel, table, options, warn
        self._wanted = columns
        self._columns = Columns(columns, fixed=columns is not None)
        self._flat: list[Any] = []  # the rows of the chunk that is being built
        self._first = 0  # the index of its first record
        self._weight = 0  # the characters and bytes in it
        self._room = 0  # how many records a chunk may hold; not known before some were seen
        self._chunk_rows = _CHUNK_ROWS  # how many the worker puts into one statement
        self._frame = _Frame([], 0)
        self._batch: int | None = None
        self._sent: list[str] = []  # the columns that the worker expects now
        self._defaults: list[str] = []  # columns that have a default other than NULL
        self._types: list[str] = []  # of these, in a table that may have been made from records

    def run(self, records: Iterator[Any]) -> dict[str, Any]:
        """Insert `records`; the worker's answer."""
        try:
            self._begin(records)
            while self._fill(records):
                self._add()
            self._post()
            answer: dict[str, Any] = self._channel.call("db.batch_end", self._batch)
        except BaseException:  # whatever it was, the records' own code included: nothing of the batch stays
            self._abort()
            raise
        if self._updates:
            became = "became NULL where a record lacks it, also in rows that were there"
            for name in self._columns.lacking:
                self._warn(f"column {name!r} {became}: give all records the same keys")
        return answer

    @property
    def _updates(self) -> bool:
        return bool(self._options["on_conflict"] == "update")

    def _begin(self, records: Iterator[Any]) -> None:
        if self._options["create"] and self._fill(records):
            self._options["types"] = column_types(self._flat, self._columns.names)
            self._open(self._columns.names)
            self._columns.close()
            self._weigh()  # again, since the table may be there with other types
            return
        # Without a record there is nothing to infer a table from; columns= are enough, and so is an existing table.
        asked, self._options["create"] = self._options["create"], self._options["create"] and self._wanted is not None
        try:
            self._open(self._wanted)
        except HelperError as error:
            if asked and error.code == "sql.no_such_table":
                error.hint = "no record came to make it from: say columns=[...], or use create_table"
            raise
        if self._wanted is None:
            self._columns = Columns(self._sent)

    def _open(self, columns: list[str] | None) -> None:
        wanted = None if columns is None else list(columns)
        answer = self._channel.call("db.batch_begin", self._table, wanted, self._options)
        self._batch, self._chunk_rows = answer["batch"], answer["chunk_rows"]
        self._types, self._defaults = answer["types"], answer["defaults"]
        self._sent = list(wanted or answer["columns"])

    def _fill(self, records: Iterator[Any]) -> bool:
        """Fill the chunk up and make it fit to be sent; whether it holds anything."""
        while self._take(records) and not self._flat:
            pass  # ENOUGH was said of the chunk before
        if self._flat:
            self._weigh()
        return bool(self._flat)

    def _take(self, records: Iterator[Any]) -> bool:
        take, flat = self._columns.take, self._flat
        if not self._room:
            if take(records, flat, _PROBE_ROWS, self._first):
                return True
            self._weigh()
        return take(records, flat, max(0, self._room - self._rows), self._first)

    def _weigh(self) -> None:
        self._weight = vet(self._flat, self._columns.names, self._first, self._warn, self._types)
        self._room = max(1, min(self._chunk_rows, self._rows * _FRAME_CHARACTERS // (self._weight or 1)))

    @property
    def _rows(self) -> int:
        return len(self._flat) // len(self._columns.names) if self._flat else 0

    def _add(self) -> None:
        """Put the chunk that is built into the frame; one that weighs too much for a frame goes in pieces."""
        columns, heavy = self._columns.names, self._weight > _FRAME_CHARACTERS
        if columns != self._frame.columns or self._frame.weight + self._weight > _FRAME_CHARACTERS:
            self._post()
        for chunk in self._pieces() if heavy else self._chunks():
            if not self._frame.chunks:
                self._frame = _Frame(list(columns), self._first)
            self._frame.chunks.append(chunk)
            self._first += len(chunk) // len(columns)
            if heavy:
                self._post()
        self._frame.weight += self._weight
        self._flat = []
        if sum(map(len, self._frame.chunks)) >= _FRAME_VALUES:
            self._post()

    def _chunks(self) -> Iterator[list[Any]]:
        most = self._chunk_rows * len(self._columns.names)
        return (self._flat[start : start + most] for start in range(0, len(self._flat), most))

    def _pieces(self) -> Iterator[list[Any]]:
        width, room = len(self._columns.names), _FRAME_CHARACTERS
        piece: list[Any] = []
        for start in range(0, len(self._flat), width):
            row = self._flat[start : start + width]
            weight = sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if piece and (weight > room or len(piece) >= self._chunk_rows * width):
                yield piece
                piece, room = [], _FRAME_CHARACTERS
            piece += row
            room -= weight
        yield piece

    def _post(self) -> None:
        frame, self._frame = self._frame, _Frame([], 0)
        if not frame.chunks:
            return
        switch = () if frame.columns == self._sent else (frame.columns,)
        if switch and frame.first:
            for name in set(frame.columns).difference(self._sent):
                self._tell_late(name, frame.first)
        try:
            self._channel.post("db.batch_rows", self._batch, frame.chunks, *switch)
        except HelperError as error:
            if error.code == "sql.value":  # a value that cannot be written down: say which
                frame.vet_each(self._warn)
            raise
        self._sent = frame.columns

    def _tell_late(self, name: str, sent: int) -> None:
        """Say what became of a column in the records that went before any named it, where that is not NULL."""
        if self._updates:
            became = "it is as it was in rows that were there"
        elif name in self._defaults:
            became = "it is its default there"
        else:
            return
        self._warn(f"column {name!r}: none of the first {sent:,} records names it, so {became}: say columns=[...]")

    def _abort(self) -> None:
        if self._batch is None:
            return
        for _ in range(2):  # the first call may be answered by the failure of a chunk that was posted before it
            try:
                self._channel.call("db.batch_abort", self._batch)
            except Exception:  # noqa: BLE001, S112 - the error that ended the batch is the one to be told
                continue
            return
