"""Questions to the catalogue: what is wrong with one in words, before the catalogue's own wall decides.

The guard of sessions judges the text beside a model of the catalogue: a database in memory whose tables are the views'
names and columns, without a row. So its errors name what there is, and mend what was meant. What may really be read is
decided in `codemode.catalog.stores`, which knows nothing of this: each holds without the other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from codemode.catalog.asking import TABLES_WAY, Asking, Question
from codemode.catalog.views import View
from codemode.database.connection import open_scratch
from codemode.database.execute import DatabaseError, Result
from codemode.database.values import longest, parameters
from codemode.errors import (
    CodemodeError,
    MultipleStatements,
    NoSuchTable,
    StatementError,
    StatementLimit,
    StatementRefused,
)
from codemode.guard import rules
from codemode.guard.check import Guard
from codemode.guard.gate import admit
from codemode.guard.policy import FUNCTIONS
from codemode.guard.repair import explain_error, shortened
from codemode.guard.scan import heading
from codemode.guard.statement import Statement
from codemode.limits import Limits

ONLY_READS = (
    "a question is one SELECT or WITH … SELECT; the records themselves are changed by their own commands and paths"
)
if TYPE_CHECKING:
    from codemode.guard.postgres_questions import PostgresQuestions

_OF_SNIPPETS = ("helpers.", "session", "Python", "snippet")
_SESSION = re.compile(r"\b(?:a|the) session\b")


def ask(asking: Asking, tenant: str, sql: str, params: Any, limits: Limits, max_rows: int | None = None) -> Result:
    """The answer of `sql` for `tenant`, within `limits`, and at most `max_rows` rows of it; raises StatementError."""
    bound = parameters(params)
    with closing(_guard(asking, limits)) as questions:
        statement = questions.check(sql)
        if statement.longest_parameter is not None and longest(bound) > statement.longest_parameter:
            raise StatementLimit(
                f"a parameter of a question of so many parts may have {statement.longest_parameter:,} bytes"
            )
        question = Question(
            tenant=tenant, sql=statement.sql, params=bound, rows=min(max_rows or limits.rows, limits.rows),
            result_bytes=limits.result_set_bytes, value_bytes=statement.longest_value or limits.value_bytes,
            until=time.monotonic() + limits.query_seconds,
        )  # fmt: skip
        try:
            return asking.answer(question, FUNCTIONS)
        except (DatabaseError, StatementError) as error:
            raise questions.explained(error, statement) from None


def _guard(asking: Asking, limits: Limits) -> Questions | PostgresQuestions:
    if asking.dialect == "sqlite":
        return Questions(asking.views, limits)
    from codemode.guard.postgres_questions import PostgresQuestions

    return PostgresQuestions(asking.views, limits)


class Questions:
    """The guard of questions to a catalogue that shows `views`; used by one thread at a time, and closed."""

    def __init__(self, views: Iterable[View], limits: Limits) -> None:
        self._views, self._limits = list(views), limits
        self._model = open_scratch(limits)
        for view in self._views:
            columns = ", ".join(f'"{name}"' for name in view.columns)
            self._model.execute(f"CREATE TABLE {view.name} ({columns})", can_cache=False)
        self._guard = Guard(self._model, limits)

    def close(self) -> None:
        """Forget the model."""
        self._model.close(True)

    def check(self, sql: str) -> Statement:
        """What the guard of sessions says of `sql` where it only reads; raises a StatementError with the way out."""
        begins = heading(admit(sql, self._limits.sql_bytes))
        if begins.explain or begins.kind not in (None, "select") or rules.is_known_verb(begins.verb):
            raise only_reads("EXPLAIN" if begins.explain else begins.verb, sql)
        try:
            return self._guard.check(sql)
        except StatementError as error:
            self._guard.suggest(error, sql)
            if error.suggestion and (isinstance(error, MultipleStatements) or "sqlite_" in error.suggestion):
                error.suggestion = None  # no question either
            raise self._worded(error) from None

    def explained(self, error: DatabaseError | StatementError, statement: Statement) -> CodemodeError:
        """The error of the tree for one that came up while the catalogue answered."""
        if isinstance(error, StatementError):
            return error
        return self._worded(explain_error(error, statement.sql, self._model, statement.longest_value))

    def _worded(self, error: CodemodeError) -> CodemodeError:
        """An error of the guard without the ways out that only a snippet has."""
        error.message = _SESSION.sub("a question", error.message)
        if isinstance(error, NoSuchTable):
            error.hint = error.hint if error.did_you_mean else TABLES_WAY
        elif isinstance(error, MultipleStatements):
            error.hint = "send one at a time"
        elif error.hint is not None and any(word in error.hint for word in _OF_SNIPPETS):
            error.hint = ONLY_READS if isinstance(error, StatementRefused) else None
        error.did_you_mean = tuple(each for each in error.did_you_mean if not each.startswith("helpers."))
        return error


def only_reads(verb: str, sql: str) -> StatementRefused:
    """The error for what is no question."""
    return StatementRefused(
        f"{verb[:40]} is not available in a question to the catalogue", hint=ONLY_READS, sql=shortened(sql)
    )
