"""What the contract suite runs against: the embedded engine, and every client of a service around another one.

A further backend is one more function below that yields a Backend, and its name in BACKENDS.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from anyio.from_thread import BlockingPortal, start_blocking_portal
from msgspec import convert, structs
from patience import HANG_SECONDS

from codemode import AsyncClient, Client, Limits, Settings, Worker
from codemode.client.problems import problem
from codemode.mcp.server import PROBLEM_KEY
from codemode.values import Outcome
from tests.api.conftest import listening
from tests.mcp.mcp_clients import in_memory


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
    changes: frozenset[str] = frozenset()  # cases whose values do not arrive as they are


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


@contextlib.contextmanager
def mcp_tools(directory: Path) -> Iterator[Backend]:
    # What a model reads is bounded far below the engine's own limit: here as high as that, to compare what is told.
    settings = structs.replace(Settings(), mcp_result_bytes=Limits().result_bytes)
    with Worker(directory, settings=settings) as worker, start_blocking_portal() as portal:

        def session(session_id: str | None = None, *, stateful: bool | None = None) -> ToolSession:
            return ToolSession(worker, portal, client, session_id, stateful)

        with portal.wrap_async_context_manager(in_memory(worker)) as client:
            yield Backend(
                session, whole=False, lacks=frozenset({"functions", "on_output", "limits"}),
                changes=frozenset({"an integer of 6000 digits", "a lone surrogate"}),
            )  # fmt: skip


class ToolSession:
    """A session by the tools of MCP, as the contract suite uses one."""

    def __init__(
        self, worker: Worker, portal: BlockingPortal, client: Any, session_id: str | None, stateful: bool | None
    ) -> None:
        self._worker, self._portal, self._client = worker, portal, client
        made = self._call("create_session", {"session_id": session_id, "stateful": stateful})
        self.id = made["id"]

    def run(self, code: str, **options: Any) -> Outcome:
        """The outcome, with what the tools leave out."""
        renamed = {{"timeout": "timeout_seconds"}.get(name, name): value for name, value in options.items()}
        if "inputs" in renamed:
            renamed["inputs"] = json.loads(json.dumps(renamed["inputs"]))
        told = self._call("execute_code", {"session_id": self.id, "code": code, **renamed})
        return structs.replace(convert(told, Outcome), isolation=self._worker.isolation)

    def query(self, sql: str, params: Any = (), *, read_only: bool = False) -> Any:
        """The rows as dicts."""
        assert read_only, "the tool only reads"
        found = self._call("query", {"session_id": self.id, "sql": sql, "params": list(params), "max_rows": 10_000})
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        answer = self._portal.call(self._client.call_tool, tool, arguments)
        if answer.is_error:
            told = answer.meta[PROBLEM_KEY]
            raise problem({**told, "detail": told["message"]})
        return answer.structured_content


BACKENDS = {"embedded": embedded, "client": client, "async client": async_client, "mcp": mcp_tools}
