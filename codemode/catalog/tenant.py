"""Everything that the catalogue holds of one tenant: one door for each kind of record, and none to another tenant."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property

from codemode.catalog.attendance import Attendance
from codemode.catalog.bound import BoundStore
from codemode.catalog.configuration import Configuration
from codemode.catalog.events import Events
from codemode.catalog.groups import Groups
from codemode.catalog.mcp_sessions import McpSessions
from codemode.catalog.messages import Messages
from codemode.catalog.panels import Panels
from codemode.catalog.places import Places
from codemode.catalog.preferences import Preferences
from codemode.catalog.seal import Seal
from codemode.catalog.signals import Signals
from codemode.catalog.statistics import TenantStatistics
from codemode.catalog.store import Store
from codemode.catalog.subscriptions import Subscriptions
from codemode.catalog.users import Users
from codemode.catalog.workspaces import Workspaces


class TenantRecords:
    """The records of one tenant; cheap to make, and safe to use from several threads."""

    def __init__(self, store: Store, tenant: str, seal: Seal | None = None) -> None:
        self.store = BoundStore(store, tenant)
        self._seal = seal or Seal()

    def at_once(self) -> AbstractContextManager[None]:
        """One transaction: nobody else who asks for one changes what is read inside before it is changed there."""
        return self.store.at_once()

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
    def sessions(self) -> Places:
        """Its sessions, as places that are shared."""
        return Places(self.store)

    @cached_property
    def participants(self) -> Attendance:
        """Who takes part in them."""
        return Attendance(self.store)

    @cached_property
    def messages(self) -> Messages:
        """What was said in them."""
        return Messages(self.store)

    @cached_property
    def panels(self) -> Panels:
        """What they show."""
        return Panels(self.store)

    @cached_property
    def mcp_sessions(self) -> McpSessions:
        """Which MCP servers they are connected to."""
        return McpSessions(self.store)

    @cached_property
    def signals(self) -> Signals:
        """The calls between their participants."""
        return Signals(self.store)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Which of them its users are told of."""
        return Subscriptions(self.store)

    @cached_property
    def events(self) -> Events:
        """What their listeners are told."""
        return Events(self.store)

    @cached_property
    def preferences(self) -> Preferences:
        """What its users prefer."""
        return Preferences(self.store)

    @cached_property
    def configuration(self) -> Configuration:
        """How it is set up."""
        return Configuration(self.store, self._seal)

    @cached_property
    def statistics(self) -> TenantStatistics:
        """How many there are of what."""
        return TenantStatistics(self.store)
