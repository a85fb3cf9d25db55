"""A session as a place: where it belongs, what it is, who is connected to it, how it is bounded, if it is closed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from codemode import limits
from codemode.asked import parse_session_id, truth
from codemode.catalog.found import no_session
from codemode.catalog.places import check_place
from codemode.catalog.store import not_migrated
from codemode.database.clock import now_ms, sure_ms
from codemode.errors import SessionExists
from codemode.service import directory
from codemode.service.auditing import Change
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.session.ids import new_session_id
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


def made(
    worker: Worker, tenant: str, session_id: str | None, *, bounds: dict[str, Any] | None, renew: bool, **fields: Any
) -> tuple[str, Change]:
    """A new session, of a minted id where none is given, or one made anew to `renew` it; its id, and what changed.

    Of one that is refused nothing is made. Raises RequestInvalid, SessionExists, SessionExpired, and RecordNotFound for
    a workspace that there is not.
    """
    check_place(**fields)
    if fields and worker.catalogue.behind:
        raise not_migrated("sessions have no workspace, type and metadata there")
    if fields.get("workspace_id") is not None:
        worker.of(tenant).workspaces.get(fields["workspace_id"])
    if session_id is not None:
        _check_new(worker, parse_session_id(session_id), tenant, renew)
    key, own = (tenant, session_id or new_session_id()), None if bounds is None else limits.asked(bounds)
    record, is_new = worker.registry.ensure(key, create=True, renew=renew, own=own, place=fields)
    if not is_new:  # another process was first
        raise _exists(record.id)
    return record.id, Change(None, seen(worker, record.id, tenant))


def _check_new(worker: Worker, session_id: str, tenant: str, renew: bool) -> None:
    found = worker.registry.catalog.get(tenant, session_id)
    if found is None or found.is_over(sure_ms()):
        return
    if not (renew and worker.registry.is_damaged((tenant, session_id))):
        raise _exists(session_id)


def _exists(session_id: str) -> SessionExists:
    return SessionExists(f"there is a session {session_id} already", hint="`codemode sessions set` changes it")


def seen(worker: Worker, session_id: str, tenant: str) -> dict[str, Any]:
    """A session as the audit log has it: as a place, and with the limits of its own. Raises SessionNotFound."""
    record = worker.registry.catalog.get(tenant, session_id)
    if record is None:
        raise no_session(session_id)
    place = {} if worker.catalogue.behind else msgspec.to_builtins(worker.of(tenant).sessions.get(session_id))
    return {**place, "pinned": record.pinned, "limits": limits.told(record.limits)}


def change(service: Service, caller: Caller, /, session_id: str, **given: Any) -> Change:
    """Change what is given of a session that the caller manages, as `changed` has it.

    Raises RequestInvalid, and RecordNotFound for a workspace out of reach.
    """
    check(service, caller, **given)
    return changed(service.worker, caller.tenant, session_id, **given)


def changed(
    worker: Worker,
    tenant: str,
    session_id: str,
    *,
    closed: bool | UnsetType = UNSET,
    pinned: bool | None = None,
    bounds: dict[str, Any] | None = None,
    **fields: Any,
) -> Change:
    """Close or reopen a session, pin it or not, give it limits (None is the worker's again), say where it belongs.

    What is not given stays, limits too. `fields` are as `Places.update` has them. Raises what that raises, and
    RequestInvalid, SessionNotFound, SessionExpired.
    """
    key, registry, records = (tenant, session_id), worker.registry, worker.of(tenant)
    registry.record(key)
    with records.at_once():
        old = new = seen(worker, session_id, tenant)
        if fields:  # first: of a change that is refused nothing is done
            new = new | msgspec.to_builtins(records.sessions.update(session_id, now=now_ms(), **fields))
        if closed is not UNSET:
            close_or_reopen = records.sessions.close if closed else records.sessions.reopen
            new = new | msgspec.to_builtins(close_or_reopen(session_id, now=now_ms()))
        if bounds is not None:
            known = registry.record(key)
            known = registry.change(known, limits.asked(bounds, known.limits))
            new = new | {"limits": limits.told(known.limits)}
        if pinned is not None:
            registry.catalog.pin(*key, truth("pinned", pinned), now_ms())
            new = new | {"pinned": pinned}
    return Change(old, new)
