"""Rows of a delimited file in one reading: its beginning tells the types, and every later value has to agree.

Most files go on as they begin. Where a later value asks for another type, `Contradicted` ends the reading; whoever
took rows gives them back, and the file is read in two passes (`readers.py`), which decide over all of it. Either way
the types are those of the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from codemode.database.fields import Block
from codemode.database.infer import REMEMBERED, TextColumn
from codemode.database.typed import TypedLines, Values


class Contradicted(Exception):
    """A value asks for another type than the beginning of its column."""


class OnePass:
    """`chunks` reads the file; `count`, and the columns' `nulls`, are known when it has come to its end."""

    def __init__(
        self,
        beginning: Sequence[TextColumn],
        *,
        blocks: Callable[[], Iterator[Block]],
        fields: Callable[[Block], list[Any]],
        lines: TypedLines,
    ) -> None:
        self.columns = [AgreeingColumn(column) for column in beginning]
        self._numbers = [(n, column) for n, column in enumerate(self.columns) if column.type == "REAL"]
        self._others = [(n, column) for n, column in enumerate(self.columns) if column.type != "REAL"]
        self._is_typed = all(column.is_settled for column in self.columns)
        self._blocks, self._fields, self._lines = blocks, fields, lines
        self.count = 0

    def chunks(self) -> Iterator[Sequence[Any]]:
        """The values of some rows after another, ready to bind; raises Contradicted."""
        at_once, lines = self._lines.at_once, list[str]()
        for block in self._blocks():
            if block.records or not self._is_typed:
                yield self._by_value(Block(lines))
                yield self._by_value(block)
                lines = []
                continue
            lines += block.lines
            whole = len(lines) - len(lines) % at_once
            for first in range(0, whole, at_once):
                yield self._by_line(lines[first : first + at_once])
            del lines[:whole]  # the others wait for those of the next block
        yield self._by_value(Block(lines))

    def _by_line(self, lines: list[str]) -> Sequence[Any]:
        found = self._lines.values(lines)
        if found is None:
            return self._by_value(Block(lines))
        values, has_nulls = found
        width = len(self.columns)
        self.count += len(lines)
        if has_nulls:
            for position, column in self._others:
                column.nulls += values[position::width].count(None)
        return self._with_numbers(values, width) if self._numbers else values

    def _with_numbers(self, values: Values, width: int) -> list[Any]:
        cells = list(values)
        for position, column in self._numbers:
            cells[position::width] = column.values(values[position::width])
        return cells

    def _by_value(self, block: Block) -> list[Any]:
        fields, width = self._fields(block), len(self.columns)
        self.count += len(fields) // width
        for position, column in enumerate(self.columns):
            cells = fields[position::width]
            if (values := column.values(cells)) is not cells:
                fields[position::width] = values
        return fields


class AgreeingColumn:
    """A column that stays of the type that its beginning has."""

    def __init__(self, beginning: TextColumn) -> None:
        self.type, self.nulls = beginning.type, 0
        self._seen, self._verdict = beginning, beginning.kinds.verdict()
        blanks = () if self.type == "TEXT" else ("", None)  # None: a NULL that is one already
        self._null_values: dict[Any, Any] = dict.fromkeys((*beginning.null_texts, *blanks))
        self._parse: Callable[[str], Any] = int if self.type == "INTEGER" else float
        self._known: dict[Any, Any] = {}  # text → number, within bounds
        self._has_nulls = False

    @property
    def is_settled(self) -> bool:
        """Whether texts in it need not be looked at one by one: not so where all are NULL or long numbers so far."""
        return self.type != "TEXT" or self._seen.kinds.text

    def values(self, cells: Sequence[Any]) -> Sequence[Any]:
        """One chunk of texts as SQLite values; raises Contradicted."""
        return self._texts(cells) if self.type == "TEXT" else self._numbers(cells)

    def _texts(self, cells: Sequence[Any]) -> Sequence[Any]:
        if not self._seen.kinds.text:
            self._learn(set(cells).difference(self._null_values, ("",)))
        found = sum(map(cells.count, self._null_values))
        self.nulls += found
        return list(map(self._null_values.get, cells, cells)) if found else cells

    def _numbers(self, cells: Sequence[Any]) -> Sequence[Any]:
        known = self._known
        try:
            values = list(map(known.__getitem__, cells))
        except KeyError:
            self._remember(set(cells))
            values = list(map(known.__getitem__, cells))
        if self._has_nulls:
            self.nulls += values.count(None)
        return values

    def _remember(self, texts: set[str]) -> None:
        if len(self._known) > REMEMBERED:
            self._known.clear()
        new = texts.difference(self._known, self._null_values)
        self._learn(new)
        values = list(map(self._parse, new))
        if self.type == "REAL":
            self._seen.heed_digits(new, values)
        self._known.update(zip(new, values, strict=True))
        if not texts.isdisjoint(self._null_values):
            self._has_nulls = True
            self._known.update(self._null_values)

    def _learn(self, texts: set[str]) -> None:
        self._seen.classify(texts)
        if self._seen.kinds.verdict() != self._verdict:
            raise Contradicted
