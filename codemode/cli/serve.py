"""`codemode serve`: the worker over HTTP, until it is told to end."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from codemode import __version__
from codemode.cli.app import App, check_installed, command
from codemode.cli.first_process import stand_in
from codemode.counts import plural
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from codemode.catalog.store import Store
    from codemode.catalog.tokens import Tokens
    from codemode.settings import Settings

_log = logging.getLogger("codemode")
_FEW_WORKERS, _WORKERS_FOR_A_CORE = 16, 4  # whichever is more: a slip of the key must not take a machine's memory


def _count(_context: click.Context, _option: click.Parameter, given: str | None) -> int | None:
    """A number of workers: one or more, or 0 for `auto`."""
    if given is None or given == "auto":
        return None if given is None else 0
    if given.isascii() and given.isdecimal() and len(given) < 10 and int(given) > 0:
        return int(given)
    raise click.BadParameter(f"{given[:40]!r} is neither a number of workers nor `auto`")


@command("serve", short_help="Serve sessions over HTTP.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_400, metavar="PORT", help="0 takes a free one.")
@click.option("--workers", metavar="N", callback=_count, help="Processes to serve with; `auto`: one a core.")
def serve(app: App, host: str, port: int, workers: int | None) -> None:
    """Serve sessions over HTTP at ADDRESS:PORT until it is interrupted.

    On loopback without any token it serves a single local tenant, to everybody on this machine. On any other address
    it needs tokens: `codemode token create`.
    """
    check_installed("serve", "starlette", "uvicorn", "httptools", "prometheus_client")  # `mcp` brings the first two
    stand_in()
    from codemode.api.connection import raise_descriptors
    from codemode.service import logs

    settings = app.resolved().settings
    logs.configure(settings.log_format, settings.log_level)
    raise_descriptors()  # before anybody counts how many sessions and connections can be open
    count = _bearable(settings.workers if workers is None else workers)
    if count == 1:
        _serve_alone(app, settings, host, port)
    else:
        _serve_with_workers(app, settings, host, port, count)


def _bearable(count: int) -> int:
    """So many workers, one a core for 0; raises RequestInvalid for more than the machine can have a use for."""
    cores = len(os.sched_getaffinity(0))
    if count > (most := max(_FEW_WORKERS, _WORKERS_FOR_A_CORE * cores)):
        raise RequestInvalid(
            f"{count:,} workers are too many for {plural(cores, 'core')}: {most:,} at most",
            hint="each is a process of some 125 MB; `--workers auto` is one a core",
        )
    return count or cores


def _serve_alone(app: App, settings: Settings, host: str, port: int) -> None:
    with app.worker(runs=True) as worker:
        from codemode.api.app import create_app
        from codemode.api.server import Server
        from codemode.cluster import faces

        faces.trace(settings.trace_statements)
        guarded = _guarded(worker.tokens, host)
        isolation = worker.isolation  # said, and the sandbox warm, before anybody is let in
        server = Server(create_app(worker, open_to_all=False if guarded else None, mounts=faces.mounts()))
        server.take_signals()
        with _listener(host, port) as listener:
            _announce(app, _address(host, listener), worker.data_dir, worker.catalogue, isolation, guarded, 1)
            server.run(sockets=[listener])


def _serve_with_workers(app: App, settings: Settings, host: str, port: int, count: int) -> None:
    from codemode.catalog.opening import MEMORY
    from codemode.catalog.tokens import Tokens
    from codemode.cluster.service import Cluster
    from codemode.session.data_dir import open_catalog, prepared

    if settings.catalog == MEMORY:
        raise RequestInvalid(
            "a catalogue in memory is one process's own, and cannot be shared by workers",
            hint="serve with one worker, or name another catalogue",
        )
    data_dir = prepared(str(settings.data_dir))
    with closing(open_catalog(data_dir, settings)) as catalog:
        guarded = _guarded(Tokens(catalog), host)
        cluster = Cluster(settings, catalog, count, open_to_all=False if guarded else None)
        with _listener(host, port) as listener:
            address = _address(host, listener)
            cluster.run(
                listener, lambda isolation: _announce(app, address, data_dir, catalog, isolation, guarded, count)
            )


def _guarded(tokens: Tokens, host: str) -> bool:
    """Whether tokens are asked for; raises RequestInvalid where they would have to be and there is none.

    They are where there ever was one: a service must not be open to all one morning because its last token has expired
    in the night.
    """
    from codemode.database.clock import now_ms

    guarded, valid = tokens.any_made(), tokens.any_valid(now_ms())
    if not valid and not _loopback(host):
        raise RequestInvalid(
            f"{host} can be reached from other machines, and there is no token",
            hint="make one with `codemode token create`, or listen on 127.0.0.1",
        )
    if guarded and not valid:
        _log.warning("every token is revoked or expired: nobody is let in until `codemode token create` makes one")
    return guarded


def _announce(
    app: App, address: str, data_dir: Path, catalog: Store, isolation: tuple[str, ...], guarded: bool, workers: int
) -> None:
    """Say once what is served: as the answer where JSON is asked for, as a line of the log, and to a supervisor."""
    from codemode.database.connection import sqlite_version

    begun = {
        "address": address,
        "version": __version__,
        "store": f"SQLite {sqlite_version()}",
        "data_dir": str(data_dir),
        "catalogue": f"{catalog.kind}, {catalog.where}",
        "isolation": isolation,
        "tokens": guarded,
        "workers": workers,
    }
    if app.as_json:
        app.answer(begun)
        sys.stdout.flush()
    said = "required" if guarded else "none: one local tenant, open to all on this machine"
    words = {"isolation": ",".join(isolation) or "none", "tokens": said}
    _log.info("listening", extra={"fields": {**begun, **words}})
    _notify()


def _notify() -> None:
    """Tell the supervisor that started this process that it serves, as sd_notify(3) has it; systemd waits for that."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"READY=1", f"\0{where[1:]}" if where.startswith("@") else where)
    except OSError as error:
        _log.warning("the supervisor at NOTIFY_SOCKET is not told that the service serves: %s", error)


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        # Not its own words: `create_server` adds the address to those of the kernel, and makes an OSError with a number
        # below zero of a name that nobody knows.
        why = os.strerror(error.errno or 0) if (error.errno or 0) >= 0 else "no such name"
        of_the_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        hint = "name another --port; 0 takes a free one" if of_the_port else "--host is an address of this machine"
        raise RequestInvalid(f"cannot listen on {host}:{port}: {why}", hint=hint) from None


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
