"""`codemode sessions share`, `unshare` and `participants`: who takes part in a session of the service, and as what."""

from __future__ import annotations

import click

from codemode.cli import records
from codemode.cli.app import App
from codemode.cli.fields import metadata_option
from codemode.cli.records import Kind, named

_user = click.option(
    "--user", "user_id", required=True, metavar="USER", help="A user or agent: what tokens are bound to."
)
_role = click.Choice(["owner", "member", "viewer"])


PARTICIPANTS = Kind(
    "participants", "user", ("session_id", "user_id"),
    {"user": "user_id", "role": "role", "joined": "joined_at", "left": "left_at", "metadata": "metadata"},
    "nobody in particular: tokens of the whole tenant reach it", (named("session_id"), _user),
)  # fmt: skip


def _unshare(app: App, session_id: str, user_id: str, tenant: str) -> None:
    from codemode.service.participants import left

    with app.worker() as worker:
        app.check_tenant(worker, tenant)
        removed, change = left(worker, tenant, worker.info(session_id, tenant).id, user_id)
        old, new = (change.old, change.new) if change else (None, None)
        app.record(worker, "remove_participant", f"{session_id} {user_id}", tenant, old, new)
    app.say({"removed": removed}, f"{user_id} {'takes part no more' if removed else 'took no part'} in {session_id}")


VERBS = (
    records.put(
        PARTICIPANTS, "Let tokens of a user reach a session.\n\nOf one who takes part already, what is given changes.",
        click.option(
            "--role", type=_role,
            help="A viewer reads, a member runs snippets and loads data, an owner also shares, bounds and removes it. "
            "Who is new is a member unless it is said.",
        ),
        metadata_option, verb="share", act="add_participant", keep=("role",), also=("role",),
        says=lambda one, keys: f"{one.user_id} is {one.role} of {keys[0]}",
    ),
    records.made_of("unshare", "Keep tokens of a user from a session.", PARTICIPANTS.parameters, _unshare),
    records.ls(
        PARTICIPANTS, "List who takes part in a session, and who left it.",
        click.option("--role", type=_role, help="Only those with this role."), verb="participants", left=True,
    ),
)  # fmt: skip
