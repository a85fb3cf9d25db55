"""`codemode sessions share` and `unshare`: who takes part in a session of the service, and as what."""

from __future__ import annotations

from functools import partial

import click

from codemode.cli.app import App, command
from codemode.cli.lists import every
from codemode.cli.output import moment
from codemode.cli.table import show

_tenant = click.option("--tenant", default="local", metavar="TENANT", help="Whose session it is.")
_user = click.option("--user", required=True, metavar="USER", help="A user or agent: what tokens are bound to.")


@command("share")
@click.argument("session_id", metavar="SESSION")
@_user
@click.option(
    "--role", type=click.Choice(["owner", "member", "viewer"]), default="member",
    help="A viewer reads, a member runs snippets and loads data, an owner also shares, bounds and removes it.",
)  # fmt: skip
@_tenant
def share(app: App, session_id: str, user: str, role: str, tenant: str) -> None:
    """Let tokens of a user reach a session."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        worker.session(session_id, create=False, tenant=tenant)
        added = worker.of(tenant).participants.put(session_id, user, now=now_ms(), role=role)
        app.record(worker, "add_participant", f"{session_id} {user} {role}", tenant)
    if app.as_json:
        app.answer(added)
    else:
        click.echo(f"{user} is {role} of {session_id}")


@command("unshare")
@click.argument("session_id", metavar="SESSION")
@_user
@_tenant
def unshare(app: App, session_id: str, user: str, tenant: str) -> None:
    """Keep tokens of a user from a session."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        session = worker.info(session_id, tenant)
        removed = worker.participants.remove(tenant, session.id, user, now_ms())
        app.record(worker, "remove_participant", f"{session_id} {user}", tenant)
    if app.as_json:
        app.answer({"removed": removed})
    else:
        click.echo(f"{user} {'takes part no more' if removed else 'took no part'} in {session_id}")


@command("participants")
@click.argument("session_id", metavar="SESSION")
@_tenant
def participants(app: App, session_id: str, tenant: str) -> None:
    """List who takes part in a session, and who left it."""
    with app.worker() as worker:
        session = worker.info(session_id, tenant)
        found = every(partial(worker.of(tenant).participants.page, session.id, left=True))
    if app.as_json:
        app.answer(found)
    elif found:
        rows = [[each.user_id, each.role, moment(each.joined_at), moment(each.left_at or "")] for each in found]
        show(["user", "role", "joined", "left"], rows)
    else:
        click.echo("nobody in particular: tokens of the whole tenant reach it", err=True)


VERBS = (share, unshare, participants)
