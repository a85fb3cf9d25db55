"""The audit log: every administrative act and every execution, who did it, to what, when and with what outcome.

Rows are added and never changed: triggers of the file itself refuse an update, and a removal that is not the
retention's own, which says first up to when it removes.
"""

from __future__ import annotations

from typing import Any

from codemode.catalog.fields import parse_object
from codemode.catalog.rows import record
from codemode.catalog.store import Store
from codemode.values.access import AuditEntry

_FIRST = "at, tenant, actor, action, resource, outcome, address, agent"
_ADDED = "user_id, old_values, new_values"  # which a catalogue that is `behind` may lack
_FIELDS = f"id, {_FIRST}"
_ADD_FIRST = f"INSERT INTO audit ({_FIRST}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"  # noqa: S608
_ADD = f"INSERT INTO audit ({_FIRST}, {_ADDED}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"  # noqa: S608
_LARGEST = 2**63 - 1  # a number that the catalogue takes
_LONGEST = 300  # characters of what a client sent: what it asked for, what it says about itself


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
        user_id: str | None = None,
        old_values: dict[str, Any] | None = None,
        new_values: dict[str, Any] | None = None,
    ) -> None:
        """Record one act; of a change, what was there before and what is there now, as far as it is to be known."""
        values = (at, tenant, actor, action, _kept(resource), outcome, address, _kept(agent) if agent else None)
        if self._catalog.behind:
            self._catalog.run(_ADD_FIRST, *values)
        else:
            self._catalog.run(_ADD, *values, user_id, _json(old_values), _json(new_values))

    def read(self, tenant: str | None = None, *, before: int | None = None, limit: int = 100) -> list[AuditEntry]:
        """The newest acts, newest first; `before` is an id to page from."""
        given = {"tenant = ": tenant, "id < ": None if before is None else min(before, _LARGEST)}
        params = [value for value in given.values() if value is not None]
        asked = [condition for condition, value in given.items() if value is not None]
        where = " AND ".join(f"{condition}?{number}" for number, condition in enumerate(asked, 1))
        fields = _FIELDS if self._catalog.behind else f"{_FIELDS}, {_ADDED}"
        sql = (
            f"SELECT {fields} FROM audit{' WHERE ' * bool(where)}{where}"  # noqa: S608
            f" ORDER BY id DESC LIMIT ?{len(params) + 1}"
        )
        return [record(AuditEntry, row) for row in self._catalog.run(sql, *params, min(limit, _LARGEST))]

    def count(self, before: int) -> int:
        """How many acts there are of before a time."""
        [(found,)] = self._catalog.run("SELECT count(*) FROM audit WHERE at < ?1", before)
        return int(found)

    def forget(self, before: int, most: int = 10_000) -> int:
        """Remove acts from before a time, at most so many at once, since others wait meanwhile; how many it removed."""
        with self._catalog.at_once():
            self._catalog.run("UPDATE audit_horizon SET before = ?1 WHERE before < ?1", before)
            gone = self._catalog.run(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2) RETURNING 1",
                before, most,
            )  # fmt: skip
        return len(gone)


def _kept(text: str) -> str:
    # A NUL, as a path may have one (%00), is no text to PostgreSQL: what is recorded must not hang on what was sent.
    return text[:_LONGEST].replace("\0", "\ufffd")


def _json(values: dict[str, Any] | None) -> str | None:
    return None if values is None else parse_object(values, "the values of an act")
