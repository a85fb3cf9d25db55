"""Take over what a copy of a catalogue holds, where the one that is there holds nothing yet.

Tokens, tenants, users and the audit log come back only then: a catalogue in use knows which tokens were revoked since.
What was said and shown in sessions comes after the sessions themselves, which bring their own rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codemode.catalog.store import Store

# Parents before children. Outcomes in the background were kept for an hour, rates are of this minute, signals and
# events of the last ones; counters follow from what is taken.
_OF_TENANTS = (
    "tenants", "users", "workspaces", "groups", "group_members", "preferences", "configuration", "tokens", "audit",
    "audit_horizon", "usage_by_day",
)  # fmt: skip
_OF_SESSIONS = ("messages", "panels", "mcp_sessions", "subscriptions")
_SESSION_FIELDS = ("workspace_id", "type", "metadata", "updated_at", "closed_at", "mcp_client_id", "connected_at")
_IN_USE = ("sessions", "tokens", "audit", "users", "workspaces", "groups")


def is_untouched(catalog: Store) -> bool:
    """Whether nobody has used this catalogue yet."""
    return not any(catalog.run(f"SELECT 1 FROM {table} LIMIT 1") for table in _IN_USE)  # noqa: S608


def take_over(catalog: Store, path: Path) -> None:
    """Take all that the checked copy at `path`, of the newest form, holds beside sessions: in one transaction.

    Raises CatalogDamaged and StorageFull.
    """
    with _attached(catalog, path):
        for table in _OF_TENANTS:
            catalog.run(f"DELETE FROM main.{table}")  # noqa: S608
        for table in _OF_TENANTS:
            _take(catalog, table)
        catalog.run(
            "UPDATE main.counters SET executions = (SELECT c.executions FROM copy.counters AS c"
            " WHERE c.tenant = counters.tenant)"
        )


def take_over_records(catalog: Store, path: Path) -> None:
    """Take what the copy knows of the sessions that are here by now: their places, and what was said and shown."""
    with _attached(catalog, path):
        wanted = ", ".join(_SESSION_FIELDS)
        catalog.run(
            f"UPDATE main.sessions SET ({wanted}) = (SELECT {wanted} FROM copy.sessions AS c"  # noqa: S608
            " WHERE c.tenant = sessions.tenant AND c.id = sessions.id)"
            " WHERE (tenant, id) IN (SELECT tenant, id FROM copy.sessions)"
        )
        for table in _OF_SESSIONS:
            _take(catalog, table, "WHERE (tenant, session_id) IN (SELECT tenant, id FROM main.sessions)")


@contextmanager
def _attached(catalog: Store, path: Path) -> Iterator[None]:
    catalog.run("ATTACH ? AS copy", str(path))
    try:
        with catalog.at_once():
            catalog.run("PRAGMA defer_foreign_keys = on")
            yield
    finally:
        catalog.run("DETACH copy")


def _take(catalog: Store, table: str, where: str = "") -> None:
    columns = ", ".join(row[1] for row in catalog.run(f"PRAGMA main.table_info({table})"))
    catalog.run(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM copy.{table} {where}")  # noqa: S608
