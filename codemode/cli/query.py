"""`codemode query`: one read-only statement, answered as a table or in a format for programs."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from codemode.cli.app import App, command, session_option
from codemode.cli.fields import parse_value, tenant_option
from codemode.cli.output import note, stream, warn
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import RequestInvalid

_NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
FORMATS = ["table", "json", "ndjson", "csv", "markdown", "columns", "auto"]

_INFINITE = ("infinities are null here; --format json or csv writes them",)

param_option = click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="PARAM",
    help="A value to bind: VALUE for ?, name=VALUE for :name; JSON, else text.",
)


@command("query", short_help="Read from a session with SQL.")
@click.argument("sql")
@param_option
@session_option
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", help="auto: the shortest for a model.")
@tenant_option
def query(app: App, sql: str, params: tuple[str, ...], session_id: str | None, kind: str, tenant: str) -> None:
    """Answer SQL from a session; nothing can be changed this way.

    At most `limits.rows` rows are answered: use `codemode export` for more. Without --session it runs in a new, empty
    session.
    """
    if app.as_json and kind not in ("table", "json"):
        raise click.UsageError(f"--json and --format {kind} exclude each other")
    if not sql.strip():
        raise RequestInvalid("the statement is empty", hint="for example 'SELECT name FROM sqlite_schema'")
    values = parse_params(params)
    with app.worker(makes=session_id is None) as worker:
        session = app.session(worker, session_id, tenant)
        found = session.query(sql, values, read_only=True)
    rows = [list(row.values()) for row in found]
    if app.as_json:
        info = {"type": "rows", "row_count": found.row_count, "truncated": found.truncated}
        more = {"columns": found.columns, "result_info": info, "rows_read": found.rows_read}
        infinite = any(isinstance(cell, float) and math.isinf(cell) for row in rows for cell in row)
        warnings = (*found.warnings, *(_INFINITE if infinite else ()))
        app.answer(found, session_id=session.id, warnings=warnings, **more)
    else:
        print_rows(found.columns, rows, kind)
        for text in found.warnings:
            warn(text)
    if found.truncated:
        warn(f"only the first {plural(len(rows), 'row')}: use LIMIT and OFFSET, or `codemode export` for all of them")


def print_rows(columns: Sequence[str], rows: list[list[Any]], kind: str) -> None:
    """Rows in one of FORMATS on standard output."""
    if kind == "table":
        show(columns, rows, left_out="--format json or csv shows all of it")
        note(plural(len(rows), "row"))
        return
    if kind in ("columns", "auto"):
        click.echo(stream(_for_a_model(columns, rows, kind)))
        return
    from codemode.database.transfer import writer_for
    from codemode.database.writers import Written

    written = Written()
    for text in writer_for(kind)(columns, rows, written):
        click.echo(stream(text).encode(), nl=False)
    for remark in written.notes(""):
        note(remark)


def _for_a_model(columns: Sequence[str], rows: list[list[Any]], kind: str) -> str:
    from sandbox.form import Form
    from sandbox.formats import render
    from sandbox.tabular import Table

    items = [dict(zip(columns, row, strict=True)) for row in rows]
    rendered = render(Table(dict, list(columns), items), Form(kind), sys.maxsize)
    for text in rendered.warnings:
        warn(text)
    return rendered.text if rendered.kind in ("objects", "columns") else str(json.loads(rendered.text)).rstrip("\n")


def parse_params(texts: Sequence[str]) -> list[Any] | dict[str, Any]:
    """Values for ? in order, or by name; both at once cannot be bound."""
    named = [_NAMED.fullmatch(text) for text in texts]
    if not any(named):
        return [parse_value(text) for text in texts]
    values = {}
    for text, match in zip(texts, named, strict=True):
        if match is None:
            hint = "write name=VALUE for each, or for none; a text that holds = is quoted: -p '\"a=b\"'"
            raise RequestInvalid(f"-p {text!r} has no name, but others have", hint=hint)
        if match[1] in values:
            raise RequestInvalid(f"-p {match[1]} is given twice")
        values[match[1]] = parse_value(match[2])
    return values
