"""`describe_table` and `find_column`: what a table holds, within a bounded time.

Tables and views are read as a user's SELECT would read them, guard and limits included; only the schema is asked with
the engine's rights. What there was no time for is named in the answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from codemode.database import joins, meaning, profile, schema
from codemode.database.execute import open_cursor
from codemode.database.names import quoted
from codemode.database.sample import Sample, Source, sample_of, source_of
from codemode.database.taking import take_rows
from codemode.errors import StatementTimeout
from codemode.session.statements import Statements

# For everything beyond the number of rows, since models ask before each question; most take less than one. After the
# sample a third at most for what is counted, a third for keys, and what is left for joins.
DESCRIBE_SECONDS = 5.0
_FIND_SECONDS = 3.0
_SHOWN_ROWS = 5
_SHOWN_BYTES = 64 * 1024
_COLUMNS_AT_ONCE = 20  # one pass over a table counts so many: when the time ends, earlier passes are kept
_MOST_JOINS = 20


class Reading:
    """SELECTs of the engine under the guard, as a user's own; None from when their `seconds` are over."""

    def __init__(self, statements: Statements, seconds: float) -> None:
        self._statements = statements
        self.ends_at = time.monotonic() + seconds

    def __call__(
        self, sql: str, params: Sequence[Any] = (), rows: int = 10_000, size: int = 1_000_000
    ) -> list[Any] | None:
        """At most `rows` rows and about `size` bytes of them."""
        statements = self._statements
        if time.monotonic() >= self.ends_at:
            return None
        statement = statements.checked(sql)
        try:
            with statements.opened.deadline.until(self.ends_at), statements.stepping(statement):
                cursor, _ = open_cursor(statements.opened.connection, sql, params)
                try:
                    return take_rows(cursor, rows, size)[0]
                finally:
                    cursor.close(True)
        except StatementTimeout:
            if time.monotonic() < self.ends_at:
                raise
            return None


def find_column(statements: Statements, table: str, wanted: str) -> dict[str, Any] | None:
    """The column of `table` that `wanted` means, by name, synonym, type and content; None when none comes close."""
    with statements.as_engine():
        source = source_of(statements.opened.connection, schema.real_name(statements.opened.connection, table))
    read = Reading(statements, _FIND_SECONDS)
    total = read(f"SELECT count(*) FROM {quoted(source.table)}")  # noqa: S608
    sample = None if total is None else sample_of(read, source, total[0][0])
    return meaning.find_column(wanted, sample or Sample(source.table, source.columns, [], 0))


def describe(statements: Statements, table: str) -> dict[str, Any]:
    """Everything about `table`: what it was declared as, and what it holds."""
    return _Description(statements, table).answer()


class _Description:
    """One description as it grows; `left_out` says what there was no time for."""

    def __init__(self, statements: Statements, table: str) -> None:
        self._statements, self._connection = statements, statements.opened.connection
        with statements.as_engine():
            self._structure = schema.structure(self._connection, table)
            self._source = source_of(self._connection, self._structure["table"])
        self._table = quoted(self._source.table)
        everything = Reading(statements, float("inf"))  # bounded by query_seconds, as any statement
        counted = everything(f"SELECT count(*) FROM {self._table}")  # noqa: S608
        first = everything(f"SELECT * FROM {self._table} LIMIT {_SHOWN_ROWS}", rows=_SHOWN_ROWS, size=_SHOWN_BYTES)  # noqa: S608
        self._total: int = counted[0][0] if counted else 0
        self._first = first or []
        self._ends_at = time.monotonic() + DESCRIBE_SECONDS
        self._read = Reading(statements, DESCRIBE_SECONDS)
        self._left_out: list[str] = []

    def answer(self) -> dict[str, Any]:
        started = time.monotonic()
        names = self._source.columns
        sample = sample_of(self._read, self._source, self._total) or Sample(self._source.table, names, [], self._total)
        profiles = {name: profile.column_profile(sample.values(name), self._total) for name in names}
        self._begin(DESCRIBE_SECONDS / 3)
        if not sample.is_whole:
            self._count_exactly(profiles)
        self._begin(DESCRIBE_SECONDS / 3)
        keys = list(self._keys(sample, profiles))
        self._begin(DESCRIBE_SECONDS)
        found = self._joins(sample)
        columns = [column | profiles[column["name"]] for column in self._structure["columns"]]
        return self._structure | {
            "columns": columns,
            "row_count": self._total,
            "sample_rows": [dict(zip(names, row, strict=False)) for row in self._first],
            "candidate_keys": keys,
            "joins": [join._asdict() for join in found],
            "profile": {
                "rows_examined": sample.count,
                "whole_table": sample.is_whole,
                "seconds": round(time.monotonic() - started, 3),
                "left_out": self._left_out,
            },
        }

    def _begin(self, seconds: float) -> None:
        """Begin a part that may take so long, within the time that is left for all."""
        self._read = Reading(self._statements, min(seconds, self._ends_at - time.monotonic()))

    def _count_exactly(self, profiles: dict[str, dict[str, Any]]) -> None:
        names = list(profiles)
        for start in range(0, len(names), _COLUMNS_AT_ONCE):
            chunk = names[start : start + _COLUMNS_AT_ONCE]
            asked = ", ".join(f"count({q}), min({q}), max({q})" for q in map(quoted, chunk))
            counted = self._read(f"SELECT {asked} FROM {self._table}")  # noqa: S608
            if not counted:
                self._left_out.append(f"exact NULLs and bounds of {_listed(names[start:])}")
                return
            for place, name in enumerate(chunk):
                profile.make_exact(profiles[name], self._total, *counted[0][3 * place : 3 * place + 3])

    def _keys(self, sample: Sample, profiles: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Declared keys first, then what tells all rows apart without having been declared."""
        declared = list(self._declared_keys())
        for columns, source in declared:
            yield {"columns": columns, "source": source}
            if len(columns) == 1:
                only = profiles[columns[0]]
                only["distinct"] = self._total - only["nulls"]
                if "nulls" not in only["estimated"]:
                    only["estimated"] = [key for key in only["estimated"] if key != "distinct"]
        known = [set(columns) for columns, _ in declared]
        for key in profile.likely_keys(sample, profiles):
            if any(columns <= set(key) for columns in known):
                continue
            if sample.is_whole or self._tells_all_apart(key):
                yield {"columns": list(key), "source": "values"}

    def _declared_keys(self) -> Iterator[tuple[list[str], str]]:
        primary = [column["name"] for column in self._structure["columns"] if column["primary_key"]]
        if primary:
            yield primary, "primary key"
        for index in self._structure["indexes"]:
            whole = index["unique"] and not index["partial"] and None not in index["columns"]
            if whole and set(index["columns"]) != set(primary):
                yield index["columns"], "unique index"

    def _tells_all_apart(self, key: Iterable[str]) -> bool:
        listed = ", ".join(map(quoted, key))
        twice = self._read(f"SELECT 1 FROM {self._table} GROUP BY {listed} HAVING count(*) > 1 LIMIT 1")  # noqa: S608
        if twice is None:
            self._left_out.append(f"whether {_listed(key)} is a key: it is one of the rows examined")
        return twice == []

    def _joins(self, sample: Sample) -> list[joins.Join]:
        with self._statements.as_engine():
            # Views repeat what tables hold, and virtual tables have no row ids; neither can be referred to. A view of
            # what is there no more cannot even be asked for its columns.
            names = sorted({*schema.tables(self._connection)} - schema.views(self._connection) - {sample.table})
        found: list[joins.Join] = []
        for place, name in enumerate(names):
            with self._statements.as_engine():  # one after another, as long as there is time: there may be thousands
                other = source_of(self._connection, name)
            if other.rowid is None:
                continue
            theirs = self._sample(other)
            if theirs is None:
                self._left_out.append(f"joins with {_listed(names[place:])}")
                break
            found += joins.joins(sample, theirs, self._occurring)
        found.sort(key=lambda join: (not join.unique, -max(join.overlap, join.covered), -join.overlap))
        return found[:_MOST_JOINS]

    def _sample(self, source: Source) -> Sample | None:
        counted = self._read(f"SELECT count(*) FROM {quoted(source.table)}")  # noqa: S608
        return None if counted is None else sample_of(self._read, source, counted[0][0])

    def _occurring(self, table: str, column: str, values: list[Any]) -> int | None:
        name = quoted(column)
        sql = f"SELECT count(DISTINCT {name}) FROM {quoted(table)} WHERE {name} IN (SELECT value FROM json_each(?))"  # noqa: S608
        found = self._read(sql, [json.dumps(values)])
        return None if found is None else int(found[0][0])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
