"""The process's HTTP server: uvicorn on a socket that is given, ended in our order.

Readiness goes down first and the listener stays, so that whoever asks meanwhile is told. Executions are next: they
get their time, then they are undone, and their clients are answered. Connections are last. uvicorn alone would close
the listener first, and tell the application of the end when the last connection is gone.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from functools import partial
from types import FrameType
from typing import Any, Protocol

import uvicorn

from codemode.api.connection import Connection
from codemode.settings import Settings

_log = logging.getLogger("codemode")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_SECONDS = 2  # for answers that are on their way when everything else is over


class Ending(Protocol):
    """What ends an application in order; `codemode.service.acts.Acts` says what each step is."""

    def leave(self) -> None:
        """Say that the end is near; may be called in a signal handler."""
        ...

    def hurry(self) -> None:
        """Wait for nothing any more; may be called in a signal handler."""
        ...

    async def drained(self) -> None:
        """Wait until those that send requests have learnt of it."""
        ...

    async def end(self) -> None:
        """Let what runs finish, then undo it and have it answered."""
        ...


class Server(uvicorn.Server):
    """Serves one application until a signal or `should_exit`; `run(sockets=[…])` blocks.

    `app` is one of `create_app`, or one that comes with its own `acts` and `settings`; `more` goes to uvicorn's
    configuration. The log tells of its end, unless it is a `part` of a service.
    """

    def __init__(
        self, app: Any, acts: Ending | None = None, settings: Settings | None = None, *, part: bool = False, **more: Any
    ) -> None:
        self._part, self._signal = part, 0
        self._acts: Ending = app.state.service.acts if acts is None else acts
        settings = app.state.service.settings if settings is None else settings
        config: dict[str, Any] = {
            "http": partial(Connection, settings),
            "ws": "none",
            "lifespan": "on",
            "log_config": None,  # its records go where those of the process go
            "log_level": "error",  # of broken requests each would be a line: strangers must not fill the log
            "access_log": False,
            "server_header": False,
            # uvicorn's own 5 s are those after which httpx lets go of a connection: of both at once one request fails.
            "timeout_keep_alive": settings.header_seconds,
            # uvicorn alone believes everybody on loopback: whoever is on this machine could choose the address that
            # the audit log has of him.
            "proxy_headers": bool(settings.trusted_proxies),
            "forwarded_allow_ips": settings.trusted_proxies,
            "timeout_graceful_shutdown": _LAST_SECONDS,
        }
        super().__init__(uvicorn.Config(app, **config | more))

    def take_signals(self) -> None:
        """Have signals end this server, for the rest of the process: what is closed after it is not cut."""

        def end(number: int, frame: FrameType | None) -> None:
            # No bound method: sse-starlette, by which the SDK of MCP streams, looks for a server behind the handler,
            # and cuts every stream as soon as that is told to end.
            self.handle_exit(number, frame)

        for number in _SIGNALS:
            signal.signal(number, end)
        if self._part:  # a hangup goes to a terminal's whole group; what it means for workers is their front's to say
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            signal.signal(signal.SIGHUP, end)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals as they are: uvicorn would raise one that it got once more, when it is done."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends the server; another one ends what runs without waiting for it."""
        if self.should_exit:
            self._acts.hurry()
        self._acts.leave()
        self._signal = self._signal or sig
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in our order; takes `drain_seconds`, `shutdown_seconds`, and a few seconds more at most."""
        self._acts.leave()
        self._tell(f"ending on {signal.Signals(self._signal).name}" if self._signal else "ending")
        await self._acts.drained()
        await self._acts.end()
        await super().shutdown(sockets)
        self._tell("ended")

    def _tell(self, text: str) -> None:
        _log.log(logging.DEBUG if self._part else logging.INFO, text)
