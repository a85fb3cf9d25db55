"""The service over several workers, from its start to its end: what `codemode serve --workers N` runs."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Any

import msgspec

from codemode.api.connection import raise_descriptors
from codemode.api.server import Server
from codemode.catalog.background import BackgroundExecutions
from codemode.catalog.store import Store
from codemode.catalog.tokens import Tokens
from codemode.cluster.front import Front
from codemode.cluster.placement import Rendezvous
from codemode.cluster.routing import Router, Tenants
from codemode.cluster.slots import Slots
from codemode.settings import Settings


class Cluster:
    """`count` worker processes behind a front; the front's own part is the catalogue that it looks tokens up in."""

    def __init__(self, settings: Settings, catalog: Store, count: int, *, open_to_all: bool | None) -> None:
        names = [str(number) for number in range(count)]
        # The front alone waits for those who look at readiness: a worker that is told to end has no new requests.
        self._slots = Slots(names, msgspec.structs.replace(settings, drain_seconds=0.0), open_to_all=open_to_all)
        look = _here if catalog.is_near else asyncio.to_thread
        tenants = Tenants(Tokens(catalog), look, open_to_all=open_to_all)
        router = Router(Rendezvous(names), tenants, BackgroundExecutions(catalog), look, most=settings.body_bytes)
        front = Front(self._slots, router, settings.drain_seconds)
        self._server = Server(front, front, settings, lifespan="off")

    def run(self, listener: socket.socket, started: Callable[[tuple[str, ...]], None]) -> None:
        """Serve until a signal; `started` is called with the layers of isolation when every worker is there.

        SIGHUP replaces the workers one after the other. Raises the CodemodeError that keeps a worker from serving.
        """
        raise_descriptors()
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._run(listener, started))

    async def _run(self, listener: socket.socket, started: Callable[[tuple[str, ...]], None]) -> None:
        try:
            await self._slots.start()
            self._server.take_signals()
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._slots.restart)
            started(self._slots.isolation)
            await self._server.serve(sockets=[listener])
        finally:
            await self._slots.end()


async def _here(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
