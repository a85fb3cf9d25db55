"""What is on record of a session, as calls of a host: its log, its costs, its sizes, who changed which table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from codemode.asked import MOST_ENTRIES, log_kind, text_or_none, whole_between
from codemode.database import provenance
from codemode.database.execute import DatabaseError
from codemode.database.journal import Journal
from codemode.session.registry import Registry
from codemode.session.slots import Key
from codemode.values import Day, LogEntry, SizeAt, SlowStatement, TableChange

T = TypeVar("T")


class LogCalls:
    """The calls, none of which waits for an execution; a subclass says which session of which registry is meant."""

    _registry: Registry
    _key: Key

    def logs(self, limit: int = 100, *, kind: str | None = None, errors: bool = False) -> list[LogEntry]:
        """The newest entries of the execution log, newest first; never waits for a running execution.

        `kind`: only those of one kind, such as "execution" or "exec". Raises RequestInvalid for one that there is not,
        which names them all.
        """
        most, only = whole_between("limit", limit, MOST_ENTRIES), log_kind(kind)
        return self._from_log(lambda journal: journal.read(most, kind=only, errors=bool(errors)))

    def table_changes(self, table: str | None = None, limit: int = 100) -> list[TableChange]:
        """Which executions made or changed which table, the newest first; what was rolled back is not among them."""
        of, most = text_or_none("table", table), whole_between("limit", limit, MOST_ENTRIES)
        with self._registry.reading(self._key) as reader, reader.guard.engine():
            try:
                return provenance.changes(reader.connection, of, most)
            except DatabaseError as error:
                raise reader.explained(error, "") from None

    def slow_statements(self, limit: int = 100) -> list[SlowStatement]:
        """The newest statements that took longer than the setting `slow_statement_ms`, newest first, with plans."""
        most = whole_between("limit", limit, MOST_ENTRIES)
        return self._from_log(lambda journal: journal.slow(most))

    def usage_by_day(self) -> list[Day]:
        """What the session cost, by day (UTC), oldest first; the last 400 days."""
        return self._from_log(Journal.days)

    def size_history(self) -> list[SizeAt]:
        """The size of the database since the session was made, at most 256 points, the recent ones closer together."""
        return self._from_log(Journal.sizes)

    def _from_log(self, read: Callable[[Journal], T]) -> T:
        with self._registry.reading(self._key) as reader:
            try:
                return read(reader.journal)
            except DatabaseError as error:
                raise reader.explained(error, "") from None
