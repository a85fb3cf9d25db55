"""`codemode explain`: how SQLite would run a statement, and which index would make it faster, tried on a copy."""

from __future__ import annotations

from typing import Any

import click

from codemode.cli.app import App, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import duration, note, printable
from codemode.cli.query import param_option, parse_params
from codemode.cli.table import show
from codemode.errors import RequestInvalid


@command("explain", short_help="Show a statement's plan and the index it wants.")
@click.argument("sql")
@click.option("-s", "--session", "session_id", required=True, metavar="SESSION", help="The session to look at.")
@param_option
@tenant_option
def explain(app: App, sql: str, session_id: str, params: tuple[str, ...], tenant: str) -> None:
    """Show how SQLite would run SQL, in words, and which index would make it faster.

    SQL is not run on the session's data, not even a SELECT: it is tried on a copy in memory, for ten seconds at most,
    without and with the indexes that could serve it. What is recommended was measured.
    """
    if not sql.strip():
        raise RequestInvalid("the statement is empty", hint="for example 'SELECT name FROM sqlite_schema'")
    with app.worker() as worker:
        found = app.session(worker, session_id, tenant).explain(sql, parse_params(params))
    if app.as_json:
        app.answer(found, session_id=session_id)
        return
    click.echo("\n".join(printable(line) for line in found["plan"]) or "no rows are read")
    _show_trial(found["checked"])
    create = found["checked"].get("create_index")
    if create:
        click.echo("\n" + "\n".join(f"{printable(sql)};" for sql in create))
        return
    for line in found["advice"]:
        note(line, err=False)


def _show_trial(checked: dict[str, Any]) -> None:
    runs = [("as it is", checked.get("before")), ("with the index", checked.get("after"))]
    rows = [[label, _steps(run), _time(run)] for label, run in runs if run]
    if rows:
        click.echo()
        show([f"tried on {checked['on']}", "VM steps", "time"], rows)


def _steps(run: dict[str, Any]) -> str:
    return ("" if run["finished"] else "> ") + f"{run['vm_steps']:,}"


def _time(run: dict[str, Any]) -> str:
    return ("" if run["finished"] else "> ") + duration(run["ms"])
