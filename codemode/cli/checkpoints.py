"""`codemode sessions checkpoint` and its relatives: copies of a session, and the ways back."""

from __future__ import annotations

from typing import Any

import click

from codemode.cli.app import App, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import printable, relative, size, warn
from codemode.cli.table import show
from codemode.counts import plural


@command("checkpoint")
@click.argument("session_id", metavar="SESSION")
@click.argument("name", metavar="NAME")
@click.option("--replace", is_flag=True, help="Replace the checkpoint of that name.")
@tenant_option
def checkpoint(app: App, session_id: str, name: str, replace: bool, tenant: str) -> None:
    """Keep a copy of a session's data under a name."""
    with app.worker() as worker:
        made = app.session(worker, session_id, tenant).checkpoint(name, replace=replace)
    app.say(made, f"{session_id}: checkpoint {made.name}, {size(made.size_bytes)}", session_id=session_id)


@command("checkpoints")
@click.argument("session_id", metavar="SESSION")
@click.option("--rm", "removed", multiple=True, metavar="NAME", help="Delete this checkpoint; may be repeated.")
@tenant_option
def checkpoints(app: App, session_id: str, removed: tuple[str, ...], tenant: str) -> None:
    """List the checkpoints of a session, the oldest first."""
    with app.worker() as worker:
        session = app.session(worker, session_id, tenant)
        for name in removed:
            session.delete_checkpoint(name)
        found = session.checkpoints()
    if app.as_json:
        app.answer(found, session_id=session_id)
    else:
        rows = [[c.name, relative(c.created_at), size(c.size_bytes)] for c in found]
        show(["checkpoint", "made", "size"], rows, none="no checkpoints")


@command("restore", short_help="Put a session's data back to a checkpoint.")
@click.argument("session_id", metavar="SESSION")
@click.argument("name", metavar="NAME")
@tenant_option
def restore(app: App, session_id: str, name: str, tenant: str) -> None:
    """Make a session's data what it was at a checkpoint, which stays."""
    with app.worker() as worker:
        found = app.session(worker, session_id, tenant).restore(name)
    app.say(found, f"{session_id} is as it was at {found.name}, {relative(found.created_at)}", session_id=session_id)


@command("undo", short_help="Take the last change of a session back.")
@click.argument("session_id", metavar="SESSION")
@tenant_option
def undo(app: App, session_id: str, tenant: str) -> None:
    """Take the last change of a session back: an execution, an import, a restore. Again: the one before."""
    with app.worker() as worker:
        undone = app.session(worker, session_id, tenant).undo()
    _answer(app, session_id, undone, "took back")


@command("redo", short_help="Do again what was undone last.")
@click.argument("session_id", metavar="SESSION")
@tenant_option
def redo(app: App, session_id: str, tenant: str) -> None:
    """Do again what was undone last, where nothing was written since."""
    with app.worker() as worker:
        undone = app.session(worker, session_id, tenant).redo()
    _answer(app, session_id, undone, "did again")


def _answer(app: App, session_id: str, undone: Any, done: str) -> None:
    what = {"host": "a call of the host", "execution": f"execution {undone.execution_id}"}.get(undone.what, undone.what)
    app.say(undone, f"{session_id}: {done} {what}, {relative(undone.timestamp)}", session_id=session_id)


@command("fork", short_help="Make a new session with the data of another one.")
@click.argument("session_id", metavar="SESSION")
@click.argument("new_id", metavar="[NEW]", required=False)
@click.option("--checkpoint", metavar="NAME", help="Take the data of this checkpoint, not what is there now.")
@tenant_option
def fork(app: App, session_id: str, new_id: str | None, checkpoint: str | None, tenant: str) -> None:
    """Make a new session with the data of another one; without NEW it gets an id of its own."""
    with app.worker() as worker:
        forked = app.session(worker, session_id, tenant).fork(new_id, checkpoint=checkpoint)
        tables, info = len(forked.get_tables()), worker.info(forked.id, tenant)
    app.say(info, f"{forked.id}: a session of its own with {plural(tables, 'table')}", session_id=session_id)


@command("diff", short_help="Show what leads from one checkpoint to another, or to now.")
@click.argument("session_id", metavar="SESSION")
@click.argument("a", metavar="A")
@click.argument("b", metavar="[B]", required=False)
@click.option("--sample", default=5, metavar="N", help="Rows shown of each kind and table, at most 100.")
@tenant_option
def diff(app: App, session_id: str, a: str, b: str | None, sample: int, tenant: str) -> None:
    """Show what leads from checkpoint A to checkpoint B, or to what is there now."""
    with app.worker() as worker:
        found = app.session(worker, session_id, tenant).diff(a, b, sample=sample)
    if app.as_json:
        app.answer(found, session_id=session_id)
        return
    if not (found.tables or found.schema):
        click.echo("no differences")
    for change in found.schema:
        click.echo(f"{change.type} {printable(change.name)} {change.change}{_columns(change)}")
    if found.tables:
        show(["table", "added", "removed", "changed"], [[t.table, t.added, t.removed, t.changed] for t in found.tables])
    for table in found.tables:
        _show_rows(table)
    if not found.complete:
        warn("not everything was compared: there may be more differences")


def _columns(change: Any) -> str:
    if change.columns is None:
        return ""
    parts = [
        (sign, getattr(change.columns, name)) for sign, name in (("+", "added"), ("-", "removed"), ("~", "changed"))
    ]
    listed = ", ".join(f"{sign}{printable(column)}" for sign, names in parts for column in names)
    return f" ({listed})" if listed else ""


def _show_rows(table: Any) -> None:
    lines = [("-", _told(row)) for row in table.removed_sample] + [("+", _told(row)) for row in table.added_sample]
    lines += [("~", f"{_told(r['key'])}: {_told(r['before'])} → {_told(r['after'])}") for r in table.changed_sample]
    if table.note or lines:
        click.echo(f"\n{printable(table.table)}")
    if table.note:
        click.echo(f"  {printable(table.note)}")
    for sign, text in lines:
        click.echo(f"  {sign} {text}")


def _told(row: dict[str, Any]) -> str:
    return printable(", ".join(f"{name} {value!r}" for name, value in row.items()))


VERBS = (checkpoint, checkpoints, restore, undo, redo, fork, diff)
