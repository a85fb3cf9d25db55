"""Tenants: whoever owns sessions, and what each may use of the service."""

from __future__ import annotations

import json
from typing import Literal, get_args

import msgspec
from msgspec import UNSET

from codemode.catalog.changes import Changes, Given
from codemode.catalog.fields import parse_choice, parse_name
from codemode.catalog.store import Store
from codemode.errors import RequestInvalid, shown
from codemode.patterns import pattern

Plan = Literal["free", "pro", "team"]
PLANS: tuple[Plan, ...] = get_args(Plan)
_FIELDS = "id, created_at, quotas"
_ADDED = "name, plan, updated_at, deleted_at"  # which a catalogue that is `behind` may lack
TENANT = "local"  # this machine's own: what the command line, programs and a service without tokens use
_SOME = 50  # names that an error tells
_NAME = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")


class Tenant(msgspec.Struct, frozen=True):
    """One tenant; `quotas` are its own numbers by name, those of the settings hold where one is absent.

    One with a `deleted_at` has no valid token and gets none; its rows stay until their retention.
    """

    id: str
    created_at: int
    quotas: dict[str, int]
    name: str = ""
    plan: Plan = "free"
    updated_at: int | None = None
    deleted_at: int | None = None


class Tenants:
    """The `tenants` table of a catalogue."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def make(self, tenant: str, now: int) -> bool:
        """Make the tenant unless there is one; whether it is new.

        Raises RequestInvalid for a name that is none, or a deleted one's.
        """
        sql = "INSERT INTO tenants (id, created_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING RETURNING 1"
        deleted = "SELECT 1 FROM tenants WHERE id = ?1 AND deleted_at IS NOT NULL"
        made = bool(self._catalog.run(sql, check_tenant(tenant), now))
        if not made and not self._catalog.behind and self._catalog.run(deleted, tenant):
            hint = "`codemode tenants undelete` takes that back; or use another name"
            raise RequestInvalid(f"the tenant {tenant!r} was deleted", hint=hint)
        return made

    def all(self) -> list[Tenant]:
        """Every tenant, by name, deleted ones too."""
        return self._those("ORDER BY id")

    def get(self, tenant: str) -> Tenant:
        """One tenant, deleted ones too; raises RequestInvalid where there is none of that name."""
        found = self._those("WHERE id = ?1", tenant)
        if not found:
            some = self._those("ORDER BY id LIMIT ?1", _SOME)
            raise RequestInvalid(f"there is no tenant {tenant[:80]!r}", available=[each.id for each in some])
        return found[0]

    def _those(self, which: str, *params: str | int) -> list[Tenant]:
        fields = _FIELDS if self._catalog.behind else f"{_FIELDS}, {_ADDED}"
        rows = self._catalog.run(f"SELECT {fields} FROM tenants {which}", *params)  # noqa: S608
        return [Tenant(name, created, json.loads(quotas), *more) for name, created, quotas, *more in rows]

    def set_quotas(self, tenant: str, quotas: dict[str, int]) -> None:
        """Give the tenant its own numbers, instead of those that it had."""
        self._catalog.run("UPDATE tenants SET quotas = ?1 WHERE id = ?2", json.dumps(quotas, sort_keys=True), tenant)

    def describe(self, tenant: str, *, now: int, name: Given[str] = UNSET, plan: Given[str] = UNSET) -> Tenant:
        """Change its name for people, or its plan; raises RequestInvalid."""
        changes = Changes().to("updated_at", now).to("name", name, lambda text: parse_name(text, "a name", least=0))
        changes.to("plan", plan, lambda word: parse_choice(word, "plan", PLANS))
        self._catalog.run(f"UPDATE tenants SET {changes.text} WHERE id = ?1", tenant, *changes.params)  # noqa: S608
        return self.get(tenant)

    def remove(self, tenant: str, *, now: int) -> Tenant:
        """Delete it softly: its tokens are revoked for good, its sessions expire by themselves, pinned ones too.

        Raises RequestInvalid where there is none of that name, and for the one that needs no token.
        """
        check_removable(tenant)
        self.get(tenant)
        with self._catalog.at_once():
            sql = "UPDATE tenants SET deleted_at = coalesce(deleted_at, ?2), updated_at = ?2 WHERE id = ?1"
            self._catalog.run(sql, tenant, now)
            self._catalog.run("UPDATE tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE tenant = ?1", tenant, now)
            self._catalog.run("UPDATE sessions SET pinned = 0 WHERE tenant = ?1 AND pinned = 1", tenant)
        return self.get(tenant)

    def take_back(self, tenant: str, *, now: int) -> Tenant:
        """Have a deleted tenant be one again, with new tokens; raises RequestInvalid."""
        self._catalog.run("UPDATE tenants SET deleted_at = NULL, updated_at = ?2 WHERE id = ?1", tenant, now)
        return self.get(tenant)


def check_tenant(name: str) -> str:
    """`name` when it can be a tenant's; raises RequestInvalid."""
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise RequestInvalid(
            f"{shown(name)} cannot name a tenant", hint="letters, digits, _ . - : at most 64 characters"
        )
    return name


def check_removable(tenant: str) -> None:
    """Raise RequestInvalid for the tenant that a machine cannot be without."""
    if tenant == TENANT:
        hint = "delete its sessions, or revoke its tokens"
        raise RequestInvalid(f"the tenant {TENANT!r} is this machine's own, and stays", hint=hint)
