"""Statements worth telling about, found as they end: slow ones for the log, large scans for the outcome."""

from __future__ import annotations

import time

from codemode.database.clock import now
from codemode.database.execute import UNBOUND, Cost, DatabaseError
from codemode.database.journal import bounded
from codemode.errors import CodemodeError
from codemode.guard import Statement
from codemode.session.nearness import SCAN_STEPS, large_scan
from codemode.session.opened import Guarded
from codemode.session.tally import Tally
from codemode.values import SlowStatement

_PLAN_SECONDS = 0.5  # of its own: the statement may have used all the time there was
_PLAN_LINES, _PLAN_LINE = 50, 200  # kept, and characters of each: a table's name may be as long as a statement
_SLOW = 100  # in one execution


class Notable:
    """Looks at each statement of one execution when it ends; what is ordinary costs two comparisons."""

    def __init__(self, opened: Guarded, tally: Tally, execution_id: str) -> None:
        self._opened, self._tally, self._execution_id = opened, tally, execution_id

    def look(self, statement: Statement, seconds: float, before: Cost) -> None:
        """`statement` took `seconds`; `before` is what the meter had counted until then."""
        tally, cost = self._tally, self._opened.meter.cost
        tally.longest_seconds = max(tally.longest_seconds, seconds)
        if statement.remarks:
            tally.warn_all(statement.remarks, "meaning")
        steps = cost.scan_steps - before.scan_steps
        is_slow = seconds * 1000 >= self._opened.slow_ms
        is_large = steps > SCAN_STEPS and "scan" not in tally.kinds
        if not (is_slow or is_large):
            return
        lines, scans = self._plan(statement)
        if is_large:
            warned = large_scan(steps, scans, statement.tables_read)
            tally.warn(warned.text, warned.kind)
        if is_slow:
            tally.slow_statements += 1
            if len(tally.slow) < _SLOW:
                tally.slow.append(self._slow(statement, seconds, cost.minus(before), lines))

    def _slow(self, statement: Statement, seconds: float, cost: Cost, lines: list[str]) -> SlowStatement:
        return SlowStatement(
            execution_id=self._execution_id,
            timestamp=now(),
            statement=bounded(statement.sql),
            duration_ms=round(seconds * 1000, 3),
            vm_steps=cost.vm_steps,
            scan_steps=cost.scan_steps,
            sorts=cost.sorts,
            auto_indexes=cost.auto_indexes,
            plan=tuple(line[:_PLAN_LINE] for line in lines[:_PLAN_LINES]),
        )

    def _plan(self, statement: Statement) -> tuple[list[str], list[str]]:
        """What SQLite would do now, and read whole: nothing where the statement made or dropped what it names."""
        from codemode.database import plan  # only where a statement was slow

        if statement.changes_schema or statement.kind == "explain":
            return [], []
        opened = self._opened
        try:
            with opened.guard.running(statement), opened.deadline.until(time.monotonic() + _PLAN_SECONDS):
                found = plan.steps(opened.connection, statement.sql, UNBOUND)
        except (DatabaseError, CodemodeError):
            return [], []
        return ["  " * step.depth + step.detail for step in found], plan.scans(found)
