"""Take over what a copy of a catalogue holds, where the one that is there holds nothing yet: whichever store it is.

Tokens, tenants, users and the audit log come back only then: a catalogue in use knows which tokens were revoked since.
What was said and shown in sessions comes after the sessions themselves, which bring their own rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from codemode.catalog import contents, moving
from codemode.catalog.contents import Table
from codemode.catalog.opening import open_catalogue
from codemode.catalog.store import Look, Row, Store

# Parents before children. Outcomes in the background were kept for an hour, rates are of this minute, signals and
# events of the last ones; counters follow from what is taken.
_OF_TENANTS = (
    "tenants", "users", "workspaces", "groups", "group_members", "preferences", "configuration", "tokens", "audit",
    "audit_horizon", "usage_by_day",
)  # fmt: skip
_OF_SESSIONS = ("messages", "panels", "mcp_sessions", "subscriptions")
_SESSION_FIELDS = ("workspace_id", "type", "metadata", "updated_at", "closed_at", "mcp_client_id", "connected_at")
_NUMBERED = {"messages": "position", "audit": "id"}  # numbers that the database gives in the order of the rows


def as_file(catalog: Store, folder: Path) -> Path:
    """All of a catalogue as a new `catalog.db` in `folder`, as of one moment, compared row by row.

    Raises CatalogForm where it is not of the newest form, BackupDamaged and StorageFull.
    """
    with closing(open_catalogue("", folder, "all")) as target:
        moving.copy(catalog, target)
        return Path(target.where)


def take_over(catalog: Store, path: Path) -> None:
    """Take all that the checked copy at `path`, of the newest form, holds beside sessions: in one transaction.

    Raises CatalogDamaged and StorageFull.
    """
    with _opened(path) as look, catalog.at_once():
        for name in reversed(_OF_TENANTS):
            catalog.run(f"DELETE FROM {name}")  # noqa: S608
        for table in _tables(catalog, _OF_TENANTS):
            _fill(catalog, table, contents.rows(look, table))
        # Who takes part in a session comes with it, and is counted then.
        catalog.run("UPDATE users SET active_in = 0 WHERE active_in <> 0")
        for tenant, executions in look("SELECT tenant, executions FROM counters"):
            catalog.run("UPDATE counters SET executions = ?2 WHERE tenant = ?1", tenant, executions)


def take_over_records(catalog: Store, path: Path) -> None:
    """Take what the copy knows of the sessions that are here by now: their places, and what was said and shown."""
    wanted = ", ".join(_SESSION_FIELDS)
    places = ", ".join(f"{name} = ?{number}" for number, name in enumerate(_SESSION_FIELDS, 3))
    with _opened(path) as look, catalog.at_once():
        known = set(catalog.run("SELECT tenant, id FROM sessions"))
        for tenant, session_id, *values in look(f"SELECT tenant, id, {wanted} FROM sessions"):  # noqa: S608
            if (tenant, session_id) in known:
                sql = f"UPDATE sessions SET {places} WHERE tenant = ?1 AND id = ?2"  # noqa: S608
                catalog.run(sql, tenant, session_id, *values)
        for table in _tables(catalog, _OF_SESSIONS):
            owner = table.columns.index("tenant"), table.columns.index("session_id")
            rows = contents.rows(look, table)
            _fill(catalog, table, (row for row in rows if tuple(row[place] for place in owner) in known))


@contextmanager
def _opened(path: Path) -> Iterator[Look]:
    with closing(open_catalogue("", path.parent, "all")) as store:
        yield store.look


def _tables(catalog: Store, names: tuple[str, ...]) -> Iterator[Table]:
    found = {table.name: table for table in contents.tables(catalog)}
    for name in names:
        columns = found[name].columns
        yield Table(name, tuple(column for column in columns if column != _NUMBERED.get(name)))


def _fill(catalog: Store, table: Table, rows: Iterator[Row]) -> None:
    for _ in contents.fill(catalog, table, rows):
        pass
