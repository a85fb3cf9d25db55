"""Whose word the service takes for where a request came from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS

from codemode import Settings, Worker
from codemode.api.server import Server

Serve = Callable[..., AbstractContextManager[tuple[str, Server]]]


@pytest.mark.parametrize(
    ("trusted", "address"), [("", "127.0.0.1"), ("192.0.2.0/24", "127.0.0.1"), ("127.0.0.1", "203.0.113.9")]
)
def test_the_audit_log_has_the_address_that_a_trusted_proxy_tells_and_no_other(
    tmp_path: Path, serve: Serve, trusted: str, address: str
) -> None:
    settings = msgspec.structs.replace(Settings(), trusted_proxies=trusted)
    with Worker(tmp_path, settings=settings) as worker, serve(worker, open_to_all=True) as (url, _):
        headers = {"X-Forwarded-For": "203.0.113.9"}
        assert httpx2.post(f"{url}/v1/sessions", json={}, headers=headers, timeout=HANG_SECONDS).status_code == 201
        [act] = worker.audit.read()
    assert act.address == address
