"""The audit log: every administrative act and every execution, who did it, to what, when and with what outcome.

Rows are added and never changed: triggers of the file itself refuse an update, and a removal that is not the
retention's own, which says first up to when it removes.
"""

from __future__ import annotations

from dataclasses import dataclass

from codemode.catalog.store import Store

_FIELDS = "id, at, tenant, actor, action, resource, outcome, address, agent"
_LONGEST = 300  # characters of what a client sent: what it asked for, what it says about itself


@dataclass(frozen=True, slots=True)
class Act:
    """One line; `at` is milliseconds since 1970, UTC; `outcome` is "ok" or an error code."""

    id: int
    at: int
    tenant: str
    actor: str
    action: str
    resource: str
    outcome: str
    address: str | None
    agent: str | None


class Audit:
    """The `audit` table of a catalogue."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def add(
        self,
        *,
        at: int,
        tenant: str,
        actor: str,
        action: str,
        resource: str = "",
        outcome: str = "ok",
        address: str | None = None,
        agent: str | None = None,
    ) -> None:
        """Record one act."""
        self._catalog.run(
            "INSERT INTO audit (at, tenant, actor, action, resource, outcome, address, agent)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            at, tenant, actor, action, resource[:_LONGEST], outcome, address, agent[:_LONGEST] if agent else None,
        )  # fmt: skip

    def read(self, tenant: str | None = None, *, before: int | None = None, limit: int = 100) -> list[Act]:
        """The newest acts, newest first; `before` is an id to page from."""
        sql = (
            f"SELECT {_FIELDS} FROM audit WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR id < ?2)"  # noqa: S608
            " ORDER BY id DESC LIMIT ?3"
        )
        return [Act(*row) for row in self._catalog.run(sql, tenant, before, limit)]

    def forget(self, before: int, most: int = 10_000) -> int:
        """Remove acts from before a time, at most so many at once, since others wait meanwhile; how many it removed."""
        with self._catalog.at_once():
            self._catalog.run("UPDATE audit_horizon SET before = ?1 WHERE before < ?1", before)
            gone = self._catalog.run(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2) RETURNING 1",
                before, most,
            )  # fmt: skip
        return len(gone)
