"""The mount at /mcp is there from the start; the first request loads what serves it."""

from __future__ import annotations

from typing import Any

import anyio
import httpx2
import pytest
from mcp_clients import run

from codemode import Worker
from codemode.api.app import create_app
from codemode.cluster import faces
from codemode.mcp import http

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}
HEADERS = {"Accept": "application/json, text/event-stream", "Host": "localhost"}


async def statuses(app: Any, number: int) -> list[int]:
    """What `number` requests at once are answered with."""
    found: list[int] = []

    async def ask() -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:
            found.append((await client.post("/mcp", json=PING, headers=HEADERS)).status_code)

    async with anyio.create_task_group() as asking:
        for _ in range(number):
            asking.start_soon(ask)
    return found


def test_first_requests_share_one_load_and_a_failed_one_is_tried_again(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    loads: list[bool] = []
    really = http._loaded

    def loaded(service: Any) -> Any:
        loads.append(bool(loads))
        if len(loads) == 1:
            raise ImportError("the SDK is not whole")
        return really(service)

    monkeypatch.setattr(http, "_loaded", loaded)

    async def work() -> None:
        app = create_app(worker, open_to_all=True, mounts=faces.mounts())
        async with app.router.lifespan_context(app):
            assert not loads  # nobody has asked for it
            assert await statuses(app, 3) == [500] * 3
            assert await statuses(app, 3) == [200] * 3
            assert len(loads) == 2

    run(work)
    assert "the SDK is not whole" in caplog.text
