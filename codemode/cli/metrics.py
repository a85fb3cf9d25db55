"""`codemode metrics`: the figures of one session, or of all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.output import duration, moment, size, warn
from codemode.cli.table import show

if TYPE_CHECKING:
    from codemode.values import Day


@command("metrics", short_help="Show the figures of a session, or of all.")
@click.argument("session_id", required=False, metavar="[SESSION]")
@click.option("--by-day", is_flag=True, help="What was used on each day (UTC), for the last 400.")
def metrics(app: App, session_id: str | None, by_day: bool) -> None:
    """Show sizes, row counts, use and limits of SESSION, or the totals of the data directory."""
    with app.worker() as worker:
        owner = worker if session_id is None else worker.session(session_id, create=False)
        if by_day:
            _show_days(app, owner.usage_by_day())
            return
        figures = owner.metrics()
        if session_id is None:
            del figures["usage"]  # of this command, which ran nothing
    if app.as_json:
        app.answer(figures)
        return
    for name, value in figures.items():
        if not isinstance(value, list | dict):
            click.echo(f"{name:<16} {_readable(name, value)}")
    if figures.get("tables"):
        click.echo()
        show(["table", "rows", "size", ""], [_table(table) for table in figures["tables"]])
    _show_use(figures)
    for warning in figures.get("warnings", ()):
        warn(warning)


def _table(table: dict[str, Any]) -> list[Any]:
    kept = "a result, kept because it was too large to be answered" if table.get("spilled") else ""
    return [table["name"], table["rows"], size(table["bytes"] or 0), kept]


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
        [
            day.day,
            day.executions,
            day.failed,
            day.rows_read,
            day.rows_written,
            day.helper_calls,
            day.vm_steps,
            day.scan_steps,
            duration(day.cpu_ms + day.worker_cpu_ms),
            sum(day.warnings.values()),
        ]
        for day in days
    ]
    if rows:
        show(columns, rows)
    else:
        click.echo("nothing was used yet", err=True)


def _readable(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and (name.endswith(("_bytes", "_size"))):
        return size(value)
    if name.endswith("_ms"):
        return duration(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
