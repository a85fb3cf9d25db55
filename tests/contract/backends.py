"""What the contract suite runs against: the embedded engine, and every client of a service around another one.

A further backend is one more function below that yields a Backend, and its name in BACKENDS.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from codemode import AsyncClient, Client, Worker
from codemode.values import Outcome
from tests.api.conftest import listening

HANG_SECONDS = 60.0


class SessionLike(Protocol):
    """What every backend's session can do; a `whole` one has every call of `codemode.Session`."""

    id: str

    def run(self, code: str, **options: Any) -> Outcome: ...

    def query(self, sql: str, params: Any = (), *, read_only: bool = False) -> Any: ...


@dataclass(frozen=True)
class Backend:
    """One of them; `options` are the arguments of run() that it cannot take."""

    session: Callable[..., Any]
    whole: bool = True
    lacks: frozenset[str] = frozenset({"functions"})
    worker: Any = None  # what has sessions(), info(), remove() and pin()


@contextlib.contextmanager
def embedded(directory: Path) -> Iterator[Backend]:
    with Worker(directory) as worker:
        yield Backend(worker.session, lacks=frozenset(), worker=worker)


@contextlib.contextmanager
def client(directory: Path) -> Iterator[Backend]:
    with Worker(directory) as worker, listening(worker, open_to_all=False) as (address, _):
        secret, _ = worker.create_token(scopes=("read", "execute", "admin"))
        with Client(address, secret) as there:
            yield Backend(there.session, worker=there)


@contextlib.contextmanager
def async_client(directory: Path) -> Iterator[Backend]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(coming: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coming, loop).result(HANG_SECONDS)

    try:
        with Worker(directory) as worker, listening(worker, open_to_all=True) as (address, _):
            there = AsyncClient(address)
            blocking = Blocking(there, wait)
            try:
                yield Backend(blocking.session, worker=blocking)
            finally:
                wait(there.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(HANG_SECONDS)
        loop.close()


class Blocking:
    """An asynchronous object as a blocking one: what it answers is awaited, what it iterates over is fetched."""

    def __init__(self, inner: Any, wait: Callable[[Any], Any]) -> None:
        self._inner, self._wait = inner, wait

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        return lambda *args, **options: self._plain(found(*args, **options))

    def _plain(self, answer: Any) -> Any:
        if inspect.isawaitable(answer):
            answer = self._wait(_awaited(answer))
        if hasattr(answer, "__anext__"):
            return self._each(answer)
        if isinstance(answer, tuple) and any(hasattr(part, "__anext__") for part in answer):
            return tuple(self._plain(part) for part in answer)
        return Blocking(answer, self._wait) if type(answer).__name__.startswith("Async") else answer

    def _each(self, answer: Any) -> Iterator[Any]:
        over = object()
        try:
            while (item := self._wait(_awaited(anext(answer, over)))) is not over:
                yield item
        finally:
            self._wait(answer.aclose())


async def _awaited(coming: Any) -> Any:
    return await coming


BACKENDS = {"embedded": embedded, "client": client, "async client": async_client}
