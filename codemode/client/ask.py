"""One request and how its answer is read, as data: what blocking and asynchronous clients share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from codemode.errors import RequestInvalid, WorkerUnreachable, shown
from codemode.plain import decode

T = TypeVar("T")
Query = tuple[tuple[str, str], ...]
MOST_CHARACTERS = 60_000  # of a query: the service takes a head of 64 KiB
_PLAIN_CHARACTERS = 5_000  # so few are at most 60,000 whatever has to be escaped of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A body that is made while it is sent; `again`: whether `begin` can make it a second time."""

    begin: Callable[[], Iterator[bytes] | AsyncIterator[bytes]]
    media: str
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    `safe`: it may be sent again though it may have been done already, because doing it twice is the same as once.
    `seconds`: how long the service may take for it besides the client's own `timeout`; None for as long as it likes.
    """

    method: str
    path: str
    query: Query = ()
    body: bytes | None = None
    upload: Upload | None = None
    safe: bool = False
    seconds: float | None = 0.0

    @property
    def can_be_sent_again(self) -> bool:
        """Whether the body can be had a second time."""
        return self.upload is None or self.upload.again


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and what its answer means."""

    ask: Ask
    read: Callable[[Any], T]

    def answer(self, body: bytes) -> T:
        """The value that the body of an answer stands for; raises WorkerUnreachable where it is none of the service."""
        try:
            return self.read(parsed(body) if body else None)
        except (ValueError, TypeError, LookupError, msgspec.MsgspecError) as error:
            raise stranger(f"an answer that cannot be read: {type(error).__name__}") from None


def parsed(body: bytes) -> Any:
    """The document of an answer: at the speed of C, but where it holds what only Python's own reader takes."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # integers of over 4,300 digits, lone surrogates
        return decode(body)


def query_of(**given: Any) -> Query:
    """Query parameters; those that are None are left out, lists are repeated.

    Raises RequestInvalid for what no address can hold.
    """
    found = tuple(
        (name, sendable(name, each))
        for name, value in given.items()
        for each in (value if isinstance(value, (list, tuple)) else (value,))
        if each is not None
    )
    if sum(len(text) for _, text in found) > _PLAIN_CHARACTERS and len(urlencode(found)) > MOST_CHARACTERS:
        raise RequestInvalid(
            f"{' and '.join(sorted(given))}: too long for the address of a request",
            hint="a long statement may become a view, and be named by that",
        )
    return found


def sendable(name: str, value: Any) -> str:
    """A value as it stands in an address; raises RequestInvalid for what none can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        text = str(value)
        text.encode()
    except ValueError:  # a lone surrogate; an integer of over 4,300 digits
        raise RequestInvalid(f"{name} cannot be sent: {shown(value)}") from None
    return text


def document(**fields: Any) -> bytes:
    """A JSON body; raises RequestInvalid for what JSON cannot hold."""
    try:
        return msgspec.json.encode(fields, enc_hook=_plain)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise RequestInvalid(
            f"{', '.join(fields)}: it cannot be sent as JSON: {error}", hint="pass text, numbers, lists and dicts"
        ) from None


def _plain(value: Any) -> Any:
    """Kinds of text and numbers that a library made its own, as what they are kinds of."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, int):
        return int.__int__(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


def stranger(what: str) -> WorkerUnreachable:
    """The error for an answer that is not in the service's own words: a proxy's, or another server's."""
    return WorkerUnreachable(
        f"what answers there is no codemode service: {what}",
        hint="check the address; where a proxy stands before the service, it may be the proxy's answer",
    )


def converted(kind: Any) -> Callable[[Any], Any]:
    """How a document becomes a struct, or a list of them."""
    return lambda found: msgspec.convert(found, kind)
