"""`codemode metrics`: the figures of one session, or of all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import duration, moment, note, size, warn
from codemode.cli.table import show

if TYPE_CHECKING:
    from codemode.values import Day

# Of the tenant's figures; its sessions and bytes are told above, as this machine has them.
_COUNTED = ("people", "agents", "active_agents", "workspaces", "messages", "panels", "executions")


@command("metrics", short_help="Show the figures of a session, or of all.")
@click.argument("session_id", required=False, metavar="[SESSION]")
@click.option("--by-day", is_flag=True, help="What was used on each day (UTC), for the last 400.")
@tenant_option
def metrics(app: App, session_id: str | None, by_day: bool, tenant: str) -> None:
    """Show sizes, row counts, use and limits of SESSION, or the totals of a tenant and how many there are of what."""
    with app.worker() as worker:
        app.records(worker, tenant)  # a slip of the pen is no tenant without anything
        session = None if session_id is None else worker.session(session_id, create=False, tenant=tenant)
        if by_day:
            _show_days(app, worker.usage_by_day(tenant) if session is None else session.usage_by_day())
            return
        figures = worker.metrics(tenant) if session is None else session.metrics()
        if session is None:
            del figures["usage"]  # of this command, which ran nothing
            if not worker.catalogue.behind:
                figures["statistics"] = worker.statistics(tenant)
    if app.as_json:
        app.answer(figures)
        return
    for name, value in figures.items():
        if name != "statistics" and not isinstance(value, list | dict):
            click.echo(f"{name:<16} {_readable(name, value)}")
    if counted := figures.get("statistics"):
        click.echo()
        show(["of", "there are"], [[name.replace("_", " "), getattr(counted, name)] for name in _COUNTED])
    if figures.get("tables"):
        click.echo()
        _show_tables(figures["tables"])
    _show_use(figures)
    for warning in figures.get("warnings", ()):
        warn(warning)


def _show_tables(tables: list[dict[str, Any]]) -> None:
    rows = [[table["name"], table["rows"], size(table["bytes"] or 0)] for table in tables]
    show(["table", "rows", "size"], rows)
    for table in tables:
        if table.get("spilled"):
            note(f"{table['name']} is a result that was too large to be answered")


def _show_use(figures: dict[str, Any]) -> None:
    if use := figures.get("usage"):
        used = [[name, _readable(name, value)] for name, value in use.items() if not isinstance(value, dict)]
        used += [[f"warnings: {kind}", number] for kind, number in use["warnings"].items()]
        click.echo()
        show(["use", "value"], used)
    if figures.get("size_history"):
        click.echo()
        points = [[moment(point["timestamp"]), size(point["size_bytes"])] for point in figures["size_history"]]
        show(["since", "size"], points)
    if figures.get("limits"):
        click.echo()
        show(["limit", "value"], [[name, value] for name, value in figures["limits"].items()])


def _show_days(app: App, days: list[Day]) -> None:
    if app.as_json:
        app.answer(days)
        return
    columns = ["day", "executions", "failed", "read", "written", "calls", "vm steps", "scan steps", "cpu", "warnings"]
    rows = [
        [day.day, day.executions, day.failed, day.rows_read, day.rows_written, day.helper_calls, day.vm_steps,
         day.scan_steps, duration(day.cpu_ms + day.worker_cpu_ms), sum(day.warnings.values())]
        for day in days
    ]  # fmt: skip
    show(columns, rows, none="nothing was used yet")


def _readable(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and (name.endswith(("_bytes", "_size"))):
        return size(value)
    if name.endswith("_ms"):
        return duration(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
