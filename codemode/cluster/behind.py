"""What a worker process of several is: the service's own application on a unix socket, until the front ends it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable

import msgspec

from codemode.api.app import create_app
from codemode.api.server import Server
from codemode.cluster import faces
from codemode.cluster.exchange import CLIENT, NAME, Application, Message, Receive, Send
from codemode.cluster.placement import Placement, Rendezvous
from codemode.cluster.processes import Setup, Started
from codemode.errors import CodemodeError
from codemode.service import logs
from codemode.session.ids import new_session_id
from codemode.worker import Worker
from sandbox.kernel import PR_SET_PDEATHSIG, prctl

_KEEP_SECONDS = 86_400  # the front decides how long its connections are kept: a request must not meet one that closes
_BACKLOG = 1_024


def main() -> None:
    """Serve as standard input says; the first line of standard output says that it does, or why it cannot."""
    setup = msgspec.json.decode(sys.stdin.buffer.readline(), type=Setup)
    _end_with(setup.front)
    logs.configure(setup.settings.log_format, setup.settings.log_level)
    faces.trace(setup.settings.trace_statements)
    try:
        with Worker(settings=setup.settings) as worker, _listener(setup.path) as listener:
            isolation = worker.isolation
            app = create_app(worker, open_to_all=setup.open_to_all, mounts=faces.mounts())
            name = Name()
            app.state.service.mint = minting(Rendezvous(setup.names), name)
            server = Server(
                forwarded(app, name), app.state.service.acts, setup.settings, part=True,
                date_header=False, proxy_headers=False, timeout_keep_alive=_KEEP_SECONDS,
            )  # fmt: skip
            server.take_signals()
            _say(Started(isolation=isolation))
            server.run(sockets=[listener])
    except CodemodeError as error:
        _say(Started(code=error.code, message=error.message, hint=error.hint))
        sys.exit(1)


def _end_with(front: int) -> None:
    """Have the kernel kill this process when the front ends, however it does: nobody could reach it any more.

    What is not committed by then is undone when its session is opened again, and the next front can start at once.
    """
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != front:  # it ended before the line above
        sys.exit(1)


def _listener(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(_BACKLOG)
    return listener


def _say(started: Started) -> None:
    """Tell the front, once; whatever is printed from here on goes to standard error."""
    os.write(1, msgspec.json.encode(started) + b"\n")
    os.dup2(2, 1)


class Name:
    """Which worker this process is; none as long as it is a spare."""

    text = ""


def minting(placement: Placement, name: Name) -> Callable[[str], str]:
    """Mints ids of sessions that belong to the worker of this name: as many are drawn as there are workers."""

    def mint(tenant: str) -> str:
        while placement.place(tenant, session_id := new_session_id()) != name.text and name.text:
            pass
        return session_id

    return mint


def forwarded(app: Application, name: Name) -> Application:
    """The application for the front alone: its headers say who sent a request, and which worker this is."""

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for header, value in scope["headers"]:
                if header == CLIENT:
                    host, _, port = value.decode("latin-1").rpartition(" ")
                    scope["client"] = host, int(port)
                elif header == NAME:
                    name.text = value.decode("latin-1")
        await app(scope, receive, send)

    return serve
