"""`codemode audit`: who did what, when, and with what outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.output import moment
from codemode.cli.table import cell_text, show

if TYPE_CHECKING:
    from codemode.values import AuditEntry

_EMPTY: tuple[Any, ...] = (None, "", {}, [])


@command("audit", short_help="Show who did what: executions and administrative acts.")
@click.option("--tenant", metavar="TENANT", help="Only what was done in this tenant.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, metavar="N", help="The newest acts."
)
@click.option("--changes", is_flag=True, help="What each of them changed, too.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="Only those before this one, to page back.")
def audit(app: App, tenant: str | None, limit: int, before: int | None, changes: bool) -> None:
    """Show the audit log: executions and changes through the service, and what was done with tokens, tenants and
    sessions on the command line.

    Executions of the command line itself and of programs that embed the worker are in their session's log alone.
    """
    with app.worker() as worker:
        found = worker.audit.read(tenant, before=before, limit=limit)
    if app.as_json:
        app.answer(found)
        return
    columns = ["id", "at", "tenant", "actor", "action", "resource", "outcome"]
    rows = [[each.id, moment(each.at), *(getattr(each, name) for name in columns[2:])] for each in found]
    if changes:
        columns.append("changes")
        for row, each in zip(rows, found, strict=True):
            row.append(_changes(each))
    show(columns, rows, whole=["at"], none="nothing is on record")


def _changes(act: AuditEntry) -> str:
    """What an act changed, field by field: what was added or removed, else what it was and what it is."""
    old, new = act.old_values, act.new_values
    if old is None or new is None:
        fields = (old or new or {}).items()
        told = [(name, value) for name, value in fields if value not in _EMPTY and not name.endswith("_at")]
        return ", ".join(f"{name} {cell_text(value)}" for name, value in told)
    return ", ".join(f"{name} {_text(old.get(name))} → {_text(new[name])}" for name in new if name != "updated_at")


def _text(value: Any) -> str:
    return "nothing" if value in _EMPTY else cell_text(value)
