"""Who and what a tenant consists of: its users, groups and workspaces.

A token of the tenant sees them all, and changes them with the scope `admin`. One that is bound to a user sees that
user, the groups that he is in and the workspaces of the sessions that he takes part in; the rest is not there for it.
"""

from __future__ import annotations

from typing import Any, Literal

from codemode.catalog.found import no_record
from codemode.catalog.groups import Groups
from codemode.catalog.workspaces import Workspaces
from codemode.database.clock import now_ms
from codemode.errors import RecordNotFound
from codemode.service.acting import check_whole_tenant
from codemode.service.auditing import Change
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import GroupMember, Page, User

Noun = Literal["groups", "workspaces"]
_CHANGE = "change who and what the tenant consists of"


def users(service: Service, caller: Caller, /, **asked: Any) -> Page[User]:
    """The users by id, or the one of an e-mail address or outside id; `asked` is as `Users.page` has it."""
    known = service.worker.of(caller.tenant).users
    if caller.user is None:
        return known.page(**asked)
    try:
        found = known.page(**asked).rows if {"email", "outside_id"} & asked.keys() else [known.get(caller.user)]
    except RecordNotFound:
        return Page([], None)
    return Page([each for each in found if each.id == caller.user and asked.get("kind") in (None, each.kind)], None)


def user(service: Service, caller: Caller, /, user_id: str) -> User:
    """One user, deleted ones too; raises RecordNotFound."""
    if caller.user not in (None, user_id):
        raise no_record("user", user_id)
    return service.worker.of(caller.tenant).users.get(user_id)


def create_user(service: Service, caller: Caller, /, user_id: str | None, **fields: Any) -> User:
    """A new user; raises as `Users.create` does."""
    check_whole_tenant(caller, _CHANGE)
    return service.worker.of(caller.tenant).users.create(user_id, now=now_ms(), **fields)


def update_user(service: Service, caller: Caller, /, user_id: str, **fields: Any) -> tuple[User, Change]:
    """Change what is given of a user; raises as `Users.update` does."""
    user(service, caller, user_id)
    check_whole_tenant(caller, _CHANGE)
    records = service.worker.of(caller.tenant)
    with records.at_once():
        old = records.users.get(user_id)
        new = records.users.update(user_id, now=now_ms(), **fields)
    return new, Change(old, new)


def remove_user(service: Service, caller: Caller, /, user_id: str) -> Change:
    """Delete a user: his tokens are refused from here on, he is in no session and no group. Raises RecordNotFound."""
    user(service, caller, user_id)
    check_whole_tenant(caller, _CHANGE)
    records = service.worker.of(caller.tenant)
    with records.at_once():
        return Change(records.users.get(user_id), records.users.remove(user_id, now=now_ms()))


def undelete_user(service: Service, caller: Caller, /, user_id: str) -> tuple[User, Change]:
    """Take the deletion of a user back; raises as `Users.take_back` does."""
    user(service, caller, user_id)
    check_whole_tenant(caller, _CHANGE)
    records = service.worker.of(caller.tenant)
    with records.at_once():
        old = records.users.get(user_id)
        new = records.users.take_back(user_id, now=now_ms())
    return new, Change(old, new)


def listed(service: Service, caller: Caller, /, noun: Noun, **asked: Any) -> Page[Any]:
    """The groups or workspaces by id; `asked` is as `NamedRecords.page` has it."""
    return _named(service, caller, noun).page(of_user=caller.user, **asked)


def get(service: Service, caller: Caller, /, noun: Noun, record_id: str) -> Any:
    """One group or workspace; raises RecordNotFound."""
    return _named(service, caller, noun).get(record_id, of_user=caller.user)


def create(service: Service, caller: Caller, /, noun: Noun, name: str, **fields: Any) -> Any:
    """A new one; raises as `NamedRecords.create` does."""
    check_whole_tenant(caller, _CHANGE)
    return _named(service, caller, noun).create(name, now=now_ms(), **fields)


def update(service: Service, caller: Caller, /, noun: Noun, record_id: str, **fields: Any) -> tuple[Any, Change]:
    """Change what is given of one; raises as `NamedRecords.update` does."""
    get(service, caller, noun, record_id)
    check_whole_tenant(caller, _CHANGE)
    with service.worker.of(caller.tenant).at_once():
        old = get(service, caller, noun, record_id)
        new = _named(service, caller, noun).update(record_id, now=now_ms(), **fields)
    return new, Change(old, new)


def remove(service: Service, caller: Caller, /, noun: Noun, record_id: str) -> Change:
    """Remove one; sessions of a workspace stay. Raises RecordNotFound."""
    get(service, caller, noun, record_id)
    check_whole_tenant(caller, _CHANGE)
    with service.worker.of(caller.tenant).at_once():
        old = get(service, caller, noun, record_id)
        _named(service, caller, noun).remove(record_id)
    return Change(old, None)


def members(service: Service, caller: Caller, /, group_id: str, **asked: Any) -> Page[GroupMember]:
    """Who is in a group, by id; raises RecordNotFound."""
    get(service, caller, "groups", group_id)
    return service.worker.of(caller.tenant).groups.members(group_id, **asked)


def add_member(service: Service, caller: Caller, /, group_id: str, user_id: str) -> GroupMember:
    """Have a user in a group; raises RecordNotFound where either is not there."""
    get(service, caller, "groups", group_id)
    check_whole_tenant(caller, _CHANGE)
    return service.worker.of(caller.tenant).groups.add(group_id, user_id, now=now_ms())


def remove_member(service: Service, caller: Caller, /, group_id: str, user_id: str) -> None:
    """Have him in it no more; raises RecordNotFound where he is not."""
    get(service, caller, "groups", group_id)
    check_whole_tenant(caller, _CHANGE)
    service.worker.of(caller.tenant).groups.remove_member(group_id, user_id)


def _named(service: Service, caller: Caller, noun: Noun) -> Groups | Workspaces:
    records = service.worker.of(caller.tenant)
    return records.groups if noun == "groups" else records.workspaces
