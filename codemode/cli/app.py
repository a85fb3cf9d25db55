"""What every command has: `--json`, `--data-dir` and `--config`, before or after its name, and the worker they mean."""

from __future__ import annotations

import importlib
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from codemode.cli.output import emit, note, printable, warn
from codemode.cli.waiting import say_waits
from codemode.docstrings import doc_of
from codemode.errors import ExtraMissing, RequestInvalid
from codemode.loading import loading

if TYPE_CHECKING:
    from codemode.catalog.tenant import TenantRecords
    from codemode.service.auditing import Record
    from codemode.session.session import Session
    from codemode.settings import Resolved
    from codemode.worker import Worker


Shown = TypeVar("Shown")


class App:
    """One invocation: how to answer, and where the sessions are."""

    def __init__(self, *, as_json: bool, data_dir: str | None, config: str | None) -> None:
        self.as_json = as_json
        self._data_dir, self._config = data_dir, config
        self._resolved: Resolved | None = None

    def resolved(self) -> Resolved:
        """The settings of this invocation, with the data directory filled in; read once."""
        if self._resolved is None:
            self._resolved = self._resolve()
        return self._resolved

    def _resolve(self) -> Resolved:
        from codemode.settings import resolve

        resolved = resolve(config=self._config, data_dir=self._data_dir)
        for warning in resolved.warnings:
            warn(warning)
        import msgspec

        given = resolved.settings.data_dir
        data_dir = Path(given).expanduser().absolute() if given else default_data_dir()
        return resolved._replace(settings=msgspec.structs.replace(resolved.settings, data_dir=str(data_dir)))

    def check_data_dir(self) -> None:
        """Raise RequestInvalid where --data-dir names what is not there."""
        path = Path(self.resolved().settings.data_dir or "")
        if self._data_dir and not path.exists():
            from codemode.session.files import check_name

            check_name(path)
            hint = "check the spelling; `codemode run` and `codemode sessions add` make one"
            raise RequestInvalid(f"there is no data directory {path}", hint=hint)

    def data_dir_argument(self) -> str:
        """What a command that is told to people must add to find this data directory again."""
        return f" --data-dir {shlex.quote(self._data_dir)}" if self._data_dir else ""

    def given_arguments(self) -> list[str]:
        """The same for another program to start, which has not this one's folder and environment: absolute paths."""
        named = {
            "--data-dir": self._data_dir or os.environ.get("CODEMODE_DATA_DIR"),
            "--config": self._config or os.environ.get("CODEMODE_CONFIG"),
        }
        return [word for option, path in named.items() if path for word in (option, str(Path(path).absolute()))]

    @contextmanager
    def worker(self, *, runs: bool = False, once: bool = False, makes: bool = False) -> Iterator[Worker]:
        """The worker over the data directory of this invocation; one that `runs` snippets starts the sooner for it.

        And sooner still where it runs one, `once`. Where it neither runs nor `makes` something, a directory that was
        named and is not there is a slip of the pen: RequestInvalid.
        """
        settings, sandbox = self.resolved().settings, None
        if not (runs or once or makes):
            self.check_data_dir()
        say_waits()
        if runs or once:
            from codemode.session.confining import begun

            sandbox = begun(settings, once=once)
        try:
            with loading():
                from codemode.worker import Worker

            worker = Worker(data_dir=settings.data_dir, settings=settings, sandbox=sandbox)
        except BaseException:
            if sandbox is not None:
                sandbox.close()
            raise
        with worker:
            yield worker

    def session(
        self, worker: Worker, session_id: str | None, tenant: str, *, create: bool = False, renew: bool = False
    ) -> Session:
        """The tenant's session of this name, or a new one whose id is told on standard error."""
        self.check_tenant(worker, tenant, gets=create or session_id is None)
        if session_id is None:
            session = worker.session(tenant=tenant)
            note(f"session: {session.id}")
            return session
        return worker.session(session_id, create=create, renew=renew, tenant=tenant)

    def check_tenant(self, worker: Worker, tenant: str, *, gets: bool = False) -> None:
        """Raise RequestInvalid where there is no tenant of that name, and where a deleted one `gets` something."""
        if tenant == "local":  # which is made when it is first needed
            return
        worker.tenants.get(tenant)
        if gets:
            from codemode.database.clock import now_ms

            worker.tenants.make(tenant, now_ms())

    def record(
        self,
        worker: Worker,
        action: str,
        resource: str,
        tenant: str = "local",
        old: Record | None = None,
        new: Record | None = None,
    ) -> None:
        """Add an administrative act to the audit log, done by a user of this machine, with what it changed."""
        from codemode.database.clock import sure_ms
        from codemode.service.auditing import Change

        old_values, new_values = Change(old, new).values()
        worker.audit.add(
            at=sure_ms(), tenant=tenant, actor=f"os:{_user()}", action=action, resource=resource,
            old_values=old_values, new_values=new_values,
        )  # fmt: skip

    def records(self, worker: Worker, tenant: str) -> TenantRecords:
        """What the catalogue holds of a tenant; raises RequestInvalid where there is none of that name."""
        self.check_tenant(worker, tenant)
        return worker.of(tenant)

    def show(self, record: Shown, people: Callable[[Shown], None]) -> None:
        """Answer with one record: as JSON, or as `people` have it."""
        if self.as_json:
            self.answer(record)
        else:
            people(record)

    def say(self, result: Any, text: str, **more: Any) -> None:
        """Answer with what was done: as JSON, or as a line for people."""
        if self.as_json:
            self.answer(result, **more)
        else:
            click.echo(printable(text))

    def answer(self, result: Any, *, warnings: tuple[str, ...] = (), **more: Any) -> None:
        """The JSON answer of a command that is no execution: the envelope's `ok`, `result`, `warnings`, `error`."""
        emit({"ok": True, **more, "result": result, "warnings": warnings, "error": None})


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, say
        return str(os.getuid())


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/codemode`; the specification says to pass over a relative path, and what to use instead."""
    home = os.environ.get("XDG_DATA_HOME", "")
    if home.startswith("/"):
        return Path(home) / "codemode"
    try:
        return Path.home() / ".local" / "share" / "codemode"
    except RuntimeError:
        raise RequestInvalid("there is no home directory to keep sessions in", hint="say --data-dir DIR") from None


_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document on standard output."),
    click.option("--data-dir", metavar="DIR", help="Where sessions live."),
    click.option("--config", metavar="FILE", help="Settings as TOML."),
)


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    decorated: Callable[..., Any] = click.pass_context(function)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _given(ctx: click.Context, as_json: bool, data_dir: str | None, config: str | None) -> dict[str, Any]:
    """The options that every command has, where they stand: after its name, else before it."""
    before = ctx.obj or {}
    return {
        "as_json": as_json or before.get("as_json", False),
        "data_dir": data_dir or before.get("data_dir"),
        "config": config or before.get("config"),
    }


class _Command(click.Command):
    """A command that takes `-s SESSION`, as `run` and `query` do, for its first argument where that is a session."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does."""
        first = next((each.name for each in self.params if isinstance(each, click.Argument)), None)
        return super().parse_args(ctx, _session_first(args) if first in ("session_id", "session_ids") else args)


def _session_first(args: list[str]) -> list[str]:
    for place, word in enumerate(args[: args.index("--")] if "--" in args else args):
        option, _, value = word.partition("=")
        if option == "--session" and value:
            return [value, *args[:place], *args[place + 1 :]]
        if word in ("-s", "--session") and args[place + 1 :]:
            return [args[place + 1], *args[:place], *args[place + 2 :]]
    return args


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A click command whose function gets an `App` first."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @wraps(function)
        def call(ctx: click.Context, as_json: bool, data_dir: str | None, config: str | None, **arguments: Any) -> Any:
            ctx.obj = _given(ctx, as_json, data_dir, config)  # a command may be a group too, and hands them on
            return function(App(**ctx.obj), **arguments)

        call.__doc__ = doc_of(function)
        make: Callable[[Callable[..., Any]], click.Command] = click.command(name, **{"cls": _Command, **attributes})
        return make(_with_options(call))

    return decorate


def check_installed(extra: str, *modules: str) -> None:
    """Raise ExtraMissing where what `codemode EXTRA` stands on is not there."""
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError:
        hint = f"pip install 'codemode[{extra}]'"
        raise ExtraMissing(f"codemode {extra} needs packages that are not installed", hint=hint) from None


class _Group(click.Group):
    """A group that tells which commands there are."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(f"No such command {args[0]!r}. There are {', '.join(sorted(self.commands))}.", ctx)
        return super().resolve_command(ctx, args)


def group(name: str, about: str) -> click.Group:
    """A click group that hands the options of every command on to its own."""

    def keep(ctx: click.Context, as_json: bool, data_dir: str | None, config: str | None) -> None:
        ctx.obj = _given(ctx, as_json, data_dir, config)

    made: click.Group = click.group(name, cls=_Group, short_help=about, help=about)(_with_options(keep))
    return made


session_option = click.option("-s", "--session", "session_id", metavar="SESSION", help="The session to use.")
renew_option = click.option("--renew", is_flag=True, help="Make an expired or damaged session anew, empty.")
