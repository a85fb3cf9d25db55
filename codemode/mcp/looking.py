"""The tools that look at a session's data: rows, tables, what a table holds."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from codemode import cells
from codemode.counts import plural
from codemode.errors import StatementError
from codemode.mcp import wire, words
from codemode.mcp.executing import SessionId
from codemode.mcp.tool import Call, Reply, Tool
from codemode.plain import printable
from codemode.session.session import Session

_ROWS, _MOST_ROWS = 100, 10_000
_CELL = 1_000  # characters of a text that an answer holds; a snippet can read all of it
_TABLES, _COLUMNS = 100, 100


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that only reads."""

    sql: Annotated[str, Meta(description="One SELECT statement of SQLite.")]
    session_id: SessionId = None
    params: Annotated[
        list[Any] | dict[str, Any], Meta(description="Values for ? as a list, for :name as an object.")
    ] = []
    max_rows: Annotated[int, Meta(ge=1, le=_MOST_ROWS, description=f"At most so many rows; {_ROWS} by default.")] = (
        _ROWS
    )


class QueryRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order of `columns`; `truncated` says that there are more, `warnings` what is hardly meant."""

    columns: list[str]
    rows: list[list[Any]]
    row_count: int
    truncated: bool
    clipped_cells: int = 0
    warnings: list[str] = []


class ListTables(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tables to list."""

    session_id: SessionId = None


class ColumnBrief(msgspec.Struct, frozen=True, kw_only=True):
    """One column and the type that it was declared with."""

    name: str
    type: str


class TableBrief(msgspec.Struct, frozen=True, kw_only=True):
    """One table; `spilled` marks one that keeps a large result."""

    name: str
    rows: int | None
    columns: list[ColumnBrief]
    spilled: bool = False


class TableList(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a session; `truncated` says that there are more."""

    tables: list[TableBrief]
    truncated: bool = False


class DescribeTable(msgspec.Struct, frozen=True, kw_only=True):
    """Which table to describe."""

    table: Annotated[str, Meta(description="Its name.")]
    session_id: SessionId = None


class TableDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What a table was declared as and what it holds; a table of very many columns does not fit as a whole."""

    table: str
    row_count: int
    columns: list[dict[str, Any]]
    columns_left_out: int = 0
    indexes: list[dict[str, Any]] = []
    foreign_keys: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    triggers: list[str] = []
    sample_rows: list[dict[str, Any]] = []
    candidate_keys: list[Any] = []
    joins: list[dict[str, Any]] = []
    profile: dict[str, Any] = {}
    provenance: dict[str, Any] = {}


async def query(call: Call, given: Query) -> Reply:
    """Run one statement that only reads; it waits for no execution."""
    session = await call.session(given.session_id, "read")
    found = await call.service.call(session.query, given.sql, cells.row_from_json(given.params), read_only=True)
    most = min(given.max_rows, session.limits.rows)
    longest = min(_CELL, call.text_bytes // max(len(found.columns), 1))
    shown = ([_shown(cell, longest) for cell in row.values()] for row in found[:most])
    rows = wire.within(shown, call.text_bytes)
    data = {
        "columns": list(found.columns), "rows": rows, "row_count": found.row_count,
        "truncated": found.truncated or len(rows) < found.row_count,
        "clipped_cells": sum(
            cell != wire.fit(cells.to_json(whole))
            for row, entire in zip(rows, found, strict=False) for cell, whole in zip(row, entire.values(), strict=True)
        ),
        "warnings": found.warnings,
    }  # fmt: skip
    return Reply(wire.fit(data), _table_in_words(data, found.truncated), session.id)


def _shown(cell: Any, longest: int) -> Any:
    return _clipped(wire.fit(cells.to_json(cell)), longest)


def _clipped(cell: Any, longest: int = _CELL) -> Any:
    if isinstance(cell, dict):  # a blob as `{"$bytes": base64}`
        return {name: _clipped(each, longest) for name, each in cell.items()}
    if isinstance(cell, str) and len(cell) > longest:
        clipped = f"{cell[:longest]}… (+{len(cell) - longest:,} characters)"
        return clipped if len(clipped) < len(cell) else cell
    return cell


def _table_in_words(data: dict[str, Any], cut: bool) -> str:
    shown, count = len(data["rows"]), data["row_count"]
    parts = [words.rows(data["columns"], data["rows"])] if count else ["no rows"]
    if data["truncated"]:
        parts.append(
            f"(the first {shown:,} of {'more than ' if cut else ''}{plural(count, 'row')}; aggregate in SQL, page with "
            "LIMIT and OFFSET, or go through all of them in execute_code)"
        )
    parts += [f"warning: {each}" for each in data["warnings"]]
    return "\n".join(parts)


async def list_tables(call: Call, given: ListTables) -> Reply:
    """The tables of a session with their columns and numbers of rows."""
    session = await call.session(given.session_id, "read")
    data = await call.service.call(_tables, session, call.text_bytes)
    none = "no tables yet: execute_code can make some" if call.makes_things else "no tables yet"
    lines = [_brief_in_words(table) for table in data["tables"]] or [none]
    lines += ["… there are more"] if data["truncated"] else []
    return Reply(wire.fit(data), printable("\n".join(lines)), session.id)


def _tables(session: Session, most: int) -> dict[str, Any]:
    found = session.metrics()["tables"]
    tables = wire.within((_brief(session, table) for table in found[:_TABLES]), most)
    return {"tables": tables, "truncated": len(tables) < len(found)}


def _brief(session: Session, table: dict[str, Any]) -> dict[str, Any]:
    try:
        columns = session.get_columns(table["name"])[:_COLUMNS]
    except StatementError:  # a view of what is there no more
        columns = []
    brief = [{"name": column["name"], "type": column["type"]} for column in columns]
    named = {"name": table["name"], "rows": table["rows"], "spilled": table.get("spilled", False), "columns": brief}
    told: dict[str, Any] = wire.fit(named)
    return told


def _brief_in_words(table: dict[str, Any]) -> str:
    columns = ", ".join(f"{column['name']} {column['type']}".strip() for column in table["columns"])
    kept = ", a kept result" if table["spilled"] else ""
    rows = "rows not counted" if table["rows"] is None else plural(table["rows"], "row")
    return f"{table['name']} ({rows}{kept}): {columns}"


async def describe_table(call: Call, given: DescribeTable) -> Reply:
    """What one table was declared as and what it holds."""
    session = await call.session(given.session_id, "read")
    found = await call.service.call(session.describe_table, given.table)
    told = cells.all_to_json({name: found[name] for name in TableDescription.__struct_fields__ if name in found})
    data: dict[str, Any] = wire.fit(told)
    rows = [{name: _clipped(cell) for name, cell in row.items()} for row in data["sample_rows"]]
    data["sample_rows"] = wire.within(rows, call.text_bytes // 4)
    columns = wire.within(data["columns"], call.text_bytes)
    data["columns"], data["columns_left_out"] = columns, len(data["columns"]) - len(columns)
    return Reply(data, _description_in_words(data), session.id)


def _description_in_words(data: dict[str, Any]) -> str:
    lines = [f"{data['table']}: {plural(data['row_count'], 'row')}", *map(_column_in_words, data["columns"])]
    lines += [f"… and {plural(data['columns_left_out'], 'column')} more"] if data["columns_left_out"] else []
    lines += [f"joins: {each['column']} = {each['table']}.{each['references']}" for each in data.get("joins", ())]
    lines += [f"index: {wire.text(index)}" for index in data.get("indexes", ())]
    if data["sample_rows"]:
        rows = [list(row.values()) for row in data["sample_rows"]]
        lines.append("some rows:\n" + words.rows(data["sample_rows"][0], rows))
    return printable("\n".join(lines))


def _column_in_words(column: dict[str, Any]) -> str:
    told = [f"- {column['name']} {column['type']}".rstrip()]
    told += ["primary key"] if column["primary_key"] else []
    told += ["not null"] if column["not_null"] else [plural(column["nulls"], "null")] if column.get("nulls") else []
    if column.get("distinct") is not None:
        told.append(f"{column['distinct']:,} distinct")
    if column.get("min") is not None:
        told.append(f"{wire.text(column['min'])} to {wire.text(column['max'])}")
    if column.get("frequent"):
        told.append("often " + ", ".join(wire.text(each["value"]) for each in column["frequent"][:5]))
    return ", ".join(told)


_EXAMPLE = """Example: {"session_id": "…", "params": [3],
"sql": "SELECT city, count(*) AS n FROM trips WHERE km > ? GROUP BY city"}"""

TOOLS = (
    Tool(
        name="query", title="Query a session's database", scope="read", run=query,
        about="Run one SELECT of SQLite in a session and answer its rows; it changes nothing and waits for no "
        f"execution. {_ROWS} rows unless max_rows says otherwise, $result in all, texts up to {_CELL:,} characters; "
        "at most $query_seconds seconds. To compute on many rows, or to write, use execute_code. " + _EXAMPLE,
        takes=Query, answers=QueryRows, read_only=True, idempotent=True,
    ),
    Tool(
        name="list_tables", title="List a session's tables", scope="read", run=list_tables,
        about=f"The tables of a session with their columns, types and numbers of rows, {_TABLES} at most. "
        "Ask before you write SQL.",
        takes=ListTables, answers=TableList, read_only=True, idempotent=True,
    ),
    Tool(
        name="describe_table", title="Describe a table", scope="read", run=describe_table,
        about="What one table holds: columns with their types, nulls, distinct values, smallest and largest, keys, "
        "indexes, joins to other tables, a few rows. Takes five seconds at most, and what counting the rows takes.",
        takes=DescribeTable, answers=TableDescription, read_only=True, idempotent=True,
    ),
)  # fmt: skip
