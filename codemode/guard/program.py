"""A compiled statement as EXPLAIN shows it: its operations, and where the value in a register may come from.

SQLite documents neither for ever. What is not known here is taken for the worst: a value that anything computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

_COPIES = frozenset({"Copy", "SCopy", "Move"})
# Operations that put a value into the register of their second or third number. Cast and the ends of aggregates put
# it into the first. Nothing else brings a text or a blob.
_INTO_SECOND = _COPIES | {"Variable", "String8", "String", "Integer", "Int64", "Real", "Blob", "IntCopy", "Param",
    "RowData", "SorterData", "Rowid", "NewRowid", "Sequence", "Count"}  # fmt: skip
_INTO_THIRD = frozenset({"Function", "PureFunc", "Concat", "Column", "VColumn", "MakeRecord", "AggStep", "AggStep1",
    "AggValue", "AggInverse", "Add", "Subtract", "Multiply", "Divide", "Remainder", "BitAnd", "BitOr", "ShiftLeft",
    "ShiftRight"})  # fmt: skip
_INTO_FIRST = frozenset({"Cast", "AggFinal"})
_PARTS = 2  # `MATCH ? || '*'` is as good as given: each part is bounded where it comes from
_WRITING = _INTO_FIRST | _INTO_SECOND | _INTO_THIRD
_NUMBERS = frozenset({"Integer", "Int64", "Real", "IntCopy", "Rowid", "NewRowid", "Sequence", "Count"})


class Operation(NamedTuple):
    """One row of EXPLAIN."""

    address: int
    name: str
    first: int
    second: int
    third: int
    detail: str | None


class Program:
    """The operations of a statement and of its triggers: each of these is a frame with registers of its own.

    `count` says how often each operation stands in it, which is all that an INSERT of 10,000 rows is asked for.
    """

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = list(rows)
        self.count = Counter(map(itemgetter(1), self._rows))

    def of(self, names: Set[str]) -> Iterator[tuple[int, Operation]]:
        """The operations of these `names`, each with the number of its frame."""
        if names.isdisjoint(self.count):
            return
        frame = -1
        for row in self._rows:
            frame += row[0] == 0
            if row[1] in names:
                yield frame, Operation(*row[:6])

    @cached_property
    def _writers(self) -> dict[tuple[int, int], list[Operation]]:
        """By frame and register, what writes it."""
        writers: dict[tuple[int, int], list[Operation]] = {}
        for frame, operation in self.of(_WRITING):
            for register in _written(operation):
                writers.setdefault((frame, register), []).append(operation)
        return writers

    def longest_literal(self, frame: int, register: int) -> int | None:
        """The length of the longest text that `register` may hold, if only literals of the statement reach it."""
        sources = self._sources(frame, register)
        if not sources or not all(operation.name in ("String8", "String") for operation in sources):
            return None
        return max(len((operation.detail or "").encode()) for operation in sources)

    def longest_number(self, frame: int, register: int) -> int:
        """The greatest of the numbers that stand in the text of the program for `register`; 0 where none does."""
        writers = self._writers.get((frame, register), ())
        return max((operation.first for operation in writers if operation.name == "Integer"), default=0)

    def is_given(self, frame: int, register: int) -> bool:
        """Whether `register` holds a literal, a parameter or two of them joined, and nothing that SQL computed."""
        sources = self._sources(frame, register)
        return sources is not None and all(self._parts(frame, operation) <= _PARTS for operation in sources)

    def _parts(self, frame: int, operation: Operation) -> int:
        """How many literals and parameters `operation` joins; more than are allowed where anything else has a part."""
        if operation.name in _NUMBERS | {"String8", "String", "Variable"}:
            return 1
        if operation.name != "Concat":
            return _PARTS + 1
        parts = 0
        for register in (operation.first, operation.second):
            sources = self._sources(frame, register)
            # A Concat among them could join itself in a loop: only what is given at once counts.
            if sources is None or any(source.name == "Concat" for source in sources):
                return _PARTS + 1
            parts += max(self._parts(frame, source) for source in sources)
        return parts

    def _sources(self, frame: int, register: int) -> list[Operation] | None:
        """The operations whose value may reach `register`, through copies; None where it cannot be told."""
        found: list[Operation] = []
        seen: set[int] = set()
        waiting = [register]
        while waiting:
            target = waiting.pop()
            if target in seen:
                continue
            seen.add(target)
            writers = self._writers.get((frame, target))
            if not writers:
                return None
            for operation in writers:
                if operation.name in _COPIES:
                    waiting.append(operation.first + target - operation.second)
                else:
                    found.append(operation)
        return found


def _written(operation: Operation) -> Iterable[int]:
    name = operation.name
    if name in _INTO_THIRD:
        return (operation.third,)
    if name in _INTO_FIRST:
        return (operation.first,)
    if name == "Copy":
        return range(operation.second, operation.second + operation.third + 1)
    if name == "Move":
        return range(operation.second, operation.second + operation.third)
    return (operation.second,) if name in _INTO_SECOND else ()
