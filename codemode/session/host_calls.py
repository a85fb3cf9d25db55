"""Every `helpers.db` and `helpers.schema` call as a method of a session, for the host's own use.

The very proxies that snippets use, on a channel that answers in this process: the same arguments, the same guard,
the same limits. Each call is a turn and a transaction of its own; failures raise the worker's errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from codemode.asked import page_size
from codemode.limits import Limits
from codemode.session.calls import Calls

if TYPE_CHECKING:
    from sandbox.helpers import Helpers


class LocalChannel:
    """A channel of the helpers that is served in this process."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def call(self, method: str, *args: Any) -> Any:
        """The answer, or the worker's error."""
        return self._calls.answer(method, list(args))

    def post(self, method: str, *args: Any) -> None:
        """The same without its answer."""
        self._calls.answer(method, list(args))


def _with_warnings(helpers: Helpers, answer: Mapping[str, Any]) -> dict[str, Any]:
    warnings = [*helpers.warnings, *answer.get("warnings", ())]
    return {**answer, "warnings": warnings} if warnings else dict(answer)


class HostCalls:
    """The calls; a subclass says how to take a turn."""

    limits: Limits

    def _helpers(self, *, read_only: bool = False) -> AbstractContextManager[Helpers]:
        raise AssertionError("a session provides this")

    def _used(self) -> None:
        raise AssertionError("a session provides this")

    def exec(self, sql: str, params: Any = ()) -> dict[str, Any]:
        """Run one statement; see helpers.db.exec.

        `warnings` beside its answer: values that were not stored as they came, and what the statement can hardly mean.
        Raises StatementError, and the session errors.
        """
        with self._helpers() as helpers:
            return _with_warnings(helpers, helpers.db.exec(sql, params))

    def query(self, sql: str, params: Any = (), *, read_only: bool = False) -> Any:
        """Rows of one statement; with `read_only` on a connection of its own that never waits for a writer.

        They are a list of dicts with `.columns .row_count .truncated .rows_read`, and `.warnings`: values that were not
        bound as they came, and what the statement can hardly mean. Raises StatementError, and the session errors.
        """
        with self._helpers(read_only=read_only) as helpers:
            rows = helpers.db.query(sql, params)
            rows.warnings[:0] = helpers.warnings
        if read_only:
            self._used()  # a turn says so by itself
        return rows

    def query_one(self, sql: str, params: Any = ()) -> dict[str, Any] | None:
        """The first row or None."""
        with self._helpers() as helpers:
            return helpers.db.query_one(sql, params)

    def value(self, sql: str, params: Any = ()) -> Any:
        """The first cell or None."""
        with self._helpers() as helpers:
            return helpers.db.value(sql, params)

    def batch(self, items: Iterable[Any]) -> list[dict[str, Any]]:
        """Several statements, all or nothing."""
        with self._helpers() as helpers:
            return list(helpers.db.batch(items))

    def script(self, sql: str) -> list[dict[str, Any]]:
        """Many statements in one text, all or nothing."""
        with self._helpers() as helpers:
            return list(helpers.db.script(sql))

    def batch_insert(self, table: str, records: Iterable[Any], **options: Any) -> dict[str, Any]:
        """Insert records; see helpers.db.batch_insert for `columns`, `on_conflict`, `key` and `create`.

        `warnings` beside its answer: values that were not stored as they came, such as NaN.
        """
        with self._helpers() as helpers:
            return _with_warnings(helpers, helpers.db.batch_insert(table, records, **options))

    def create_table(self, name: str, schema: str | Mapping[str, str], if_not_exists: bool = False) -> dict[str, Any]:
        """Create a table from the text between its parentheses, or from a dict of column → type."""
        with self._helpers() as helpers:
            return dict(helpers.db.create_table(name, schema, if_not_exists=if_not_exists))

    def save_state(self, key: str, value: Any) -> None:
        """Keep a JSON value under `key`."""
        with self._helpers() as helpers:
            helpers.db.save_state(key, value)

    def get_state(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`."""
        with self._helpers() as helpers:
            return helpers.db.get_state(key, default)

    def delete_state(self, key: str) -> bool:
        """Forget `key`; whether it was there."""
        with self._helpers() as helpers:
            return bool(helpers.db.delete_state(key))

    def list_state(self) -> list[str]:
        """All keys of the state, sorted."""
        with self._helpers() as helpers:
            return list(helpers.db.list_state())

    def commit(self) -> None:
        """Nothing is left to do: each call of the host is a transaction of its own, committed when it returns."""

    def explain(self, sql: str, params: Any = ()) -> dict[str, Any]:
        """The plan of a statement in words, and an index that was tried; see helpers.db.explain."""
        with self._helpers(read_only=True) as helpers:
            return dict(helpers.db.explain(sql, params))

    def metrics(self) -> dict[str, Any]:
        """Sizes, counters, limits and expiry of the session."""
        with self._helpers(read_only=True) as helpers:
            return dict(helpers.db.get_metrics())

    get_metrics = metrics

    def get_tables(self) -> list[str]:
        """Names of the session's tables and views."""
        with self._helpers(read_only=True) as helpers:
            return list(helpers.schema.get_tables())

    def get_columns(self, table: str) -> list[dict[str, Any]]:
        """The columns of `table`."""
        with self._helpers(read_only=True) as helpers:
            return list(helpers.schema.get_columns(table))

    def has_column(self, table: str, column: str) -> bool:
        """Whether `table` has `column`."""
        with self._helpers(read_only=True) as helpers:
            return bool(helpers.schema.has_column(table, column))

    def describe_table(self, table: str) -> dict[str, Any]:
        """What `table` was declared as and what it holds; see helpers.schema.describe_table."""
        with self._helpers(read_only=True) as helpers:
            return dict(helpers.schema.describe_table(table))

    def find_column(self, table: str, meaning: str) -> dict[str, Any] | None:
        """The column of `table` that `meaning` fits best; see helpers.schema.find_column."""
        with self._helpers(read_only=True) as helpers:
            return helpers.schema.find_column(table, meaning)

    def pages(self, sql: str, params: Any = (), size: int = 1000) -> Iterator[list[dict[str, Any]]]:
        """The whole result in pages, as of its start, on a connection of its own; no turn is held."""
        for columns, rows in self._pages(sql, params, page_size(size, self.limits.rows)):
            if rows:
                yield [dict(zip(columns, row, strict=True)) for row in rows]

    def stream(self, sql: str, params: Any = ()) -> tuple[list[str], Iterator[Sequence[Any]]]:
        """Column names and an iterator of rows over the whole result, in constant memory."""
        pages = self._pages(sql, params, min(1000, self.limits.rows))
        columns, first = next(pages)

        def rows() -> Iterator[Sequence[Any]]:
            yield from first
            for _, page in pages:
                yield from page

        return columns, rows()

    def _pages(self, sql: str, params: Any, size: int) -> Iterator[tuple[list[str], list[Any]]]:
        raise AssertionError("a session provides this")
