"""Everything that the catalogue holds of one tenant: one door for each kind of record, and none to another tenant."""

from __future__ import annotations

from contextlib import AbstractContextManager

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
        sealed = seal or Seal()
        self.users = Users(self.store, sealed)
        self.workspaces = Workspaces(self.store)
        self.groups = Groups(self.store)
        self.sessions = Places(self.store)
        self.participants = Attendance(self.store)
        self.messages = Messages(self.store)
        self.panels = Panels(self.store)
        self.mcp_sessions = McpSessions(self.store)
        self.signals = Signals(self.store)
        self.subscriptions = Subscriptions(self.store)
        self.events = Events(self.store)
        self.preferences = Preferences(self.store)
        self.configuration = Configuration(self.store, sealed)
        self.statistics = TenantStatistics(self.store)

    def at_once(self) -> AbstractContextManager[None]:
        """One transaction: nobody else who asks for one changes what is read inside before it is changed there."""
        return self.store.at_once()
