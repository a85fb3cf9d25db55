"""Clients of the SDK for the tools, in memory and over each transport."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from patience import HANG_SECONDS

from codemode import Worker
from codemode.mcp.server import McpServer
from codemode.mcp.tool import Face
from codemode.service.callers import LOCAL
from codemode.service.service import Service

MODERN = "2026-07-28"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("CODEMODE_")} | {
    "CODEMODE_CHILDREN": "1"
}
PROGRAM = [sys.executable, "-m", "codemode"]


@contextlib.asynccontextmanager
async def in_memory(worker: Worker, mode: str = "legacy", **face: Any) -> AsyncIterator[Client]:
    """A client of a server in this process."""
    service = Service(worker, open_to_all=True)
    await service.start()
    try:
        async with Client(McpServer(service, Face(caller=LOCAL, **face)).sdk, mode=mode) as client:
            yield client
    finally:
        service.acts.hurry()
        await service.stop()


@contextlib.asynccontextmanager
async def over_stdio(data_dir: Path, mode: str = "legacy", *options: str) -> AsyncIterator[Client]:
    """A client of a `codemode mcp` that it started."""
    words = [*PROGRAM[1:], "--data-dir", str(data_dir), "mcp", *options]
    started = StdioServerParameters(command=PROGRAM[0], args=words, env=ENVIRONMENT)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        async with Client(stdio_client(started, errlog=nowhere), mode=mode) as client:
            yield client


@contextlib.asynccontextmanager
async def over_http(address: str, mode: str = "legacy", token: str | None = None) -> AsyncIterator[Client]:
    """A client of a `codemode serve` that listens at `address`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=HANG_SECONDS) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@contextlib.contextmanager
def serving(data_dir: Path, **environment: str) -> Iterator[str]:
    """The address of a `codemode serve` over this data directory; it is ended with the block."""
    words = [*PROGRAM, "--data-dir", str(data_dir), "serve", "--port", "0", "--json"]
    environment = ENVIRONMENT | {"CODEMODE_SHUTDOWN_SECONDS": "1"} | environment
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["result"]["address"]
        finally:
            process.terminate()
            process.communicate(timeout=HANG_SECONDS)


def text(result: CallToolResult) -> str:
    """What a model reads of an answer."""
    (content,) = result.content
    assert content.type == "text"
    return content.text


def run(work: Any, *arguments: Any) -> Any:
    """Run a test's coroutine function, for no longer than a test may hang."""

    async def bounded() -> Any:
        with anyio.fail_after(HANG_SECONDS):
            return await work(*arguments)

    return anyio.run(bounded)
