"""HTTP itself: methods, connections that stay, idle ones by the thousand, and web pages."""

from __future__ import annotations

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS

from codemode import Settings, Worker, __version__
from codemode.api.connection import raise_descriptors
from tests.api.conftest import listening

PAGE = {"Origin": "https://studio.example"}


def test_health_says_the_version(http: httpx2.Client) -> None:
    assert http.get("/health").json() == {"status": "ok", "version": __version__}


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/v1/sessions"])
def test_head_is_get_without_a_body(http: httpx2.Client, path: str) -> None:
    got, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "POST", "TRACE", "BREW"])
def test_a_method_that_there_is_not_names_those_there_are(http: httpx2.Client, method: str) -> None:
    answer = http.request(method, "/v1/sessions/x")
    if method == "BREW":  # not even a method of HTTP
        assert answer.status_code == 400
        return
    assert (answer.status_code, answer.json()["code"]) == (405, "request.method")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH"


def test_many_requests_share_a_connection(http: httpx2.Client) -> None:
    place = http.base_url.host, http.base_url.port
    with socket.create_connection(place, HANG_SECONDS) as client:
        for _ in range(20):
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = HTTPResponse(client)  # which reads all of it, in however many pieces it comes
            answer.begin()
            assert (answer.status, json.loads(answer.read())["status"]) == (200, "ok")
        # Several at once, and the last one says that it is the last.
        more = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 9
        client.sendall(more + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answers = b""
        while piece := client.recv(65_536):
            answers += piece
    assert answers.count(b"HTTP/1.1 200") == 10


def test_a_connection_is_kept_for_the_next_request_as_long_as_for_the_first(tmp_path: Path) -> None:
    """uvicorn's own 5 s are httpx's too: of a client and a service that let go at once the request fails."""
    settings = msgspec.structs.replace(Settings(), header_seconds=1.0)  # from a busy machine too
    with (
        Worker(tmp_path, settings=settings) as worker,
        listening(worker, open_to_all=True) as (address, server),
        socket.create_connection((httpx2.URL(address).host, httpx2.URL(address).port), HANG_SECONDS) as client,
    ):
        assert server.config.timeout_keep_alive == 1.0
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = b""
        while piece := client.recv(65_536):  # until the service lets go
            answers += piece
    assert answers.count(b"HTTP/1.1 200") == 1


def test_no_web_page_is_let_in_unless_its_origin_is_named(http: httpx2.Client) -> None:
    ask = PAGE | {"Access-Control-Request-Method": "POST"}
    assert http.options("/v1/sessions", headers=ask).status_code == 405
    answer = http.get("/v1/sessions", headers=PAGE)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_web_page_whose_origin_is_named_is_let_in(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), cors_origins="https://studio.example")
    with Worker(tmp_path, settings=settings) as worker, listening(worker, open_to_all=True) as (address, _):
        ask = PAGE | {"Access-Control-Request-Method": "POST"}
        assert httpx2.options(f"{address}/v1/sessions", headers=ask).status_code == 200
        answer = httpx2.get(f"{address}/v1/sessions", headers=PAGE, timeout=HANG_SECONDS)
        assert answer.headers["access-control-allow-origin"] == "https://studio.example"
        assert "Mcp-Session-Id" in answer.headers["access-control-expose-headers"]  # which a page has to send back
        other = {"Origin": "https://evil.example"}
        refused = httpx2.get(f"{address}/v1/sessions", headers=other, timeout=HANG_SECONDS)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


@pytest.fixture
def descriptors() -> Iterator[int]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_descriptors()
    yield resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_work_goes_on_beside_idle_connections_by_the_thousand(tmp_path: Path, descriptors: int) -> None:
    many = min(2_000, descriptors // 4)  # both ends of each are in this process
    settings = msgspec.structs.replace(Settings(), header_seconds=10 * HANG_SECONDS)
    with (
        Worker(tmp_path, settings=settings) as worker,
        listening(worker, open_to_all=True) as (address, server),
        ExitStack() as idle,
    ):
        place = "127.0.0.1", int(address.rpartition(":")[2])
        for _ in range(many):
            idle.enter_context(socket.create_connection(place, HANG_SECONDS)).sendall(b"GET /hea")
        with httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http:
            http.post("/v1/sessions", json={"id": "s"})
            for n in range(20):
                answer = http.post("/v1/sessions/s/execute", json={"code": f"return {n}"})
                assert answer.json()["result"] == n
            assert len(server.server_state.connections) > many // 2


def test_above_the_bound_a_client_is_told_to_come_again(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), connections=5)
    with Worker(tmp_path, settings=settings) as worker, listening(worker, open_to_all=True) as (address, _):
        place = "127.0.0.1", int(address.rpartition(":")[2])
        with ExitStack() as idle:
            for _ in range(5):
                idle.enter_context(socket.create_connection(place, HANG_SECONDS))
            with socket.create_connection(place, HANG_SECONDS) as client:
                answer = b""
                while piece := client.recv(65_536):
                    answer += piece
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 2" in answer
        assert b"worker.unavailable" in answer
        with httpx2.Client(base_url=address, timeout=HANG_SECONDS, transport=httpx2.HTTPTransport(retries=3)) as http:
            assert http.get("/health").status_code in (200, 503)


def test_an_event_is_not_held_back_to_be_compressed(http: httpx2.Client) -> None:
    http.post("/v1/sessions", json={"id": "prompt"})
    body = {"code": "print('at once', flush=True)\nwhile True: pass", "mode": "stream"}
    headers = {"Accept-Encoding": "gzip"}
    with http.stream("POST", "/v1/sessions/prompt/execute", json=body, headers=headers) as answer:
        assert "content-encoding" not in answer.headers
        assert any("at once" in line for line in answer.iter_lines())


@pytest.mark.parametrize(
    ("accepted", "characters", "encoding", "vary"),
    [
        ("gzip", 10, None, None),
        ("gzip", 2_000, "gzip", "Accept-Encoding"),
        ("identity", 2_000, None, "Accept-Encoding"),  # another client gets something else
    ],
)
def test_what_is_long_is_compressed_for_who_takes_it(
    http: httpx2.Client, accepted: str, characters: int, encoding: str | None, vary: str | None
) -> None:
    http.post("/v1/sessions", json={"id": "long"})
    body = {"code": f"return 'x' * {characters}"}
    answer = http.post("/v1/sessions/long/execute", json=body, headers={"Accept-Encoding": accepted})
    assert answer.json()["result"] == "x" * characters
    assert (answer.headers.get("content-encoding"), answer.headers.get("vary")) == (encoding, vary)
