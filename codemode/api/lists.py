"""Lists over HTTP: pages of so many rows, and what stays as it is where a change does not name it."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request

from codemode.api import queries
from codemode.api.operations import Parameter

PAGE, MOST = 50, 1_000


def parameters(page: int) -> tuple[Parameter, Parameter]:
    """Which page of a list is asked for, of `page` rows where nobody says how many."""
    return (
        Parameter(name="limit", about=f"At most so many; {page:,} by default, {MOST:,} at most.", kind=int),
        Parameter(name="after", about="The `next` of the page before."),
    )


PARAMETERS = parameters(PAGE)


def asked(request: Request, *filters: str, page: int = PAGE) -> dict[str, Any]:
    """Which page of a list is asked for, and of those `filters` that take a text, the ones that are given."""
    found: dict[str, Any] = {name: given for name in filters if (given := request.query_params.get(name)) is not None}
    limit = queries.whole(request, "limit", page, most=MOST)
    return {**found, "after": request.query_params.get("after"), "limit": limit}


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields of a change that the request named."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
