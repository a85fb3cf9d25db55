"""A value too large to be answered, on its way to the worker in bounded pieces.

    result.query(sql, params, rows, digest)      truncated rows: run their query again, into the table
    result.begin("rows", columns, types)         then result.rows(count, values) …, then result.end()
    result.begin("json", [], [])                 then result.json(text) …, then result.end()

Each of them answers what the worker decided; where it keeps nothing (a dry run) no piece follows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from sandbox.helpers.channel import Channel
from sandbox.helpers.rows import Rows
from sandbox.helpers.values import INT_MAX, INT_MIN
from sandbox.pieces import PIECE_ROWS, digest
from sandbox.serialize import TooLarge, Writer, to_json, write_whole
from sandbox.tabular import Table, table_of

_VALUE_BYTES = 9  # of a value in a frame, besides its text
_NONE = type(None)
_TYPES = {int: "INTEGER", float: "REAL", bool: "BOOLEAN", str: "TEXT", bytes: "BLOB"}
_AS_THEY_ARE = frozenset({_NONE, bool, int, float, str, bytes})


class Spill:
    """One value on its way to the worker; `warnings` says what it lost there."""

    def __init__(self, channel: Channel, most_bytes: int, piece_bytes: int) -> None:
        self._channel = channel
        self._most_bytes, self._piece_bytes = most_bytes, piece_bytes
        self.warnings: set[str] = set()

    def query(self, rows: Rows) -> bool:
        """Rows that a query's limits cut: the worker has the rest, as long as these are what the query answers."""
        if (source := rows.source) is not None and (mark := _digest_of(rows)) is not None:
            told = self._channel.call("result.query", *source, len(rows), mark)
            if told["same"]:
                return True
        self.warnings.add(
            f"the result holds only the {len(rows):,} rows that the query's limits left: the rows or the tables were "
            "changed after the query, or it writes, so it was not run again for the others"
        )
        return False

    def whole(self, value: Any) -> None:
        """Hand a value over, as rows where it is a table and as JSON text where it is none; raises TooLarge."""
        table = table_of(value)
        columns = None if table is None else self._survey(table)
        if table is None or columns is None:
            self._send_text(value)
        else:
            self._send_rows(table, columns)

    def _survey(self, table: Table) -> list[_Column] | None:
        """How each column travels; None where the table cannot hold what the value does."""
        columns: list[_Column] = []
        for place in range(len(table.columns)):
            found = _column(table.column(place), self._piece_bytes, self.warnings)
            if found is None:
                return None
            columns.append(found)
        if sum(column.size for column in columns) > self._most_bytes:
            raise TooLarge(self._most_bytes)
        return columns if _row_bytes(columns) <= self._piece_bytes else None

    def _send_rows(self, table: Table, columns: list[_Column]) -> None:
        told = self._channel.call("result.begin", "rows", table.columns, [column.type for column in columns])
        if not told["kept"]:
            return
        width = len(columns)
        small = PIECE_ROWS * _row_bytes(columns) <= self._piece_bytes
        changed = [place for place, column in enumerate(columns) if column.convert]
        for start in range(0, len(table.items), PIECE_ROWS):
            flat: list[Any] = []
            for row in table.rows(start, start + PIECE_ROWS):
                flat += row
            for place in changed:
                flat[place::width] = [_cell(cell, self._piece_bytes, self.warnings) for cell in flat[place::width]]
            for piece in [flat] if small else self._cut(flat, width):
                self._channel.post("result.rows", len(piece) // width, piece)
        self._channel.call("result.end")

    def _cut(self, flat: list[Any], width: int) -> Iterator[list[Any]]:
        """Whole rows, as many together as fit: one long cell must not make pieces of a row each of all others."""
        begin = held = 0
        for at in range(0, len(flat), width):
            size = sum(map(_wire_bytes, flat[at : at + width]))
            if held + size > self._piece_bytes and at > begin:
                yield flat[begin:at]
                begin, held = at, 0
            held += size
        yield flat[begin:]

    def _send_text(self, value: Any) -> None:
        kept = self._channel.call("result.begin", "json", [], [])["kept"]
        writer = _Pieces(self._channel, self._most_bytes, self._piece_bytes, kept=kept)
        write_whole(writer, value)
        writer.flush()
        self.warnings |= writer.warnings
        if kept:
            self._channel.call("result.end")


class _Pieces(Writer):
    """Sends JSON text while it grows, in pieces; where nothing is kept it is only measured."""

    def __init__(self, channel: Channel, limit_bytes: int, piece_bytes: int, *, kept: bool) -> None:
        super().__init__(limit_bytes)
        self._channel, self._piece_bytes, self._kept = channel, piece_bytes, kept
        self._sent = 0

    def put(self, text: str) -> None:
        """Append text, within the limit."""
        super().put(text)
        if self.size - self._sent >= self._piece_bytes:
            self.flush()

    def flush(self) -> None:
        """Send what has gathered."""
        text, self._sent = "".join(self.parts), self.size
        self.parts.clear()
        step = self._piece_bytes if text.isascii() else max(1, self._piece_bytes // 4)  # UTF-8 takes 4 bytes at most
        for start in range(0, len(text) if self._kept else 0, step):
            self._channel.post("result.json", text[start : start + step])


class _Column(NamedTuple):
    """How one column travels: its declared type, its bytes, its longest cell's, whether cells have to be converted."""

    type: str
    size: int
    widest: int
    convert: bool


def _row_bytes(columns: list[_Column]) -> int:
    return sum(column.widest for column in columns)


def _column(cells: list[Any], most_bytes: int, warnings: set[str]) -> _Column | None:
    """What a column of these cells is; None where a table would lose something of them."""
    kinds = set(map(type, cells))
    convert = not (kinds <= _AS_THEY_ARE and _fits(cells, kinds))
    try:
        if convert:
            cells = [_cell(cell, most_bytes, warnings) for cell in cells]
            kinds = set(map(type, cells))
        sizes = list(map(_wire_bytes, cells))
    except (TooLarge, UnicodeEncodeError):  # a lone surrogate has no place in a table; JSON text escapes it
        return None
    kinds.discard(_NONE)
    if bool in kinds and len(kinds) > 1:
        return None
    return _Column(_declared(kinds), sum(sizes), max(sizes), convert)


def _declared(kinds: set[type]) -> str:
    """A column type that changes none of its values; "" converts nothing."""
    return _TYPES[kinds.pop()] if len(kinds) == 1 else ""


def _fits(cells: list[Any], kinds: set[type]) -> bool:
    if int in kinds and not all(INT_MIN <= cell <= INT_MAX for cell in cells if type(cell) is int):
        return False
    return float not in kinds or all(math.isfinite(cell) for cell in cells if type(cell) is float)


def _wire_bytes(cell: Any) -> int:
    """What a cell takes in a frame; raises UnicodeEncodeError."""
    if type(cell) is str:
        return _VALUE_BYTES + (len(cell) if cell.isascii() else len(cell.encode()))
    return _VALUE_BYTES + len(cell) if type(cell) is bytes else _VALUE_BYTES


def _cell(cell: Any, most_bytes: int, warnings: set[str]) -> Any:
    """A cell as SQLite holds it: what is text in JSON is text, lists and objects are JSON text."""
    if type(cell) is bytes:
        return cell
    text, info = to_json(cell, most_bytes)
    warnings.update(info["warnings"])
    if text[0] in "[{":
        return text
    value = json.loads(text) if text[0] in '"ntf' else _number(text)
    if type(value) is str:
        value.encode()  # raises UnicodeEncodeError
    return value


def _number(text: str) -> int | float | str:
    if not text.lstrip("-").isdigit():
        return float(text)
    if len(text) > len(str(INT_MIN)) or not INT_MIN <= int(text) <= INT_MAX:
        return text  # more than 64 bits: its digits
    return int(text)


def _digest_of(rows: Rows) -> int | None:
    """The checksum of rows that still look like what the query answered; None where they surely do not."""
    columns = rows.columns
    if len(rows) != rows.row_count:
        return None
    try:
        for row in list.__iter__(rows):
            if type(row) is not dict or list(row) != columns:
                return None
        return digest(list(row.values()) for row in list.__iter__(rows))
    except ValueError:  # a value that no query answers
        return None
