"""`codemode logs`: the execution log of a session."""

from __future__ import annotations

import click

from codemode.cli.app import App, command
from codemode.cli.output import moment
from codemode.cli.table import show


@command("logs", short_help="Show the execution log of a session.")
@click.argument("session_id", metavar="SESSION")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The newest entries.")
@click.option("--kind", metavar="KIND", help="Only this kind: execution, exec, query, batch_insert, …")
@click.option("--errors", is_flag=True, help="Only what failed.")
def logs(app: App, session_id: str, limit: int, kind: str | None, errors: bool) -> None:
    """Show what ran in a session, oldest first; failed and undone work is on record too."""
    with app.worker() as worker:
        entries = worker.session(session_id, create=False).logs(limit=limit, kind=kind, errors=errors)
    entries = sorted(entries, key=lambda entry: entry.id)
    if app.as_json:
        app.answer(entries, session_id=session_id)
        return
    columns = ["time", "kind", "ms", "read", "written", "error", "statement"]
    rows = [
        [
            moment(e.timestamp),
            e.kind,
            round(e.duration_ms, 2),
            e.rows_read,
            e.rows_written,
            e.error_code or "",
            _line(e.statement),
        ]
        for e in entries
    ]
    if rows:
        show(columns, rows)
    else:
        click.echo("no entries", err=True)


def _line(statement: str) -> str:
    flat = " ".join(statement.split())
    return flat if len(flat) <= 160 else f"{flat[:160]}…"
