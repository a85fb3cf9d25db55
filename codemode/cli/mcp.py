"""`codemode mcp`: the tools for models on standard input and output, as the hosts of MCP start them."""

from __future__ import annotations

import importlib.util
import os
import sys

import click

from codemode.asked import parse_session_id
from codemode.cli.app import App, check_installed, command
from codemode.cli.fields import tenant_option
from codemode.cli.output import is_unread, note, warn
from codemode.errors import RequestInvalid
from codemode.mcp.hosts import HOSTS


@command("mcp", short_help="Offer tools to a model, over MCP on standard input and output.")
@click.option("-s", "--session", "session_id", metavar="SESSION", help="The session of calls that name none.")
@click.option("--read-only", is_flag=True, help="Only tools that change nothing; snippets may read, and not write.")
@click.option(
    "--print-config", "host", type=click.Choice(list(HOSTS)), metavar="HOST",
    help=f"Print what HOST needs in its settings, and end. One of {', '.join(HOSTS)}.",
)  # fmt: skip
@tenant_option
def mcp(app: App, session_id: str | None, read_only: bool, host: str | None, tenant: str) -> None:
    """Offer tools to a model: execute_code, query, list_tables and more, over the Model Context Protocol.

    A host (Claude Desktop, Claude Code, Cursor, VS Code …) starts this command and talks to it on standard input and
    output; there is nothing to type. `--print-config HOST` prints the settings to paste, with the other options that
    are given, and with the data directory and the settings file where your environment names them. The tools reach
    every session of the tenant in the data directory, those that `codemode run` uses too.
    With --session all calls may leave the session's id out; the first snippet makes it.

    It ends when the host closes standard input: what was asked before that is answered, within `shutdown_seconds`. On
    SIGTERM it ends at once. What still runs then is undone. It logs to standard error. The same tools are at /mcp of
    `codemode serve`, for hosts on other machines and for several users.
    """
    if session_id is not None:
        parse_session_id(session_id)
    if host is not None:
        _print_config(app, host, session_id, read_only, tenant)
        return
    if sys.stdin is None or is_unread(sys.stdout):
        raise RequestInvalid(
            "standard input or output is closed", hint="a host starts this command, and talks to it there"
        )
    check_installed("mcp", "mcp")
    import asyncio

    from codemode.mcp.stdio import own_wire, serve
    from codemode.mcp.tool import Face
    from codemode.service import logs
    from codemode.service.callers import LOCAL, Caller
    from codemode.service.service import Service

    settings = app.resolved().settings
    logs.configure(settings.log_format, settings.log_level)
    if sys.stdin.isatty():
        note("this talks MCP to a host; `codemode mcp --print-config HOST` prints what a host needs to start it")
    with own_wire() as wire, app.worker(runs=True) as worker:
        app.check_tenant(worker, tenant, gets=True)
        _ = worker.isolation  # found, and the sandbox warm, before the host asks for anything
        note(f"data in {worker.data_dir}")
        face = Face(caller=Caller(tenant, LOCAL.scopes), session=session_id, read_only=read_only)
        asyncio.run(serve(Service(worker, open_to_all=True), face, wire))


def _print_config(app: App, host: str, session_id: str | None, read_only: bool, tenant: str) -> None:
    words = [*_program(), *app.given_arguments(), "mcp"]
    words += ["--session", session_id] if session_id else []
    words += ["--read-only"] if read_only else []
    words += ["--tenant", tenant] if tenant != "local" else []
    found = HOSTS[host]
    text = found.command(words)
    app.answer({"host": host, "file": found.file, "settings": text}) if app.as_json else click.echo(text)
    note(f"for {found.title}: {found.file}")
    if importlib.util.find_spec("mcp") is None:
        warn("it will not start before `pip install 'codemode[mcp]'`")
    if sys.platform != "linux":
        warn("codemode runs on Linux alone")


def _program() -> list[str]:
    """How to start this program from anywhere: hosts have another PATH than a shell."""
    if os.path.basename(sys.argv[0]) == "codemode" and os.access(sys.argv[0], os.X_OK):  # noqa: PTH119
        return [os.path.abspath(sys.argv[0])]  # noqa: PTH100
    return [sys.executable, "-m", "codemode"]
