"""`explain`: the plan of a statement in words, and an index that was tried before it is recommended.

The statement runs on a copy of the session's data in memory, under a guard, a deadline and bounds of its own, once as
things are and once with the indexes that SQLite's planner could use. Only what was measured is recommended; the
session's own data is read and never written, also where the statement is an UPDATE or a DELETE.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from codemode.database import plan, schema
from codemode.database.candidates import Candidate, Shape, candidates, chosen
from codemode.database.connection import open_scratch
from codemode.database.execute import Connection, DatabaseError, Parameters
from codemode.database.names import folded, quoted
from codemode.database.sample import Sample, sample_of, source_of
from codemode.database.scratch import empty_copy, sampled_copy, whole_copy
from codemode.database.values import parameters
from codemode.errors import CodemodeError
from codemode.guard import Statement
from codemode.guard.parse import table_names
from codemode.session.profiles import Reading
from codemode.session.statements import Statements
from codemode.session.trial import Trial, listed

ADVICE_SECONDS = 10.0  # for copying and trying together; most take less than one
_COUNT_SECONDS = 1.0
_turn = threading.Lock()
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:QUERY\s+PLAN\s+)?", re.IGNORECASE)


class Untried(Exception):
    """Why nothing was tried; the text is for people."""


def explain(statements: Statements, sql: str, params: Any) -> dict[str, Any]:
    """The plan of `sql` in words, what it reads, sorts and uses, and what would make it faster; it is not run."""
    sql = _EXPLAIN.sub("", sql, count=1)
    values = parameters(params)
    statement = statements.checked(sql)
    # The sizes first: a plan is made without a look at the file, and on a reader it would be that of an older schema.
    sizes = _sizes(statements, statement)
    with statements.logged("explain", sql), statements.stepping(statement):
        found = plan.steps(statements.opened.connection, statement.sql, values)
    answer: dict[str, Any] = {
        "plan": ["  " * step.depth + plan.in_words(step, sizes) for step in found],
        "scans": [sizes.table(name) or name for name in plan.scans(found)],
        "sorts": [step.sort for step in found if step.sort],
        "indexes": list(dict.fromkeys(step.index for step in found if step.index)),
        "estimated_rows": [
            {"table": sizes.table(step.table), "rows": rows} for step in found if (rows := sizes.rows(step)) is not None
        ],
        "query_plan": ["  " * step.depth + step.detail for step in found],
    }
    try:
        checked, advice = _checked(statements, statement, values, found, answer["scans"])
    except Untried as reason:
        checked, advice = {"on": None, "reason": str(reason)}, plan.advice(found)
    return answer | {"checked": checked, "advice": advice}


def _sizes(statements: Statements, statement: Statement) -> plan.Sizes:
    connection = statements.opened.connection
    with statements.as_engine():
        tables = {folded(name): name for name in schema.tables(connection)}
        statistics, unique = plan.statistics(connection), plan.unique_indexes(connection)
    names = {name: tables[name] for name in map(folded, statement.tables_read) if name in tables}
    aliases = table_names(statement.sql).items()
    names |= {alias: tables[table] for alias, table in aliases if table in tables}
    read = Reading(statements, _COUNT_SECONDS)
    counted: dict[str, int | None] = {}

    def count(table: str) -> int | None:
        if table not in counted:
            rows = read(f"SELECT count(*) FROM {quoted(table)}")  # noqa: S608
            counted[table] = None if rows is None else rows[0][0]
        return counted[table]

    return plan.Sizes(names, count, statistics, unique)


def _checked(
    statements: Statements,
    statement: Statement,
    values: Parameters,
    found: Sequence[plan.Step],
    scans: Sequence[str],
) -> tuple[dict[str, Any], list[str]]:
    """What was tried, and what follows from it; raises Untried."""
    if statement.changes_schema:
        raise Untried("a statement that changes the schema is not tried")
    if not any(step.how == "SCAN" or step.sort or step.is_automatic for step in found):
        raise Untried("it reads nothing whole and sorts nothing: no index would help")
    ends_at = min(time.monotonic() + ADVICE_SECONDS, statements.until)
    possible, taken = _candidates(statements, statement)
    if not taken:
        raise Untried(f"SQLite would use no index on {listed(possible)}")
    try:
        statements.check_parameters(statement, values)
        with _one_at_a_time(ends_at), _copy(statements, statement, ends_at) as (scratch, on):
            checked = Trial(scratch, statements, statement, values, ends_at).check(taken)
    except DatabaseError as error:
        raise Untried(f"it failed on a copy of the data: {error}") from None
    except CodemodeError as error:
        raise Untried(f"it cannot be tried on a copy of the data: {error.message}") from None
    return {"on": on, "considered": list(map(str, possible))} | checked, _advice(checked, on, scans)


def _candidates(statements: Statements, statement: Statement) -> tuple[list[Candidate], list[Candidate]]:
    """The indexes that could serve the statement, and those of them that the planner would take; without any rows.

    Raises Untried where there are none.
    """
    connection, limits = statements.opened.connection, statements.opened.limits
    with statements.as_engine():
        tables = _tables_of(connection, statement)
        shapes = [_shape(connection, name) for name in tables]
        views, names = schema.view_statements(connection), schema.all_names(connection)
    with closing(open_scratch(limits)) as shaped:
        possible = candidates(shaped, shapes, views, statement.sql, names)
    if possible is None:
        raise Untried("it cannot be tried: it searches full text, reads the execution log, or has RETURNING")
    if not possible:
        raise Untried("no index could serve it: it compares and orders by no column as it is")
    with statements.as_engine():
        empty = empty_copy(connection, tables, limits)
    with closing(empty):
        return possible, chosen(empty, possible, statement.sql)


def _shape(connection: Connection, table: str) -> Shape:
    """What the planner may know of a table: its columns and what is indexed already, the primary key included."""
    columns = schema.columns(connection, table)
    primary = tuple(column["name"] for column in columns if column["primary_key"])
    indexed = [tuple(index["columns"]) for index in schema.indexes(connection, table) if not index["partial"]]
    return Shape(
        table,
        tuple((column["name"], column["type"]) for column in columns),
        tuple(index for index in [*indexed, primary] if index and None not in index),
    )


def _tables_of(connection: Connection, statement: Statement) -> list[str]:
    """The tables that the statement reads or writes, without views and virtual tables."""
    ordinary = schema.ordinary_tables(connection)
    named = set(map(folded, (*statement.tables_read, *statement.tables_written)))
    return [name for name in ordinary if folded(name) in named]


@contextmanager
def _one_at_a_time(ends_at: float) -> Iterator[None]:
    """Copies take memory that all sessions share: one in a process."""
    if not _turn.acquire(timeout=max(0.0, ends_at - time.monotonic())):
        raise Untried("other statements are being tried; ask again")
    try:
        yield
    finally:
        _turn.release()


@contextmanager
def _copy(statements: Statements, statement: Statement, ends_at: float) -> Iterator[tuple[Connection, str]]:
    """A copy of the data in memory, and what it is a copy of in words; closed at the end."""
    connection, limits = statements.opened.connection, statements.opened.limits
    with statements.as_engine():
        scratch = whole_copy(connection, limits)
        tables = _tables_of(connection, statement)
    on = "a copy of the data"
    if scratch is None:
        samples = _samples(statements, tables, ends_at)
        with statements.as_engine():
            scratch = sampled_copy(connection, samples, limits, ends_at)
        parts = (f"{s.count:,} of {s.total:,} rows of {s.table}" for s in samples if not s.is_whole)
        on = f"a sample of the data ({', '.join(parts) or 'all rows'})"
    try:
        yield scratch, on
    finally:
        scratch.close(True)


def _samples(statements: Statements, tables: Sequence[str], ends_at: float) -> list[Sample]:
    read = Reading(statements, ends_at - time.monotonic())
    samples = []
    for table in tables:
        with statements.as_engine():
            source = source_of(statements.opened.connection, table)
        counted = read(f"SELECT count(*) FROM {quoted(table)}")  # noqa: S608
        sample = sample_of(read, source, counted[0][0]) if counted else None
        if sample is None:
            raise Untried(f"no time was left to copy {table}")
        samples.append(sample)
    return samples


def _advice(checked: dict[str, Any], on: str, scans: Sequence[str]) -> list[str]:
    before, after = checked["before"], checked["after"]
    if checked["create_index"]:
        more = "" if before["finished"] else "more than "
        measured = (
            f"it took {after['vm_steps']:,} VM steps and {after['ms']:.1f} ms with it, and {more}"
            f"{before['vm_steps']:,} and {before['ms']:.1f} ms without, on {on}"
        )
        return [f"{'; '.join(checked['create_index'])} ({measured})"]
    whole = f"read whole: {', '.join(scans)}; " if scans else ""
    return [f"{whole}no index is recommended: {checked['reason']} (tried on {on})"]
