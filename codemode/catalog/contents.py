"""All that a catalogue holds, table by table, as rows in one order: what exports, copies and comparisons are made of.

Rates are left out: they are of this minute and of one machine. So are the record of migrations and the ranges of the
full-text index, which are the target's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from codemode.catalog import dialect
from codemode.catalog.store import Look, Row, Store
from codemode.errors import RequestInvalid

# Parents before children, each with the columns that order its rows.
TABLES: dict[str, tuple[str, ...]] = {
    "tenants": ("id",),
    "counters": ("tenant",),
    "usage_by_day": ("tenant", "day"),
    "users": ("tenant", "id"),
    "workspaces": ("tenant", "id"),
    "groups": ("tenant", "id"),
    "group_members": ("tenant", "group_id", "user_id"),
    "tokens": ("id",),
    "sessions": ("tenant", "id"),
    "participants": ("tenant", "session_id", "user_id"),
    "messages": ("position",),
    "panels": ("tenant", "session_id", "id"),
    "subscriptions": ("tenant", "user_id", "session_id", "coalesce(panel_id, '')"),
    "mcp_sessions": ("tenant", "session_id", "mcp_server_id"),
    "signals": ("tenant", "session_id", "id"),
    "preferences": ("tenant", "user_id", "category", "key"),
    "configuration": ("tenant", "key"),
    "events": ("tenant", "seq"),
    "background": ("id",),
    "audit": ("id",),
    "audit_horizon": ("one",),
}
NUMBERED = {"messages": "position", "audit": "id"}  # columns whose numbers the database gives, in the order of the rows
LEFT_OUT = ("rates", "migrations", "search_ranges", "message_words")
_IN_USE = ("sessions", "tokens", "audit", "users", "workspaces", "groups")
_PAGE = 1_000
_PARAMETERS = 10_000  # of one INSERT: far below what either database takes


@dataclass(frozen=True, slots=True)
class Table:
    """One table with the columns that are moved."""

    name: str
    columns: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What its rows are ordered by."""
        return TABLES[self.name]


def tables(store: Store) -> list[Table]:
    """The tables that the catalogue has, in the order in which they can be filled."""
    sql = dialect.COLUMNS.of(store.dialect)
    found = (Table(name, tuple(column for (column,) in store.run(sql, name))) for name in TABLES)
    return [table for table in found if table.columns]


def is_untouched(store: Store) -> bool:
    """Whether nobody has used this catalogue yet."""
    there = {table.name for table in tables(store)}.intersection(_IN_USE)
    return not any(store.run(f"SELECT 1 FROM {table} LIMIT 1") for table in there)  # noqa: S608


def count(look: Look, table: Table) -> int:
    """How many rows it has."""
    [(found,)] = look(f"SELECT count(*) FROM {table.name}")  # noqa: S608
    return int(found)


def rows(look: Look, table: Table, of: tuple[str, str] | None = None) -> Iterator[Row]:
    """Its rows in the order of its key, a page at a time: any number of them in constant memory.

    With `of`, a tenant and the id of a session, those of that session alone.
    """
    columns, key = ", ".join(table.columns), ", ".join(table.key)
    width, whose = len(table.key), of or ()
    of_session = f"tenant = ?1 AND {'id' if table.name == 'sessions' else 'session_id'} = ?2" if of else ""
    after, last = "", ()
    while True:
        where = " AND ".join(filter(None, (of_session, after)))
        page = look(
            f"SELECT {key}, {columns} FROM {table.name}{' WHERE ' * bool(where)}{where}"  # noqa: S608
            f" ORDER BY {key} LIMIT ?{len(whose) + len(last) + 1}",
            *whose, *last, _PAGE,
        )  # fmt: skip
        yield from (row[width:] for row in page)
        if len(page) < _PAGE:
            return
        last = page[-1][:width]
        after = f"({key}) > ({', '.join(f'?{number}' for number in range(len(whose) + 1, len(whose) + width + 1))})"


def fill(store: Store, table: Table, found: Iterable[Row], *, missing: bool = False) -> Iterator[int]:
    """Insert rows, or with `missing` those that are not there; yields how many each time some were given."""
    width = len(table.columns)
    most, rest = _PARAMETERS // width, iter(found)
    while batch := list(islice(rest, most)):
        sql = _insert(table, len(batch)) + " ON CONFLICT DO NOTHING" * missing
        store.run(sql, *(value for row in batch for value in row))
        yield len(batch)


def _insert(table: Table, count: int) -> str:
    numbers = iter(range(1, count * len(table.columns) + 1))
    places = ", ".join("(" + ", ".join(f"?{next(numbers)}" for _ in table.columns) + ")" for _ in range(count))
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES {places}"  # noqa: S608


def clear(store: Store) -> None:
    """Remove all rows of all tables that are moved; inside of `loading`."""
    for table in reversed(tables(store)):
        store.run(f"DELETE FROM {table.name}")  # noqa: S608


def check_may_be_filled(store: Store, *, replace: bool) -> None:
    """Raise RequestInvalid for a catalogue that is in use, unless its rows may be replaced."""
    if not replace and not is_untouched(store):
        raise RequestInvalid(
            f"the catalogue is in use ({store.where})",
            hint="name another one, or replace all that it holds: --replace",
        )
