"""`codemode describe`: what a table holds, column by column, and what it joins; or all tables at a glance."""

from __future__ import annotations

from typing import Any

import click

from codemode.cli.app import App, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import note, printable
from codemode.cli.table import cell_text, show
from codemode.counts import plural

_CELL = 32  # characters of a value: --json has all of it


@command("describe", short_help="Show what tables hold: types, values, keys, joins.")
@click.argument("table", required=False, metavar="[TABLE]")
@click.option("-s", "--session", "session_id", required=True, metavar="SESSION", help="The session to look at.")
@tenant_option
def describe(app: App, table: str | None, session_id: str, tenant: str) -> None:
    """Show the columns of TABLE with what they hold, its keys and the tables it joins; without TABLE, all tables.

    Of a large table some rows are examined, for five seconds at most; ~ stands before what is estimated from them.
    """
    with app.worker() as worker:
        session = app.session(worker, session_id, tenant)
        names = session.get_tables() if table is None else [table]
        found = [session.describe_table(name) for name in names]
    if app.as_json:
        app.answer(found if table is None else found[0], session_id=session_id)
    elif table is None:
        _overview(found)
    else:
        _table(found[0])


def _overview(found: list[dict[str, Any]]) -> None:
    if not found:
        note("no tables")
        return
    rows = [
        [each["table"], each["row_count"], len(each["columns"]), "; ".join(_keys(each)), ", ".join(_references(each))]
        for each in found
    ]
    show(["table", "rows", "columns", "keys", "refers to"], rows)
    for each in found:
        _left_out(each)


def _table(found: dict[str, Any]) -> None:
    examined = "" if found["profile"]["whole_table"] else f", {found['profile']['rows_examined']:,} of them examined"
    click.echo(f"{printable(found['table'])}: {plural(found['row_count'], 'row')}{examined}")
    names = ["column", "type", "nulls", "distinct", "min", "max", "most frequent"]
    show(names, [_row(column) for column in found["columns"]])
    rules = [check["rule"] for check in found["checks"]]
    parts = {"keys": _keys(found), "indexes": _indexes(found), "checks": rules, "triggers": found["triggers"]}
    for label, lines in (*parts.items(), ("refers to", _declared(found)), ("joins", _joins(found))):
        if lines:
            click.echo(f"\n{label}")
            click.echo("\n".join(f"  {printable(line)}" for line in lines))
    _left_out(found)


def _row(column: dict[str, Any]) -> list[Any]:
    guessed = {key: "~" if key in column["estimated"] else "" for key in ("nulls", "distinct", "min", "max")}
    counts = [f"{guessed[key]}{column[key]:,}" for key in ("nulls", "distinct")]
    bounds = [guessed[key] + _short(column[key]) if guessed[key] else column[key] for key in ("min", "max")]
    frequent = (f"{_short(each['value'])} {_percent(each['share'])}" for each in column["frequent"][:3])
    return [column["name"], _type(column), *counts, *bounds, ", ".join(frequent)]


def _short(value: Any) -> str:
    text = cell_text(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "<1%"


def _type(column: dict[str, Any]) -> str:
    """The declared type, and what is stored where that is something else or several things."""
    stored = list(column["stored"])
    if column["generated"]:
        return f"{column['type']} (computed)".strip()
    if not stored or (len(stored) == 1 and stored[0].upper() == column["type"].upper()):
        return str(column["type"])
    shares = (f"{kind} {_percent(column['stored'][kind])}" if len(stored) > 1 else kind for kind in stored)
    return f"{column['type']} ({', '.join(shares)})".strip()


def _keys(found: dict[str, Any]) -> list[str]:
    return [
        " + ".join(key["columns"]) + ("" if key["source"] == "values" else f" ({key['source']})")
        for key in found["candidate_keys"]
    ]


def _indexes(found: dict[str, Any]) -> list[str]:
    own = (each for each in found["indexes"] if not each["name"].startswith("sqlite_autoindex_"))  # keys tell of these
    return [f"{each['name']}{' unique' if each['unique'] else ''} on {each['on']}" for each in own]


def _joins(found: dict[str, Any]) -> list[str]:
    return [
        f"{join['column']} → {join['table']}.{join['references']} ({_percent(join['overlap'])} of its values are there)"
        if join["overlap"] >= join["covered"]
        else f"{join['column']} ← {join['table']}.{join['references']} ({_percent(join['covered'])} of those are here)"
        for join in found["joins"]
    ]


def _declared(found: dict[str, Any]) -> list[str]:
    return [
        _link(key) + (f", ON DELETE {key['on_delete']}" if key["on_delete"] != "NO ACTION" else "")
        for key in found["foreign_keys"]
    ]


def _references(found: dict[str, Any]) -> list[str]:
    """The foreign keys that are declared; of other columns what their values say."""
    declared = {key["column"]: _link(key) for key in found["foreign_keys"]}
    joined = (join for join in found["joins"] if join["unique"] and join["column"] not in declared)
    return [*declared.values(), *map(_link, joined)]


def _link(key: dict[str, Any]) -> str:
    return f"{key['column']} → {key['table']}" + (f".{key['references']}" if key["references"] else "")


def _left_out(found: dict[str, Any]) -> None:
    for what in found["profile"]["left_out"]:
        note(f"{found['table']}: no time for {what}")
