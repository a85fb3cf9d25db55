"""Tenants: whoever owns sessions, and what each may use of the service."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from codemode.catalog.store import Store
from codemode.errors import RequestInvalid

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant; `quotas` are its own numbers by name, those of the settings hold where one is absent."""

    id: str
    created_at: int
    quotas: dict[str, int]


class Tenants:
    """The `tenants` table of a catalogue."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def make(self, tenant: str, now: int) -> None:
        """Make the tenant unless there is one; raises RequestInvalid for a name that is none."""
        sql = "INSERT INTO tenants (id, created_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING"
        self._catalog.run(sql, check_tenant(tenant), now)

    def all(self) -> list[Tenant]:
        """Every tenant, by name."""
        rows = self._catalog.run("SELECT id, created_at, quotas FROM tenants ORDER BY id")
        return [Tenant(name, created, json.loads(quotas)) for name, created, quotas in rows]

    def get(self, tenant: str) -> Tenant:
        """One tenant; raises RequestInvalid where there is none of that name."""
        found = self.all()
        for each in found:
            if each.id == tenant:
                return each
        raise RequestInvalid(f"there is no tenant {tenant[:80]!r}", available=[each.id for each in found])

    def set_quotas(self, tenant: str, quotas: dict[str, int]) -> None:
        """Give the tenant its own numbers, instead of those that it had."""
        self._catalog.run("UPDATE tenants SET quotas = ?1 WHERE id = ?2", json.dumps(quotas, sort_keys=True), tenant)


def check_tenant(name: str) -> str:
    """`name` when it can be a tenant's; raises RequestInvalid."""
    if not _NAME.fullmatch(name):
        raise RequestInvalid(
            f"{name[:80]!r} cannot name a tenant", hint="letters, digits, _ . - : at most 64 characters"
        )
    return name
