"""`codemode audit`: who did what, when, and with what outcome."""

from __future__ import annotations

import click

from codemode.cli.app import App, command
from codemode.cli.output import moment
from codemode.cli.table import show


@command("audit", short_help="Show who did what: executions and administrative acts.")
@click.option("--tenant", metavar="TENANT", help="Only what was done in this tenant.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, metavar="N", help="The newest acts."
)
@click.option("--before", type=click.IntRange(1), metavar="ID", help="Only those before this one, to page back.")
def audit(app: App, tenant: str | None, limit: int, before: int | None) -> None:
    """Show the audit log: executions and changes through the service, and what was done with tokens, tenants and
    sessions on the command line.

    Executions of the command line itself and of programs that embed the worker are in their session's log alone.
    """
    from codemode.service.auditing import described

    with app.worker() as worker:
        found = [described(act) for act in worker.audit.read(tenant, before=before, limit=limit)]
    if app.as_json:
        app.answer(found)
    elif found:
        columns = ["id", "at", "tenant", "actor", "action", "resource", "outcome"]
        rows = [[each.id, moment(each.at), *(getattr(each, name) for name in columns[2:])] for each in found]
        show(columns, rows, whole=["at"])
    else:
        click.echo("nothing is on record", err=True)
