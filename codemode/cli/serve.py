"""`codemode serve`: the worker over HTTP, until it is told to end."""

from __future__ import annotations

import contextlib
import importlib
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from codemode import __version__
from codemode.cli.app import App, command
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from codemode.mcp.http import McpMount
    from codemode.service.service import Service
    from codemode.worker import Worker

_log = logging.getLogger("codemode")


@command("serve", short_help="Serve sessions over HTTP.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_400, metavar="PORT", help="0 takes a free one.")
def serve(app: App, host: str, port: int) -> None:
    """Serve sessions over HTTP at ADDRESS:PORT until it is interrupted.

    On loopback without any token it serves a single local tenant, to everybody on this machine. On any other address
    it needs tokens: `codemode token create`.
    """
    _check_installed()
    from codemode.api.app import create_app
    from codemode.api.server import Server
    from codemode.database.clock import sure_ms
    from codemode.service import logs

    settings = app.resolved().settings
    logs.configure(settings.log_format, settings.log_level)
    _trace(settings.trace_statements)
    mounts = _mounts()
    with app.worker() as worker:
        guarded = worker.tokens.any_valid(sure_ms())
        if not guarded and not _loopback(host):
            raise RequestInvalid(
                f"{host} can be reached from other machines, and there is no token",
                hint="make one with `codemode token create`, or listen on 127.0.0.1",
            )
        _ = worker.isolation  # found, and the sandbox warm, before anybody is let in
        server = Server(create_app(worker, open_to_all=not guarded, mounts=mounts))
        server.take_signals()
        with _listener(host, port) as listener:
            address = _address(host, listener)
            _tell(app, address, worker, guarded)
            server.run(sockets=[listener])


def _trace(statements: bool) -> None:
    """Make spans where OpenTelemetry is installed and has a provider: who runs this configures it, see docs/how-to."""
    with contextlib.suppress(ImportError):
        from codemode.service import spans

        if spans.bind(statements=statements):
            _log.info("spans go to OpenTelemetry's provider")


def _tell(app: App, address: str, worker: Worker, guarded: bool) -> None:
    """Say once what is served: as the answer where JSON is asked for, and as a line of the log."""
    from codemode.database.connection import sqlite_version

    begun = {
        "address": address,
        "version": __version__,
        "store": f"SQLite {sqlite_version()}",
        "data_dir": str(worker.data_dir),
        "isolation": worker.isolation,
        "tokens": guarded,
    }
    if app.as_json:
        app.answer(begun)
        sys.stdout.flush()
    said = "required" if guarded else "none: one local tenant, open to all on this machine"
    words = {"isolation": ",".join(worker.isolation) or "none", "tokens": said}
    _log.info("listening", extra={"fields": {**begun, **words}})


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise RequestInvalid(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="name another --port; 0 takes a free one"
        ) from None


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _check_installed() -> None:
    try:
        for name in ("starlette", "uvicorn"):
            importlib.import_module(name)
    except ImportError:
        hint = "pip install 'codemode[serve]'"
        raise RequestInvalid("codemode serve needs packages that are not installed", hint=hint) from None


def _mounts() -> tuple[Callable[[Service], McpMount], ...]:
    """The tools for models at /mcp, where the package that speaks their protocol is installed."""
    try:
        importlib.import_module("mcp")
    except ImportError:
        _log.warning("there are no tools at /mcp: pip install 'codemode[mcp]'")
        return ()
    from codemode.mcp.http import McpMount

    return (McpMount,)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
