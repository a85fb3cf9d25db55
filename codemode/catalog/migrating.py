"""Bring a catalogue from one form to another: numbered steps, each up and down, recorded where they were taken.

The steps of a store are `migrations/DIALECT/NNNN_name.up.sql` with a `.down.sql` beside each; the first line says
`-- additive` (older code goes on working) or `-- breaking` (older code must not touch the catalogue any more). Both
stores use the same numbers; PostgreSQL begins with the first form that it was ever made in. The steps that are taken
at once, and the rows that record them, commit together, under a lock: of two processes that come at once, one takes
them, and a crash leaves the form before or after them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from codemode.catalog import dialect
from codemode.catalog.store import Dialect, Store, unknown_form
from codemode.database.clock import now_ms
from codemode.database.migrate import newer
from codemode.errors import CatalogForm, RequestInvalid, SessionNewer
from codemode.patterns import pattern

Kind = Literal["additive", "breaking"]
Policy = Literal["additive", "all", "none"]
Step = Callable[["Migration"], None]  # called when one was taken

_log = logging.getLogger("codemode")
_NAME = pattern(r"(\d{4})_([a-z0-9_]+)\.up\.sql")
_KINDS: dict[str, Kind] = {"-- additive": "additive", "-- breaking": "breaking"}


class Migration(msgspec.Struct, frozen=True):
    """One step, as this codemode has it."""

    number: int
    name: str
    kind: Kind
    up: str
    down: str

    @property
    def checksum(self) -> str:
        """SHA-256 of what it does, as hexadecimal digits."""
        return _digest(self.up)


@cache
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Applied(msgspec.Struct, frozen=True):
    """One step, as the catalogue has it; without a checksum and a time where it was taken before they were recorded."""

    number: int
    name: str
    kind: Kind
    checksum: str | None
    applied_at: int | None


class Standing(msgspec.Struct, frozen=True):
    """Where a catalogue stands: what was applied to it, and what this codemode would do next."""

    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]
    ahead: tuple[Applied, ...]  # additive steps that this codemode does not know

    @property
    def form(self) -> int:
        """The number of its newest step; 0 for an empty one."""
        return self.applied[-1].number if self.applied else 0


@cache
def known(which: Dialect) -> tuple[Migration, ...]:
    """The steps of a store, in order; raises CatalogForm where their numbers have a gap."""
    return read(Path(__file__).parent / "migrations" / which)


def read(folder: Path) -> tuple[Migration, ...]:
    """The steps that a folder holds, as `known` has them."""
    found = []
    for step in sorted(folder.iterdir(), key=lambda each: each.name):
        if parts := _NAME.fullmatch(step.name):
            up = step.read_text("utf-8")
            down = step.with_name(step.name.replace(".up.", ".down.")).read_text("utf-8")
            found.append(Migration(int(parts[1]), parts[2], _KINDS[up.partition("\n")[0]], up, down))
    numbers = [each.number for each in found]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise CatalogForm(
            f"the migrations of this codemode are not whole: their numbers are {', '.join(map(str, numbers))}",
            hint="install codemode anew; a new migration has the number after the newest",
        )
    return tuple(found)


def standing(store: Store, steps: tuple[Migration, ...] | None = None) -> Standing:
    """Where the catalogue stands beside `steps` (this codemode's own).

    Raises CatalogForm where what it holds cannot have come of these steps, and SessionNewer where a newer codemode
    took a breaking one.
    """
    steps = known(store.dialect) if steps is None else steps
    applied = _applied(store, steps)
    by_number = {each.number: each for each in steps}
    for place, each in enumerate(applied, steps[0].number):
        mine = by_number.get(each.number)
        if each.number != place:
            raise unknown_form(f"its migrations go from {place - 1} to {each.number}", store.where)
        if mine is not None and each.checksum not in (None, mine.checksum):
            why = f"migration {each.number} ({each.name}) was not applied as this codemode has it"
            raise unknown_form(why, store.where)
    ahead = tuple(each for each in applied if each.number not in by_number)
    if breaking := [each for each in ahead if each.kind == "breaking"]:
        raise SessionNewer(
            f"the catalogue has form {applied[-1].number} ({store.where}), and migration {breaking[0].number}"
            f" ({breaking[0].name}) of a newer codemode keeps this one out, which knows forms up to {steps[-1].number}",
            hint="upgrade codemode, or roll back with the newer one: codemode db rollback",
        )
    form = applied[-1].number if applied else 0
    return Standing(applied, tuple(each for each in steps if each.number > form), ahead)


def _applied(store: Store, steps: tuple[Migration, ...]) -> tuple[Applied, ...]:
    if _is_recorded(store):
        rows = store.run("SELECT number, name, kind, checksum, applied_at FROM migrations ORDER BY number")
        return tuple(Applied(*row) for row in rows)
    [(form,)] = store.run(dialect.FORM.of(store.dialect))
    if form > steps[-1].number:  # of a codemode that recorded nothing else
        raise newer(form, steps[-1].number)
    return tuple(Applied(each.number, each.name, each.kind, None, None) for each in steps if each.number <= form)


def _is_recorded(store: Store) -> bool:
    return bool(store.run(dialect.HAS_TABLE.of(store.dialect), "migrations"))


def make_ready(store: Store, policy: Policy = "additive") -> Standing:
    """Bring the catalogue to the form that `policy` lets it come to; an empty one comes to the newest.

    "additive" stops before the first breaking step, which `migrate` takes. Raises as `standing` does.
    """
    found = standing(store)
    if not found.pending and not found.ahead:
        return found
    if found.pending and (policy == "all" or not found.applied):
        migrate(store)
    elif found.pending and policy == "additive":
        breaking = next((each.number for each in found.pending if each.kind == "breaking"), None)
        migrate(store, None if breaking is None else breaking - 1)
    found = standing(store)
    if found.pending:
        _log.warning(
            "the catalogue has form %d, and this codemode has %d: `codemode db migrate` brings it there (%s)",
            found.form, found.pending[-1].number, store.where,
        )  # fmt: skip
    elif found.ahead:
        names = ", ".join(f"{each.number} ({each.name})" for each in found.ahead)
        _log.warning("a newer codemode has added to the catalogue, which this one goes on using: %s", names)
    return found


def migrate(store: Store, to: int | None = None, told: Step = lambda _: None) -> list[Migration]:
    """Take the steps that the catalogue lacks, up to number `to` where one is given: all of them, or none.

    Raises RequestInvalid for a number that no migration has.
    """
    newest = known(store.dialect)[-1].number
    if to is not None and to > newest:
        raise RequestInvalid(f"there is no migration {to}", hint=f"the newest is {newest}")
    with store.at_once():
        # Looked at under the lock: another process may have taken some since this one decided to.
        steps = [each for each in standing(store).pending if to is None or each.number <= to]
        for each in steps:
            store.script(each.up)
            _record(store, each.number)
            told(each)
    return steps


def _record(store: Store, form: int) -> None:
    """Have the catalogue say that it has `form`."""
    store.run(dialect.MARK_FORM.of(store.dialect).format(number=form))
    if not _is_recorded(store):
        return
    for each in known(store.dialect):
        if each.number <= form:
            store.run(
                "INSERT INTO migrations (number, name, kind, checksum, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)"
                " ON CONFLICT (number) DO NOTHING",
                each.number, each.name, each.kind, each.checksum, now_ms(),
            )  # fmt: skip
    store.run("DELETE FROM migrations WHERE number > ?1", form)


def roll_back(store: Store, to: int, told: Step = lambda _: None) -> list[Migration]:
    """Take back the steps above number `to`, newest first: all of them, or none.

    Raises RequestInvalid for a number that the catalogue cannot go back to, as a newer codemode's.
    """
    found, steps = standing(store), known(store.dialect)
    numbers = (0, *(each.number for each in steps if each.number <= found.form))
    if found.ahead or to not in numbers:
        raise RequestInvalid(
            f"the catalogue cannot go back to form {to}",
            hint="a newer codemode added to it: roll back with that one" if found.ahead else None,
            available=[] if found.ahead else [str(number) for number in numbers],
        )
    with store.at_once():
        taken = [each for each in reversed(steps) if to < each.number <= standing(store).form]
        for each in taken:
            store.script(each.down)
            _record(store, max((number for number in numbers if number < each.number), default=0))
            told(each)
    return taken
