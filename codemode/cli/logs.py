"""`codemode logs`: the execution log of a session."""

from __future__ import annotations

import click

from codemode.asked import LOG_KINDS, MOST_ENTRIES
from codemode.cli.app import App, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import duration, moment, printable, what_changed
from codemode.cli.table import show


@command("logs", short_help="Show the execution log of a session.")
@click.argument("session_id", metavar="SESSION")
@click.option(
    "--limit", type=click.IntRange(1, MOST_ENTRIES), default=100, show_default=True, metavar="N",
    help="The newest entries.",
)  # fmt: skip
@click.option("--kind", type=click.Choice(LOG_KINDS), metavar="KIND", help="Only this kind, such as exec or execution.")
@click.option("--errors", is_flag=True, help="Only what failed.")
@click.option("--slow", is_flag=True, help="Statements that took longer than slow_statement_ms, with their plans.")
@click.option("--tables", is_flag=True, help="Which executions made or changed which table, with how many rows.")
@tenant_option
def logs(
    app: App, session_id: str, limit: int, kind: str | None, errors: bool, slow: bool, tables: bool, tenant: str
) -> None:
    """Show what ran in a session, oldest first; failed and undone work is on record too, except with --tables."""
    if slow + tables + bool(kind or errors) > 1:
        raise click.UsageError("give one of --slow, --tables, or --kind and --errors")
    if slow or tables:
        (_slow if slow else _tables)(app, session_id, limit, tenant)
        return
    with app.worker() as worker:
        entries = app.session(worker, session_id, tenant).logs(limit=limit, kind=kind, errors=errors)
    entries = sorted(entries, key=lambda entry: entry.id)
    if app.as_json:
        app.answer(entries, session_id=session_id)
        return
    columns = ["time", "kind", "ms", "read", "written", "error", "statement"]
    rows = [
        [moment(e.timestamp), e.kind, round(e.duration_ms, 2), e.rows_read, e.rows_written, e.error_code or "",
         _line(e.statement)]
        for e in entries
    ]  # fmt: skip
    show(columns, rows, none="no entries", whole=["time"])


def _slow(app: App, session_id: str, limit: int, tenant: str) -> None:
    with app.worker() as worker:
        found = app.session(worker, session_id, tenant).slow_statements(limit)[::-1]
    if app.as_json:
        app.answer(found, session_id=session_id)
        return
    for each in found:
        figures = f"{each.vm_steps:,} vm steps, {each.scan_steps:,} scan steps, {each.sorts:,} sorts"
        click.echo(f"{moment(each.timestamp)}  {duration(each.duration_ms)}  {figures}  {each.execution_id}")
        click.echo(f"  {printable(_line(each.statement))}")
        for line in each.plan:
            click.echo(f"    {printable(line)}")
    if not found:
        click.echo("no slow statements", err=True)


def _tables(app: App, session_id: str, limit: int, tenant: str) -> None:
    with app.worker() as worker:
        found = app.session(worker, session_id, tenant).table_changes(limit=limit)[::-1]
    if app.as_json:
        app.answer(found, session_id=session_id)
    else:
        rows = [[moment(each.last_at), each.table, what_changed(each), each.execution_id] for each in found]
        show(["time", "table", "what", "execution"], rows, none="no table was changed", whole=["time"])


def _line(statement: str) -> str:
    flat = " ".join(statement.split())
    return flat if len(flat) <= 160 else f"{flat[:160]}…"
