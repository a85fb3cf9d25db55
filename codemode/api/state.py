"""The state of a session over HTTP: JSON values under keys.

A key is any text, so it stands in the query: in a path, proxies join its slashes and resolve its dots.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, in_session
from codemode.session.session import Session


class StateKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that hold a value, sorted."""

    keys: list[str]


class StateValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a key holds; `found` tells a null that is kept from nothing."""

    key: str
    found: bool
    value: Any = None


class KeptValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value to keep."""

    value: Any


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there was something to delete."""

    deleted: bool


async def keys(request: Request) -> Response:
    """All keys of the state, sorted."""
    return answer(StateKeys(keys=await in_session(request, Session.list_state)))


async def value(request: Request) -> Response:
    """The value under a key."""
    key, nothing = queries.text(request, "key"), object()
    found = await in_session(request, lambda session: session.get_state(key, nothing))
    there = found is not nothing
    return answer(StateValue(key=key, found=there, value=found if there else None))


async def save(request: Request) -> Response:
    """Keep a JSON value under a key."""
    key = queries.text(request, "key")
    body = await bodies.decode(request, KeptValue)
    await in_session(request, lambda session: session.save_state(key, body.value))
    return Response(status_code=204)


async def delete(request: Request) -> Response:
    """Forget a key; whether it was there."""
    key = queries.text(request, "key")
    return answer(Deleted(deleted=await in_session(request, lambda session: session.delete_state(key))))


_PATH = "/v1/sessions/{id}/state"
_KEY = (Parameter(name="key", about="The key: any text.", required=True),)
_WRITE = (404, 409, 410, 422, 429, 507)
OPERATIONS = (
    Operation(
        method="GET", path=_PATH, name="list_state", handler=keys, scope="read",
        about="All keys of the session's state.", answers={200: StateKeys}, problems=(404, 409, 410, 429),
    ),
    Operation(
        method="GET", path=f"{_PATH}/value", name="get_state", handler=value, scope="read", parameters=_KEY,
        about="The value under a key.", answers={200: StateValue}, problems=(404, 409, 410, 422, 429),
    ),
    Operation(
        method="PUT", path=f"{_PATH}/value", name="save_state", handler=save, scope="execute", parameters=_KEY,
        about="Keep a JSON value under a key.", body=KeptValue, answers={204: None}, problems=_WRITE,
    ),
    Operation(
        method="DELETE", path=f"{_PATH}/value", name="delete_state", handler=delete, scope="execute", parameters=_KEY,
        does="execute", about="Forget a key.", answers={200: Deleted}, problems=_WRITE,
    ),
)  # fmt: skip
