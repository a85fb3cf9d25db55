"""Regions about the catalogue: its tables as the migrations make them, and how long their rows are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

import apsw
from wording import table

from codemode.catalog.migrating import known
from codemode.catalog.retention import RULES
from codemode.catalog.views import VIEWS

_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE 'messages\\_text%' ESCAPE '\\' AND name <> 'messages_vocabulary' ORDER BY name"
)
# What a row is, of tables that no view of a question shows under their own name.
_ROWS = {
    "counters": "How many there are of what, in one row of each tenant; the view `statistics` names it for people.",
    "rates": "How many executions a tenant may begin now.",
    "audit_horizon": "Up to when the audit log may be removed, in its only row.",
    "events": "What the listeners of a session are told.",
    "migrations": "The steps that brought the catalogue to its form.",
    "search_ranges": "Which numbers the messages of a tenant have in the full-text index; in SQLite alone.",
}
# What a column holds, of those that no view of a question shows.
_COLUMNS = {
    "tenant": "whose row it is",
    "tokens.hash": "SHA-256 of the secret, which is kept nowhere",
    "background.outcome": "the answer as JSON, NULL while it waits or runs",
    "background.service": "whose lock file is held as long as the service that runs it lives",
    "background.cancel_requested": "1: its service is to end it",
    "rates.level": "executions that may begin at once",
    "rates.at": "when that was so, in milliseconds since the machine started",
    "audit_horizon.one": "1",
    "audit_horizon.before": "lines of before that time may go",
    "counters.events": "the number of the newest event",
    "users.outside_id_hash": "keyed hash of what another system calls him",
    "messages.position": "by which the full-text index knows it",
    "configuration.value": "JSON; sealed where it is sensitive",
    "events.seq": "its number in the tenant, in the order of the commits",
    "events.session_id": "id of the session",
    "events.kind": "message, signal, execution, join, leave, panel, or a word of whoever appended it",
    "events.subject": "id of what it is about, or of the user",
    "events.body": "JSON object; of a message it is empty, and readers get the message",
    "events.at": "when it was told",
    "search_ranges.number": "a message's is (this one + 1 << 40) - `messages.position`",
    "search_ranges.newest_at": "the time of the tenant's newest message",
    "search_ranges.late_ms": "at most so much older is a message than one that came before it",
    "migrations.number": "of the step",
    "migrations.name": "of the step",
    "migrations.kind": "additive or breaking",
    "migrations.checksum": "SHA-256 of the step's text",
    "migrations.applied_at": "when it was taken",
}


def catalogue_tables() -> str:
    """Each table with its columns, keys and indexes, as the newest form has them."""
    with closing(apsw.Connection(":memory:")) as connection:
        for step in known("sqlite"):
            connection.execute(step.up)
        names = connection.execute(_TABLES)
        return "\n\n".join(_table(connection, name) for (name,) in names.fetchall())


def _table(connection: apsw.Connection, name: str) -> str:
    views = [view for view in VIEWS if view.table == name]
    about = _ROWS.get(name) or views[0].about
    said = {column: what for view in views for column, what in view.columns.items() if column not in view.expressions}
    found = connection.execute('SELECT name, type, "notnull" FROM pragma_table_xinfo(?)', (name,)).fetchall()
    rows = [
        [f"`{column}`", kind.lower().split(" ")[0] + ("" if required else ", or NULL"), _meaning(name, column, said)]
        for column, kind, required in found
    ]
    rules = "\n".join(f"- {rule}" for rule in _rules(connection, name))
    return f"### {name}\n\n{about}\n\n{table(['column', 'type', 'what it holds'], rows)}\n\n{rules}".strip()


def _meaning(name: str, column: str, said: dict[str, str]) -> str:
    return _COLUMNS.get(f"{name}.{column}") or said.get(column) or _COLUMNS[column]


def _rules(connection: apsw.Connection, name: str) -> Iterator[str]:
    keys = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (name,)).fetchall()
    if keys:
        yield f"primary key: {_names(key for (key,) in keys)}"
    parents: dict[int, tuple[str, str, list[str]]] = {}
    foreign = 'SELECT id, "table", "from", on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
    for number, parent, column, action in connection.execute(foreign, (name,)):
        parents.setdefault(number, (parent, action, []))[2].append(column)
    for parent, action, columns in parents.values():
        yield f"{_names(columns)} → `{parent}`{', goes with it' if action == 'CASCADE' else ''}"
    indexes = "SELECT name, \"unique\", partial FROM pragma_index_list(?) WHERE origin <> 'pk' ORDER BY name"
    for index, unique, partial in connection.execute(indexes, (name,)).fetchall():
        found = connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)).fetchall()
        label = "unique" if unique else f"index `{index}`"
        columns = _names(column or "an expression" for (column,) in found)
        yield f"{label}: {columns}{', of some rows' if partial else ''}"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def catalogue_retention() -> str:
    """Which rows go, and when."""
    rows = [[rule.what, f"`{rule.table}.{rule.column}`", _age(rule.age_ms)] for rule in RULES]
    return table(["rows", "counted from", "kept for"], rows)


def _age(milliseconds: int) -> str:
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        if milliseconds >= size:
            number = milliseconds // size
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return f"{milliseconds} ms"
