"""`codemode db query`: one question to the catalogue, across all sessions, users and messages of a tenant."""

from __future__ import annotations

from collections.abc import Mapping

import click

from codemode.cli.app import App, command
from codemode.cli.output import warn
from codemode.cli.query import FORMATS, param_option, parse_params, print_rows
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import RequestInvalid


@command("query", short_help="Ask the catalogue with SQL.")
@click.argument("sql", required=False)
@param_option
@click.option("--tenant", default="local", metavar="TENANT", help="Whose sessions, users and messages.")
@click.option("--max-rows", type=click.IntRange(min=1), metavar="N", help="At most so many rows of the answer.")
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", help="auto: the shortest for a model.")
@click.option("--tables", is_flag=True, help="List what SQL may read, with the columns, instead of asking.")
def query(
    app: App, sql: str | None, params: tuple[str, ...], tenant: str, max_rows: int | None, kind: str, tables: bool
) -> None:
    """Answer SQL from what the catalogue holds of a tenant: sessions, participants, messages, users and more.

    Nothing can be changed this way, and nothing is seen of other tenants. At most `limits.rows` rows are answered.
    """
    if app.as_json and kind not in ("table", "json"):
        raise click.UsageError(f"--json and --format {kind} exclude each other")
    if tables == bool(sql and sql.strip()):
        raise RequestInvalid("say what to ask, or --tables", hint="for example 'SELECT id, status FROM sessions'")
    with app.worker() as worker:
        worker.tenants.get(tenant)  # a slip of the pen is no empty answer
        if not sql:
            _tables(app, {view.name: (view.about, view.columns) for view in worker.catalogue_tables()})
            return
        found = worker.ask(sql, parse_params(params), tenant=tenant, max_rows=max_rows)
    rows = [list(row.values()) for row in found]
    if app.as_json:
        info = {"type": "rows", "row_count": found.row_count, "truncated": found.truncated}
        app.answer(found, tenant=tenant, columns=found.columns, result_info=info, rows_read=found.rows_read)
    else:
        print_rows(found.columns, rows, kind)
    if found.truncated:
        warn(f"only the first {plural(len(rows), 'row')}: ask for the rest with LIMIT and OFFSET")


def _tables(app: App, found: dict[str, tuple[str, Mapping[str, str]]]) -> None:
    if app.as_json:
        app.answer(
            [
                {"name": name, "about": about, "columns": [{"name": c, "about": what} for c, what in columns.items()]}
                for name, (about, columns) in found.items()
            ]
        )
        return
    show(
        ["table", "column", "what it holds"],
        [[name, column, what] for name, (_, columns) in found.items() for column, what in columns.items()],
    )
