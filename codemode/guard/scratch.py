"""An empty copy of a session's tables in memory, on which several statements can be tried one after another.

A second statement that needs what the first one makes cannot be prepared in the session: nothing runs there unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import apsw

from codemode.database.connection import open_scratch
from codemode.errors import CodemodeError
from codemode.guard.policy import is_reserved
from codemode.guard.repair import explain_error
from codemode.limits import Limits

if TYPE_CHECKING:
    from codemode.guard.check import Guard

_MOST_OBJECTS = 200
_STEPS = 100_000  # empty tables need few
_OBJECTS = (
    "SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' AND name NOT IN"
    " (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY type <> 'table', type <> 'view', rowid"
)
MakeGuard = Callable[[apsw.Connection, Limits], "Guard"]


def failure_on_a_copy(
    statements: Sequence[str], connection: apsw.Connection, limits: Limits, make_guard: MakeGuard
) -> CodemodeError | None:
    """What is wrong with `statements`, run in order under a guard of their own on empty tables; None where nothing is.

    `connection` is the session's, read with the engine's rights, which the caller has taken.
    """
    objects = [row for row in connection.execute(_OBJECTS, can_cache=False) if not is_reserved(row[0])]
    if len(objects) > _MOST_OBJECTS:
        return CodemodeError("there are too many tables to copy")
    copy = open_scratch(limits)
    try:
        for _, sql in objects:
            copy.execute(sql, can_cache=False).fetchall()
        copy.set_progress_handler(lambda: True, _STEPS)
        return _failure(statements, copy, make_guard(copy, limits))
    except apsw.Error as error:
        return CodemodeError(str(error))
    finally:
        copy.close(True)


def _failure(statements: Sequence[str], copy: apsw.Connection, guard: Guard) -> CodemodeError | None:
    for sql in statements:
        try:
            statement = guard.check(sql)
            with guard.running(statement):
                copy.execute(statement.sql).fetchall()
            if statement.changes_schema:
                guard.check_schema()
        except CodemodeError as error:
            return error
        except apsw.Error as error:
            return explain_error(error, sql, copy)
    return None
