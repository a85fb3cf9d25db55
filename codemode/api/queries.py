"""Query parameters: checked like every other input, with errors that name them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from starlette.requests import Request

from codemode.errors import RequestInvalid
from codemode.moments import milliseconds_of


def check_known(request: Request, names: Sequence[str]) -> None:
    """Refuse a parameter that the operation does not have: without what it misspells the answer is another one."""
    for name in request.query_params:
        if name not in names:
            raise RequestInvalid(
                f"there is no query parameter {name[:40]!r} here",
                did_you_mean=get_close_matches(name[:100], names, n=1), available=names,
            )  # fmt: skip


def whole(request: Request, name: str, default: int, *, least: int = 1, most: int) -> int:
    """A whole number between `least` and `most`."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 12 and least <= int(given) <= most):
        raise RequestInvalid(f"{name} must be a whole number from {least:,} to {most:,}, not {given[:40]!r}")
    return int(given)


def text(request: Request, name: str) -> str:
    """A text that has to be there, and may be empty: what it names has the last word."""
    given = request.query_params.get(name)
    if given is None:
        raise RequestInvalid(f"{name} is missing", hint=f"say ?{name}=…")
    return given


def flag(request: Request, name: str) -> bool:
    """A switch: true or false, false where it is not given."""
    given = request.query_params.get(name, "false").lower()
    if given not in ("true", "false", "1", "0"):
        raise RequestInvalid(f"{name} must be true or false, not {given[:40]!r}")
    return given in ("true", "1")


def choice(request: Request, name: str, among: tuple[str, ...], default: str | None = None) -> str | None:
    """One of a few words."""
    given = request.query_params.get(name, default)
    if given is not None and given not in among:
        raise RequestInvalid(f"{name} must be one of {', '.join(among)}, not {given[:40]!r}", available=among)
    return given


def moment(request: Request, name: str) -> int | None:
    """A moment in milliseconds since 1970: ISO 8601, of UTC where it names no zone, or the number itself."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        return milliseconds_of(given)
    except ValueError:
        raise RequestInvalid(
            f"{name} must be a moment, not {given[:40]!r}", hint="such as 2026-11-29T08:30:00Z"
        ) from None
