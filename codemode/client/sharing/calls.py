"""What the calls have in common: pages, records, what is gone, and paths that hold any name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from msgspec import UNSET

from codemode.client.ask import MOST_CHARACTERS, Ask, Call, converted, document, query_of, sendable
from codemode.errors import RequestInvalid
from codemode.values.records import Page

Row = TypeVar("Row")


def path(*parts: str) -> str:
    """A path below /v1; an id may be any name, so what a path gives a meaning is spelt out.

    Raises RequestInvalid for what no path can hold.
    """
    texts = [sendable("an id", part) for part in parts]
    for text in texts:
        # Whoever sends an address resolves these, escaped or not: a message ".." of a session would be the session.
        if text in ("", ".", ".."):
            raise RequestInvalid(f"no address can hold the id {text!r}", hint="give users other names")
    found = "/v1/" + "/".join(quote(text, safe="") for text in texts)
    if len(found) > MOST_CHARACTERS:
        raise RequestInvalid("an id is too long for the address of a request")
    return found


def page(where: str, noun: str, kind: type[Row], /, **query: Any) -> Call[Page[Row]]:
    """One page of a list."""
    rows: Callable[[Any], list[Row]] = converted(list[kind])  # type: ignore[valid-type]
    ask = Ask(method="GET", path=where, query=query_of(**query), safe=True)
    return Call(ask, lambda found: Page(rows(found[noun]), found.get("next")))


def get(where: str, kind: type[Row], /, **query: Any) -> Call[Row]:
    """One record."""
    return Call(Ask(method="GET", path=where, query=query_of(**query), safe=True), converted(kind))


def made(where: str, kind: type[Row], /, **fields: Any) -> Call[Row]:
    """A new record, or one that was put in the place of another."""
    return Call(Ask(method="POST", path=where, body=document(**fields)), converted(kind))


def put(where: str, kind: type[Row], /, **fields: Any) -> Call[Row]:
    """A value in the place of what it was: twice is as good as once."""
    return Call(Ask(method="PUT", path=where, body=document(**fields), safe=True), converted(kind))


def changed(where: str, kind: type[Row], /, **fields: Any) -> Call[Row]:
    """A record with those fields changed that are given."""
    given = {name: value for name, value in fields.items() if value is not UNSET}
    return Call(Ask(method="PATCH", path=where, body=document(**given), safe=True), converted(kind))


def removed(where: str, **query: Any) -> Call[None]:
    """What is no more."""
    return Call(Ask(method="DELETE", path=where, query=query_of(**query)), lambda _: None)
