"""What the open transaction did to which tables: noted statement by statement, written just before it commits.

It follows the transaction's marks: what a unit did goes when the unit is undone. So nothing that was rolled back,
in whole or in part, is ever told as a change.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from codemode.database import provenance, schema
from codemode.database.clock import now
from codemode.guard import Statement
from codemode.guard.statement import Write
from codemode.session.opened import Guarded

HOST = "host"  # the execution id of calls that the host made itself
_COUNTED_AS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
_SCHEMA = {"CREATE": "created", "DROP": "dropped", "ALTER": "altered"}
_ON_TABLE = ("INDEX", "TRIGGER")  # making or dropping one alters the table it is on

Noted = dict[str, Counter[str]]


class Schema(NamedTuple):
    """SQLite's count of changes to the schema, and the names of all tables, where these were asked for."""

    version: int
    tables: frozenset[str]


class Provenance:
    """The changes of one transaction, by table."""

    def __init__(self, opened: Guarded, execution_id: str) -> None:
        self._opened, self._execution_id = opened, execution_id
        self._noted: Noted = {}
        self._marks: list[Noted] = []
        self._virtual: dict[str, bool] = {}

    def mark(self) -> None:
        """A unit begins."""
        self._marks.append({table: Counter(counted) for table, counted in self._noted.items()})

    def keep(self) -> None:
        """The innermost unit went well."""
        self._marks.pop()

    def undo(self, mark: int) -> None:
        """The unit `mark` (1 is the outermost) failed, with those inside it."""
        self._noted = self._marks[mark - 1]
        del self._marks[mark - 1 :]

    def forget(self) -> None:
        """The transaction is over."""
        self._noted, self._marks = {}, []

    def before(self, statement: Statement) -> Schema | None:
        """The schema before `statement`, where it may change it."""
        return self._schema(statement.kind == "alter_table") if statement.changes_schema else None

    def note(self, statement: Statement, changes: int, touched: int, before: Schema | None = None) -> None:
        """`statement` ran: it changed `changes` rows itself, `touched` with what triggers and foreign keys did."""
        if before is not None:
            self._virtual.clear()
            after = self._schema(bool(before.tables))
            # CREATE … IF NOT EXISTS may have had nothing to do, and DROP … IF EXISTS then names nothing.
            if after.version != before.version and statement.writes:
                self._note_schema(statement.writes[0], after.tables - before.tables)
        elif touched:
            self._note_rows(statement.writes, changes, touched)

    def _schema(self, with_tables: bool) -> Schema:
        connection = self._opened.connection
        with self._opened.guard.engine():
            tables = frozenset(schema.tables(connection) if with_tables else ())
            return Schema(int(connection.pragma("schema_version")), tables)

    def _note_schema(self, write: Write, new_names: frozenset[str]) -> None:
        action, _, what = write.verb.partition("_")
        done = "altered" if what in _ON_TABLE else _SCHEMA[action]
        counted = self._of(write.table)
        if done == "dropped":
            made_here = counted["created"] and not counted["dropped"]
            del self._noted[write.table]
            if not made_here:
                self._of(write.table)["dropped"] = 1
            return
        counted[done] = 1
        if write.verb == "CREATE_TABLE":
            with self._opened.guard.engine():
                counted["inserted"] += schema.row_count(self._opened.connection, write.table)  # CREATE TABLE … AS
        if new_names:
            self._follow(write.table, *new_names)

    def _follow(self, old: str, new: str) -> None:
        """ALTER TABLE gave `old` another name: its history takes that name too."""
        with self._opened.guard.engine():
            provenance.rename(self._opened.connection, old, new)
        self._noted[new] = self._noted.pop(old)

    def _note_rows(self, writes: tuple[Write, ...], changes: int, touched: int) -> None:
        direct = [write for write in writes if write.direct]
        others = [write for write in writes if not write.direct]
        if changes:
            self._of(direct[0].table)["upserted" if len(direct) > 1 else _COUNTED_AS[direct[0].verb]] += changes
        rest = touched - changes
        if not others or rest <= 0:
            return
        if len(others) == 1 and not any(self._is_virtual(write.table) for write in writes):
            self._of(others[0].table)[_COUNTED_AS[others[0].verb]] += rest
            return
        for write in others:
            self._of(write.table)["uncounted"] = 1

    def _is_virtual(self, table: str) -> bool:
        # What a virtual table writes into its shadow tables counts among the rows that were touched.
        if table not in self._virtual:
            with self._opened.guard.engine():
                self._virtual[table] = schema.is_virtual(self._opened.connection, table)
        return self._virtual[table]

    def _of(self, table: str) -> Counter[str]:
        return self._noted.setdefault(table, Counter())

    def write(self) -> None:
        """Add what was noted to the session's file: called with the engine's rights, before the commit."""
        if self._noted:
            provenance.add(self._opened.connection, self._execution_id, now(), self._noted)
