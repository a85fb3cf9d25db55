"""Statement: what one checked statement is, read from the actions that SQLite reported when it prepared it."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

import msgspec

from codemode.guard.authorizer import Event, action_code, action_name
from codemode.guard.searches import Search


def _codes(names: str) -> frozenset[int]:
    return frozenset(map(action_code, names.split()))


READS = _codes("READ")
WRITES = _codes("INSERT UPDATE DELETE CREATE_TABLE CREATE_VTABLE DROP_TABLE DROP_VTABLE ALTER_TABLE")
_OBJECTS = _codes("CREATE_INDEX DROP_INDEX CREATE_TRIGGER DROP_TRIGGER")  # these name their table second
_CHANGES = WRITES | _OBJECTS | _codes("CREATE_VIEW DROP_VIEW")
_SELECT = action_code("SELECT")
_ALTER_TABLE = action_code("ALTER_TABLE")
_INDECISIVE = _codes("READ FUNCTION RECURSIVE PRAGMA SELECT")


class Write(NamedTuple):
    """One way in which a statement writes to one table; not `direct`: by a trigger or a foreign key."""

    verb: str
    table: str
    direct: bool


class Statement(msgspec.Struct, frozen=True):
    """One statement that may run: what it is, as SQLite reported it when it was prepared.

    `kind` is "explain" for EXPLAIN [QUERY PLAN], and `explains` then names the kind below it. `tables_written` holds
    the tables that its triggers write too. What virtual tables do inside is not listed.
    """

    sql: str
    kind: str
    reads_only: bool
    returns_rows: bool
    changes_schema: bool
    tables_written: tuple[str, ...] = ()
    writes: tuple[Write, ...] = ()  # the same by verb, indexes and triggers on them too; the first is the statement's
    tables_read: tuple[str, ...] = ()
    explains: str = ""
    parameters: tuple[str | None, ...] = ()  # one a placeholder: its name without the mark, None for a plain ?
    longest_value: int | None = None  # bytes, where so much is done in one row that values must be shorter
    longest_parameter: int | None = None  # the same for parameters, of which IN (?, ?, …) makes an index at once
    searches: tuple[Search, ...] = ()  # full-text queries that hold parameters: see searches.py
    asks_row_id: bool = False  # it calls last_insert_rowid(), or a view or trigger of it does
    may_leave_rows: bool = False  # SQLite may not undo all of it where it fails: see Guard._may_leave_rows
    remarks: tuple[str, ...] = ()  # on what it can hardly mean: see remarks.py
    text_parameters: tuple[tuple[int | str, str], ...] = ()  # those compared with a text, and the text
    trigger_depth: int | None = None  # how deep triggers and cascades may go, where that is deeper than elsewhere

    def changed(self, changes: int, touched: int) -> tuple[str, ...]:
        """The tables that a run wrote to, which changed `changes` rows itself, `touched` with triggers and cascades.

        Which of several triggers did it is not known: each table that one of them may write to is among them.
        """
        others = {write.table for write in self.writes if not write.direct}
        if self.changes_schema or not others or changes not in (0, touched):
            return self.tables_written
        kept = others if changes == 0 else {write.table for write in self.writes if write.direct}
        return tuple(table for table in self.tables_written if table in kept)


def decisive_action(events: list[Event]) -> str:
    """The first action that tells the kind: not reading, and not SQLite's work on its own tables."""
    read = ""
    for event in events:
        code = event[0]
        if code == _SELECT:
            read = "SELECT"
        elif code not in _INDECISIVE and not (event[1] or "").startswith("sqlite_"):
            return action_name(code)
    return read


def tables(events: list[Event], actions: Set[int]) -> tuple[str, ...]:
    """The tables that `actions` name, each once, in the order in which SQLite reported them; SQLite's own left out."""
    found: dict[str, None] = {}
    for event in events:
        if event[0] in actions:
            table = (event[2] if event[0] == _ALTER_TABLE else event[1]) or ""
            if not table.startswith("sqlite_"):
                found[table] = None
    return tuple(found)


def writes(events: list[Event]) -> tuple[Write, ...]:
    """What the statement writes: to the table that it names, and to others through triggers and foreign keys.

    An INSERT that is direct twice, as INSERT and as UPDATE of the same table, is an upsert.
    """
    found: dict[Write, None] = {}
    own: Write | None = None
    for code, first, second, _, accessor in events:
        if code not in _CHANGES:
            continue
        verb = action_name(code)
        table = (second if code == _ALTER_TABLE or code in _OBJECTS else first) or ""
        if table.startswith("sqlite_"):
            continue
        if own is None:
            own = Write(verb, table, True)
        upserts = (own.verb, verb) == ("INSERT", "UPDATE")
        direct = accessor is None and table == own.table and (verb == own.verb or upserts)
        found[Write(verb, table, direct)] = None
    return tuple(found)
