"""What the commands for every kind of record have in common: listed, shown, made, put, changed and removed alike.

A kind says what one is called and named by; each command's own options are the arguments of the method that it calls.
What was not given is not passed on, so what a record holds without it is said in one place, the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.fields import changed, given, limit_option, show_fields, tenant_option
from codemode.cli.lists import Columns, every, tell

if TYPE_CHECKING:
    from codemode.catalog.tenant import TenantRecords
    from codemode.worker import Worker

Parameter = Callable[[Any], Any]  # a click option or argument


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: `noun` is its door of `Worker.of`, `word` what one is called, `keys` name one of them.

    `none` is what people are told where there are none; `named_by` how a command names one, where not by arguments.
    """

    noun: str
    word: str
    keys: tuple[str, ...]
    columns: Columns
    none: str = ""
    named_by: tuple[Parameter, ...] = ()

    def door(self, records: TenantRecords) -> Any:
        """The records of this kind of a tenant."""
        return getattr(records, self.noun)

    @property
    def parameters(self) -> list[Parameter]:
        """Those that name one of them."""
        return [*self.named_by] or [named(key) for key in self.keys]

    def of(self, fields: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The fields of a command as what names the record, and the others."""
        return [fields[key] for key in self.keys], {name: fields[name] for name in fields if name not in self.keys}


def named(key: str, **attributes: Any) -> Parameter:
    """The argument that names a record: `session_id` is SESSION."""
    return click.argument(key, metavar=key.removesuffix("_id").upper(), **attributes)


def ls(
    kind: Kind, about: str, *options: Parameter, verb: str = "ls", by: str = "page",
    limit: Parameter = limit_option, newest_last: bool = False, **always: Any,
) -> click.Command:  # fmt: skip
    """All of them, or those of whatever the keys before the last one name; `always` is asked whatever is given."""
    within = kind.keys[:-1]

    def call(app: App, limit: int, tenant: str, **fields: Any) -> None:
        with app.worker() as worker:
            door = kind.door(app.records(worker, tenant))
            for key in within:
                check(worker, tenant, key, fields[key])
            found = every(partial(getattr(door, by), **given(fields), **always), limit)
        if newest_last:
            found = found._replace(rows=found.rows[::-1])
        tell(app, found, kind.columns, kind.none or f"no {kind.noun}", whole=[kind.word, "at"])

    return made_of(verb, about, [*map(named, within), *options, limit], call)


def show(kind: Kind, about: str) -> click.Command:
    """One of them, whole."""

    def call(app: App, tenant: str, **fields: Any) -> None:
        with app.worker() as worker:
            found = kind.door(app.records(worker, tenant)).get(*kind.of(fields)[0])
        app.show(found, show_fields)

    return made_of("show", about, kind.parameters, call)


def add(
    kind: Kind, about: str, *parameters: Parameter, verb: str = "add", by: str = "create", act: str = "",
    says: Callable[[Any], str] = lambda one: str(one.id),
) -> click.Command:  # fmt: skip
    """A new one."""

    def call(app: App, tenant: str, **fields: Any) -> None:
        from codemode.database.clock import now_ms

        asked = given(fields)
        with app.worker(makes=True) as worker:
            door = kind.door(app.records(worker, tenant))
            if "session_id" in asked:  # an expired one is told apart from one that there is not
                worker.session(asked["session_id"], create=False, tenant=tenant)
            made = getattr(door, by)(**asked, now=now_ms())
            resource = " ".join(asked.get(key) or made.id for key in kind.keys)
            app.record(worker, act or f"create_{kind.word}", resource, tenant, None, made)
        app.say(made, says(made))

    return made_of(verb, about, parameters, call)


def put(
    kind: Kind, about: str, *parameters: Parameter, act: str, verb: str = "set", keep: tuple[str, ...] = (),
    also: tuple[str, ...] = (), says: Callable[[Any, list[Any]], str] | None = None,
) -> click.Command:  # fmt: skip
    """One in the place of what it was; fields to `keep` stay where they are not given, those of `also` name the act."""

    def call(app: App, tenant: str, **fields: Any) -> None:
        from codemode.database.clock import now_ms
        from codemode.service.auditing import before

        asked = given(fields)
        keys, _ = kind.of(asked)
        with app.worker(makes=True) as worker:
            records = app.records(worker, tenant)
            door = kind.door(records)
            if "session_id" in asked:
                worker.session(asked["session_id"], create=False, tenant=tenant)
            with records.at_once():
                old = before(door.get, *keys)
                begins = old is None or getattr(old, "left_at", None) is not None  # an owner who left is none any more
                kept = {} if begins else {name: getattr(old, name) for name in keep}
                new = door.put(**{**kept, **asked}, now=now_ms())
            resource = " ".join([*keys, *(getattr(new, name) for name in also)])
            app.record(worker, act, resource, tenant, old, new)
        app.show(new, show_fields if says is None else lambda one: click.echo(says(one, keys)))

    return made_of(verb, about, [*kind.parameters, *parameters], call)


def change(kind: Kind, about: str, *options: Parameter) -> click.Command:
    """Some fields of one."""

    def call(app: App, tenant: str, **fields: Any) -> None:
        from codemode.database.clock import now_ms

        keys, others = kind.of(fields)
        asked = changed(others)
        with app.worker() as worker:
            records = app.records(worker, tenant)
            door = kind.door(records)
            with records.at_once():
                old = door.get(*keys)
                new = door.update(*keys, now=now_ms(), **asked)
            app.record(worker, f"change_{kind.word}", " ".join(keys), tenant, old, new)
        app.show(new, show_fields)

    return made_of("set", about, [*kind.parameters, *options], call)


def rm(kind: Kind, about: str, act: str = "") -> click.Command:
    """One that goes."""

    def call(app: App, tenant: str, **fields: Any) -> None:
        keys, _ = kind.of(fields)
        with app.worker() as worker:
            records = app.records(worker, tenant)
            door = kind.door(records)
            with records.at_once():
                old = door.get(*keys)
                door.remove(*keys)
            app.record(worker, act or f"remove_{kind.word}", " ".join(keys), tenant, old, None)
        app.say(old, f"removed {keys[-1]}")

    return made_of("rm", about, kind.parameters, call)


def made_of(
    verb: str, about: str, parameters: list[Parameter] | tuple[Parameter, ...], call: Callable[..., Any]
) -> click.Command:
    """The command of a function with these parameters, and the tenant; the first line of `about` is its short help."""
    for each in reversed([*parameters, tenant_option]):
        call = each(call)
    return command(verb, short_help=about.partition("\n")[0], help=about)(call)


def check(worker: Worker, tenant: str, key: str, value: str) -> None:
    """Raise SessionNotFound or RecordNotFound where what is named is not there: a slip of the pen is no empty list."""
    if key == "session_id":
        worker.info(value, tenant)
    elif key == "user_id":
        worker.of(tenant).users.get(value)
    elif key == "group_id":
        worker.of(tenant).groups.get(value)
    elif key == "workspace_id":
        worker.of(tenant).workspaces.get(value)
