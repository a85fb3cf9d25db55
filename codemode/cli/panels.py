"""`codemode panels`: what a session shows, in the order that people give."""

from __future__ import annotations

import click

from codemode.cli import records
from codemode.cli.app import group
from codemode.cli.fields import json_option
from codemode.cli.records import Kind, named

PANELS = Kind(
    "panels", "panel", ("session_id", "panel_id"),
    {"position": "position", "panel": "id", "title": "title", "kind": "kind",
     "shows": lambda panel: panel.query or panel.document},
)  # fmt: skip
_kind = click.option("--kind", metavar="KIND", help="How it is shown; `table` unless it is said.")
_shown = (
    click.option("--query", metavar="SQL", help="A query of the session's database, in the place of a document."),
    json_option("--document", help="Any JSON, in the place of a query."),
    click.option("--position", type=click.IntRange(0), metavar="N", help="Its place in the order."),
)

panels = group("panels", "List, show, add, change and remove the panels of a session.")
for each in (
    records.ls(
        PANELS, "List the panels of a session in their order.",
        click.option("--kind", metavar="KIND", help="Only these."),
    ),
    records.show(PANELS, "Show one panel."),
    records.add(
        PANELS, "Add a panel with a query or a document.\n\nIt is the last one, unless it has a position.",
        named("session_id"), click.argument("title", metavar="TITLE"), _kind, *_shown,
        click.option("--id", "panel_id", metavar="ID", help="Its id; without one, one is minted."),
    ),
    records.change(
        PANELS, "Change what is given of a panel.", click.option("--title", metavar="TITLE", help="Its title."), _kind,
        *_shown,
    ),
    records.rm(PANELS, "Remove a panel; subscriptions to it go with it."),
):  # fmt: skip
    panels.add_command(each)
