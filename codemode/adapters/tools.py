"""The tools that a model is given for one session, and their definitions as the APIs of OpenAI and Anthropic take them.

Each tool is a struct of its arguments: the schema that the model sees and the check of what it sends come from the same
lines. The schemas keep to what the strict modes of both APIs allow: closed objects, every property required, null
where nothing is meant. The names are those of the MCP face.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from codemode.limits import Limits

Parameter = str | int | float | bool | None

_EXECUTE = """\
Run Python 3 next to this session's SQLite database. The answer is its top-level `return`, else its last expression; \
what it prints comes too. Fetch, join and aggregate in it, and return only what is needed.
It has no files and no network, only the modules for data work and `helpers`:
helpers.db.query(sql, params), .exec(sql, params), .batch_insert(table, records, create=True), .pages(sql); \
helpers.schema.get_tables(), .describe_table(table).
All or nothing: if it fails, nothing that it wrote remains. Tables stay for the next snippet, {variables}.
Limits: {seconds:g} s, {rows:,} rows a query; a larger result is kept as a table, and how_to_read says how to go on.
After an error send the code anew as `hint` and `suggestion` say.
Example: return helpers.db.query("SELECT city, sum(km) AS km FROM trips WHERE year = ? GROUP BY city", [2024])"""


class Arguments(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of one tool; a subclass for each."""

    tool: ClassVar[str]
    about: ClassVar[str]


class ExecuteCode(Arguments):
    """What `execute_code` takes."""

    tool: ClassVar[str] = "execute_code"
    about: ClassVar[str] = _EXECUTE

    code: Annotated[str, Meta(description="The Python source, as it is: no fence around it.")]


class QueryRows(Arguments):
    """What `query` takes."""

    tool: ClassVar[str] = "query"
    about: ClassVar[str] = (
        "Read rows with one SELECT in SQLite's SQL. It cannot write. Aggregate in SQL: only the first rows are shown."
    )

    sql: Annotated[str, Meta(description="One statement, with a ? for each value.")]
    params: Annotated[
        list[Parameter] | None,
        Meta(description="The values for the placeholders, in order; null where there are none."),
    ] = None


class ListTables(Arguments):
    """`list_tables` takes nothing."""

    tool: ClassVar[str] = "list_tables"
    about: ClassVar[str] = "The names of the tables and views in this session's database."


class DescribeTable(Arguments):
    """What `describe_table` takes."""

    tool: ClassVar[str] = "describe_table"
    about: ClassVar[str] = (
        "What a table holds: columns with types and what is in them, keys, joins, how many rows and a few of them. "
        "Look here before writing SQL."
    )

    table: Annotated[str, Meta(description="The name of a table or view.")]


TOOLS: dict[str, type[Arguments]] = {kind.tool: kind for kind in (ExecuteCode, QueryRows, ListTables, DescribeTable)}


class Definition(msgspec.Struct, frozen=True):
    """One tool as a model is told of it; `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


def definitions(limits: Limits | None = None, *, stateful: bool = False) -> tuple[Definition, ...]:
    """Every tool, for sessions with these limits, `stateful` or not."""
    limits = limits or Limits()
    variables = "and so do variables" if stateful else "variables do not"
    facts = {"variables": variables, "seconds": limits.execution_seconds, "rows": limits.rows}
    return tuple(Definition(kind.tool, kind.about.format(**facts), _schema(kind)) for kind in TOOLS.values())


def openai_chat_tools(limits: Limits | None = None, *, stateful: bool = False) -> list[dict[str, Any]]:
    """The list for `tools` of OpenAI's Chat Completions, in strict mode."""
    return [
        {"type": "function", "function": {**_named(each), "parameters": each.schema, "strict": True}}
        for each in definitions(limits, stateful=stateful)
    ]


def openai_responses_tools(limits: Limits | None = None, *, stateful: bool = False) -> list[dict[str, Any]]:
    """The list for `tools` of OpenAI's Responses, in strict mode."""
    return [
        {"type": "function", **_named(each), "parameters": each.schema, "strict": True}
        for each in definitions(limits, stateful=stateful)
    ]


def anthropic_tools(limits: Limits | None = None, *, stateful: bool = False) -> list[dict[str, Any]]:
    """The list for `tools` of Anthropic's Messages, in strict mode."""
    return [
        {**_named(each), "input_schema": each.schema, "strict": True} for each in definitions(limits, stateful=stateful)
    ]


def _named(definition: Definition) -> dict[str, Any]:
    return {"name": definition.name, "description": definition.description}


def _schema(kind: type[Arguments]) -> dict[str, Any]:
    """The JSON schema in the form that strict modes take: all required, no defaults, and nothing else allowed."""
    _, components = msgspec.json.schema_components([kind])
    properties = components[kind.__name__].get("properties", {})
    closed = {name: {key: each[key] for key in each if key != "default"} for name, each in properties.items()}
    return {"type": "object", "properties": closed, "required": list(closed), "additionalProperties": False}
