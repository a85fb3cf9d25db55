"""`codemode panels`: what a session shows, in the order that people give."""

from __future__ import annotations

from functools import partial

import click

from codemode.cli.app import App, command, group
from codemode.cli.fields import changed, from_json, limit_option, show_fields, tenant_option
from codemode.cli.lists import every
from codemode.cli.table import show

panels = group("panels", "List, show, add, change and remove the panels of a session.")
_session = click.argument("session_id", metavar="SESSION")
_panel = click.argument("panel_id", metavar="PANEL")
_query = click.option("--query", metavar="SQL", help="A query of the session's database, in the place of a document.")
_document = click.option("--document", metavar="JSON", help="Any JSON, in the place of a query.")
_position = click.option("--position", type=click.IntRange(0), metavar="N", help="Its place in the order.")


@command("ls")
@_session
@click.option("--kind", metavar="KIND", help="Only these.")
@limit_option
@tenant_option
def ls(app: App, session_id: str, kind: str | None, limit: int, tenant: str) -> None:
    """List the panels of a session in their order."""
    with app.worker() as worker:
        worker.info(session_id, tenant)
        found = every(partial(app.records(worker, tenant).panels.page, session_id, kind=kind), limit)
    if app.as_json:
        app.answer(found)
    elif found:
        rows = [[each.position, each.id, each.title, each.kind, each.query or each.document] for each in found]
        show(["position", "panel", "title", "kind", "shows"], rows, whole=["panel"])
    else:
        click.echo("no panels", err=True)


@command("show")
@_session
@_panel
@tenant_option
def show_panel(app: App, session_id: str, panel_id: str, tenant: str) -> None:
    """Show one panel."""
    with app.worker() as worker:
        found = app.records(worker, tenant).panels.get(session_id, panel_id)
    app.show(found, show_fields)


@command("add", short_help="Add a panel with a query or a document.")
@_session
@click.argument("title", metavar="TITLE")
@click.option("--kind", default="table", metavar="KIND", help="How it is shown.")
@_query
@_document
@_position
@click.option("--id", "panel_id", metavar="ID", help="Its id; without one, one is minted.")
@tenant_option
def add(
    app: App,
    session_id: str,
    title: str,
    kind: str,
    query: str | None,
    document: str | None,
    position: int | None,
    panel_id: str | None,
    tenant: str,
) -> None:
    """Add a panel with a query or a document to a session; the last one, unless it has a position."""
    from codemode.database.clock import now_ms

    shown = from_json(document, "--document")
    with app.worker() as worker:
        made = app.records(worker, tenant).panels.create(
            session_id, title, now=now_ms(), kind=kind, query=query, document=shown, position=position,
            panel_id=panel_id,
        )  # fmt: skip
        app.record_change(worker, "create_panel", f"{session_id} {made.id}", tenant, None, made)
    app.show(made, lambda panel: click.echo(panel.id))


@command("set")
@_session
@_panel
@click.option("--title", metavar="TITLE", help="Its title.")
@click.option("--kind", metavar="KIND", help="How it is shown.")
@_query
@_document
@_position
@tenant_option
def set_panel(
    app: App,
    session_id: str,
    panel_id: str,
    title: str | None,
    kind: str | None,
    query: str | None,
    document: str | None,
    position: int | None,
    tenant: str,
) -> None:
    """Change what is given of a panel."""
    from codemode.database.clock import now_ms

    given = changed(title=title, kind=kind, query=query, document=from_json(document, "--document"), position=position)
    with app.worker() as worker:
        known = app.records(worker, tenant).panels
        with app.records(worker, tenant).at_once():
            old = known.get(session_id, panel_id)
            new = known.update(session_id, panel_id, now=now_ms(), **given)
        app.record_change(worker, "change_panel", f"{session_id} {panel_id}", tenant, old, new)
    app.show(new, show_fields)


@command("rm")
@_session
@_panel
@tenant_option
def rm(app: App, session_id: str, panel_id: str, tenant: str) -> None:
    """Remove a panel; subscriptions to it go with it."""
    with app.worker() as worker:
        known = app.records(worker, tenant).panels
        with app.records(worker, tenant).at_once():
            old = known.get(session_id, panel_id)
            known.remove(session_id, panel_id)
        app.record_change(worker, "remove_panel", f"{session_id} {panel_id}", tenant, old, None)
    app.show(old, lambda panel: click.echo(f"removed {panel.id}"))


for each in (ls, show_panel, add, set_panel, rm):
    panels.add_command(each)
