"""`_codemode_changes`: which execution made or changed which table, in the session's own file.

Written under the engine's rights in the transaction of the data, so that what is rolled back, restored or undone
takes its provenance with it. Bounded: the newest 50 executions of each table, and 100 tables that are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import apsw

from codemode.values import TableChange

COUNTS = ("inserted", "updated", "deleted", "upserted")
_KEPT = 50  # executions of each table; the one that made it is always among them
_KEPT_GONE = 100
_SHOWN = 5
_FIELDS = TableChange.__struct_fields__[1:]  # what the file calls table_name comes first

_ADD = """
    INSERT INTO main._codemode_changes VALUES (
        :table, :execution, :now, :now, :inserted, :updated, :deleted, :upserted, :uncounted,
        iif(:created, :now, NULL), iif(:altered, :now, NULL), iif(:dropped, :now, NULL)
    )
    ON CONFLICT (table_name, execution_id) DO UPDATE SET
        last_at = excluded.last_at,
        inserted = inserted + excluded.inserted, updated = updated + excluded.updated,
        deleted = deleted + excluded.deleted, upserted = upserted + excluded.upserted,
        uncounted = max(uncounted, excluded.uncounted),
        created_at = coalesce(excluded.created_at, created_at),
        altered_at = coalesce(excluded.altered_at, altered_at),
        dropped_at = coalesce(excluded.dropped_at, dropped_at)
    RETURNING (SELECT count(*) FROM main._codemode_changes WHERE table_name = :table)
"""
_FORGET_OLD = """
    DELETE FROM main._codemode_changes WHERE table_name = ?1 AND execution_id IN (
        SELECT execution_id FROM main._codemode_changes WHERE table_name = ?1
        ORDER BY created_at IS (SELECT max(created_at) FROM main._codemode_changes WHERE table_name = ?1) DESC,
        last_at DESC LIMIT -1 OFFSET ?2
    )
"""
_FORGET_GONE = """
    DELETE FROM main._codemode_changes WHERE table_name IN (
        SELECT table_name FROM main._codemode_changes
        WHERE table_name NOT IN (SELECT name COLLATE NOCASE FROM main.sqlite_schema)
        GROUP BY table_name ORDER BY max(last_at) DESC LIMIT -1 OFFSET ?
    )
"""


def add(connection: apsw.Connection, execution_id: str, moment: str, changes: Mapping[str, Mapping[str, int]]) -> None:
    """Add what one execution did to each table: numbers of rows by COUNTS; created, altered, dropped, uncounted."""
    for table, counted in changes.items():
        flags = {name: int(counted.get(name, 0) > 0) for name in ("uncounted", "created", "altered", "dropped")}
        bound = {"table": table, "execution": execution_id, "now": moment, **flags}
        bound |= {name: counted.get(name, 0) for name in COUNTS}
        executions = connection.execute(_ADD, bound, can_cache=False).get
        if executions >= 2 * _KEPT:
            connection.execute(_FORGET_OLD, (table, _KEPT), can_cache=False)
    if any(counted.get("dropped") for counted in changes.values()):
        connection.execute(_FORGET_GONE, (_KEPT_GONE,), can_cache=False)


def rename(connection: apsw.Connection, old: str, new: str) -> None:
    """The table `old` is called `new` now: its history goes with it."""
    connection.execute("DELETE FROM main._codemode_changes WHERE table_name = ?", (new,), can_cache=False)
    connection.execute(
        "UPDATE main._codemode_changes SET table_name = ?2 WHERE table_name = ?1", (old, new), can_cache=False
    )


def changes(connection: apsw.Connection, table: str | None, limit: int) -> list[TableChange]:
    """The newest `limit` changes, of `table` or of all tables, newest first."""
    where = "" if table is None else "WHERE table_name = ?2"
    sql = (
        f"SELECT table_name, {', '.join(_FIELDS)} FROM main._codemode_changes {where}"  # noqa: S608
        " ORDER BY last_at DESC, execution_id DESC LIMIT ?1"
    )
    try:
        rows = connection.execute(sql, (limit,) if table is None else (limit, table), can_cache=False).fetchall()
    except apsw.SQLError:  # a reader is here before the first writer, which brings an older file to this form
        return []
    return [_change(row) for row in rows]


def _change(row: tuple[Any, ...]) -> TableChange:
    found = dict(zip(TableChange.__struct_fields__, row, strict=True))
    return TableChange(**{**found, "uncounted": bool(found["uncounted"])})


def of_table(connection: apsw.Connection, table: str) -> dict[str, Any]:
    """What `describe_table` says of where `table` comes from.

    `created`: execution and time, None where it is not known; `changes`: the newest five, with what is not zero.
    """
    found = changes(connection, table, -1)
    made = max(
        (change for change in found if change.created_at), key=lambda change: str(change.created_at), default=None
    )
    created = None if made is None else {"execution_id": made.execution_id, "timestamp": made.created_at}
    return {"created": created, "changes": [_shown(change) for change in found[:_SHOWN]]}


def _shown(change: TableChange) -> dict[str, Any]:
    counted = {name: getattr(change, name) for name in COUNTS if getattr(change, name)}
    flags = {name: True for name in ("created", "altered", "dropped") if getattr(change, f"{name}_at")}
    uncounted = {"uncounted": True} if change.uncounted else {}
    return {"execution_id": change.execution_id, "timestamp": change.last_at, **flags, **counted, **uncounted}
