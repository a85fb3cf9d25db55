"""JSON schemas of the structs that tools take and answer with, in the form that every client of MCP reads."""

from __future__ import annotations

from typing import Any

import msgspec

_SCALARS = ("string", "number", "boolean", "null")


def takes(struct: type[msgspec.Struct], *, required: tuple[str, ...]) -> dict[str, Any]:
    """The schema of a tool's arguments; `required` ones must be given although the struct has a default for them."""
    schema = answers(struct)
    schema["properties"] = {name: _without_null(each) for name, each in schema["properties"].items()}
    schema["required"] = [name for name in schema["properties"] if name in (*schema.get("required", ()), *required)]
    schema["additionalProperties"] = False
    return schema


def answers(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of a tool's answer: an object, as protocol versions up to 2025-11-25 demand of it.

    It has no references: some clients resolve none, and a schema that is only one is no object.
    """
    (reference,), components = msgspec.json.schema_components([struct], ref_template="{name}")
    found: dict[str, Any] = _inlined(reference, components)
    return found


def _inlined(part: Any, components: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(each, components) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(components[part["$ref"]], components)
    kept = {name: each for name, each in part.items() if not (_is_struct(part) and name in ("title", "description"))}
    return {name: _inlined(each, components) for name, each in kept.items()}


def _is_struct(part: dict[str, Any]) -> bool:
    """Whether this is the schema of a struct, whose name and docstring say nothing to a model."""
    return isinstance(part.get("properties"), dict) and "title" in part


def _without_null(part: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out needs no null: models give one where the schema allows it.

    Some hosts take no enumeration without a type, and no array of anything.
    """
    if "enum" in part:
        part = {"type": "string", **part}
    if part.get("type") == "array" and "items" not in part:
        part = {**part, "items": {"anyOf": [{"type": kind} for kind in _SCALARS]}}
    if part.get("default", ...) is None:
        part = {name: each for name, each in part.items() if name != "default"}
    if "anyOf" not in part:
        return part
    kinds = [_without_null(each) for each in part["anyOf"] if each != {"type": "null"}]
    rest = {name: each for name, each in part.items() if name != "anyOf"}
    return {**kinds[0], **rest} if len(kinds) == 1 else {"anyOf": kinds, **rest}
