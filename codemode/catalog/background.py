"""Executions in the background: their outcomes are kept for an hour after they ended, also across a restart."""

from __future__ import annotations

import msgspec

from codemode.catalog.store import Store

KEPT_MS = 3_600_000
_FIELDS = "id, tenant, session_id, user_id, started_at, finished_at, outcome, service"


class BackgroundRecord(msgspec.Struct, frozen=True):
    """One of them; `outcome` is the envelope as JSON, None while it is pending. `service` runs it."""

    id: str
    tenant: str
    session_id: str
    user: str | None
    started_at: int
    finished_at: int | None
    outcome: bytes | None
    service: str | None


class BackgroundExecutions:
    """The `background` table of a catalogue."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def add(self, execution_id: str, tenant: str, session_id: str, user: str | None, now: int, *, service: str) -> None:
        """It was asked for; those that ended over an hour ago are forgotten."""
        with self._catalog.at_once():
            self._catalog.run("DELETE FROM background WHERE finished_at < ?1", now - KEPT_MS)
            self._catalog.run(
                "INSERT INTO background (id, tenant, session_id, user_id, started_at, service)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                execution_id, tenant, session_id, user, now, service,
            )  # fmt: skip

    def finish(self, execution_id: str, outcome: bytes, now: int) -> None:
        """It is over; what was said of it before stays, since two may find at once that its service is gone."""
        sql = "UPDATE background SET finished_at = ?1, outcome = ?2 WHERE id = ?3 AND finished_at IS NULL"
        self._catalog.run(sql, now, outcome, execution_id)

    def get(self, tenant: str, user: str | None, execution_id: str, now: int) -> BackgroundRecord | None:
        """The record, unless it is forgotten, another tenant's, or not of this user where one is named."""
        rows = self._catalog.look(
            f"SELECT {_FIELDS} FROM background WHERE id = ?1 AND tenant = ?2"  # noqa: S608
            " AND (CAST(?3 AS TEXT) IS NULL OR user_id = ?3) AND (finished_at IS NULL OR finished_at >= ?4)",
            execution_id, tenant, user, now - KEPT_MS,
        )  # fmt: skip
        return BackgroundRecord(*rows[0]) if rows else None

    def unfinished(self) -> list[BackgroundRecord]:
        """Those that wait or run, of whichever service."""
        rows = self._catalog.look(f"SELECT {_FIELDS} FROM background WHERE finished_at IS NULL")  # noqa: S608
        return [BackgroundRecord(*row) for row in rows]

    def ask_to_cancel(self, execution_id: str) -> None:
        """Have the service that runs it end it."""
        sql = "UPDATE background SET cancel_requested = 1 WHERE id = ?1 AND finished_at IS NULL"
        self._catalog.run(sql, execution_id)

    def asked_to_cancel(self, service: str) -> list[str]:
        """The ids of a service's executions that somebody else wants ended."""
        sql = "SELECT id FROM background WHERE service = ?1 AND finished_at IS NULL AND cancel_requested = 1"
        return [row[0] for row in self._catalog.look(sql, service)]
