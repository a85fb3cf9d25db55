"""`codemode users`: the people and agents of a tenant."""

from __future__ import annotations

from collections.abc import Callable

import click

from codemode.cli import records
from codemode.cli.app import App, group
from codemode.cli.fields import metadata_option, text_or_none
from codemode.cli.records import Kind, named

USERS = Kind(
    "users", "user", ("user_id",),
    {"user": "id", "kind": "kind", "name": "display_name", "email": "email", "since": "created_at",
     "deleted": "deleted_at"},
)  # fmt: skip
_kind = click.Choice(["human", "agent"])
_said = (
    click.option("--kind", type=_kind, help="What he is; `human` unless it is said."),
    click.option("--name", "display_name", metavar="NAME", help="What people call him."),
    click.option("--email", type=text_or_none, metavar="EMAIL", help="His alone in the tenant."),
    click.option(
        "--outside-id", type=text_or_none, metavar="ID", help="What another system calls him; kept as a keyed hash."
    ),
    metadata_option,
)  # fmt: skip


def _done(act: str, by: str, says: str) -> Callable[..., None]:
    """What deletes a user, or takes that back."""

    def call(app: App, user_id: str, tenant: str) -> None:
        from codemode.database.clock import now_ms

        with app.worker() as worker:
            records = app.records(worker, tenant)
            with records.at_once():
                old = records.users.get(user_id)
                new = getattr(records.users, by)(user_id, now=now_ms())
            if new == old:
                app.say(new, f"{new.id} is not deleted")
                return
            app.record(worker, act, user_id, tenant, old, new)
        app.say(new, says.format(new.id))

    return call


users = group("users", "List, show, add, change, delete and undelete the people and agents of a tenant.")
for each in (
    records.ls(
        USERS, "List the users by their ids.", click.option("--kind", type=_kind, help="Only these."),
        click.option("--email", metavar="EMAIL", help="The one who has it."),
        click.option("--outside-id", metavar="ID", help="The one whom another system calls so."),
        click.option("--deleted", is_flag=True, help="Those who were deleted, too."),
    ),
    records.show(USERS, "Show one user, deleted ones too."),
    records.add(
        USERS, "Add a person or an agent.\n\nWithout an id one is minted. Tokens that are made for the id are his.",
        click.argument("user_id", metavar="[USER]", required=False), *_said,
    ),
    records.change(
        USERS, "Change what is given of a user.\n\nAn empty --email or --outside-id takes it away.", *_said
    ),
    records.made_of(
        "rm",
        "Delete a user.\n\nHis tokens are revoked, he is in no session and no group; what he said and did stays. He is "
        "forgotten 90 days later. Until then `undelete` takes him back.",
        [named("user_id")], _done("remove_user", "remove", "deleted {}"),
    ),
    records.made_of(
        "undelete",
        "Take the deletion of a user back.\n\nHis tokens stay revoked, and he is in no session and no group yet.",
        [named("user_id")], _done("undelete_user", "take_back", "{} is a user again; make tokens for him"),
    ),
):  # fmt: skip
    users.add_command(each)
