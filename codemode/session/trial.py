"""One statement on a copy of the data, measured as things are and with indexes that SQLite would take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from codemode.database.candidates import Candidate
from codemode.database.execute import (
    Connection,
    DatabaseError,
    Deadline,
    InterruptError,
    Meter,
    Parameters,
    open_cursor,
)
from codemode.database.names import quoted
from codemode.guard import Guard, Statement
from codemode.session.statements import Statements

_RUN_SECONDS = 1.5  # one run on the copy: one that takes longer is compared by how far it got
_QUICK_MS = 50.0  # a run this short is timed again, and the best time kept
_TIMES = 3
_WORTH = 2  # an index is recommended when it takes this factor from the steps
_NEEDLESS = 1.1  # and not when the others do as well without it
_FELT_STEPS = 20_000  # 0.3 ms: below it no index is felt


@dataclass
class Measured:
    """One run on the copy; `finished` is False where it was ended after its time, and took more than this."""

    vm_steps: int
    ms: float
    sorts: int
    finished: bool = True


class Trial:
    """The statement on the copy, run as it is and with indexes."""

    def __init__(
        self, scratch: Connection, statements: Statements, statement: Statement, values: Parameters, ends_at: float
    ) -> None:
        self._connection, self._values, self._ends_at = scratch, values, ends_at
        self._meter = Meter(scratch)
        self._guard = Guard(scratch, statements.opened.limits, self._meter)
        self._deadline = Deadline(scratch, also=statements.opened.deadline)
        self._statement = self._guard.check(statement.sql)

    def check(self, taken: Sequence[Candidate]) -> dict[str, Any]:
        """Measure without and with the indexes, and find those that matter."""
        before = self._measured()
        answer: dict[str, Any] = {"before": asdict(before), "after": None, "create_index": []}
        if before.finished and before.vm_steps < _FELT_STEPS:
            return answer | {"reason": f"it takes {before.vm_steps:,} VM steps as it is, which nobody feels"}
        built = [candidate for candidate in taken if self._build(candidate)]
        if len(built) < len(taken):
            return answer | {"reason": f"there was no time or memory to build an index on {listed(taken)}"}
        after = self._measured()
        if _is_worth(before, after):
            built, after = self._needed(built, after)
            answer |= {"create_index": [candidate.sql for candidate in built], "reason": None}
        else:
            answer |= {"reason": f"an index on {listed(built)} would be used and save too little"}
        return answer | {"after": asdict(after)}

    def _needed(self, built: list[Candidate], after: Measured) -> tuple[list[Candidate], Measured]:
        """Those of the indexes without which it would be slower, and the measure with them alone."""
        for candidate in built if len(built) > 1 else ():
            self._engine("SAVEPOINT without")
            self._engine(f"DROP INDEX {quoted(candidate.name)}")
            without = self._run()
            if without.finished and without.vm_steps <= _NEEDLESS * after.vm_steps and without.sorts <= after.sorts:
                built, after = [each for each in built if each != candidate], without
                self._engine("RELEASE without")
            else:
                self._back_to("without")  # quicker than building it again
        return built, after

    def _measured(self) -> Measured:
        """The least of a few runs, each undone."""
        best = self._run()
        for _ in range(_TIMES - 1):
            if not best.finished or best.ms > _QUICK_MS:
                break
            best.ms = min(best.ms, self._run().ms)
        return best

    def _run(self) -> Measured:
        self._meter.take()
        finished, at = True, min(time.monotonic() + _RUN_SECONDS, self._ends_at)
        self._engine("SAVEPOINT trial")
        started = time.thread_time()  # the copy is in memory: what passes beside it is other programs'
        try:
            with self._deadline.until(at), self._guard.running(self._statement), self._meter.counting():
                cursor, _ = open_cursor(self._connection, self._statement.sql, self._values)
                try:
                    for _ in cursor:
                        pass
                finally:
                    cursor.close(True)
        except InterruptError:
            finished = False
        finally:
            ms = 1000 * (time.thread_time() - started)
            self._back_to("trial")
        cost = self._meter.take()
        return Measured(cost.vm_steps, round(ms, 3), cost.sorts, finished)

    def _back_to(self, mark: str) -> None:
        # An interrupted write ends the transaction by itself, and its savepoints with it.
        if self._connection.in_transaction:
            self._engine(f"ROLLBACK TO {mark}")
            self._engine(f"RELEASE {mark}")

    def _build(self, candidate: Candidate) -> bool:
        """Make an index, if the time and the memory suffice for it."""
        try:
            with self._deadline.until(self._ends_at):
                self._engine(candidate.sql)
        except DatabaseError:
            return False
        return True

    def _engine(self, sql: str) -> None:
        with self._guard.engine():
            self._connection.execute(sql, can_cache=False)


def _is_worth(before: Measured, after: Measured) -> bool:
    """Half the steps; or half the time where a sort is saved, whose comparisons are no steps."""
    if not after.finished:
        return False
    if _WORTH * after.vm_steps <= before.vm_steps:
        return not before.finished or after.ms <= max(before.ms, 1.0)
    return after.sorts < before.sorts and after.vm_steps <= before.vm_steps and _WORTH * after.ms <= before.ms


def listed(found: Sequence[Candidate]) -> str:
    """The indexes in words."""
    return " or ".join(map(str, found))
