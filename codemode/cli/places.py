"""`codemode workspaces` and `codemode groups`: where sessions belong, and which users belong together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import click

from codemode.cli.app import App, command, group
from codemode.cli.fields import changed, from_json, limit_option, metadata_option, show_fields, tenant_option
from codemode.cli.lists import every
from codemode.cli.output import moment
from codemode.cli.table import show

if TYPE_CHECKING:
    from codemode.catalog.groups import Groups
    from codemode.catalog.workspaces import Workspaces
    from codemode.worker import Worker

Noun = Literal["workspaces", "groups"]
workspaces = group("workspaces", "List, show, add, change and remove the workspaces that sessions belong to.")
groups = group("groups", "List, show, add, change and remove groups of users, and say who is in them.")
_description = click.option("--description", metavar="TEXT", help="What it is for.")


def _known(app: App, worker: Worker, tenant: str, noun: Noun) -> Workspaces | Groups:
    records = app.records(worker, tenant)
    return records.workspaces if noun == "workspaces" else records.groups


def _which(noun: Noun) -> Callable[[Any], Any]:
    return click.argument("record_id", metavar=noun[:-1].upper())


def _ls(noun: Noun) -> click.Command:
    """All of them."""
    word = noun[:-1]

    @command("ls", help=f"List the {noun} by their ids.")
    @limit_option
    @tenant_option
    def ls(app: App, limit: int, tenant: str) -> None:
        with app.worker() as worker:
            found: list[Any] = every(_known(app, worker, tenant, noun).page, limit)
        if app.as_json:
            app.answer(found)
        elif found:
            rows = [[each.id, each.name, each.description, moment(each.created_at)] for each in found]
            show([word, "name", "description", "since"], rows, whole=[word])
        else:
            click.echo(f"no {noun}", err=True)

    return ls


def _show_one(noun: Noun) -> click.Command:
    """One of them, whole."""
    word = noun[:-1]

    @command("show", help=f"Show one {word}.")
    @_which(noun)
    @tenant_option
    def show_one(app: App, record_id: str, tenant: str) -> None:
        with app.worker() as worker:
            found = _known(app, worker, tenant, noun).get(record_id)
        app.show(found, show_fields)

    return show_one


def _add(noun: Noun) -> click.Command:
    """A new one."""
    word = noun[:-1]

    @command("add", help=f"Add a {word}; its name is its alone in the tenant.")
    @click.argument("name", metavar="NAME")
    @click.option("--id", "record_id", metavar="ID", help="Its id; without one, one is minted.")
    @_description
    @metadata_option
    @tenant_option
    def add(
        app: App, name: str, record_id: str | None, description: str | None, metadata: str | None, tenant: str
    ) -> None:
        from codemode.database.clock import now_ms

        fields = from_json(metadata, "--metadata")
        with app.worker() as worker:
            made = _known(app, worker, tenant, noun).create(
                name, now=now_ms(), record_id=record_id, description=description or "", metadata=fields
            )
            app.record_change(worker, f"create_{word}", made.id, tenant, None, made)
        app.show(made, lambda one: click.echo(one.id))

    return add


def _change(noun: Noun) -> click.Command:
    """Another name, description or metadata."""
    word = noun[:-1]

    @command("set", help=f"Change what is given of a {word}.")
    @_which(noun)
    @click.option("--name", metavar="NAME", help="Its name.")
    @_description
    @metadata_option
    @tenant_option
    def change(
        app: App, record_id: str, name: str | None, description: str | None, metadata: str | None, tenant: str
    ) -> None:
        from codemode.database.clock import now_ms

        given = changed(name=name, description=description, metadata=from_json(metadata, "--metadata"))
        with app.worker() as worker:
            known = _known(app, worker, tenant, noun)
            with app.records(worker, tenant).at_once():
                old = known.get(record_id)
                new = known.update(record_id, now=now_ms(), **given)
            app.record_change(worker, f"change_{word}", record_id, tenant, old, new)
        app.show(new, show_fields)

    return change


def _rm(noun: Noun) -> click.Command:
    """One that goes."""
    word = noun[:-1]

    @command("rm", help=f"Remove a {word}; what it held together stays.")
    @_which(noun)
    @tenant_option
    def rm(app: App, record_id: str, tenant: str) -> None:
        with app.worker() as worker:
            known = _known(app, worker, tenant, noun)
            with app.records(worker, tenant).at_once():
                old = known.get(record_id)
                known.remove(record_id)
            app.record_change(worker, f"remove_{word}", record_id, tenant, old, None)
        app.show(old, lambda one: click.echo(f"removed {one.id}"))

    return rm


# What both have in common.
_COMMON = (_ls, _show_one, _add, _change, _rm)
_group = click.argument("group_id", metavar="GROUP")
_user = click.argument("user_id", metavar="USER")


@command("members")
@_group
@limit_option
@tenant_option
def members(app: App, group_id: str, limit: int, tenant: str) -> None:
    """List who is in a group."""
    with app.worker() as worker:
        known = app.records(worker, tenant).groups
        known.get(group_id)
        found = every(partial(known.members, group_id), limit)
    if app.as_json:
        app.answer(found)
    elif found:
        show(["user", "since"], [[each.user_id, moment(each.joined_at)] for each in found], whole=["user"])
    else:
        click.echo("nobody", err=True)


@command("join")
@_group
@_user
@tenant_option
def join(app: App, group_id: str, user_id: str, tenant: str) -> None:
    """Have a user in a group."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        found = app.records(worker, tenant).groups.add(group_id, user_id, now=now_ms())
        app.record_change(worker, "add_member", f"{group_id} {user_id}", tenant, None, None)
    app.show(found, lambda one: click.echo(f"{one.user_id} is in {one.group_id}"))


@command("leave")
@_group
@_user
@tenant_option
def leave(app: App, group_id: str, user_id: str, tenant: str) -> None:
    """Have a user in a group no more."""
    with app.worker() as worker:
        app.records(worker, tenant).groups.remove_member(group_id, user_id)
        app.record_change(worker, "remove_member", f"{group_id} {user_id}", tenant, None, None)
    if app.as_json:
        app.answer({"removed": True})
    else:
        click.echo(f"{user_id} is in {group_id} no more")


for each in _COMMON:
    workspaces.add_command(each("workspaces"))
    groups.add_command(each("groups"))
for membership in (members, join, leave):
    groups.add_command(membership)
