"""A service that listens on loopback, with its worker, for each module of tests."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS, soon

from codemode import Settings, Worker
from codemode.api.app import create_app
from codemode.api.server import Server


@contextlib.contextmanager
def listening(worker: Worker, *, open_to_all: bool | None) -> Iterator[tuple[str, Server]]:
    """The address of a server around `worker`, and the server itself; it is ended with the block."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(create_app(worker, open_to_all=open_to_all))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert soon(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
        finally:
            server.should_exit = True
            thread.join(HANG_SECONDS)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    settings = msgspec.structs.replace(Settings(), body_bytes=100_000, upload_bytes=50_000_000, shutdown_seconds=2.0)
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        yield worker


@pytest.fixture(scope="module")
def address(worker: Worker) -> Iterator[str]:
    """Where a service without tokens listens."""
    with listening(worker, open_to_all=True) as (address, _):
        yield address


@pytest.fixture
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, timeout=HANG_SECONDS) as client:
        yield client


@pytest.fixture
def session(http: httpx2.Client) -> str:
    """The id of a new session."""
    return str(http.post("/v1/sessions", json={}).json()["id"])


@pytest.fixture
def place(http: httpx2.Client) -> str:
    """The path of a new session."""
    return f"/v1/sessions/{http.post('/v1/sessions', json={}).json()['id']}"


@pytest.fixture(scope="module")
def guarded(worker: Worker) -> Iterator[str]:
    """Where the same worker is served to whoever has a token."""
    with listening(worker, open_to_all=False) as (address, _):
        yield address


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractContextManager[tuple[str, Server]]]:
    """What serves a worker of the test's own: `with serve(worker, open_to_all=True) as (address, server)`."""
    return listening


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path
