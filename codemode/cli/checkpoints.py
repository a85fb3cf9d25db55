"""`codemode sessions checkpoint` and its relatives: copies of a session, and the ways back."""

from __future__ import annotations

import click

from codemode.cli.app import App, command
from codemode.cli.output import plural, relative, size
from codemode.cli.table import show


@command("checkpoint")
@click.argument("session_id", metavar="SESSION")
@click.argument("name", metavar="NAME")
@click.option("--replace", is_flag=True, help="Replace the checkpoint of that name.")
def checkpoint(app: App, session_id: str, name: str, replace: bool) -> None:
    """Keep a copy of a session's data under a name."""
    with app.worker() as worker:
        made = worker.session(session_id, create=False).checkpoint(name, replace=replace)
    if app.as_json:
        app.answer(made, session_id=session_id)
    else:
        click.echo(f"{session_id}: checkpoint {made.name}, {size(made.size_bytes)}")


@command("checkpoints")
@click.argument("session_id", metavar="SESSION")
@click.option("--rm", "removed", multiple=True, metavar="NAME", help="Delete this checkpoint; may be repeated.")
def checkpoints(app: App, session_id: str, removed: tuple[str, ...]) -> None:
    """List the checkpoints of a session, the oldest first."""
    with app.worker() as worker:
        session = worker.session(session_id, create=False)
        for name in removed:
            session.delete_checkpoint(name)
        found = session.checkpoints()
    if app.as_json:
        app.answer(found, session_id=session_id)
    elif found:
        show(["checkpoint", "made", "size"], [[c.name, relative(c.created_at), size(c.size_bytes)] for c in found])
    else:
        click.echo("no checkpoints", err=True)


@command("restore")
@click.argument("session_id", metavar="SESSION")
@click.argument("name", metavar="NAME")
def restore(app: App, session_id: str, name: str) -> None:
    """Make a session's data what it was at a checkpoint, which stays."""
    with app.worker() as worker:
        found = worker.session(session_id, create=False).restore(name)
    if app.as_json:
        app.answer(found, session_id=session_id)
    else:
        click.echo(f"{session_id} is as it was at {found.name}, {relative(found.created_at)}")


@command("fork")
@click.argument("session_id", metavar="SESSION")
@click.argument("new_id", metavar="[NEW]", required=False)
@click.option("--checkpoint", metavar="NAME", help="Take the data of this checkpoint, not what is there now.")
def fork(app: App, session_id: str, new_id: str | None, checkpoint: str | None) -> None:
    """Make a new session with the data of another one; without NEW it gets an id of its own."""
    with app.worker() as worker:
        forked = worker.session(session_id, create=False).fork(new_id, checkpoint=checkpoint)
        tables = len(forked.get_tables())
    if app.as_json:
        app.answer({"session_id": forked.id, "tables": tables}, session_id=session_id)
    else:
        click.echo(f"{forked.id}: a session of its own with {plural(tables, 'table')}")


VERBS = (checkpoint, checkpoints, restore, fork)
