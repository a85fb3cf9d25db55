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
# Operations that go on with the next one always. What is in neither list is taken for one that may jump.
_NO_JUMP = frozenset({
    "Affinity", "BeginSubrtn", "Blob", "Close", "ClrSubtype", "CollSeq", "ColumnsUsed", "Compare", "DeferredSeek",
    "Delete", "Explain", "FilterAdd", "FkCounter", "Halt", "HaltIfNull", "IdxDelete", "IdxInsert", "IdxRowid",
    "Insert", "Noop", "Null", "NullRow", "OpenAutoindex", "OpenDup", "OpenEphemeral", "OpenPseudo", "OpenRead",
    "OpenWrite", "Permutation", "RealAffinity", "ReleaseReg", "ReopenIdx", "ResetSorter", "ResultRow", "SoftNull",
    "SorterInsert", "SorterOpen", "Transaction", "TypeCheck", "VOpen", "VUpdate"
})  # fmt: skip
_CALLING = frozenset({"Gosub", "InitCoroutine", "Program", "Yield"})
_JOINS = 4  # one in another: `'"' || ? || '" OR ' || ? || '*'`
_ALTERNATIVES = 8  # of one register: `coalesce(?, 'x')` has two
_WRITING = _INTO_FIRST | _INTO_SECOND | _INTO_THIRD
_NUMBERS = frozenset({"Integer", "Int64", "Real", "IntCopy", "Rowid", "NewRowid", "Sequence", "Count"})

Text = tuple[str | int, ...]  # literals, and numbers of parameters, joined


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
    def _frames(self) -> list[list[Operation]]:
        """The operations of each frame, by address."""
        frames: list[list[Operation]] = []
        for row in self._rows:
            if row[0] == 0:
                frames.append([])
            frames[-1].append(Operation(*row[:6]))
        return frames

    @cached_property
    def _writers(self) -> dict[tuple[int, int], list[Operation]]:
        """By frame and register, what writes it."""
        writers: dict[tuple[int, int], list[Operation]] = {}
        for frame, operation in self.of(_WRITING):
            for register in _written(operation):
                writers.setdefault((frame, register), []).append(operation)
        return writers

    @cached_property
    def _targets(self) -> list[set[int]]:
        """By frame, the addresses that may be jumped to."""
        return [{target for operation in frame for target in _jumps(operation)} for frame in self._frames]

    def longest_literal(self, frame: int, register: int) -> int | None:
        """The length of the longest text that `register` may hold anywhere, if only literals reach it."""
        sources = self._sources(frame, register, 0)
        if not sources or not all(operation.name in ("String8", "String") for operation in sources):
            return None
        return max(len((operation.detail or "").encode()) for operation in sources)

    def longest_number(self, frame: int, register: int, at: int) -> int:
        """The greatest number of the program's text that `register` may hold `at` an address; 0 where there is none."""
        writers = self._reaching(frame, register, at)
        return max((operation.first for operation in writers if operation.name == "Integer"), default=0)

    def texts(self, frame: int, register: int, at: int, joins: int = _JOINS) -> list[Text] | None:
        """What the text in `register` may be `at` an address; None where SQL computes it, or joins more than a few."""
        sources = self._sources(frame, register, at)
        if sources is None or len(sources) > _ALTERNATIVES:
            return None
        found: list[Text] = []
        for operation in sources:
            if operation.name in ("String8", "String"):
                found.append((operation.detail or "",))
            elif operation.name == "Variable":
                found.append((operation.first,))
            elif operation.name in _NUMBERS:
                found.append(("0",))
            elif operation.name == "Concat" and joins:  # one that joins itself in a loop ends with `joins`
                ends = self.texts(frame, operation.first, operation.address, joins - 1)
                starts = self.texts(frame, operation.second, operation.address, joins - 1) if ends else None
                if ends is None or starts is None:
                    return None
                found += [start + end for start in starts for end in ends]
            else:
                return None
        return found if len(found) <= _ALTERNATIVES else None

    def _sources(self, frame: int, register: int, at: int) -> list[Operation] | None:
        """The operations whose value may be in `register` at `at`, through copies; None where it cannot be told.

        At 0, which comes before all else, it is whatever writes the register anywhere: no walk, for programs of many.
        """
        found: list[Operation] = []
        seen: set[tuple[int, int]] = set()
        waiting = [(register, at)]
        while waiting:
            target, address = waiting.pop()
            if (target, address) in seen:
                continue
            seen.add((target, address))
            writers = self._reaching(frame, target, address)
            if not writers:
                return None
            for operation in writers:
                if operation.name in _COPIES:
                    waiting.append((operation.first + target - operation.second, address and operation.address))
                else:
                    found.append(operation)
        return found

    def _reaching(self, frame: int, register: int, at: int) -> list[Operation]:
        """What may have written `register` last before `at`.

        SQLite uses a register for one thing after another. As far back as nothing is jumped to, the program came
        straight from there, and the nearest that wrote it did. Beyond, each that writes it anywhere may have.
        """
        operations, targets = self._frames[frame], self._targets[frame]
        while at > 0 and at not in targets:
            at -= 1
            if operations[at].name in _WRITING and register in _written(operations[at]):
                return [operations[at]]
        return self._writers.get((frame, register), [])


def _jumps(operation: Operation) -> Iterable[int]:
    """The addresses that this may have the program go on from, beside the next one."""
    if operation.name in _WRITING or operation.name in _NO_JUMP:
        return ()
    if operation.name in _CALLING:  # who is called comes back behind it
        return (operation.second, operation.third, operation.address + 1)
    return (operation.first, operation.second, operation.third) if operation.name == "Jump" else (operation.second,)


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
