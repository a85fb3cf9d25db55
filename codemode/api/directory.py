"""Who and what a tenant consists of, over HTTP: users, workspaces, groups and their members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists, queries
from codemode.api.operations import Handler, Operation, Parameter
from codemode.api.requests import added, answer, served
from codemode.service import directory
from codemode.service.directory import Noun
from codemode.values.records import Group, GroupMember, User, UserKind, Workspace


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or an agent; `outside_id` is what another system calls him, and only a keyed hash of it is stored."""

    id: str | None = None
    kind: UserKind = "human"
    display_name: str = ""
    email: str | None = None
    outside_id: str | None = None
    metadata: dict[str, Any] = {}


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a user; what is not named stays."""

    kind: UserKind | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    email: str | UnsetType | None = UNSET
    outside_id: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of users by id; `next` is the `after` of the page that follows."""

    users: list[User]
    next: str | None = None


class NewNamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workspace or a group; its name is its alone in the tenant."""

    name: str
    id: str | None = None
    description: str = ""
    metadata: dict[str, Any] = {}


class NamedChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a workspace or a group; what is not named stays."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class WorkspaceList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of workspaces by id; `next` is the `after` of the page that follows."""

    workspaces: list[Workspace]
    next: str | None = None


class GroupList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of groups by id; `next` is the `after` of the page that follows."""

    groups: list[Group]
    next: str | None = None


class NewMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user who is to be in a group."""

    user_id: str


class MemberList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a group's members by id; `next` is the `after` of the page that follows."""

    members: list[GroupMember]
    next: str | None = None


async def users(request: Request) -> Response:
    """The users of the tenant by id; a token that is bound to a user sees that one alone."""
    asked = lists.asked(request, "kind", "email", "outside_id")
    page = await served(request, directory.users, deleted=queries.flag(request, "deleted"), **asked)
    return answer(UserList(users=page.rows, next=page.next))


async def create_user(request: Request) -> Response:
    """Add a person or an agent: 201 with the user as he is stored."""
    body = await bodies.decode(request, NewUser)
    fields = msgspec.structs.asdict(body)
    found = await served(request, directory.create_user, fields.pop("id"), **fields)
    return added(request, found, found.id)


async def show_user(request: Request) -> Response:
    """One user, deleted ones too."""
    return answer(await served(request, directory.user, request.path_params["id"]))


async def change_user(request: Request) -> Response:
    """Change what is named of a user."""
    body = await bodies.decode(request, UserChange)
    user_id = request.path_params["id"]
    found, request.state.change = await served(request, directory.update_user, user_id, **lists.given(body))
    return answer(found)


async def remove_user(request: Request) -> Response:
    """Delete a user: his tokens are refused, he is in no session and no group; what he said and did stays."""
    request.state.change = await served(request, directory.remove_user, request.path_params["id"])
    return Response(status_code=204)


async def undelete_user(request: Request) -> Response:
    """Take the deletion of a user back; his tokens stay revoked, and he is in no session and no group yet."""
    found, request.state.change = await served(request, directory.undelete_user, request.path_params["id"])
    return answer(found)


async def members(request: Request) -> Response:
    """Who is in a group, by id."""
    page = await served(request, directory.members, request.path_params["id"], **lists.asked(request))
    return answer(MemberList(members=page.rows, next=page.next))


async def add_member(request: Request) -> Response:
    """Have a user in a group: 201 with the membership, also where he was in it already."""
    body = await bodies.decode(request, NewMember)
    found = await served(request, directory.add_member, request.path_params["id"], body.user_id)
    return added(request, found, f"{found.group_id} {found.user_id}")


async def remove_member(request: Request) -> Response:
    """Have a user in a group no more."""
    group_id, user_id = request.path_params["id"], queries.text(request, "user_id")
    await served(request, directory.remove_member, group_id, user_id)
    request.state.about = f"{group_id} {user_id}"
    return Response(status_code=204)


def _handlers(noun: Noun, listed: type[WorkspaceList] | type[GroupList]) -> Iterator[Handler]:
    """What workspaces and groups have in common: list, create, show, change, remove."""

    async def every(request: Request) -> Response:
        page = await served(request, directory.listed, noun, **lists.asked(request))
        return answer(listed(**{noun: page.rows}, next=page.next))

    async def create(request: Request) -> Response:
        body = await bodies.decode(request, NewNamed)
        fields = msgspec.structs.asdict(body)
        found = await served(request, directory.create, noun, record_id=fields.pop("id"), **fields)
        return added(request, found, found.id)

    async def show(request: Request) -> Response:
        return answer(await served(request, directory.get, noun, request.path_params["id"]))

    async def change(request: Request) -> Response:
        body = await bodies.decode(request, NamedChange)
        fields = lists.given(body)
        found, request.state.change = await served(request, directory.update, noun, request.path_params["id"], **fields)
        return answer(found)

    async def remove(request: Request) -> Response:
        request.state.change = await served(request, directory.remove, noun, request.path_params["id"])
        return Response(status_code=204)

    every.__doc__ = f"The {noun} of the tenant by id; a token that is bound to a user sees those that he is in."
    create.__doc__ = f"Add a {noun[:-1]}: 201 with it as it is stored."
    show.__doc__ = f"One {noun[:-1]}."
    change.__doc__ = f"Change what is named of a {noun[:-1]}."
    remove.__doc__ = f"Remove a {noun[:-1]}; what it held together stays."
    yield from (every, create, show, change, remove)


def _crud(noun: Noun, one: type[Any], listed: type[WorkspaceList] | type[GroupList]) -> tuple[Operation, ...]:
    """The operations of workspaces, or of groups."""
    every, create, show, change, remove = _handlers(noun, listed)
    word, path = noun[:-1], f"/v1/{noun}"
    return (
        Operation(
            method="GET", path=path, name=f"list_{noun}", handler=every, scope="read",
            about=f"The {noun} of the tenant.", answers={200: listed}, parameters=lists.PARAMETERS,
        ),
        Operation(
            method="POST", path=path, name=f"create_{word}", handler=create, scope="admin",
            about=f"Add a {word}.", body=NewNamed, answers={201: one}, problems=(409,),
        ),
        Operation(
            method="GET", path=path + "/{id}", name=f"get_{word}", handler=show, scope="read",
            about=f"Look at one {word}.", answers={200: one}, problems=(404,),
        ),
        Operation(
            method="PATCH", path=path + "/{id}", name=f"change_{word}", handler=change, scope="admin",
            about=f"Change a {word}.", body=NamedChange, answers={200: one}, problems=(404, 409),
        ),
        Operation(
            method="DELETE", path=path + "/{id}", name=f"remove_{word}", handler=remove, scope="admin",
            about=f"Remove a {word}.", answers={204: None}, problems=(404,),
        ),
    )  # fmt: skip


_USERS, _MEMBERS = "/v1/users", "/v1/groups/{id}/members"
OPERATIONS = (
    Operation(
        method="GET", path=_USERS, name="list_users", handler=users, scope="read",
        about="The users of the tenant.", answers={200: UserList}, problems=(),
        parameters=(
            Parameter(name="kind", about="Only people (human) or agents (agent)."),
            Parameter(name="email", about="The one of this e-mail address."),
            Parameter(name="outside_id", about="The one whom another system calls so."),
            Parameter(name="deleted", about="Those who were deleted, too.", kind=bool),
            *lists.PARAMETERS,
        ),
    ),
    Operation(
        method="POST", path=_USERS, name="create_user", handler=create_user, scope="admin",
        about="Add a person or an agent.", body=NewUser, answers={201: User}, problems=(409,),
    ),
    Operation(
        method="GET", path=_USERS + "/{id}", name="get_user", handler=show_user, scope="read",
        about="Look at one user.", answers={200: User}, problems=(404,),
    ),
    Operation(
        method="PATCH", path=_USERS + "/{id}", name="change_user", handler=change_user, scope="admin",
        about="Change a user.", body=UserChange, answers={200: User}, problems=(404, 409),
    ),
    Operation(
        method="DELETE", path=_USERS + "/{id}", name="remove_user", handler=remove_user, scope="admin",
        about="Delete a user.", answers={204: None}, problems=(404,),
    ),
    Operation(
        method="POST", path=_USERS + "/{id}/undelete", name="undelete_user", handler=undelete_user, scope="admin",
        about="Take the deletion of a user back.", answers={200: User}, problems=(404, 409),
    ),
    *_crud("workspaces", Workspace, WorkspaceList),
    *_crud("groups", Group, GroupList),
    Operation(
        method="GET", path=_MEMBERS, name="list_members", handler=members, scope="read",
        about="Who is in a group.", answers={200: MemberList}, problems=(404,), parameters=lists.PARAMETERS,
    ),
    Operation(
        method="POST", path=_MEMBERS, name="add_member", handler=add_member, scope="admin",
        about="Have a user in a group.", body=NewMember, answers={201: GroupMember}, problems=(404,),
    ),
    Operation(
        method="DELETE", path=_MEMBERS, name="remove_member", handler=remove_member, scope="admin",
        about="Have a user in a group no more.", answers={204: None}, problems=(404,),
        parameters=(Parameter(name="user_id", about="The user: any name, so not in the path.", required=True),),
    ),
)  # fmt: skip
