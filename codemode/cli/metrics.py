"""`codemode metrics`: the figures of one session, or of all of them together."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.output import size
from codemode.cli.table import show

if TYPE_CHECKING:
    from codemode.worker import Worker


@command("metrics", short_help="Show the figures of a session, or of all.")
@click.argument("session_id", required=False, metavar="[SESSION]")
def metrics(app: App, session_id: str | None) -> None:
    """Show sizes, row counts and limits of SESSION, or the totals of the data directory."""
    with app.worker() as worker:
        if session_id is None:
            figures = _totals(worker, str(app.resolved().settings.data_dir))
        else:
            figures = worker.session(session_id, create=False).metrics()
    if app.as_json:
        app.answer(figures)
        return
    for name, value in figures.items():
        if not isinstance(value, list | dict):
            click.echo(f"{name:<16} {_readable(name, value)}")
    if figures.get("tables"):
        click.echo()
        show(["table", "rows", "size"], [[t["name"], t["rows"], size(t["bytes"] or 0)] for t in figures["tables"]])
    if figures.get("limits"):
        click.echo()
        show(["limit", "value"], [[name, value] for name, value in figures["limits"].items()])


def _totals(worker: Worker, data_dir: str) -> dict[str, Any]:
    found = list(worker.sessions())
    active = [info for info in found if info.state == "active"]
    return {
        "data_dir": data_dir,
        "sessions": len(active),
        "pinned": sum(info.pinned for info in active),
        "expired": len(found) - len(active),
        "size_bytes": sum(info.size_bytes for info in found),
        "free_bytes": shutil.disk_usage(data_dir).free,
    }


def _readable(name: str, value: Any) -> str:
    if isinstance(value, int) and (name.endswith(("_bytes", "_size"))):
        return size(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
