"""The OpenAPI 3.1 document, made from the list of operations and the structs that they take and answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from codemode import __version__
from codemode.api.operations import Operation, Parameter
from codemode.api.problems import MEDIA_TYPE, ProblemDocument
from codemode.docstrings import doc_of

_PROBLEMS = {
    400: "The request is wrong; `detail` says what.",
    401: "No token, or one that is unknown, revoked or expired.",
    403: "The token may not do this.",
    404: "There is no such thing in reach of the token.",
    408: "The body came too slowly.",
    409: "The session cannot be used as it is.",
    410: "The session expired; renew it on purpose.",
    413: "The body is too large.",
    415: "The body has a media type that is not taken.",
    422: "The statement failed; `code`, `hint` and `did_you_mean` say how to mend it.",
    429: "Busy, or a quota is used up; try again after Retry-After seconds.",
    500: "A fault of the service; the log explains the id.",
    503: "The service cannot serve now.",
    507: "The data directory is full.",
}
# One event of a stream: OpenAPI 3.1 has no word for a sequence of them.
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["started", "stdout", "progress", "warning", "outcome", "problem"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_ALWAYS = (400, 500, 503)


class Named:
    """The schema of each type that the operations speak of."""

    def __init__(self, kinds: list[Any], schemas: Iterable[dict[str, Any]]) -> None:
        self._kinds, self._schemas = kinds, tuple(schemas)

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of one type."""
        return self._schemas[self._kinds.index(kind)]


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document."""
    operations = tuple(operations)
    kinds = _structs(operations)
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    named = Named(kinds, schemas)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, named)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Codemode",
            "version": __version__,
            "description": "Run untrusted Python in sessions, each with a guarded SQLite database of its own.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document was asked for."}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`cm_…`"}},
        },
    }
    said: dict[str, Any] = _in_full(whole)
    return said


def _in_full(part: Any) -> Any:
    """The same with the type of each enumeration, items for each array of anything, and any fields for any object.

    JSON Schema needs none of them, but generators of clients leave out what has no type or items, with all that refers
    to it, and make types of objects without fields that nothing can be put into.
    """
    if isinstance(part, list):
        return [_in_full(each) for each in part]
    if not isinstance(part, dict):
        return part
    said = {name: _in_full(each) for name, each in part.items()}
    if said.get("type") == "array":
        said.setdefault("items", {})
    if said.get("type") == "object" and "properties" not in said:
        said.setdefault("additionalProperties", True)
    if isinstance(said.get("enum"), list):
        said.setdefault("type", "string")
    return said


def _structs(operations: tuple[Operation, ...]) -> list[Any]:
    found: list[Any] = [ProblemDocument]
    for each in operations:
        found += [kind for kind in (each.body, *each.answers.values()) if kind is not None and kind not in found]
    return found


def _operation(each: Operation, named: Named) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.about,
        "description": " ".join(doc_of(each.handler).split()),
        "parameters": [*_path_parameters(each.path), *map(_query_parameter, each.parameters)],
        "responses": _responses(each, named),
    }
    described["security"] = [{"token": [each.scope]}, {}] if each.scope is not None else []
    content = {"application/json": {"schema": named.of(each.body)}} if each.body is not None else {}
    content |= {
        media: {"schema": {"type": "string", "format": "binary"}} for media in each.upload if media not in content
    }
    if content:
        described["requestBody"] = {"required": not _may_be_empty(each), "content": content}
    return described


def _may_be_empty(each: Operation) -> bool:
    """Whether no body is as good as an empty object: every field of it has a default."""
    return not each.upload and all(not field.required for field in msgspec.structs.fields(each.body))


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)(?::path)?}", path)
    ]


def _query_parameter(each: Parameter) -> dict[str, Any]:
    schema = msgspec.json.schema(each.kind)
    return {"name": each.name, "in": "query", "required": each.required, "description": each.about, "schema": schema}


def _responses(each: Operation, named: Named) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, kind in each.answers.items():
        found[str(status)] = {"description": "As asked for." if kind is not None else "Done."}
        if kind is not None:
            found[str(status)]["content"] = {each.media: {"schema": named.of(kind)}}
            if each.events and status == 200:
                found["200"]["content"]["text/event-stream"] = {"schema": _EVENT}
    refused = {*_ALWAYS, *each.problems, *((401, 403) if each.scope else ())}
    if each.body is not None or each.upload:
        refused |= {408, 413, 415}
    for status in sorted(refused):
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
        found[str(status)] = {"description": _PROBLEMS[status], "content": content}
    return found
