"""What a snippet sees when a helper call fails: `helpers.Error`.

HelperError            a helper call failed; `code` says how, `hint` what to do
├── UnknownHelper      a name that the object does not have (an AttributeError too, so `hasattr` works)
└── UnknownKey         a key that the answer does not have (a KeyError too)
"""

from __future__ import annotations

from collections.abc import Iterable


class HelperError(Exception):
    """A helper call failed; `code` is stable, `message` says what, `hint` how to go on.

    `suggestion` is a statement that would run in the place of `sql`; SQLite has prepared it, nobody ran it.
    """

    code: str
    message: str
    hint: str | None
    did_you_mean: tuple[str, ...]
    available: tuple[str, ...]
    sql: str | None
    suggestion: str | None

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        hint: str | None = None,
        did_you_mean: Iterable[str] = (),
        available: Iterable[str] = (),
        sql: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        if message is None:  # a snippet's own `raise helpers.Error("text")`
            code, message = "code.runtime", code
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.did_you_mean = tuple(did_you_mean)
        self.available = tuple(available)
        self.sql = sql
        self.suggestion = suggestion

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UnknownHelper(HelperError, AttributeError):
    """The object has no such name; `available` lists those that it has."""


class UnknownKey(HelperError, KeyError):
    """The answer has no such key; `available` lists those that it has."""
