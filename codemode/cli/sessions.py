"""`codemode sessions`: what sessions there are, and what is done with one as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli import checkpoints, participants
from codemode.cli.app import App, command, group
from codemode.cli.output import moment, plural, relative, size
from codemode.cli.table import show

if TYPE_CHECKING:
    from codemode.session.session import Session
    from codemode.values import TableChange
    from codemode.values.records import Due

_CHANGES = 10_000  # of all tables together: more than a session of a hundred tables keeps


sessions = group("sessions", "List, show, share, pin, compact and remove sessions; checkpoint, restore and fork them.")


_tenant = click.option("--tenant", default="local", metavar="TENANT", help="Whose they are.")


@command("ls", short_help="List the sessions, the last used first.")
@_tenant
def ls(app: App, tenant: str) -> None:
    """List the sessions, the last used first; expired ones are known for 90 days."""
    with app.worker() as worker:
        found = sorted(worker.sessions(tenant), key=lambda info: info.last_activity, reverse=True)
    if app.as_json:
        app.answer(found)
    elif found:
        columns = ["session", "last used", "expires", "size", "state"]
        show(columns, [[i.id, relative(i.last_activity), _expiry(i), size(i.size_bytes), _state(i)] for i in found])
    else:
        click.echo("no sessions", err=True)


def _state(info: Any) -> str:
    return f"{info.state}, stateful" if info.stateful else str(info.state)


def _expiry(info: Any) -> str:
    return "never (pinned)" if info.pinned or not info.expires_at else relative(info.expires_at)


@command("show", short_help="Show one session and its tables.")
@click.argument("session_id", metavar="SESSION")
@_tenant
def show_session(app: App, session_id: str, tenant: str) -> None:
    """Show one session and its tables, with what changed each of them last."""
    with app.worker() as worker:
        info = worker.info(session_id, tenant)
        tables = [] if info.state == "expired" else _tables(worker.session(session_id, create=False, tenant=tenant))
    if app.as_json:
        import msgspec

        app.answer({**msgspec.to_builtins(info), "tables": tables})
        return
    lines = {
        "session": info.id,
        **({"owner": info.owner} if info.owner else {}),
        "state": _state(info),
        "created": moment(info.created_at),
        "last used": f"{moment(info.last_activity)} ({relative(info.last_activity)})",
        "expires": _expiry(info),
        "size": size(info.size_bytes),
    }
    for label, text in lines.items():
        click.echo(f"{label:<14} {text}")
    if tables:
        click.echo()
        show(["table", "rows", "size", "last changed", "by"], list(map(_table_row, tables)))


def _tables(session: Session) -> list[dict[str, Any]]:
    newest: dict[str, TableChange] = {}
    for change in session.table_changes(limit=_CHANGES):
        newest.setdefault(change.table.lower(), change)
    return [{**table, "last_change": newest.get(table["name"].lower())} for table in session.metrics()["tables"]]


def _table_row(table: dict[str, Any]) -> list[Any]:
    change = table["last_change"]
    when, by = (relative(change.last_at), change.execution_id) if change else ("", "")
    return [table["name"], table["rows"], size(table["bytes"] or 0), when, by]


@command("rm")
@click.argument("session_ids", nargs=-1, required=True, metavar="SESSION...")
@_tenant
def rm(app: App, session_ids: tuple[str, ...], tenant: str) -> None:
    """Remove sessions with everything in them, at once and for good."""
    with app.worker() as worker:
        for session_id in session_ids:
            worker.info(session_id, tenant)  # all of them exist, or none is removed
        for session_id in session_ids:
            worker.remove(session_id, tenant)
            app.record(worker, "delete_session", session_id, tenant)
    if app.as_json:
        app.answer(session_ids)
    else:
        click.echo(f"removed {', '.join(session_ids)}")


@command("pin")
@click.argument("session_id", metavar="SESSION")
@click.option("--off", is_flag=True, help="Let it expire again.")
@_tenant
def pin(app: App, session_id: str, off: bool, tenant: str) -> None:
    """Keep a session from expiring."""
    with app.worker() as worker:
        worker.pin(session_id, pinned=not off, tenant=tenant)
        app.record(worker, "change_session", f"{session_id} {'unpinned' if off else 'pinned'}", tenant)
        info = worker.info(session_id, tenant)
    if app.as_json:
        app.answer(info)
    else:
        click.echo(f"{info.id} expires: {_expiry(info)}")


@command("compact")
@click.argument("session_id", metavar="SESSION")
def compact(app: App, session_id: str) -> None:
    """Give the space of deleted rows back to the disk."""
    with app.worker() as worker:
        sizes = worker.session(session_id, create=False).compact()
    if app.as_json:
        app.answer(sizes, session_id=session_id)
    else:
        click.echo(f"{session_id}: {size(sizes['before'])} before, {size(sizes['after'])} now")


@command("sweep", short_help="Remove what has expired, or say what would go.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
def sweep(app: App, dry_run: bool) -> None:
    """Remove the data of the sessions that have expired, and what the catalogue kept for long enough."""
    with app.worker() as worker:
        if dry_run:
            _would_go(app, worker.due())
            return
        expired = worker.sweep()
        app.record(worker, "sweep", plural(len(expired), "session"))
    if app.as_json:
        app.answer(expired)
    else:
        click.echo(f"{plural(len(expired), 'session')} expired" + (f": {', '.join(expired)}" if expired else ""))


def _would_go(app: App, due: Due) -> None:
    if app.as_json:
        app.answer(due)
        return
    names = ", ".join(due.sessions)
    click.echo(f"{plural(len(due.sessions), 'session')} would expire" + (f": {names}" if names else ""))
    show(["would be removed", "rows"], [[what, number] for what, number in due.rows.items()])


for verb in (ls, show_session, rm, pin, compact, sweep, *checkpoints.VERBS, *participants.VERBS):
    sessions.add_command(verb)
