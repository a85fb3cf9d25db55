"""One statement while it is stepped: what has to be around every one of them, and as little else as can be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from codemode.database.execute import DatabaseError
from codemode.guard import Statement

if TYPE_CHECKING:
    from codemode.session.statements import Statements


class Stepping:
    """`with Stepping(statements, statement):` arms the authorizer for it, bounds its time, counts its cost.

    Afterwards what SQLite raised is one of the tree's errors, and what was notable is told.

    A class, because a generator's context takes as long as a small statement.
    """

    __slots__ = ("_before", "_begun", "_counted", "_kind", "_started", "_statement", "_statements")

    def __init__(self, statements: Statements, statement: Statement) -> None:
        self._statements, self._statement = statements, statement

    def __enter__(self) -> None:
        statements, opened = self._statements, self._statements.opened
        self._started, self._before = time.monotonic(), opened.meter.cost.copy()
        self._begun = opened.deadline.begin(statements.ending(self._started))
        try:
            self._kind = opened.guard.arm(self._statement)  # last but what cannot fail: from here on it is open
        except BaseException as error:
            self._over(error)
            raise
        self._counted, opened.meter.on = opened.meter.on, True

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        opened = self._statements.opened
        opened.meter.on = self._counted
        try:
            opened.guard.disarm(self._statement, self._kind, error)
        finally:
            self._over(error)

    def _over(self, error: BaseException | None) -> None:
        statements = self._statements
        statements.opened.deadline.end(self._begun)
        try:
            if isinstance(error, DatabaseError):
                raise statements.explained(error, self._statement, self._started, self._before) from None
        finally:
            statements.notable.look(self._statement, time.monotonic() - self._started, self._before)
