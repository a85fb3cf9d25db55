"""`codemode workspaces` and `codemode groups`: where sessions belong, and which users belong together."""

from __future__ import annotations

import click

from codemode.cli import records
from codemode.cli.app import App, group
from codemode.cli.fields import metadata_option
from codemode.cli.records import Kind

_description = click.option("--description", metavar="TEXT", help="What it is for.")


def _verbs(noun: str) -> list[click.Command]:
    """What both have in common."""
    word = noun[:-1]
    columns = {word: "id", "name": "name", "description": "description", "since": "created_at"}
    kind = Kind(noun, word, (f"{word}_id",), columns)
    return [
        records.ls(kind, f"List the {noun} by their ids."),
        records.show(kind, f"Show one {word}."),
        records.add(
            kind, f"Add a {word}; its name is its alone in the tenant.", click.argument("name", metavar="NAME"),
            click.option("--id", "record_id", metavar="ID", help="Its id; without one, one is minted."), _description,
            metadata_option,
        ),
        records.change(
            kind, f"Change what is given of a {word}.", click.option("--name", metavar="NAME", help="Its name."),
            _description, metadata_option,
        ),
        records.rm(kind, f"Remove a {word}; what it held together stays."),
    ]  # fmt: skip


MEMBERS = Kind("groups", "user", ("group_id", "user_id"), {"user": "user_id", "since": "joined_at"}, "nobody")


def _leave(app: App, group_id: str, user_id: str, tenant: str) -> None:
    with app.worker() as worker:
        app.records(worker, tenant).groups.remove_member(group_id, user_id)
        app.record(worker, "remove_member", f"{group_id} {user_id}", tenant)
    app.say({"removed": True}, f"{user_id} is in {group_id} no more")


workspaces = group("workspaces", "List, show, add, change and remove the workspaces that sessions belong to.")
for each in _verbs("workspaces"):
    workspaces.add_command(each)
groups = group("groups", "List, show, add, change and remove groups of users, and say who is in them.")
for each in (
    *_verbs("groups"),
    records.ls(MEMBERS, "List who is in a group.", verb="members", by="members"),
    records.add(
        MEMBERS, "Have a user in a group.", *MEMBERS.parameters, verb="join", by="add", act="add_member",
        says=lambda one: f"{one.user_id} is in {one.group_id}",
    ),
    records.made_of("leave", "Have a user in a group no more.", MEMBERS.parameters, _leave),
):  # fmt: skip
    groups.add_command(each)
