"""What executions cost: by session, by day, by statement, and what they changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import add, attrgetter
from typing import Any, Self

import msgspec


class Totals(msgspec.Struct, frozen=True):
    """What executions, and calls of the host, cost together; `peak_memory_bytes` is the largest of one execution.

    `warnings`: how often each kind of warning was given.
    """

    executions: int = 0
    rows_read: int = 0
    rows_written: int = 0
    failed: int = 0
    vm_steps: int = 0
    scan_steps: int = 0
    sorts: int = 0
    auto_indexes: int = 0
    helper_calls: int = 0
    duration_ms: float = 0.0
    cpu_ms: float = 0.0
    worker_cpu_ms: float = 0.0
    result_bytes: int = 0
    stdout_bytes: int = 0
    slow_statements: int = 0
    peak_memory_bytes: int = 0
    warnings: dict[str, int] = {}

    def plus(self, more: Totals) -> Self:
        """These and `more` together."""
        both = Sum()
        both.add(self)
        both.add(more)
        return msgspec.structs.replace(self, **both.figures())


_SUMMED = tuple(name for name in Totals.__struct_fields__ if name not in ("peak_memory_bytes", "warnings"))
_summed = attrgetter(*_SUMMED)


class Sum:
    """Totals that grow: adding to them takes less than making them anew."""

    def __init__(self) -> None:
        self._sums: list[float] = [0] * len(_SUMMED)
        self._peak = 0
        self._warnings: Counter[str] = Counter()

    def add(self, more: Totals) -> None:
        """Add one execution, or several."""
        self._sums = list(map(add, self._sums, _summed(more)))
        self._peak = max(self._peak, more.peak_memory_bytes)
        if more.warnings:
            self._warnings.update(more.warnings)

    def figures(self) -> dict[str, Any]:
        """The fields of the totals."""
        sums = {name: round(total, 3) for name, total in zip(_SUMMED, self._sums, strict=True)}  # µs: no 10.40…05 ms
        return sums | {"peak_memory_bytes": self._peak, "warnings": dict(sorted(self._warnings.items()))}

    def totals(self) -> Totals:
        """What was added so far."""
        return Totals(**self.figures())


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one execution, or "host" for all calls of the host, did to one table.

    `inserted`, `updated`, `deleted`: rows, as SQLite counted them, `upserted` where an upsert did one or the other.
    `uncounted`: triggers or foreign keys may have changed further rows.
    """

    table: str
    execution_id: str
    first_at: str
    last_at: str
    inserted: int
    updated: int
    deleted: int
    upserted: int
    uncounted: bool
    created_at: str | None
    altered_at: str | None
    dropped_at: str | None


KEPT_DAYS = 400  # a year, and what it takes to compare with the year before


class Day(Totals, frozen=True, kw_only=True):
    """The totals of one day, UTC; `size_bytes` of the database at its end."""

    day: str
    size_bytes: int = 0

    def with_another(self, other: Day) -> Day:
        """This day of one session and of another together: their sizes too."""
        return msgspec.structs.replace(self.plus(other), size_bytes=self.size_bytes + other.size_bytes)


def summed(days: Iterable[Day]) -> list[Day]:
    """`days` of several sessions, those of one date together, oldest first."""
    by_day: dict[str, Day] = {}
    for each in days:
        known = by_day.get(each.day)
        by_day[each.day] = each if known is None else known.with_another(each)
    return [by_day[day] for day in sorted(by_day)]


class SizeAt(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a session's database from `timestamp` on."""

    timestamp: str
    size_bytes: int


class SlowStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that took longer than the setting `slow_statement_ms`, with the lines of its plan.

    The plan is the one that SQLite would choose directly afterwards; empty where it no longer prepares.
    """

    execution_id: str
    timestamp: str
    statement: str
    duration_ms: float
    vm_steps: int
    scan_steps: int
    sorts: int
    auto_indexes: int
    plan: tuple[str, ...] = ()
