"""`codemode users`: the people and agents of a tenant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from codemode.cli.app import App, command, group
from codemode.cli.fields import changed, from_json, limit_option, metadata_option, show_fields, tenant_option
from codemode.cli.lists import every
from codemode.cli.output import moment
from codemode.cli.table import show
from codemode.errors import RecordNotFound, RequestInvalid

if TYPE_CHECKING:
    from codemode.values.records import User

users = group("users", "List, show, add, change and delete the people and agents of a tenant.")
_kind = click.Choice(["human", "agent"])
_name = click.option("--name", "display_name", metavar="NAME", help="What people call him.")
_email = click.option("--email", metavar="EMAIL", help="His alone in the tenant.")
_outside = click.option("--outside-id", metavar="ID", help="What another system calls him; kept as a keyed hash.")
_user = click.argument("user_id", metavar="USER")


@command("ls")
@click.option("--kind", type=_kind, help="Only these.")
@click.option("--email", metavar="EMAIL", help="The one who has it.")
@click.option("--outside-id", metavar="ID", help="The one whom another system calls so.")
@click.option("--deleted", is_flag=True, help="Those who were deleted, too.")
@limit_option
@tenant_option
def ls(
    app: App, kind: str | None, email: str | None, outside_id: str | None, deleted: bool, limit: int, tenant: str
) -> None:
    """List the users by their ids."""
    if email is not None and outside_id is not None:
        raise RequestInvalid("one user is looked for by e-mail or by outside id", hint="give one of them")
    with app.worker() as worker:
        known = app.records(worker, tenant).users
        if email is not None:
            found = _one(known.by_email, email, kind)
        elif outside_id is not None:
            found = _one(known.by_outside_id, outside_id, kind)
        else:
            found = every(partial(known.page, kind=kind, deleted=deleted), limit)
    if app.as_json:
        app.answer(found)
    elif found:
        columns = ["user", "kind", "name", "email", "since", *(["deleted"] if deleted else [])]
        rows = [
            [each.id, each.kind, each.display_name, each.email or "", moment(each.created_at),
             *([moment(each.deleted_at or "")] if deleted else [])]
            for each in found
        ]  # fmt: skip
        show(columns, rows, whole=["user"])
    else:
        click.echo("no users", err=True)


def _one(look_up: Callable[[str], User], text: str, kind: str | None) -> list[User]:
    try:
        found = look_up(text)
    except RecordNotFound:
        return []
    return [found] if kind in (None, found.kind) else []


@command("show")
@_user
@tenant_option
def show_user(app: App, user_id: str, tenant: str) -> None:
    """Show one user, deleted ones too."""
    with app.worker() as worker:
        found = app.records(worker, tenant).users.get(user_id)
    app.show(found, show_fields)


@command("add", short_help="Add a person or an agent.")
@click.argument("user_id", metavar="[USER]", required=False)
@click.option("--kind", type=_kind, default="human", help="What he is.")
@_name
@_email
@_outside
@metadata_option
@tenant_option
def add(
    app: App,
    user_id: str | None,
    kind: str,
    display_name: str | None,
    email: str | None,
    outside_id: str | None,
    metadata: str | None,
    tenant: str,
) -> None:
    """Add a person or an agent; without an id one is minted. Tokens that are made for the id are his."""
    from codemode.database.clock import now_ms

    fields = from_json(metadata, "--metadata")
    with app.worker() as worker:
        made = app.records(worker, tenant).users.create(
            user_id, now=now_ms(), kind=kind, display_name=display_name or "", email=email, outside_id=outside_id,
            metadata=fields,
        )  # fmt: skip
        app.record_change(worker, "create_user", made.id, tenant, None, made)
    app.show(made, lambda user: click.echo(user.id))


@command("set", short_help="Change what is given of a user.")
@_user
@click.option("--kind", type=_kind, help="What he is.")
@_name
@_email
@_outside
@metadata_option
@tenant_option
def set_user(
    app: App,
    user_id: str,
    kind: str | None,
    display_name: str | None,
    email: str | None,
    outside_id: str | None,
    metadata: str | None,
    tenant: str,
) -> None:
    """Change what is given of a user; an empty --email or --outside-id takes it away."""
    from codemode.database.clock import now_ms

    given = changed(
        kind=kind, display_name=display_name, email=email, outside_id=outside_id,
        metadata=from_json(metadata, "--metadata"),
    )  # fmt: skip
    given |= {name: given[name] or None for name in ("email", "outside_id") if name in given}
    with app.worker() as worker:
        known = app.records(worker, tenant).users
        with app.records(worker, tenant).at_once():
            old = known.get(user_id)
            new = known.update(user_id, now=now_ms(), **given)
        app.record_change(worker, "change_user", user_id, tenant, old, new)
    app.show(new, show_fields)


@command("rm", short_help="Delete a user.")
@_user
@tenant_option
def rm(app: App, user_id: str, tenant: str) -> None:
    """Delete a user: his tokens are refused, he is in no session and no group; what he said and did stays."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        known = app.records(worker, tenant).users
        with app.records(worker, tenant).at_once():
            old = known.get(user_id)
            gone = known.remove(user_id, now=now_ms())
        app.record_change(worker, "remove_user", user_id, tenant, old, gone)
    app.show(gone, lambda user: click.echo(f"deleted {user.id}"))


for each in (ls, show_user, add, set_user, rm):
    users.add_command(each)
