"""Requests through the front: to the worker of their session, both ways as they come, and nobody else's."""

from __future__ import annotations

import json
import socket
from typing import Any

import apsw
import pytest
from patience import HANG_SECONDS, soon

from tests.cluster.serving import Service, peak_bytes

MIB = 1024 * 1024


def create(service: Service, session_id: str | None = None) -> str:
    answer = service.http.post("/v1/sessions", json={"id": session_id} if session_id else {})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def raw(service: Service, request: bytes) -> bytes:
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def test_a_session_always_reaches_the_same_worker_and_all_workers_have_some(service: Service) -> None:
    for n in range(12):
        create(service, f"place-{n}")
    first = {n: service.holder(f"place-{n}") for n in range(12)}
    for _ in range(3):
        for n in range(12):
            service.execute(f"place-{n}", "1")
            assert service.holder(f"place-{n}") == first[n]
    assert set(first.values()) == service.workers()


def test_an_id_that_a_worker_mints_belongs_to_itself(service: Service) -> None:
    makers = set()
    for _ in range(8):
        minted = create(service)
        makers.add(maker := service.holder(minted))
        service.execute(minted, "1")
        assert service.holder(minted) == maker
    assert makers == service.workers()  # in turns


def test_a_background_execution_is_found_and_cancelled_by_its_id_alone(service: Service) -> None:
    for n in range(4):
        create(service, f"back-{n}")
        accepted = service.execute(f"back-{n}", "while True: pass", mode="background")
        path = f"/v1/executions/{accepted['execution_id']}"
        assert service.http.get(path).json()["state"] == "pending"
        assert service.http.delete(path).json()["outcome"]["status"] == "cancelled"


def test_events_come_as_they_happen_and_a_client_that_leaves_cancels(service: Service) -> None:
    create(service, "stream")
    body = {"code": "print('begun')\nwhile True: pass", "mode": "stream"}
    seen = ""
    with service.http.stream("POST", "/v1/sessions/stream/execute", json=body) as answer:
        for chunk in answer.iter_text():
            seen += chunk
            if "begun" in seen:
                break
    # While it ran on nobody else would have the session's turn within this execution's queue time.
    assert service.execute("stream", "return 1")["result"] == 1


def test_a_client_that_leaves_cancels_its_synchronous_execution(service: Service) -> None:
    create(service, "gone")
    code = "helpers.db.exec('create table begun (a)')\nhelpers.db.commit()\nhelpers.db.exec('create table t (a)')\n"
    body = json.dumps({"code": f"{code}while True: pass"}).encode()
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/sessions/gone/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert soon(lambda: len(service.http.get("/v1/sessions/gone/schema").json()["tables"]) == 1)
    assert service.execute("gone", "return helpers.schema.get_tables()")["result"] == ["begun"]


@pytest.fixture(scope="session")
def big(service: Service) -> tuple[str, int]:
    """A session with a table of 32 MiB that was uploaded, and by how much the front's memory grew at that."""
    create(service, "big")
    line = json.dumps({"text": "x" * MIB}).encode() + b"\n"
    before = peak_bytes(service.process.pid)
    answer = service.http.post(
        "/v1/sessions/big/batch_insert",
        params={"table": "t", "create": "true"},
        content=(line for _ in range(32)),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.json()["rows_written"] == 32, answer.text
    return "/v1/sessions/big/export?table=t", peak_bytes(service.process.pid) - before


def test_an_upload_passes_in_constant_memory(big: tuple[str, int]) -> None:
    assert big[1] < 8 * MIB


def test_an_export_passes_in_constant_memory(service: Service, big: tuple[str, int]) -> None:
    before = peak_bytes(service.process.pid)
    with service.http.stream("GET", big[0], headers={"Accept-Encoding": "identity"}) as export:
        assert sum(len(chunk) for chunk in export.iter_raw()) > 32 * MIB
    assert peak_bytes(service.process.pid) - before < 8 * MIB


def test_a_client_that_does_not_read_holds_its_worker_back(service: Service, big: tuple[str, int]) -> None:
    before = peak_bytes(service.process.pid)
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % big[0].encode())
        for _ in range(20):  # others are served meanwhile
            assert service.http.get("/v1/sessions/big").status_code == 200
        assert peak_bytes(service.process.pid) - before < 8 * MIB


def test_an_upload_that_is_cut_leaves_nothing(service: Service) -> None:
    create(service, "cut")
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/sessions/cut/batch_insert?table=t&create=true HTTP/1.1\r\nHost: localhost\r\n"
            b'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"a": 1}\n\r\n'
        )
    assert service.execute("cut", "return helpers.schema.get_tables()")["result"] == []


def test_an_upload_that_came_whole_is_done_though_its_client_is_gone(service: Service) -> None:
    create(service, "whole")
    body = b"".join(b'{"a": %d, "b": "%s"}\n' % (number, b"x" * 30) for number in range(20_000))
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    for attempt in range(20):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /v1/sessions/whole/batch_insert?table=t%d&create=true HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % (attempt, len(body)) + body
            )
        made = f'"t{attempt}"'.encode()
        assert soon(lambda made=made: made in service.http.get("/v1/sessions/whole/schema").content)


def test_a_refusal_of_a_worker_arrives_before_the_body_is_sent(service: Service) -> None:
    answer = raw(
        service,
        b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 413 "), answer


def test_a_client_that_asks_first_is_told_to_go_on(service: Service) -> None:
    create(service, "expect")
    head = (
        b"POST /v1/sessions/expect/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\n"
    )
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as connection:
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"code": "return 4"}')
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    assert b'"result":4' in answer


def test_an_expectation_that_nobody_knows_holds_nothing_up(service: Service) -> None:
    answer = raw(
        service,
        b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: 2\r\nExpect: 200-maybe\r\n\r\n{}",
    )
    assert answer.startswith(b"HTTP/1.1 201 "), answer


def test_a_request_without_a_host_is_refused_but_of_the_first_http(service: Service) -> None:
    assert raw(service, b"GET /v1/sessions HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert raw(service, b"GET /v1/sessions HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("HEAD", "/v1/sessions", 200), ("GET", "/health", 200), ("HEAD", "/health", 200), ("GET", "/nothing", 404),
     ("PUT", "/v1/sessions", 405), ("GET", "/v1/sessions/a%2Fb", 404), ("GET", "/v1/sessions/%00", 400),
     ("GET", "/v1/executions/ex_none", 404), ("GET", "/openapi.json", 200), ("GET", "/ready", 200)],
)  # fmt: skip
def test_answers_are_those_of_a_single_worker(service: Service, method: str, path: str, status: int) -> None:
    # Twice: an answer that was read wrongly would make the kept connection useless for the next one.
    for _ in range(2):
        answer = service.http.request(method, path)
        assert answer.status_code == status
        assert len(answer.headers.get_list("date")) == 1


def test_framing_that_contradicts_itself_is_refused(service: Service) -> None:
    answer = raw(
        service,
        b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /v1/sessions/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_the_audit_log_has_the_clients_address_and_none_that_it_made_up(service: Service) -> None:
    answer = service.http.post("/v1/sessions", json={"id": "address"}, headers={"Codemode-Client": "1.2.3.4 5"})
    assert answer.status_code == 201
    with apsw_connection(service) as catalog:
        sql = "SELECT address FROM audit WHERE resource = 'address'"
        assert catalog.execute(sql).fetchall() == [("127.0.0.1",)]


class apsw_connection:  # noqa: N801 - a context manager, used like a function
    def __init__(self, service: Service) -> None:
        self._connection = apsw.Connection(str(service.data / "catalog.db"), flags=apsw.SQLITE_OPEN_READONLY)

    def __enter__(self) -> apsw.Connection:
        return self._connection

    def __exit__(self, *_: Any) -> None:
        self._connection.close(True)


def test_variables_of_a_stateful_session_stay_with_its_worker(service: Service) -> None:
    for n in range(4):
        assert service.http.post("/v1/sessions", json={"id": f"kept-{n}", "stateful": True}).status_code == 201
        service.execute(f"kept-{n}", f"x = {n}")
        assert service.execute(f"kept-{n}", "return x")["result"] == n


def test_a_client_cannot_tell_a_worker_that_it_is_another_one(service: Service) -> None:
    for name in ("0", "1"):
        assert service.http.get("/v1/sessions", headers={"Codemode-Worker": name}).status_code == 200
    test_an_id_that_a_worker_mints_belongs_to_itself(service)


def test_figures_are_those_of_all_workers_together(service: Service) -> None:
    before = service.http.get("/v1/stats?usage=true").json()["usage"]["executions"]
    for n in range(8):
        create(service, f"stats-{n}")
        service.execute(f"stats-{n}", "1")
    assert service.http.get("/v1/stats?usage=true").json()["usage"]["executions"] == before + 8


def test_a_web_page_of_another_origin_is_refused_through_the_front_too(service: Service) -> None:
    assert service.http.get("/v1/sessions", headers={"Origin": "https://evil.example"}).status_code == 403
    assert service.http.get("/v1/sessions", headers={"Host": "evil.example"}).status_code == 403
