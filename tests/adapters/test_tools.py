"""The definitions keep to the rules that the APIs publish for strict mode."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

from codemode import Limits
from codemode.adapters import anthropic_tools, openai_chat_tools, openai_responses_tools
from codemode.adapters.tools import definitions

NAMES = ["execute_code", "query", "list_tables", "describe_table"]
# What both strict modes take of JSON Schema, of what is used here.
KEYWORDS = {"type", "properties", "required", "additionalProperties", "description", "anyOf", "items"}


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for below in [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]:
        yield from schemas(below)
    if "items" in schema:
        yield from schemas(schema["items"])


@pytest.mark.parametrize("definition", definitions(), ids=lambda each: each.name)
def test_a_schema_is_one_that_strict_mode_takes(definition):
    Draft202012Validator.check_schema(definition.schema)
    for schema in schemas(definition.schema):
        assert set(schema) <= KEYWORDS
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("definition", definitions(), ids=lambda each: each.name)
def test_a_framework_that_makes_schemas_strict_has_nothing_to_change(definition):
    made = OpenAIJsonSchemaTransformer(definition.schema, strict=None)
    assert made.walk() == definition.schema
    assert made.is_strict_compatible


@pytest.mark.parametrize("definition", [*definitions(), *definitions(stateful=True)], ids=lambda each: each.name)
def test_names_and_descriptions_are_of_a_size_that_the_apis_take(definition):
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", definition.name)
    assert 0 < len(definition.description) <= 1024


def test_the_form_of_chat_completions():
    tools = openai_chat_tools()
    assert [tool["function"]["name"] for tool in tools] == NAMES
    for tool in tools:
        assert set(tool) == {"type", "function"}
        assert tool["type"] == "function"
        assert set(tool["function"]) == {"name", "description", "parameters", "strict"}
        assert tool["function"]["strict"] is True


def test_the_form_of_responses():
    tools = openai_responses_tools()
    assert [tool["name"] for tool in tools] == NAMES
    for tool in tools:
        assert set(tool) == {"type", "name", "description", "parameters", "strict"}
        assert (tool["type"], tool["strict"]) == ("function", True)


def test_the_form_of_messages():
    tools = anthropic_tools()
    assert [tool["name"] for tool in tools] == NAMES
    for tool in tools:
        assert set(tool) == {"name", "description", "input_schema", "strict"}
        assert tool["strict"] is True


@pytest.mark.parametrize("tools", [anthropic_tools, openai_chat_tools, openai_responses_tools])
def test_the_definitions_are_plain_json(tools):
    assert json.loads(json.dumps(tools())) == tools()


def test_the_description_tells_the_limits_and_whether_variables_stay():
    one = definitions(Limits(execution_seconds=7, rows=123), stateful=True)[0].description
    assert "7 s, 123 rows" in one
    assert "and so do variables" in one
    assert "variables do not" in definitions()[0].description
