"""What the open transaction did to which tables: noted statement by statement, written just before it commits.

It follows the transaction's marks: a layer for each open unit, joined to the one below when the unit is kept, thrown
away when it is undone. So nothing that was rolled back, in whole or in part, is ever told as a change.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from codemode.database import provenance, schema
from codemode.database.clock import now
from codemode.database.execute import DatabaseError
from codemode.guard import Statement
from codemode.guard.statement import Write
from codemode.session.opened import Guarded

HOST = "host"  # the execution id of calls that the host made itself
_COUNTED_AS = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
_SCHEMA = {"CREATE": "created", "DROP": "dropped", "ALTER": "altered"}
_ON_TABLE = ("INDEX", "TRIGGER")  # making or dropping one alters the table it is on
_COUNT_SECONDS = 2.0  # of its own: tens of millions of rows
_MOVED = "moved"  # what was noted below belongs to another name by now

Layer = dict[str, Counter[str]]


class Schema(NamedTuple):
    """SQLite's count of changes to the schema, and the names of all tables, where these were asked for."""

    version: int
    tables: frozenset[str]


class Provenance:
    """The changes of one transaction, by table."""

    def __init__(self, opened: Guarded, execution_id: str) -> None:
        self._opened, self._execution_id = opened, execution_id
        self._layers: list[Layer] = [{}]
        self._virtual: dict[str, bool] = {}

    def mark(self) -> None:
        """A unit begins."""
        self._layers.append({})

    def keep(self) -> None:
        """The innermost unit went well."""
        for table, counted in self._layers.pop().items():
            self._add(table, counted)

    def undo(self, mark: int) -> None:
        """The unit `mark` (1 is the outermost) failed, with those inside it."""
        del self._layers[mark:]

    def forget(self) -> None:
        """The transaction is over."""
        self._layers = [{}]

    def before(self, statement: Statement) -> Schema | None:
        """The schema before `statement`, where it may change it."""
        return self._schema(statement.kind == "alter_table") if statement.changes_schema else None

    def note(self, statement: Statement, changes: int, touched: int, before: Schema | None = None) -> bool:
        """`statement` ran: it changed `changes` rows itself, `touched` with what triggers and foreign keys did.

        Answers whether it changed the schema: IF [NOT] EXISTS may have had nothing to do.
        """
        if before is None:
            if touched:
                self._note_rows(statement.writes, changes, touched)
            return False
        self._virtual.clear()
        after = self._schema(bool(before.tables))
        if after.version == before.version:
            return False
        if statement.writes:  # DROP … IF EXISTS may name nothing
            self._note_schema(statement.writes[0], after.tables - before.tables)
        if touched:  # DROP TABLE deletes its rows first where foreign keys refer to them
            for write in statement.writes:
                if write.verb in _COUNTED_AS and write.table != statement.writes[0].table:
                    self._add(write.table, Counter(["uncounted"]))
        return True

    def _schema(self, with_tables: bool) -> Schema:
        connection = self._opened.connection
        with self._as_engine():
            tables = frozenset(schema.tables(connection) if with_tables else ())
            return Schema(int(connection.pragma("schema_version")), tables)

    @contextmanager
    def _as_engine(self) -> Iterator[None]:
        try:
            with self._opened.guard.engine():
                yield
        except DatabaseError as error:
            raise self._opened.explained(error, "") from None

    def _note_schema(self, write: Write, new_names: frozenset[str]) -> None:
        action, _, what = write.verb.partition("_")
        self._add(write.table, Counter(["altered" if what in _ON_TABLE else _SCHEMA[action]]))
        if write.verb == "CREATE_TABLE":
            self._add(write.table, self._rows_of(write.table))
        if new_names:
            self._follow(write.table, *new_names)

    def _rows_of(self, table: str) -> Counter[str]:
        """The rows that CREATE TABLE … AS has put into `table`: SQLite itself does not count them."""
        try:
            with self._opened.guard.engine(), self._opened.deadline.until(time.monotonic() + _COUNT_SECONDS):
                return Counter(inserted=schema.row_count(self._opened.connection, table))
        except DatabaseError:
            return Counter(["uncounted"])

    def _follow(self, old: str, new: str) -> None:
        """ALTER TABLE gave `old` another name: its history takes that name too."""
        with self._as_engine():
            provenance.rename(self._opened.connection, old, new)
        found: Counter[str] = Counter()
        for layer in self._layers:
            found = _joined(found, layer.get(old, Counter()))
        self._add(old, Counter([_MOVED]))
        self._add(new, found)

    def _note_rows(self, writes: tuple[Write, ...], changes: int, touched: int) -> None:
        direct = [write for write in writes if write.direct]
        others = [write for write in writes if not write.direct]
        if changes and direct:
            name = "upserted" if len(direct) > 1 else _COUNTED_AS[direct[0].verb]
            self._add(direct[0].table, Counter({name: changes}))
        rest = touched - changes
        if not others or rest <= 0:
            return
        if len(others) == 1 and not any(self._is_virtual(write.table) for write in writes):
            self._add(others[0].table, Counter({_COUNTED_AS[others[0].verb]: rest}))
            return
        for write in others:
            self._add(write.table, Counter(["uncounted"]))

    def _is_virtual(self, table: str) -> bool:
        # What a virtual table writes into its shadow tables counts among the rows that were touched.
        if table not in self._virtual:
            with self._as_engine():
                self._virtual[table] = schema.is_virtual(self._opened.connection, table)
        return self._virtual[table]

    def _add(self, table: str, counted: Counter[str]) -> None:
        layer = self._layers[-1]
        layer[table] = _joined(layer.get(table, Counter()), counted)

    def write(self) -> None:
        """Add what was noted to the session's file, before the commit."""
        [noted] = self._layers  # no unit is open when a transaction commits
        changes = {table: counted for table, counted in noted.items() if counted.keys() - {_MOVED}}
        if not changes:
            return
        with self._as_engine():
            provenance.add(self._opened.connection, self._execution_id, now(), changes)


def _joined(below: Counter[str], above: Counter[str]) -> Counter[str]:
    """What happened to one table by `below` and then by `above`.

    Rows and changes of a table that is dropped afterwards are nobody's concern, and one that was made before in the
    same transaction was never there.
    """
    if above[_MOVED]:
        return above
    if not above["dropped"]:
        return below + above
    made_here = below["created"] and not below["dropped"]
    joined = Counter({name: number for name, number in above.items() if not (made_here and name == "dropped")})
    return joined + Counter({_MOVED: below[_MOVED]})
