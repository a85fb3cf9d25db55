"""Statements of one execution: guard → transaction → database → log, for exec, query, batch and script."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from codemode import tracing
from codemode.database.clock import in_ms, now
from codemode.database.execute import Connection, Cost, DatabaseError, Parameters, Result, run, run_for_first
from codemode.database.journal import Entry, bounded
from codemode.database.schema import insertable
from codemode.database.taking import row_bytes
from codemode.database.values import longest, parameters
from codemode.errors import (
    CodemodeError,
    ConstraintFailed,
    ParametersInvalid,
    StatementError,
    StatementLimit,
    StatementRefused,
    StatementTimeout,
)
from codemode.guard import Statement
from codemode.guard.remarks import numbers_for_texts
from codemode.guard.repair import with_names_meant
from codemode.guard.searches import check_search
from codemode.session.notable import Notable
from codemode.session.opened import ADVICE_SECONDS, Guarded
from codemode.session.stepping import Stepping
from codemode.session.tally import Tally
from codemode.session.transaction import Transaction
from codemode.tracing import Span, span

_STATEMENTS_PER_CALL = 10  # statements in one batch or script, for each helper call allowed
_ANALYSE_SECONDS = 2.0  # an execution that is over may not run on
_ANALYSE_ROWS = 10_000  # from here on SQLite's guesses about a table are worth replacing by a look at it
_ANALYSED_ENTRIES = 1_000  # of each index: milliseconds, however large the table is
_ADVISED = 20  # errors of one execution for which a statement that would run is looked for
Take = Callable[[Connection, str, Parameters], Result]
_log = logging.getLogger("codemode")


class Statements:
    """Runs the statements of one execution; its end, `ends_at` (time.monotonic), bounds each besides query_seconds."""

    def __init__(self, opened: Guarded, transaction: Transaction, execution_id: str) -> None:
        self.opened, self.transaction, self.execution_id = opened, transaction, execution_id
        self.tally = Tally()
        self.notable = Notable(opened, self.tally, execution_id)
        opened.meter.take()  # what the last one left
        self.ends_at = float("inf")
        self._advice = _ADVISED

    @property
    def until(self) -> float:
        """When a statement that starts now must be over."""
        return self.ending(time.monotonic())

    def ending(self, started: float) -> float:
        """When a statement that started then must be over."""
        return min(started + self.opened.limits.query_seconds, self.ends_at)

    def exec(self, sql: str, params: Any = (), room: int | None = None) -> dict[str, Any]:
        """One statement of any allowed kind; its rows too, where it returns some, at most `room` bytes of them."""
        statement, result = self._told("exec", sql, params, self.checked, self._taking(room=room))
        if result.truncated:
            self._warn_truncated(result)
        answer: dict[str, Any] = {
            "success": True,
            "rows_read": result.count,
            "rows_written": result.changes,
            "changes": result.changes,
            "last_row_id": result.last_row_id,
        }
        if result.columns and not statement.changes_schema:  # of SQLite's own look at the rows, for ADD CONSTRAINT
            answer |= {"columns": list(result.columns), "rows": result.rows, "truncated": result.truncated}
        if result.warnings:
            answer["warnings"] = result.warnings
        return answer

    def query(self, sql: str, params: Any = (), most: int | None = None) -> dict[str, Any]:
        """The rows of one statement, as the values of each column; a plain write is refused before it runs."""
        _, result = self._told("query", sql, params, self._returning, self._taking(most))
        if result.truncated and most is None:
            self._warn_truncated(result)
        answer = {
            "columns": list(result.columns),
            "values": result.values,
            "truncated": result.truncated,
            "rows_read": result.count,
        }
        if result.warnings:
            answer["warnings"] = result.warnings
        return answer

    def value(self, sql: str, params: Any = ()) -> Any:
        """The first cell of one statement's rows; None where there is none."""
        _, result = self._told("query", sql, params, self._returning, run_for_first)
        return result.values[0][0] if result.values else None

    def _told(
        self, kind: str, sql: str, params: Any, check: Callable[[str], Statement], take: Take
    ) -> tuple[Statement, Result]:
        """One statement from its text to its result, and its entry in the log.

        Short snippets make thousands of these, so that nothing on this way is a generator or a context of Python's
        unless the statement writes, and the log's entry is made when all of it is known.
        """
        timestamp, started = now(), time.monotonic()
        count, changes, written = 0, 0, self.tally.rows_written
        code = None
        try:
            statement = check(sql)
            result = self._run(statement, parameters(params), take)
            count, changes = result.count, result.changes
            return statement, result
        except CodemodeError as error:
            code = error.code
            changes = self.tally.rows_written - written  # with OR FAIL the rows before the bad one stay
            raise
        finally:
            spent = in_ms(time.monotonic() - started)
            self.tally.entries.append(
                Entry(self.execution_id, timestamp, kind, bounded(sql), spent, count, changes, 0, code)
            )

    def _returning(self, sql: str) -> Statement:
        statement = self.checked(sql)
        if not statement.returns_rows:
            self.transaction.expect_writable()  # where it may not, no other call and no RETURNING would help
            raise StatementRefused(
                f"query() answers rows, and {statement.kind.replace('_', ' ').upper()} returns none",
                hint="use helpers.db.exec(...) for it, or add RETURNING",
                did_you_mean=("helpers.db.exec",),
                sql=sql[:2000],
            )
        return statement

    def batch(self, items: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
        """Several statements, all or nothing, also when the failure is caught.

        Their rows share the bytes of one answer: each of many statements could otherwise fill an answer of its own,
        and all of them are held here until the last has run.
        """
        limits = self.opened.limits
        room, most = limits.result_set_bytes, _STATEMENTS_PER_CALL * limits.helper_calls
        answers: list[dict[str, Any]] = []
        with self.transaction.unit():
            for sql, params in items:
                if len(answers) >= most:
                    raise StatementLimit(
                        f"more than {most:,} statements in one call",
                        hint="send them in several calls, or use helpers.db.batch_insert for many rows",
                    )
                answers.append(self.exec(sql, params, room))
                room -= sum(map(row_bytes, answers[-1].get("rows", ())))
        return answers

    def _taking(self, most: int | None = None, room: int | None = None) -> Take:
        """How rows are taken: at most `most` of them and `room` bytes, and never more than the limits."""
        limits = self.opened.limits
        rows = limits.rows if most is None else max(0, min(most, limits.rows))
        room = limits.result_set_bytes if room is None else max(0, room)
        return partial(run, rows=rows, result_bytes=room)

    def _run(self, statement: Statement, params: Parameters, take: Take) -> Result:
        """Run a checked statement inside the transaction, and count it."""
        self.check_parameters(statement, params)
        try:
            result = self._ran(statement, params, take)
        except ParametersInvalid as error:
            raise with_names_meant(error, params) from None
        except ConstraintFailed as error:
            raise self._blamed(error, statement, params) from None
        except StatementRefused as error:  # of a name or a type that only shows when it is there, and is undone now
            raise self._advised(error, statement.sql) from None
        if statement.remarks or statement.text_parameters:
            result.warnings = [*statement.remarks, *_of_bound(statement, params)]
        self._count(result)
        return result

    def _ran(self, statement: Statement, params: Parameters, take: Take) -> Result:
        if statement.reads_only and not tracing.is_on():
            self.transaction.check_alive()
            return self._stepped(statement, params, take)
        provenance = self.transaction.provenance
        with self._scope(statement):
            before, total = provenance.before(statement), self.opened.connection.total_changes()
            with span("statement", _attributes(statement), sql=statement.sql) as traced:
                try:
                    result = self._written(statement, params, take)
                except CodemodeError:
                    self._note_failed(statement, total)
                    raise
                traced.set({"db.response.returned_rows": result.count, "codemode.rows_written": result.changes})
            touched = self.opened.connection.total_changes() - total
            redefined = provenance.note(statement, result.changes, touched, before)
            if redefined or touched:  # touched alone: an INSTEAD OF trigger's rows are no changes of the statement
                self.transaction.note(statement.changed(result.changes, touched))
        return result

    def _written(self, statement: Statement, params: Parameters, take: Take) -> Result:
        """A statement that may write, with the row id that it gave itself: SQLite keeps that of an earlier one."""
        connection = self.opened.connection
        before = connection.last_insert_rowid()
        if not statement.asks_row_id:  # of an earlier one
            connection.set_last_insert_rowid(0)
        try:
            return self._stepped(statement, params, take)
        finally:
            if connection.last_insert_rowid() == 0:
                connection.set_last_insert_rowid(before)

    def _note_failed(self, statement: Statement, total: int) -> None:
        """What a statement that failed left behind all the same: the rows before the bad one, with OR FAIL."""
        connection = self.opened.connection
        if statement.changes_schema:  # a unit, undone as a whole: what FTS5 wrote before it failed too
            return
        if connection.in_transaction and (touched := connection.total_changes() - total):
            changes = min(connection.changes(), touched)
            self.transaction.provenance.note(statement, changes, touched)
            self.transaction.note(statement.tables_written)
            self.tally.rows_written += changes

    def _stepped(self, statement: Statement, params: Parameters, take: Take) -> Result:
        with Stepping(self, statement):
            result = take(self.opened.connection, statement.sql, params)
            if statement.changes_schema:
                self.opened.guard.check_schema()
                # Of the rows that DROP TABLE deletes for the sake of foreign keys.
                result.changes = result.last_row_id = 0
            return result

    def _blamed(self, error: ConstraintFailed, statement: Statement, params: Parameters) -> ConstraintFailed:
        """`error` with the values of the row that it is about, where they stand in the statement, and what is right."""
        from codemode.session.blame import with_values, written  # only where something fails

        tables = statement.tables_written
        if statement.kind == "create_index":
            error.hint = "rows have the same values there: find them with GROUP BY … HAVING count(*) > 1"
        if not tables or statement.changes_schema:
            return error
        try:
            with self.as_engine():
                columns = insertable(self.opened.connection, tables[0])
                told = with_values(error, self.opened.connection, tables, written(statement.sql, params, columns))
        except CodemodeError:
            return error  # a look at the row that fails must not hide what was wrong with it
        if statement.kind == "update" and told.message.startswith("UNIQUE"):
            told.hint = "another row has this key: choose another value, or change that row first"
        return told

    def _timed_out(self, error: StatementTimeout, statement: Statement, seconds: float, cost: Cost) -> StatementTimeout:
        """`error` with how far the statement got; looking at its plan has a short time of its own."""
        from codemode.session.blame import timed_out

        try:
            with self.opened.guard.engine(), self.opened.deadline.until(time.monotonic() + ADVICE_SECONDS):
                most = self.opened.limits.query_seconds
                return timed_out(statement.sql, self.opened.connection, seconds, most, cost)
        except DatabaseError:
            return error

    def _not_prepared(self, error: StatementTimeout, seconds: float) -> StatementTimeout:
        most = self.opened.limits.query_seconds
        bound = f"query_seconds ({most:g} s)" if seconds >= most else f"{seconds:.3g} s"
        hint = "it is very long, or reads views of views of views: make a table of a part of it first"
        return StatementTimeout(f"the statement took longer than {bound} to prepare", hint=hint, sql=error.sql)

    def _scope(self, statement: Statement) -> AbstractContextManager[None]:
        self.transaction.check_alive()
        if statement.reads_only:
            return nullcontext()
        if statement.changes_schema:  # it may have to be undone after it ran: a name that only shows afterwards
            return self.transaction.unit()
        return self.transaction.whole() if statement.may_leave_rows else self.transaction.statement()

    @contextmanager
    def stepping(self, statement: Statement) -> Iterator[Span]:
        """The authorizer armed for `statement`, its time bounded, its cost counted, its errors explained."""
        with span("statement", _attributes(statement), sql=statement.sql) as traced, Stepping(self, statement):
            yield traced

    def explained(self, error: DatabaseError, statement: Statement, started: float, before: Cost) -> CodemodeError:
        """The error of a statement that SQLite ended; the meter stood at `before` when it started."""
        explained = self.opened.explained(error, statement.sql, statement.longest_value)
        if isinstance(explained, StatementTimeout):
            seconds = time.monotonic() - started
            explained = self._timed_out(explained, statement, seconds, self.opened.meter.cost.minus(before))
        return self._advised(explained, statement.sql)

    @contextmanager
    def as_engine(self) -> Iterator[None]:
        """The engine's own statements on the session's connection, bounded in time like any other."""
        opened = self.opened
        try:
            with opened.guard.engine(), opened.deadline.until(self.until):
                yield
        except DatabaseError as error:
            raise opened.explained(error, "") from None

    def analyse_large_load(self) -> None:
        """After the commit of many rows let SQLite look at them, so that its plans fit: a sample of each index."""
        if self.tally.rows_written < _ANALYSE_ROWS:
            return
        self.ends_at = time.monotonic() + _ANALYSE_SECONDS  # of its own: the execution is over, its time perhaps too
        try:
            with self.as_engine():
                self.opened.connection.pragma("analysis_limit", _ANALYSED_ENTRIES)
                self.opened.connection.execute("ANALYZE main", can_cache=False)
        except CodemodeError as error:
            _log.warning("ANALYZE of %s failed: %s", self.opened.files.database, error)

    def checked(self, sql: str) -> Statement:
        """What the guard says of `sql`; raises its refusal."""
        self.transaction.check_alive()
        if time.monotonic() >= self.ends_at:
            # SQLite looks at the clock every 10,000 operations: a call of many small statements would never end.
            raise StatementTimeout("the execution's time is over")
        if (known := self.opened.guard.known(sql)) is not None:
            return known
        started = time.monotonic()
        with self.opened.deadline.until(self.ending(started)):
            try:
                return self.opened.guard.check(sql)
            except StatementTimeout as error:
                raise self._not_prepared(error, time.monotonic() - started) from None
            except StatementError as error:
                raise self._advised(error, sql) from None

    def _advised(self, error: CodemodeError, sql: str) -> CodemodeError:
        """`error` with a statement that would run, for the first ones of an execution: looking for it takes time."""
        if self._advice > 0 and isinstance(error, StatementError) and not isinstance(error, StatementTimeout):
            self._advice -= 1
            self.opened.guard.prepare_to_suggest()
            with self.opened.deadline.until(time.monotonic() + ADVICE_SECONDS):
                self.opened.guard.suggest(error, sql)
            if error.suggestion is not None:
                error.sql = error.sql or sql
        return error

    def check_parameters(self, statement: Statement, params: Parameters) -> None:
        """Refuse a parameter or a full-text query so long that nothing could stop what is done with it.

        Warn of a number that is compared with a text: it is never equal to it.
        """
        most = statement.longest_parameter
        if most is not None and longest(params) > most:
            raise StatementLimit(
                f"a parameter of a statement of so many parts may have {most:,} bytes",
                hint="put long values into a table first, and join it",
            )
        for search in statement.searches:
            check_search(search, statement.parameters, params)
        if statement.text_parameters:
            self.tally.warn_all(_of_bound(statement, params), "meaning")

    def _count(self, result: Result) -> None:
        tally = self.tally
        tally.rows_read += result.count
        tally.most_rows = max(tally.most_rows, result.count)
        tally.rows_written += result.changes

    def _warn_truncated(self, result: Result) -> None:
        by = "" if result.count >= self.opened.limits.rows else ", by result_set_bytes"
        warning = (
            f"a query's answer was cut at {result.count:,} rows{by}; read all of it with helpers.db.pages(sql), "
            "or aggregate in SQL"
        )
        self.tally.cuts.append(warning)
        self.tally.warn(warning, "truncated")

    @contextmanager
    def logged(self, kind: str, text: str) -> Iterator[Entry]:
        """An entry of the execution log for what happens inside, with its error code when it fails."""
        entry, started = self.entry(kind, text), time.monotonic()
        try:
            yield entry
        except CodemodeError as error:
            entry.error_code = error.code
            raise
        finally:
            self.log(entry, started)

    def entry(self, kind: str, text: str) -> Entry:
        """A new entry of the execution log, still to be logged."""
        return Entry(self.execution_id, now(), kind, bounded(text), 0.0)

    def log(self, entry: Entry, started: float) -> None:
        """Log `entry`, for what began at `started` (time.monotonic) and is over now."""
        entry.duration_ms = in_ms(time.monotonic() - started)
        self.tally.entries.append(entry)


def _of_bound(statement: Statement, params: Parameters) -> list[str]:
    return numbers_for_texts(statement.text_parameters, statement.parameters, params)


def _attributes(statement: Statement) -> dict[str, str]:
    return {"db.system.name": "sqlite", "db.operation.name": statement.kind}
