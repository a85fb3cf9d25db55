"""Requests that hide in another one's body: what reaches a worker is framed by the front alone."""

from __future__ import annotations

import socket

import pytest
from patience import HANG_SECONDS

from tests.cluster.serving import Service

HIDDEN = (
    b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Codemode-Client: 6.6.6.6 1\r\nContent-Length: 17\r\n\r\n{"id":"smuggled"}'
)


def send(service: Service, head: bytes, body: bytes = b"") -> bytes:
    """The answer to one request."""
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as connection:
        connection.sendall(head + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65_536)
            assert piece, answer
            answer += piece
    return answer


@pytest.mark.parametrize("named", [b"content-length", b"keep-alive, Content-Length", b"close, content-length"])
def test_a_client_cannot_have_the_length_of_its_body_taken_away(service: Service, named: bytes) -> None:
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: %s\r\n"
    answer = send(service, head % named + b"Content-Length: %d\r\n\r\n" % len(HIDDEN), HIDDEN)
    assert answer.startswith(b"HTTP/1.1 400 ")  # all of the body is a body, and no JSON
    assert service.http.get("/v1/sessions/smuggled").status_code == 404


def test_a_body_behind_the_wish_for_another_protocol_goes_on_as_a_body(service: Service) -> None:
    wish = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    head = b"POST /v1/sessions/none/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + wish
    for _ in range(3):
        assert send(service, head + b"Content-Length: %d\r\n\r\n" % len(HIDDEN), HIDDEN).startswith(b"HTTP/1.1 4")
        for n in range(4):
            assert service.http.get(f"/v1/sessions/none-{n}", timeout=10).status_code == 404
    assert service.http.get("/v1/sessions/smuggled").status_code == 404


@pytest.mark.parametrize("path", [b"/ready", b"/metrics"])
@pytest.mark.parametrize("framing", [b"Content-Length: 40", b"Transfer-Encoding: chunked"])
def test_what_all_workers_are_asked_promises_no_body_that_never_comes(
    service: Service, path: bytes, framing: bytes
) -> None:
    head = b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (path, framing)
    # The workers' connections are kept: a promised body would be taken from whoever's request comes next.
    for _ in range(3):
        assert send(service, head).startswith(b"HTTP/1.1 200 ")
        with service.client() as other:
            for n in range(4):
                answer = other.get(f"/v1/sessions/none-{n}", timeout=10)
                assert answer.status_code == 404, answer.text
