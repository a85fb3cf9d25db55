"""Bodies of requests at /mcp are bounded as everywhere: in time too, and whoever goes away in one is no fault."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from mcp_clients import MODERN, run

from codemode import Settings, Worker
from codemode.api.app import create_app
from codemode.cluster import faces

PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}).encode()
HEADERS = {"host": "localhost", "accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    settings = msgspec.structs.replace(Settings(), upload_idle_seconds=0.2)
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        yield worker


def status_of(worker: Worker, *came: dict[str, Any], **headers: str) -> int | None:
    """What a request is answered with whose connection brought this, and nothing more."""
    found: list[int] = []
    waiting = list(came)

    async def receive() -> Any:
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    async def work() -> None:
        app = create_app(worker, open_to_all=True, mounts=faces.mounts())
        given = [(name.encode(), value.encode()) for name, value in (HEADERS | headers).items()]
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/mcp", "root_path": "",
            "raw_path": b"/mcp", "query_string": b"", "headers": given, "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }  # fmt: skip
        async with app.router.lifespan_context(app):
            await app(scope, receive, send)

    run(work)
    return found[0] if found else None


def piece(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize("version", ["2025-06-18", MODERN])
def test_a_client_that_goes_away_in_its_body_is_no_fault(
    version: str, worker: Worker, caplog: pytest.LogCaptureFixture
):
    status_of(worker, piece(PING[:9], more=True), {"type": "http.disconnect"}, **{"mcp-protocol-version": version})
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("version", ["2025-06-18", MODERN])
def test_a_body_that_does_not_come_is_given_up(version: str, worker: Worker):
    assert status_of(worker, piece(PING[:9], more=True), **{"mcp-protocol-version": version}) == 408


def test_a_body_may_come_in_pieces_and_compressed(worker: Worker):
    packed = gzip.compress(PING)
    pieces = (piece(packed[:9], more=True), piece(packed[9:], more=False))
    assert status_of(worker, *pieces, **{"content-encoding": "gzip"}) == 200
