"""Single headers of a request, read where they are: Starlette's mapping of them is made anew by each who looks."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of this name, in small letters; None where there is none."""
    for each, value in scope["headers"]:
        if each == name:
            return str(value, "latin-1")
    return None


def headers_of(scope: Scope, name: bytes) -> list[str]:
    """All headers of this name."""
    return [str(value, "latin-1") for each, value in scope["headers"] if each == name]
