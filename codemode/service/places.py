"""A session as a place: where it belongs, what it is, who is connected to it, and whether it is closed."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from codemode.catalog.places import check_place
from codemode.database.clock import now_ms
from codemode.service import directory
from codemode.service.auditing import Change
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import Place


def place(service: Service, caller: Caller, session_id: str) -> Place | None:
    """What the catalogue says of a session in the caller's reach; None where it is still to be migrated."""
    if service.worker.registry.catalog.file.behind:
        return None
    return service.worker.of(caller.tenant).sessions.get(session_id)


def check(service: Service, caller: Caller, **fields: Any) -> None:
    """Raise what `change` would of a session that is still to be made."""
    if fields.get("workspace_id") is not None:  # or a token of one user would learn which workspaces there are
        directory.get(service, caller, "workspaces", fields["workspace_id"])
    check_place(**fields)


def change(
    service: Service, caller: Caller, /, session_id: str, closed: bool | UnsetType, **fields: Any
) -> Change | None:
    """Change what is given of a session that the caller manages, and close or reopen it.

    `fields` are as `Places.update` has them. Raises RequestInvalid, and RecordNotFound for a workspace out of reach.
    """
    if closed is UNSET and not fields:
        return None
    check(service, caller, **fields)
    records = service.worker.of(caller.tenant)
    with records.at_once():
        sessions = records.sessions
        old = new = sessions.get(session_id)
        if fields:
            new = sessions.update(session_id, now=now_ms(), **fields)
        if closed is not UNSET:
            new = (sessions.close if closed else sessions.reopen)(session_id, now=now_ms())
    return Change(old, new)
