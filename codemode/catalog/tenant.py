"""Everything that the catalogue holds of one tenant: one door for each kind of record, and none to another tenant."""

from __future__ import annotations

from functools import cached_property

from codemode.catalog.bound import BoundStore
from codemode.catalog.catalog import Catalog
from codemode.catalog.groups import Groups
from codemode.catalog.messages import Messages
from codemode.catalog.seal import Seal
from codemode.catalog.users import Users
from codemode.catalog.workspaces import Workspaces


class TenantRecords:
    """The records of one tenant; cheap to make, and safe to use from several threads."""

    def __init__(self, store: Catalog, tenant: str, seal: Seal | None = None) -> None:
        self.store = BoundStore(store, tenant)
        self._seal = seal or Seal()

    @cached_property
    def users(self) -> Users:
        """Its people and agents."""
        return Users(self.store, self._seal)

    @cached_property
    def workspaces(self) -> Workspaces:
        """Where its sessions belong."""
        return Workspaces(self.store)

    @cached_property
    def groups(self) -> Groups:
        """Which of its users belong together."""
        return Groups(self.store)

    @cached_property
    def messages(self) -> Messages:
        """What was said in its sessions."""
        return Messages(self.store)
