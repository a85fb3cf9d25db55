"""Calls about who and what a tenant consists of, and what its users want."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from codemode.client.ask import Ask, Call, query_of
from codemode.client.sharing.calls import changed, get, made, page, path, put, removed
from codemode.errors import RecordNotFound
from codemode.values.records import (
    ConfigurationEntry,
    Group,
    GroupMember,
    Page,
    Preference,
    Statistics,
    Subscription,
    User,
    Workspace,
)


def create_user(
    user_id: str | None = None,
    *,
    kind: str = "human",
    display_name: str = "",
    email: str | None = None,
    outside_id: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> Call[User]:
    """A new user, with a minted id unless it is given; raises RequestInvalid, SecretMissing, and RecordExists."""
    return made(
        "/v1/users", User, id=user_id, kind=kind, display_name=display_name, email=email, outside_id=outside_id,
        metadata=metadata or {},
    )  # fmt: skip


def get_user(user_id: str) -> Call[User]:
    """One user, deleted ones too; raises RecordNotFound."""
    return get(path("users", user_id), User)


def user_by_email(email: str) -> Call[User]:
    """The user of an e-mail address, in whatever case; raises RecordNotFound."""
    return _the_one(f"the e-mail address {email}", email=email)


def user_by_outside_id(outside_id: str) -> Call[User]:
    """The user whom another system calls so; raises RecordNotFound, and SecretMissing."""
    return _the_one("that outside id", outside_id=outside_id)


def _the_one(by: str, **query: str) -> Call[User]:
    found = page("/v1/users", "users", User, **query)
    nobody = RecordNotFound(f"there is no user with {by}", hint="list them to see those there are")
    if None in query.values():  # which would ask for all of them
        raise nobody

    def read(document: Any) -> User:
        rows = found.read(document).rows
        if not rows:
            raise nobody
        return rows[0]

    return Call(found.ask, read)


def users(
    *, kind: str | None = None, deleted: bool = False, after: str | None = None, limit: int = 50
) -> Call[Page[User]]:
    """Users by id, all or of one kind, without those deleted unless they are asked for; raises RequestInvalid."""
    return page("/v1/users", "users", User, kind=kind, deleted=deleted, after=after, limit=limit)


def update_user(
    user_id: str,
    *,
    kind: str | UnsetType = UNSET,
    display_name: str | UnsetType = UNSET,
    email: str | UnsetType | None = UNSET,
    outside_id: str | UnsetType | None = UNSET,
    metadata: dict[str, Any] | UnsetType = UNSET,
) -> Call[User]:
    """Change what is given of a user who is not deleted; raises RequestInvalid, RecordNotFound, RecordExists."""
    return changed(
        path("users", user_id), User, kind=kind, display_name=display_name, email=email, outside_id=outside_id,
        metadata=metadata,
    )  # fmt: skip


def remove_user(user_id: str) -> Call[None]:
    """Delete a user: his tokens are refused, he is in no session and no group. Raises RecordNotFound."""
    return removed(path("users", user_id))


def undelete_user(user_id: str) -> Call[User]:
    """Have a deleted user be one again, with new tokens; raises RecordNotFound and RecordExists."""
    return made(path("users", user_id, "undelete"), User)


def create_workspace(
    name: str, *, record_id: str | None = None, description: str = "", metadata: dict[str, Any] | None = None
) -> Call[Workspace]:
    """A new workspace, with a minted id unless it is given; raises RequestInvalid, and RecordExists."""
    return made("/v1/workspaces", Workspace, name=name, id=record_id, description=description, metadata=metadata or {})


def get_workspace(record_id: str) -> Call[Workspace]:
    """One workspace; raises RecordNotFound."""
    return get(path("workspaces", record_id), Workspace)


def workspaces(*, after: str | None = None, limit: int = 50) -> Call[Page[Workspace]]:
    """The workspaces by id."""
    return page("/v1/workspaces", "workspaces", Workspace, after=after, limit=limit)


def update_workspace(
    record_id: str,
    *,
    name: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    metadata: dict[str, Any] | UnsetType = UNSET,
) -> Call[Workspace]:
    """Change what is given; raises RequestInvalid, RecordNotFound, and RecordExists for a name that is taken."""
    where = path("workspaces", record_id)
    return changed(where, Workspace, name=name, description=description, metadata=metadata)


def remove_workspace(record_id: str) -> Call[None]:
    """Remove a workspace; its sessions stay. Raises RecordNotFound."""
    return removed(path("workspaces", record_id))


def create_group(
    name: str, *, record_id: str | None = None, description: str = "", metadata: dict[str, Any] | None = None
) -> Call[Group]:
    """A new group, with a minted id unless it is given; raises RequestInvalid, and RecordExists."""
    return made("/v1/groups", Group, name=name, id=record_id, description=description, metadata=metadata or {})


def get_group(record_id: str) -> Call[Group]:
    """One group; raises RecordNotFound."""
    return get(path("groups", record_id), Group)


def groups(*, after: str | None = None, limit: int = 50) -> Call[Page[Group]]:
    """The groups by id."""
    return page("/v1/groups", "groups", Group, after=after, limit=limit)


def update_group(
    record_id: str,
    *,
    name: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    metadata: dict[str, Any] | UnsetType = UNSET,
) -> Call[Group]:
    """Change what is given; raises RequestInvalid, RecordNotFound, and RecordExists for a name that is taken."""
    return changed(path("groups", record_id), Group, name=name, description=description, metadata=metadata)


def remove_group(record_id: str) -> Call[None]:
    """Remove a group; its users stay. Raises RecordNotFound."""
    return removed(path("groups", record_id))


def add_member(group_id: str, user_id: str) -> Call[GroupMember]:
    """Have a user in a group, who may be in it already; raises RecordNotFound where either is not there."""
    return made(path("groups", group_id, "members"), GroupMember, user_id=user_id)


def members(group_id: str, *, after: str | None = None, limit: int = 50) -> Call[Page[GroupMember]]:
    """Who is in a group, by id."""
    return page(path("groups", group_id, "members"), "members", GroupMember, after=after, limit=limit)


def remove_member(group_id: str, user_id: str) -> Call[None]:
    """Have the user in it no more; raises RecordNotFound where he is not."""
    return removed(path("groups", group_id, "members"), user_id=user_id)


def subscribe(user_id: str, session_id: str, *, panel_id: str | None = None) -> Call[Subscription]:
    """Have a user told of a session, or of one of its panels; raises RecordNotFound where he takes no part in it."""
    return made("/v1/subscriptions", Subscription, user_id=user_id, session_id=session_id, panel_id=panel_id)


def subscriptions(user_id: str, *, after: str | None = None, limit: int = 50) -> Call[Page[Subscription]]:
    """What a user is told of, by session and panel."""
    return page("/v1/subscriptions", "subscriptions", Subscription, user_id=user_id, after=after, limit=limit)


def unsubscribe(user_id: str, session_id: str, *, panel_id: str | None = None) -> Call[None]:
    """Have him told no more; raises RecordNotFound."""
    return removed("/v1/subscriptions", user_id=user_id, session_id=session_id, panel_id=panel_id)


def prefer(user_id: str, category: str, key: str, value: Any) -> Call[Preference]:
    """Keep a preference in the place of what it was; raises RequestInvalid, and RecordNotFound without the user."""
    return put("/v1/preferences", Preference, user_id=user_id, category=category, key=key, value=value)


def preferences(user_id: str, category: str, *, after: str | None = None, limit: int = 50) -> Call[Page[Preference]]:
    """A user's preferences of a category, by key."""
    where = "/v1/preferences"
    return page(where, "preferences", Preference, user_id=user_id, category=category, after=after, limit=limit)


def preference_categories(user_id: str) -> Call[list[str]]:
    """The categories in which a user has preferences."""
    ask = Ask(method="GET", path="/v1/preferences/categories", query=query_of(user_id=user_id), safe=True)
    return Call(ask, lambda found: list(found["categories"]))


def forget_preference(user_id: str, category: str, key: str) -> Call[None]:
    """Forget it; raises RecordNotFound."""
    return removed("/v1/preferences", user_id=user_id, category=category, key=key)


def configure(key: str, value: Any, *, sensitive: bool = False, description: str = "") -> Call[ConfigurationEntry]:
    """Keep a value in the place of what it was; raises RequestInvalid, and SecretMissing for a sensitive one."""
    return put("/v1/configuration", ConfigurationEntry, key=key, value=value, sensitive=sensitive,
               description=description)  # fmt: skip


def configuration(*, after: str | None = None, limit: int = 50) -> Call[Page[ConfigurationEntry]]:
    """All of it by key, masked where it is sensitive."""
    return page("/v1/configuration", "configuration", ConfigurationEntry, after=after, limit=limit)


def unconfigure(key: str) -> Call[None]:
    """Forget it; raises RecordNotFound."""
    return removed("/v1/configuration", key=key)


def statistics() -> Call[Statistics]:
    """How many there are of what in the tenant."""
    return get("/v1/stats", Statistics)
