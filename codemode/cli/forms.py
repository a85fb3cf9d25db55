"""`codemode db status`, `migrate` and `rollback`: which form the catalogue has, and how it comes to another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.output import note
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from codemode.catalog.migrating import Migration, Standing
    from codemode.catalog.store import Store

PENDING = 1  # the exit code of `status` where migrations are pending


@contextmanager
def catalogue(app: App, *, makes: bool = False) -> Iterator[Store]:
    """The catalogue of this invocation, in whatever form it has: opening it changes nothing, unless it `makes` one."""
    from codemode.catalog.opening import connect
    from codemode.session.data_dir import prepared

    settings = app.resolved().settings
    if not makes:
        app.check_data_dir()
    data_dir = prepared(settings.data_dir or Path())
    with closing(connect(settings.catalog, data_dir, settings.catalog_connections)) as store:
        yield store


@command("status", short_help="Say which form the catalogue has.")
def status(app: App) -> int | None:
    """List the migrations that were applied to the catalogue and those that are pending.

    Exit code 0 where none is pending, 1 where one is, 3 where the catalogue cannot be used.
    """
    from codemode.catalog.migrating import standing

    with catalogue(app) as store:
        found, where, kind = standing(store), store.where, store.kind
    if app.as_json:
        app.answer({"store": kind, "where": where, "form": found.form, "migrations": _listed(found)})
    else:
        rows = [[each["number"], each["name"], each["kind"], each["state"]] for each in _listed(found)]
        show(["number", "name", "kind", "state"], rows)
        click.echo(f"{kind}, {where}: form {found.form}, {plural(len(found.pending), 'migration')} pending")
    return PENDING if found.pending else None


def _listed(found: Standing) -> list[dict[str, Any]]:
    from codemode.database.clock import iso

    ahead = {each.number for each in found.ahead}
    applied = [
        {
            "number": each.number, "name": each.name, "kind": each.kind,
            "state": "applied by a newer codemode" if each.number in ahead else "applied",
            "applied_at": None if each.applied_at is None else iso(each.applied_at),
        }
        for each in found.applied
    ]  # fmt: skip
    pending = [
        {"number": each.number, "name": each.name, "kind": each.kind, "state": "pending", "applied_at": None}
        for each in found.pending
    ]
    return applied + pending


@command("migrate", short_help="Bring the catalogue to the newest form.")
@click.option("--to", "to", type=click.IntRange(1), metavar="N", help="No further than to migration N.")
def migrate(app: App, to: int | None) -> None:
    """Apply the migrations that are pending, breaking ones too: all of them, or none.

    A service that runs takes additive ones by itself when it starts. Breaking ones keep older versions of codemode
    out from then on: end them first.
    """
    from codemode.catalog import migrating

    with catalogue(app, makes=True) as store:
        taken = migrating.migrate(store, to, _told(app, "applied"))
        form = migrating.standing(store).form
    _answer(app, taken, form)


@command("rollback", short_help="Take migrations of the catalogue back.")
@click.option("--to", "to", type=click.IntRange(0), metavar="N", required=True, help="The form to go back to.")
@click.option("--yes", is_flag=True, help="Do it: what the migrations had added is deleted.")
def rollback(app: App, to: int, yes: bool) -> None:
    """Take back the migrations above N, newest first: all of them, or none.

    What these migrations had added is deleted with what it holds. Make a backup first, and end every service that uses
    the catalogue. 0 leaves an empty database.
    """
    from codemode.catalog import migrating

    with catalogue(app) as store:
        if not yes:
            found = [each for each in reversed(migrating.standing(store).applied) if each.number > to]
            names = ", ".join(f"{each.number} ({each.name})" for each in found) or "nothing"
            raise RequestInvalid(f"this would take back {names}", hint="add --yes to do it")
        taken = migrating.roll_back(store, to, _told(app, "taken back"))
        form = migrating.standing(store).form
    _answer(app, taken, form)


def _told(app: App, what: str) -> Any:
    def tell(step: Migration) -> None:
        if not app.as_json:
            note(f"{what}: {step.number} ({step.name}, {step.kind})")

    return tell


def _answer(app: App, taken: list[Migration], form: int) -> None:
    steps = [{"number": each.number, "name": each.name, "kind": each.kind} for each in taken]
    app.say({"form": form, "migrations": steps}, f"the catalogue has form {form}")
