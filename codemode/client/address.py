"""Where a service is and by which token it is called: checked once, and never shown."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from codemode.errors import RequestInvalid

URL, TOKEN = "CODEMODE_URL", "CODEMODE_TOKEN"


class Address(NamedTuple):
    """The service's address without a slash at its end, and the token or None."""

    url: str
    token: str | None

    def __repr__(self) -> str:
        return f"<Address {self.url}>"

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


def resolve(url: str | None, token: str | None) -> Address:
    """The address given, else that of the environment; raises RequestInvalid.

    The environment's token goes to the environment's address only: a program that names another one must not hand
    it a secret that was meant for this one.
    """
    known = os.environ.get(URL) or None
    found = url if url is not None else known
    if found is None:
        raise RequestInvalid("no address of a service", hint=f"say Client('http://127.0.0.1:8400'), or set {URL}")
    if token is None and known is not None and _checked(found) == _checked(known):
        token = os.environ.get(TOKEN) or None
    if token is not None and not _is_token(token):
        raise RequestInvalid("the token is no token: it holds blanks or other signs that none has")
    return Address(_checked(found), token)


def _is_token(text: object) -> bool:
    """Whether it can stand in a header: anything else would be refused there in words that show it."""
    return isinstance(text, str) and text.isascii() and text.isprintable() and " " not in text and bool(text)


def _checked(url: str) -> str:
    hint = "for example http://127.0.0.1:8400 or https://codemode.example.com"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except (ValueError, AttributeError, TypeError):
        fits = False
    if not fits or parts.query or parts.fragment:
        raise RequestInvalid("the address must be http(s)://host[:port][/path]", hint=hint)
    if parts.username or parts.password:
        raise RequestInvalid("the address must hold no user or password", hint="pass the token as `token`")
    return url.rstrip("/")
