"""Which column and which value a constraint speaks of, and how far a statement got that took too long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from codemode.database.execute import Connection, Cost
from codemode.database.names import quoted
from codemode.database.scans import scanned
from codemode.errors import ConstraintFailed, StatementTimeout
from codemode.guard.mending.rows import row_values

_SHOWN = 80  # characters of a value
_UNKNOWN = object()


def with_values(
    error: ConstraintFailed, connection: Connection, table: str, record: Mapping[str, Any]
) -> ConstraintFailed:
    """`error` with the columns that it is about and their values in `record`; runs with the engine's rights."""
    by_lower = {name.lower(): (name, value) for name, value in record.items()}
    hint = error.hint
    if error.message.startswith("FOREIGN KEY"):
        columns, hint = _orphans(connection, table, by_lower) or ([], hint)
    else:
        columns = _columns(error.message, connection, table, by_lower)
    named = [by_lower[name.lower()] for name in columns if name.lower() in by_lower]
    if not named:
        return error
    told = ", ".join(f"{name} = {_shown(value)}" for name, value in named)
    return ConstraintFailed(
        f"{error.message} ({told})", hint=hint, sql=error.sql, did_you_mean=error.did_you_mean,
        available=error.available, suggestion=error.suggestion,
    )  # fmt: skip


def _columns(message: str, connection: Connection, table: str, record: Mapping[str, Any]) -> list[str]:
    if found := re.match(r"(?:UNIQUE|NOT NULL) constraint failed: (.+)", message):
        return [name.strip().rpartition(".")[2] for name in found[1].split(",")]
    if found := re.match(r"cannot store \w+ value in \w+ column (.+)", message):
        return [found[1].rpartition(".")[2]]
    if message == "datatype mismatch":
        keys = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,), can_cache=False)
        return [str(row[0]) for row in keys]
    if message.startswith("CHECK"):
        return [name for name in re.findall(r"[^\W\d]\w*", message.partition(":")[2]) if name.lower() in record]
    return []


def _orphans(connection: Connection, table: str, record: Mapping[str, tuple[str, Any]]) -> tuple[list[str], str] | None:
    """The column whose value its parent does not have, and what to do about it."""
    sql = 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?) WHERE "to" IS NOT NULL'
    links: list[Any] = connection.execute(sql, (table,), can_cache=False).fetchall()
    for column, parent, key in links:
        value = record.get(column.lower(), (column, None))[1]
        if value is None or value is _UNKNOWN:
            continue
        looked = f"SELECT 1 FROM {quoted(parent)} WHERE {quoted(key)} = ? LIMIT 1"  # noqa: S608 - quoted names
        if connection.execute(looked, (value,), can_cache=False).fetchone() is None:
            return [column], f"insert the row that it refers to first: {parent} has none with this {key}"
    return None


def _shown(value: Any) -> str:
    text = "NULL" if value is None else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def inserted(sql: str, params: Any, columns: list[str]) -> dict[str, Any]:
    """The values of an INSERT of one row, from its text and its parameters; those that are computed are left out."""
    values = iter(params) if isinstance(params, Sequence) else iter(())
    found = {}
    for name, text in row_values(sql, columns).items():
        value = next(values, _UNKNOWN) if text == "?" else _literal(text, params)
        if value is not _UNKNOWN:
            found[name] = value
    return found


def _literal(text: str, params: Any) -> Any:
    if text.upper() == "NULL":
        return None
    if re.fullmatch(r"'(?:[^']|'')*'", text):
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"[+-]?\d+\.\d*", text):
        return float(text)
    return params.get(text[1:], _UNKNOWN) if text[:1] in ":@$" and isinstance(params, Mapping) else _UNKNOWN


def timed_out(sql: str, connection: Connection, seconds: float, cost: Cost) -> StatementTimeout:
    """What a statement did until its time was over, and what its plan reads whole; runs with the engine's rights."""
    tables = scanned(connection, sql)
    whole = f"; its plan reads {' and '.join(tables)} whole" if tables else ""
    way = "filter earlier, or add an index on the columns of ON and WHERE" if tables else "ask for less at a time"
    return StatementTimeout(
        f"the statement took longer than {seconds:.3g} seconds"
        f" and was ended after {cost.vm_steps:,} steps, {cost.scan_steps:,} of them in full scans",
        hint=f"{way}{whole}; helpers.db.explain(sql) says more",
        sql=sql[:2_000],
    )
