"""Tokens behind the front: it places by tenant, and leaves to the workers who may do what."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from patience import HANG_SECONDS

from codemode import Worker
from tests.cluster.serving import Service, serving


def token(data: Path, tenant: str) -> tuple[str, str]:
    """The secret and the id of a new token, made beside the service as the command line makes it."""
    with Worker(data) as worker:
        secret, made = worker.create_token(tenant)
        return secret, made.id


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("data")
    token(data, "acme")
    with serving(data) as service:
        yield service


def as_whom(service: Service, secret: str) -> httpx2.Client:
    return service.client(headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/sessions"), ("POST", "/v1/sessions"), ("GET", "/v1/sessions/a"), ("GET", "/v1/executions/ex_1"),
     ("GET", "/v1/stats")],
)  # fmt: skip
@pytest.mark.parametrize("given", [None, "Bearer cm_" + "x" * 43, "Bearer \xff", "Basic abc"])
def test_without_a_token_that_is_known_nothing_is_told(
    service: Service, method: str, path: str, given: str | None
) -> None:
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    assert service.http.request(method, path, headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/v1/sessions", "/mcp"])
@pytest.mark.parametrize("given", ["", "Authorization: Bearer cm_" + "x" * 43 + "\r\n"])
def test_nothing_of_a_stranger_s_body_is_asked_for(service: Service, path: str, given: str) -> None:
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n{given}\r\n"
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_two_tokens_of_a_tenant_reach_the_same_worker_and_another_tenant_reaches_nothing(service: Service) -> None:
    (one, _), (two, _), (stranger, _) = (token(service.data, name) for name in ("acme", "acme", "globex"))
    with as_whom(service, one) as mine, as_whom(service, two) as also, as_whom(service, stranger) as other:
        for n in range(6):
            assert mine.post("/v1/sessions", json={"id": f"chat-{n}"}).status_code == 201
            holder = service.holder(f"chat-{n}", "acme")
            path = f"/v1/sessions/chat-{n}/execute"
            assert also.post(path, json={"code": "return 1"}).json()["result"] == 1
            assert service.holder(f"chat-{n}", "acme") == holder
            assert other.post(path, json={"code": "return 1"}).status_code == 404


def test_a_token_that_was_revoked_is_refused_at_the_next_request(service: Service) -> None:
    secret, token_id = token(service.data, "acme")
    with as_whom(service, secret) as http:
        assert http.post("/v1/sessions", json={"id": "revoked"}).is_success
        with Worker(service.data) as worker:
            worker.tokens.revoke(token_id, 1)
        assert http.get("/v1/sessions/revoked").status_code == 401
        assert http.get("/v1/stats").status_code == 401
