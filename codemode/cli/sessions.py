"""`codemode sessions`: what sessions there are, and what is done with one as a whole."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from codemode.cli import checkpoints, participants, session_fields
from codemode.cli.app import App, command, group
from codemode.cli.bounds import held
from codemode.cli.fields import limit_option, tenant_option
from codemode.cli.lists import Columns, every, tell
from codemode.cli.output import moment, printable, relative, size
from codemode.cli.records import check
from codemode.cli.table import cell_text, show
from codemode.counts import plural
from codemode.database.names import folded

if TYPE_CHECKING:
    from codemode.session.session import Session
    from codemode.values import SessionInfo, TableChange
    from codemode.values.records import Due, Page
    from codemode.worker import Worker

_CHANGES = 10_000  # of all tables together: more than a session of a hundred tables keeps


sessions = group(
    "sessions", "List, show, add, set, share, pin, compact and remove sessions; checkpoint, restore and fork them."
)


def _state(info: SessionInfo) -> str:
    return f"{info.status}, stateful" if info.stateful else info.status


def _expiry(info: SessionInfo) -> str:
    return "never (pinned)" if info.pinned or not info.expires_at else relative(info.expires_at)


_COLUMNS: Columns = {
    "session": "id",
    "workspace": "workspace_id",
    "type": "type",
    "last used": lambda info: relative(info.last_activity),
    "expires": _expiry,
    "size": lambda info: size(info.size_bytes),
    "state": _state,
}


@command("ls", short_help="List the sessions, the last used first.")
@click.option("--workspace", "workspace_id", metavar="WORKSPACE", help="Only those of this workspace.")
@click.option("--type", metavar="TYPE", help="Only those of this type.")
@click.option("--status", type=click.Choice(["active", "closed", "expired"]), help="Only these, as of the last sweep.")
@limit_option
@tenant_option
def ls(app: App, limit: int, tenant: str, **filters: str | None) -> None:
    """List the sessions, the last used first; expired ones are known for 90 days."""
    from codemode.catalog.sessions import ORDINARY

    with app.worker() as worker:
        app.records(worker, tenant)  # a slip of the pen is no empty list
        if filters["workspace_id"] is not None:
            check(worker, tenant, "workspace_id", filters["workspace_id"])
        found = every(partial(_page, worker, tenant, filters), limit)
    ordinary = all(info.type == ORDINARY for info in found.rows)
    columns = {name: what for name, what in _COLUMNS.items() if not (name == "type" and ordinary)}
    tell(app, found, columns, "no sessions", whole=["session"])


def _page(
    worker: Worker, tenant: str, filters: dict[str, str | None], *, after: str | None = None, limit: int = 50
) -> Page[SessionInfo]:
    from codemode.values.records import Page

    return Page(*worker.session_page(tenant, after=after, limit=limit, **filters))


@command("show", short_help="Show one session and its tables.")
@click.argument("session_id", metavar="SESSION")
@tenant_option
def show_session(app: App, session_id: str, tenant: str) -> None:
    """Show one session and its tables, with what changed each of them last."""
    with app.worker() as worker:
        app.check_tenant(worker, tenant)
        info = worker.info(session_id, tenant)
        place = None if worker.catalogue.behind else worker.of(tenant).sessions.get(session_id)
        limits, own = held(worker, session_id, tenant)
        tables = [] if info.state == "expired" else _tables(worker.session(session_id, create=False, tenant=tenant))
    if app.as_json:
        import msgspec

        app.answer({**msgspec.to_builtins(info), "limits": limits, "place": place, "tables": tables})
        return
    lines = {
        "session": info.id,
        **({"owner": info.owner} if info.owner else {}),
        "type": info.type,
        **({"workspace": info.workspace_id} if info.workspace_id else {}),
        **({"metadata": cell_text(place.metadata)} if place and place.metadata else {}),
        **({"MCP client": place.mcp_client_id} if place and place.mcp_client_id else {}),
        "state": _state(info),
        "created": moment(info.created_at),
        "last used": f"{moment(info.last_activity)} ({relative(info.last_activity)})",
        "expires": _expiry(info),
        "size": size(info.size_bytes),
        **({"limits": own} if own else {}),
    }
    for label, text in lines.items():
        click.echo(f"{label:<14} {printable(text)}")
    if tables:
        click.echo()
        show(["table", "rows", "size", "last changed", "by"], list(map(_table_row, tables)))


def _tables(session: Session) -> list[dict[str, Any]]:
    newest: dict[str, TableChange] = {}
    for change in session.table_changes(limit=_CHANGES):
        newest.setdefault(folded(change.table), change)
    return [{**table, "last_change": newest.get(folded(table["name"]))} for table in session.metrics()["tables"]]


def _table_row(table: dict[str, Any]) -> list[Any]:
    change = table["last_change"]
    when, by = (relative(change.last_at), change.execution_id) if change else ("", "")
    return [table["name"], table["rows"], size(table["bytes"] or 0), when, by]


@command("rm", short_help="Remove sessions, at once and for good.")
@click.argument("session_ids", nargs=-1, required=True, metavar="SESSION...")
@tenant_option
def rm(app: App, session_ids: tuple[str, ...], tenant: str) -> None:
    """Remove sessions with everything in them, at once and for good."""
    from codemode.service.places import seen

    named = tuple(dict.fromkeys(session_ids))
    with app.worker() as worker:
        app.check_tenant(worker, tenant)
        for session_id in named:
            worker.info(session_id, tenant)  # all of them exist, or none is removed
        for session_id in named:
            old = seen(worker, session_id, tenant)
            worker.remove(session_id, tenant)
            app.record(worker, "delete_session", session_id, tenant, old, None)
    app.say(named, f"removed {', '.join(named)}")


@command("pin")
@click.argument("session_id", metavar="SESSION")
@click.option("--off", is_flag=True, help="Let it expire again.")
@tenant_option
def pin(app: App, session_id: str, off: bool, tenant: str) -> None:
    """Keep a session from expiring."""
    from codemode.service.places import seen

    with app.worker() as worker:
        app.check_tenant(worker, tenant)
        worker.info(session_id, tenant)  # before all, since it says what is wrong with the id
        old = seen(worker, session_id, tenant)
        worker.pin(session_id, pinned=not off, tenant=tenant)
        resource = f"{session_id} {'unpinned' if off else 'pinned'}"
        app.record(worker, "change_session", resource, tenant, old, seen(worker, session_id, tenant))
        info = worker.info(session_id, tenant)
    app.say(info, f"{info.id} expires: {_expiry(info)}")


@command("compact")
@click.argument("session_id", metavar="SESSION")
@tenant_option
def compact(app: App, session_id: str, tenant: str) -> None:
    """Give the space of deleted rows back to the disk."""
    with app.worker() as worker:
        sizes = app.session(worker, session_id, tenant).compact()
    app.say(sizes, f"{session_id}: {size(sizes['before'])} before, {size(sizes['after'])} now", session_id=session_id)


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
    app.say(expired, f"{plural(len(expired), 'session')} expired" + (f": {', '.join(expired)}" if expired else ""))


def _would_go(app: App, due: Due) -> None:
    if app.as_json:
        app.answer(due)
        return
    names = ", ".join(due.sessions)
    click.echo(f"{plural(len(due.sessions), 'session')} would expire" + (f": {names}" if names else ""))
    show(["would be removed", "rows"], [[what, number] for what, number in due.rows.items()])


for verb in (ls, show_session, *session_fields.VERBS, rm, pin, compact, sweep, *checkpoints.VERBS, *participants.VERBS):
    sessions.add_command(verb)
