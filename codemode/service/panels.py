"""What a session shows: its panels, which whoever reads it sees and members make, change and remove."""

from __future__ import annotations

from typing import Any

from codemode.catalog.panels import Panels
from codemode.database.clock import now_ms
from codemode.service.auditing import Change
from codemode.service.callers import Caller, Reach
from codemode.service.service import Service
from codemode.values.records import Page, Panel


def page(service: Service, caller: Caller, /, session_id: str, **asked: Any) -> Page[Panel]:
    """The session's panels in their order; `asked` is as `Panels.page` has it."""
    return _panels(service, caller, session_id, "read").page(session_id, **asked)


def get(service: Service, caller: Caller, /, session_id: str, panel_id: str) -> Panel:
    """One panel; raises RecordNotFound."""
    return _panels(service, caller, session_id, "read").get(session_id, panel_id)


def create(service: Service, caller: Caller, /, session_id: str, title: str, **fields: Any) -> Panel:
    """A new panel; `fields` are as `Panels.create` has them. Raises SessionExpired and what that raises."""
    service.session(caller, session_id, "execute")
    return service.worker.of(caller.tenant).panels.create(session_id, title, now=now_ms(), **fields)


def update(service: Service, caller: Caller, /, session_id: str, panel_id: str, **fields: Any) -> tuple[Panel, Change]:
    """Change what is given of a panel; raises what `Panels.update` raises."""
    panels = _panels(service, caller, session_id, "execute")
    with service.worker.of(caller.tenant).at_once():
        old = panels.get(session_id, panel_id)
        new = panels.update(session_id, panel_id, now=now_ms(), **fields)
    return new, Change(old, new)


def remove(service: Service, caller: Caller, /, session_id: str, panel_id: str) -> Change:
    """Remove a panel; raises RecordNotFound."""
    panels = _panels(service, caller, session_id, "execute")
    with service.worker.of(caller.tenant).at_once():
        old = panels.get(session_id, panel_id)
        panels.remove(session_id, panel_id)
    return Change(old, None)


def _panels(service: Service, caller: Caller, session_id: str, to: Reach) -> Panels:
    service.check_reach(caller, session_id, to)
    return service.worker.of(caller.tenant).panels
