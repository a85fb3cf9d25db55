"""A question to the catalogue, and what every store offers for it: the views of one tenant, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from codemode.catalog.views import View
from codemode.database.execute import Parameters, Result
from codemode.errors import StatementRefused

TABLES_WAY = "`codemode db query --tables` or GET /v1/catalog/tables lists what a question may read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One statement that reads, with the bounds of its answer; `until` is a time of time.monotonic."""

    tenant: str
    sql: str
    params: Parameters = ()
    rows: int
    result_bytes: int
    value_bytes: int
    until: float


class Asking(Protocol):
    """A store's own wall around one question: it holds whatever the guard thought of the text."""

    @property
    def dialect(self) -> Literal["sqlite", "postgres"]:
        """Which SQL it is asked in."""
        ...

    @property
    def views(self) -> list[View]:
        """Those that this catalogue can show."""
        ...

    def answer(self, question: Question, functions: Collection[str]) -> Result:
        """Run it, where only `functions` may be called, as far as the store can tell.

        Raises StatementRefused for what is behind the wall, StatementError, and SQLite's own errors as they come.
        """
        ...


def not_shown(what: str, views: Iterable[View]) -> StatementRefused:
    """The error for what a question may not read or do."""
    return StatementRefused(
        f"{what} is not available in a question to the catalogue", hint=TABLES_WAY,
        available=[view.name for view in views],
    )  # fmt: skip
