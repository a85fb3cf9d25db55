"""A session as a place: where it belongs, what it is, who is connected to it, how it is bounded, if it is closed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from codemode import limits
from codemode.catalog.found import no_session
from codemode.catalog.places import check_place
from codemode.database.clock import now_ms
from codemode.service import directory
from codemode.service.auditing import Change
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import Place
from codemode.worker import Worker


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


def seen(worker: Worker, session_id: str, tenant: str) -> dict[str, Any]:
    """A session as the audit log has it: as a place, and with the limits of its own. Raises SessionNotFound."""
    record = worker.registry.catalog.get(tenant, session_id)
    if record is None:
        raise no_session(session_id)
    place = {} if worker.catalogue.behind else msgspec.to_builtins(worker.of(tenant).sessions.get(session_id))
    return {**place, "pinned": record.pinned, "limits": record.limits}


def bound(worker: Worker, session_id: str, tenant: str, given: dict[str, Any]) -> None:
    """Lower limits of a session, or give it the worker's again (None); what is not given stays.

    Raises RequestInvalid, SessionNotFound and SessionExpired.
    """
    own = worker.registry.record((tenant, session_id)).limits
    worker.session(session_id, limits=limits.asked(given, own), create=False, tenant=tenant)


def change(
    service: Service,
    caller: Caller,
    /,
    session_id: str,
    *,
    closed: bool | UnsetType = UNSET,
    pinned: bool | None = None,
    bounds: dict[str, Any] | None = None,
    **fields: Any,
) -> Change:
    """Change what is given of a session that the caller manages; `bounds` are limits, close or reopen it, pin it.

    `fields` are as `Places.update` has them. Raises RequestInvalid, and RecordNotFound for a workspace out of reach.
    """
    limits.asked(bounds or {})  # first: of a change that is refused nothing is done
    check(service, caller, **fields)
    worker, tenant = service.worker, caller.tenant
    with worker.of(tenant).at_once():
        old = seen(worker, session_id, tenant)
        sessions = worker.of(tenant).sessions
        if fields:
            sessions.update(session_id, now=now_ms(), **fields)
        if closed is not UNSET:
            (sessions.close if closed else sessions.reopen)(session_id, now=now_ms())
    # Not in the transaction: these may wait for the session's turn.
    if bounds is not None:
        bound(worker, session_id, tenant, bounds)
    if pinned is not None:
        worker.pin(session_id, pinned, tenant)
    return Change(old, seen(worker, session_id, tenant))
