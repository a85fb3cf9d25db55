"""The command line: one file per command group, loaded when its command is named.

Agents call this in loops, so nothing but click is imported before it is known what is wanted. Exit codes: 0 well,
1 the snippet or statement failed, 2 wrong usage (a wrong argument, file or session id), 3 busy, storage or isolation,
130 interrupted (129 and 143: by SIGHUP and SIGTERM), 141 whoever read the output left.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from codemode import __version__
from codemode.cli.ended import ended_in_order
from codemode.cli.output import unread
from codemode.loading import loading

COMMANDS = {
    "run": "codemode.cli.run:run",
    "query": "codemode.cli.query:query",
    "explain": "codemode.cli.explain:explain",
    "describe": "codemode.cli.describe:describe",
    "import": "codemode.cli.imports:import_files",
    "export": "codemode.cli.export:export",
    "backup": "codemode.cli.backup:backup",
    "restore": "codemode.cli.restore:restore",
    "sessions": "codemode.cli.sessions:sessions",
    "messages": "codemode.cli.messages:messages",
    "panels": "codemode.cli.panels:panels",
    "signals": "codemode.cli.links:signals",
    "mcp-sessions": "codemode.cli.links:mcp_sessions",
    "workspaces": "codemode.cli.places:workspaces",
    "groups": "codemode.cli.places:groups",
    "users": "codemode.cli.users:users",
    "subscriptions": "codemode.cli.wishes:subscriptions",
    "preferences": "codemode.cli.wishes:preferences",
    "configuration": "codemode.cli.wishes:configuration",
    "logs": "codemode.cli.logs:logs",
    "metrics": "codemode.cli.metrics:metrics",
    "prompt": "codemode.cli.prompt:prompt",
    "doctor": "codemode.cli.doctor:doctor",
    "demo": "codemode.cli.demo:demo",
    "settings": "codemode.cli.settings:settings",
    "serve": "codemode.cli.serve:serve",
    "mcp": "codemode.cli.mcp:mcp",
    "token": "codemode.cli.token:token",
    "tenants": "codemode.cli.tenants:tenants",
    "audit": "codemode.cli.audit:audit",
    "db": "codemode.cli.db:db",
}


_READER_LEFT = 141  # what a shell reports for a program that its reader left


class CommandLine(click.Group):
    """The commands by name, and the one place where what went wrong becomes words and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the file of a command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        with loading():
            command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command, or say which one may have been meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *positional: Any, **extra: Any) -> click.Context:
        """Read the arguments; help is printed here."""
        with _reader_may_leave():
            return super().make_context(*positional, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what the arguments ask for."""
        with _reader_may_leave():
            return super().invoke(ctx)

    def main(self, *positional: Any, **extra: Any) -> Any:
        """Run one command and leave with its exit code."""
        given: Sequence[str] | None = extra.pop("args", positional[0] if positional else None)
        arguments = [_utf8(text) for text in (sys.argv[1:] if given is None else given)]
        sys.stdout, sys.stderr = sys.stdout or unread(), sys.stderr or unread()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal without the character still shows the rest
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        extra |= {"prog_name": extra.get("prog_name") or "codemode", "standalone_mode": False}
        extra |= {"color": False if plain else None}
        with ended_in_order():
            try:
                code = super().main(arguments, **extra)
                sys.stdout.flush()
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, people get words for it
                with click.Context(self, color=extra["color"]):
                    code = _tell(error, as_json="--json" in arguments)
        gc.freeze()  # the way out of the interpreter looks through everything once more, which ends with the process
        sys.exit(code if isinstance(code, int) else 0)


class _ReaderLeft(Exception):
    """Whoever read the output left: click would end with 1 for it, the exit code of a snippet that failed."""


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderLeft from error


def _tell(error: BaseException, *, as_json: bool) -> int:
    """Tell what went wrong, in JSON only where standard output takes it, and answer the exit code."""
    from codemode.cli.failures import UNAVAILABLE, report

    try:
        return _READER_LEFT if isinstance(error, _ReaderLeft | BrokenPipeError) else report(error, as_json=as_json)
    except BrokenPipeError:
        return _READER_LEFT
    except OSError as full:
        with suppress(OSError):
            report(full, as_json=False)
        return UNAVAILABLE
    finally:
        for stream in (sys.stdout, sys.stderr):
            _settle(stream)


def _utf8(argument: str) -> str:
    """The argument as the UTF-8 that it is, where the locale made Python take it for something else."""
    try:
        return os.fsencode(argument).decode()
    except UnicodeError:
        return argument


def _settle(stream: TextIO) -> None:
    """The interpreter flushes a stream once more on its way out, and would complain about one that takes nothing."""
    try:
        stream.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is wanted, not a path
            os.dup2(nowhere.fileno(), stream.fileno())


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="codemode %(version)s")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document on standard output.")
@click.option(
    "--data-dir", metavar="DIR", help="Where sessions live. [CODEMODE_DATA_DIR, else $XDG_DATA_HOME/codemode]"
)
@click.option("--config", metavar="FILE", help="Settings as TOML. [CODEMODE_CONFIG]")
@click.pass_context
def main(ctx: click.Context, as_json: bool, data_dir: str | None, config: str | None) -> None:
    """Run untrusted Python against guarded SQLite sessions.

    `codemode demo` shows what that means on real data; `codemode doctor` says whether this machine may do it.
    """
    ctx.obj = {"as_json": as_json, "data_dir": data_dir, "config": config}
