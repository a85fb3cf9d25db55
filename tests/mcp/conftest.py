from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from mcp.client import Client
from mcp_clients import MODERN, in_memory, over_http, over_stdio, serving

from codemode import Settings, Worker


class Connect(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[Client]: ...


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    settings = msgspec.structs.replace(Settings(), children=1, shutdown_seconds=1.0)
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        yield worker


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a service without tokens listens."""
    with serving(tmp_path_factory.mktemp("served")) as address:
        yield address


WAYS = [f"{transport}-{era}" for transport in ("memory", "stdio", "http") for era in ("legacy", "modern")]


@pytest.fixture(params=WAYS)
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Connect:
    """Each way to reach the tools, with the protocol of before and after 2026-07-28."""
    transport, era = request.param.split("-")
    mode = "legacy" if era == "legacy" else MODERN
    if transport == "memory":
        return lambda: in_memory(request.getfixturevalue("worker"), mode)
    if transport == "stdio":
        return lambda: over_stdio(tmp_path / "data", mode)
    address = request.getfixturevalue("address")
    return lambda: over_http(address, mode)
