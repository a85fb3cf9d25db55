"""What a store of the catalogue offers: one SQL text for all of them, transactions, and errors that say what to do.

The subset that every store speaks, and so every statement of the catalogue keeps to: numbered parameters (`?1`),
RETURNING, ON CONFLICT (columns) DO UPDATE with the table's name before its own columns, DO NOTHING, CASE, coalesce,
CAST, row values, LIMIT above zero; a parameter that stands nowhere but beside IS NULL is CAST to its type; an inner
SELECT in FROM has a name. Flags are 0 or 1, times are milliseconds since 1970, JSON is text, and text holds no NUL.
What cannot be said so is a pair in `codemode.catalog.dialect`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from codemode.errors import CatalogForm, RequestInvalid, WorkerError
from codemode.limits import Limits
from codemode.patterns import pattern

if TYPE_CHECKING:  # most processes ask nothing
    from codemode.catalog.asking import Asking

Dialect = Literal["sqlite", "postgres"]
Kind = Literal["sqlite", "memory", "postgres"]
Row = tuple[Any, ...]
Look = Callable[..., list[Row]]  # of a text and its parameters
Broken = Literal["unique", "foreign", "check", "null", "trigger", "tenant"]
# Parameters, and what is none although it may look like one: text, quoted names, comments.
PARTS = pattern(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\?(\d*)", re.DOTALL)
EVERYBODY = "*"  # the tenant that a store itself acts for: all of them


class Statements(Protocol):
    """Runs statements; safe to use from several threads.

    Raises CatalogDamaged, StorageFull, WorkerUnavailable, WorkerError where it is closed, and RuleBroken.
    """

    @property
    def dialect(self) -> Dialect:
        """Which of a pair of texts it takes."""
        ...

    def run(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement; it sees and joins the `at_once` that this thread is in."""
        ...

    def look(self, sql: str, *params: Any) -> list[Row]:
        """The same for a statement that reads what is committed: it waits for no writer, and sees none of `at_once`."""
        ...

    def at_once(self) -> AbstractContextManager[None]:
        """What this thread runs inside is one transaction: all of it, or nothing where an error leaves the block.

        No other `at_once` of the same tenant runs meanwhile, in whichever process; one of a whole store (not bound to
        a tenant) runs alone. One inside another is a part of it that can fail by itself: after a RuleBroken the rest
        goes on only where the inner block ended with it.
        """
        ...


class Store(Statements, Protocol):
    """An open catalogue. What it runs itself is for all tenants; whatever belongs to one goes by a BoundStore."""

    @property
    def kind(self) -> Kind:
        """Which store it is."""
        ...

    @property
    def where(self) -> str:
        """What to call it in messages: a path, an address without its password."""
        ...

    @property
    def is_near(self) -> bool:
        """Whether `look` ends in microseconds, so that an event loop may ask for itself."""
        ...

    behind: bool  # whether migrations are pending: what this codemode needs may not be there yet
    form: int | None  # the number of its newest migration when it was opened; None until then

    def acting_for(self, tenant: str, sought: str = "") -> Statements:
        """The same statements, in which this tenant's rows are all there is, where the database can see to that.

        Of words in messages there are only those that `sought` finds for a `look`, in the words of the database.
        """
        ...

    def asking(self, limits: Limits) -> AbstractContextManager[Asking]:
        """The store's own wall around one question, as long as the block lasts: see `codemode.catalog.asking`."""
        ...

    def script(self, sql: str) -> None:
        """Run the statements of a text that has no parameters, inside `at_once`: for migrations."""
        ...

    def snapshot(self) -> AbstractContextManager[Look]:
        """What was committed at one moment, as long as the block lasts, while others go on writing."""
        ...

    def loading(self, tables: Collection[str]) -> AbstractContextManager[None]:
        """`at_once` for rows that come just as they are: what the schema does by itself at a change of them rests.

        What follows from the rows without being one of their columns (full-text indexes, numbers given next) is made
        when the block ends well.
        """
        ...

    def shrink(self, pages: int) -> None:
        """Give at most so many free pages back to the file system, where nobody else does that by itself."""
        ...

    def close(self) -> None:
        """Close it; whoever asks afterwards gets a WorkerError."""
        ...


class RuleBroken(Exception):
    """A constraint of the schema refuses a row: whoever wrote it turns this into an error for the one who asked."""

    def __init__(self, kind: Broken, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def no_text() -> RequestInvalid:
    """The error for a text that no database can be asked for: a name of half a character, say."""
    return RequestInvalid("a text holds a lone surrogate, which is no character", hint="send what UTF-8 can say")


def closed() -> WorkerError:
    """The error for whoever asks a worker that is closed."""
    return WorkerError("this worker is closed", hint="make another one")


def unknown_form(why: str, where: str) -> CatalogForm:
    """The error for what no migration that this codemode knows can have made."""
    return CatalogForm(
        f"the catalogue is not of a form that this codemode knows: {why} ({where})",
        hint="use the codemode that wrote it, or restore a backup; `codemode db status` lists what it holds",
    )


def not_migrated(why: object) -> CatalogForm:
    """The error for what a pending migration would bring."""
    return CatalogForm(
        f"the catalogue is not of the form that this needs yet: {why}", hint="`codemode db migrate` brings it there"
    )


def changed_since(why: object, where: str) -> CatalogForm:
    """The error for what another process has taken from a catalogue, or put in its place, since it was opened."""
    return CatalogForm(
        f"the form of the catalogue was changed while this process had it open: {why} ({where})",
        hint="start the service again; `codemode db status` says which form the catalogue has now",
    )
