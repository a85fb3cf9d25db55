"""What strangers send: broken, huge, slow and crooked requests. Each is refused, and nothing of it is kept."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import socket
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from typing import Any

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS, soon

from codemode import Settings, Worker
from codemode.api.app import OPERATIONS

NDJSON = "application/x-ndjson"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    settings = msgspec.structs.replace(
        Settings(),
        body_bytes=100_000,
        upload_bytes=5_000_000,
        upload_idle_seconds=1.0,
        header_seconds=1.0,
        shutdown_seconds=2.0,
    )
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        yield worker


@pytest.fixture(autouse=True)
def no_fault(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever comes, it is the client's mistake: the service has nothing to log as its own."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def connected(http: httpx2.Client) -> socket.socket:
    return socket.create_connection((http.base_url.host, http.base_url.port), HANG_SECONDS)


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode("latin-1")


def rest(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    found = b""
    try:
        while piece := client.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass  # it closed while we were still sending
    return found


def sent(http: httpx2.Client, request: bytes) -> bytes:
    with connected(http) as client:
        client.sendall(request)
        return rest(client)


def problem(answer: bytes) -> tuple[int, str]:
    """Status and code of a problem document, which shows nothing of our insides."""
    top, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in top
    for inside in (b"Traceback", b"site-packages", b".py"):
        assert inside not in body
    document = json.loads(body)
    assert document["status"] == int(top.split(b" ", 2)[1])
    return document["status"], document["code"]


def tables(http: httpx2.Client, session: str) -> list[str]:
    return [each["name"] for each in http.get(f"/v1/sessions/{session}/schema").json()["tables"]]


def is_free(http: httpx2.Client, session: str) -> bool:
    return bool(http.post(f"/v1/sessions/{session}/execute", json={"code": "return 1"}).json()["result"] == 1)


# ── bodies that end too early ──

SNIPPET = "helpers.db.exec('create table t (a)')"
ROW = b'{"a": 1}\n'
TRUNCATED: list[tuple[str, str, bytes]] = [
    ("execute", "application/json", json.dumps({"code": SNIPPET, "mode": "sync"}).encode()),
    ("execute", "application/json", json.dumps({"code": SNIPPET, "mode": "stream"}).encode()),
    ("execute", "application/json", json.dumps({"code": SNIPPET, "mode": "background"}).encode()),
    ("batch_insert", "application/json", b'{"table": "t", "create": true, "records": [{"a": 1}]}'),
    ("batch_insert?table=t&create=true", NDJSON, ROW * 3_000),
    ("import?table=t", "text/csv", b"a,b\n" + b"1,2\n" * 3_000),
]


@pytest.mark.parametrize("more", [(), ("Accept: text/event-stream",)], ids=["", "events"])
@pytest.mark.parametrize(("path", "media", "body"), TRUNCATED, ids=lambda value: str(value)[:30])
def test_a_client_that_closes_in_the_middle_leaves_nothing(
    http: httpx2.Client, session: str, path: str, media: str, body: bytes, more: tuple[str, ...]
) -> None:
    with connected(http) as client:
        length = f"Content-Length: {len(body) + 10}"
        client.sendall(head(f"POST /v1/sessions/{session}/{path}", f"Content-Type: {media}", length, *more))
        client.sendall(body)
    assert is_free(http, session)
    assert tables(http, session) == []


def test_a_truncated_chunked_body_leaves_nothing(http: httpx2.Client, session: str) -> None:
    with connected(http) as client:
        where = f"POST /v1/sessions/{session}/batch_insert?table=t&create=true"
        client.sendall(head(where, f"Content-Type: {NDJSON}", "Transfer-Encoding: chunked"))
        client.sendall(b"%x\r\n%b\r\n" % (len(ROW) * 1_000, ROW * 1_000) + b"ffff\r\n{")
    assert is_free(http, session)
    assert tables(http, session) == []


@pytest.mark.parametrize("rubbish", [b"xyz\r\n", b"-1\r\n", b"fffffffffffffffffff\r\n", b"5;" + b"a" * 500_000])
def test_a_chunk_that_is_none_ends_the_upload(http: httpx2.Client, session: str, rubbish: bytes) -> None:
    where = f"POST /v1/sessions/{session}/batch_insert?table=t&create=true"
    request = head(where, f"Content-Type: {NDJSON}", "Transfer-Encoding: chunked")
    answer = sent(http, request + b"%x\r\n%b\r\n" % (len(ROW), ROW) + rubbish)
    assert problem(answer) == (400, "request.invalid")
    assert is_free(http, session)
    assert tables(http, session) == []


# ── bodies that are too large ──


@pytest.mark.parametrize("path", ["execute", "query", "batch_insert", "batch_insert?table=t", "import?table=t"])
def test_a_body_that_says_it_is_too_large_is_refused_unread(http: httpx2.Client, session: str, path: str) -> None:
    media = NDJSON if "?" in path else "application/json"
    where = f"POST /v1/sessions/{session}/{path}"
    with connected(http) as client:
        client.sendall(head(where, f"Content-Type: {media}", f"Content-Length: {10**12}", "Connection: close"))
        assert problem(rest(client)) == (413, "request.too_large")


UPLOADS = [("query", "application/json"), ("batch_insert?table=t&create=1", NDJSON), ("import?table=t", "text/csv")]


@pytest.mark.parametrize(("path", "media"), UPLOADS)
def test_a_body_without_end_is_refused_and_not_read_for_ever(
    http: httpx2.Client, session: str, path: str, media: str
) -> None:
    piece = b"%x\r\n%b\r\n" % (60_003, b'{"a":"' + b"x" * 59_994 + b'"}\n')
    with connected(http) as client:
        where = f"POST /v1/sessions/{session}/{path}"
        client.sendall(head(where, f"Content-Type: {media}", "Transfer-Encoding: chunked"))
        answer = poured(client, piece)
    assert problem(answer) == (413, "request.too_large")
    assert tables(http, session) == []


def poured(client: socket.socket, piece: bytes) -> bytes:
    """What the server says while `piece` is sent again and again, until it breaks off."""
    answer, late, rest_of = b"", time.monotonic() + HANG_SECONDS, piece
    client.settimeout(0.01)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() < late:
            with contextlib.suppress(TimeoutError):
                rest_of = rest_of[client.send(rest_of) :] or piece
            with contextlib.suppress(TimeoutError):
                answer += client.recv(65_536)
    assert time.monotonic() < late
    return answer


def bomb(line: bytes, megabytes: int) -> bytes:
    packer, packed = zlib.compressobj(9, zlib.DEFLATED, 31), b""
    for _ in range(megabytes):
        packed += packer.compress(line * (1_000_000 // len(line)))
    return packed + packer.flush()


@pytest.mark.parametrize(
    ("path", "media", "body"),
    [
        ("query", "application/json", bomb(b" ", 50)),
        ("batch_insert?table=t&create=1", NDJSON, bomb(b"\n", 50)),
        ("batch_insert?table=t&create=1", NDJSON, bomb(ROW, 50)),
        ("import?table=t", "text/csv", bomb(b"1,2\n", 50)),
    ],
    ids=["query", "blank lines", "rows", "import"],
)
def test_what_a_body_becomes_is_bounded(http: httpx2.Client, session: str, path: str, media: str, body: bytes) -> None:
    headers = {"Content-Type": media, "Content-Encoding": "gzip"}
    answer = http.post(f"/v1/sessions/{session}/{path}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    assert tables(http, session) == []


def test_a_body_that_becomes_nothing_is_bounded_too(http: httpx2.Client, session: str) -> None:
    nothing = gzip.compress(b"") * 1_000
    body = (nothing for _ in range(6))  # without a length: 120 kB of what may be 100 kB
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = http.post(f"/v1/sessions/{session}/query", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


def test_bodies_may_be_gzip(http: httpx2.Client, session: str) -> None:
    headers = {"Content-Type": NDJSON, "Content-Encoding": "gzip"}
    place = f"/v1/sessions/{session}/batch_insert?table=t&create=true"
    two_members = gzip.compress(ROW * 10_000) + gzip.compress(ROW * 5)
    assert http.post(place, content=two_members, headers=headers).json()["rows_written"] == 10_005
    query = gzip.compress(json.dumps({"sql": "select count(*) as n from t"}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = http.post(f"/v1/sessions/{session}/query", content=query, headers=headers)
    assert answer.json()["result"] == [{"n": 10_005}]


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"x", 415),
        ("deflate", zlib.compress(ROW), 415),
        ("gzip, gzip", gzip.compress(gzip.compress(ROW)), 415),
        ("gzip", ROW, 400),
        ("gzip", gzip.compress(ROW * 1_000)[:-9], 400),
        ("gzip", gzip.compress(ROW) + b"rubbish", 400),
        ("gzip", b"", 400),
    ],
    ids=["br", "deflate", "twice", "plain", "cut", "rubbish behind", "nothing"],
)
def test_other_encodings_and_damage_are_refused(
    http: httpx2.Client, session: str, encoding: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": NDJSON, "Content-Encoding": encoding}
    answer = http.post(f"/v1/sessions/{session}/batch_insert?table=t&create=1", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert tables(http, session) == []


# ── bodies that are no request ──

BODIES = [
    b"[]", b"7", b'"text"', b"null", b"true", b"{", b"[" * 60_000, b'{"a":' * 15_000, b"{}}", b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"no_such_field": 1}', b'{"\\ud800": 1}', b"NaN", b"{'code': 1}", b"\x00" * 100, b'{"code": "\xc3\x28"}',
    b'{"code": {"a": 1}, "sql": 7, "table": [], "id": {}, "statements": 5, "name": false, "key": null}',
]  # fmt: skip
WITH_BODY = [each for each in OPERATIONS if each.body is not None]


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda each: each.name)
def test_a_body_of_another_kind_is_refused(http: httpx2.Client, session: str, operation: Any) -> None:
    path = operation.path.replace("{id}", session).replace("{table}", "t").replace("{name}", "n").replace("{user}", "u")
    for body in BODIES:
        headers = {"Content-Type": "application/json"}
        answer = http.request(operation.method, path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (body[:50], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


INPUTS = [
    ('{"code": "return n", "inputs": {"n": 1e999}}', 400),
    ('{"code": "return n", "inputs": {"n": "\\ud800"}}', None),
    ('{"code": "return 1", "inputs": {"": 1}}', 400),
    ('{"code": "return 1", "inputs": {"a b": 1}}', 400),
    ('{"code": "return n", "inputs": {"n": ' + "[" * 500 + "]" * 500 + "}}", None),
    ('{"code": "return n", "inputs": {"n": ' + "9" * 50_000 + "}}", None),
    ('{"code": "\\u0000"}', None),
    ('{"code": "\\ud800"}', 400),
    ('{"code": "return 1", "timeout_ms": 1e308}', 200),
    ('{"code": "return 1", "timeout_ms": -1e308}', 400),
    ('{"code": "return 1", "max_result_bytes": 99999999999999999999}', None),
    ('{"code": "return 1", "max_result_bytes": 1' + "0" * 400 + "}", 200),
    ('{"code": "return 1", "max_cell": -1}', 400),
    ('{"code": "return 1", "max_cell": 18446744073709551616}', 200),
    ('{"code": "return 1", "idempotency_key": ""}', 400),
    ('{"code": "return 1", "idempotency_key": "' + "k" * 50_000 + '"}', 400),
    ('{"code": "return 1", "idempotency_key": "\\ud800"}', 400),
]


@pytest.mark.parametrize(("body", "status"), INPUTS, ids=lambda value: str(value)[:60])
def test_values_at_the_edges_are_answered(http: httpx2.Client, session: str, body: str, status: int | None) -> None:
    headers = {"Content-Type": "application/json"}
    answer = http.post(f"/v1/sessions/{session}/execute", content=body, headers=headers)
    assert answer.status_code in ((200, 400) if status is None else (status,)), answer.text


@pytest.mark.parametrize("what", ["execute", "batch_insert?table=t&create=true"])
def test_half_of_a_surrogate_pair_is_told_as_what_it_is(http: httpx2.Client, session: str, what: str) -> None:
    media = NDJSON if "?" in what else "application/json"
    body = rb'{"code": "\ud83d", "n": "\ud83d\ude00"}'
    answer = http.post(f"/v1/sessions/{session}/{what}", content=body, headers={"Content-Type": media})
    assert answer.status_code == 400
    assert "half of a surrogate pair" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["\0", "utf-8\0", "no such"])
def test_an_encoding_that_is_none_is_refused(http: httpx2.Client, session: str, encoding: str) -> None:
    where = f"/v1/sessions/{session}/import"
    answer = http.post(where, params={"table": "t", "format": "csv", "encoding": encoding}, content=b"a\n1\n")
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")


def test_of_two_fields_of_one_name_the_last_counts(http: httpx2.Client, session: str) -> None:
    body = b'{"code": "return 1", "code": "return 2"}'
    answer = http.post(f"/v1/sessions/{session}/execute", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["result"] == 2


# ── heads ──

CROOKED = [
    b"\r\n\r\n\r\nrubbish\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"get /health http/1.1\r\n\r\n",
    head("GET /health", "Bad Header: x"),
    head("GET /health", "X: a\x00b"),
    head("GET /health", "X\x00: b"),
    head("POST /v1/sessions", "Content-Length: 2", "Content-Length: 3") + b"{}x",
    head("POST /v1/sessions", "Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    head("GET /v1/sessions", "Host: another.example.org"),
    head("POST /v1/sessions", "Content-Length: -1"),
    head("POST /v1/sessions", "Content-Length: 99999999999999999999999999"),
    head("POST /v1/sessions", "Content-Length: 2a") + b"{}",
    head("POST /v1/sessions", "Content-Length: +2") + b"{}",
    head("POST /v1/sessions", "Transfer-Encoding: gzip, x"),
    head("POST /v1/sessions", "Transfer-Encoding : chunked"),
    head("GET /health", "X: " + "a" * 100_000),
    head("GET /" + "a" * 100_000),
    head("GET /health", *(f"X{n}: y" for n in range(20_000))),
    b"GET /health HTTP/1.1\nHost: localhost\nX: " + b"a" * 1_000_000,
]


@pytest.mark.parametrize("request_", CROOKED, ids=lambda value: str(value[:50]))
def test_what_is_no_http_is_answered_once_and_closed(http: httpx2.Client, request_: bytes) -> None:
    with connected(http) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(request_)
        answer = rest(client)
    # What came after an answer that was closed may have taken it away; the short ones are read at once.
    assert answer or len(request_) > 60_000
    if answer:
        assert problem(answer) == (400, "request.invalid")
        assert answer.count(b"HTTP/1.1 ") == 1


HEADS_WITHOUT_ONE_HOST = [b"GET /health HTTP/1.1\r\n\r\n", head("GET /health", "Host: localhost")]


@pytest.mark.parametrize("request_", HEADS_WITHOUT_ONE_HOST, ids=["none", "two"])
def test_a_request_without_one_host_is_refused_and_says_why(http: httpx2.Client, request_: bytes) -> None:
    with connected(http) as client:
        client.sendall(request_)
        answer = rest(client)
    assert problem(answer) == (400, "request.invalid")
    assert b"one Host header" in answer


def test_a_request_of_the_first_http_needs_no_host(http: httpx2.Client) -> None:
    with connected(http) as client:
        client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in rest(client)


@pytest.mark.parametrize("target", ["/" + "a" * 70_000, "/v1/sessions/s/export?sql=SELECT" + "+1" * 40_000])
def test_a_head_that_is_too_long_is_told_so(http: httpx2.Client, target: str) -> None:
    with connected(http) as client:
        client.sendall(head(f"GET {target}"))
        assert b"head is above 65,536 bytes" in rest(client)


PATHS = [
    "/v1/sessions/../../etc/passwd", "/v1/sessions/%2e%2e%2f%2e%2e%2fetc", "/v1/sessions/..%2f..%2fetc/schema",
    "/v1/sessions/a%2Fb", "/v1/sessions/%00", "/v1/sessions/a%00b/schema", "/v1/sessions/%ff%fe", "/v1/sessions/%",
    "/v1/sessions/%zz", "/v1/sessions//schema", "//v1/sessions", "/v1//sessions", "/v1/sessions/" + "a" * 30_000,
    "/v1/sessions/a?" + "b" * 30_000, "/v1/sessions/a%0d%0aX-Evil:%201", "/v1/sessions/%F0%9F%92%A9",
    "/v1/sessions/x/tables/..%2f..%2fcatalog", "/v1/executions/..", "/v1/executions/%2e%2e", "/%2e%2e/health",
    "/v1/sessions/x/tables/%00", "/health/..", "/v1/sessions?limit=%00", "/v1/sessions?limit=1&limit=x",
    "/v1/sessions?after=%ff",
    "/v1/sessions?after=~", "/v1/sessions?after=9999999999999~%00", "/v1/sessions/x/export?table=%00&format=%00",
    "/v1/sessions/x/logs?limit=-1", "/v1/sessions/x/logs?limit=%D9%A3", "/v1/executions/x?wait=1e9",
    "/v1/sessions?=&&==&%", "/v1/sessions/", "/health/", "/v1/sessions/x/?a=b",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda value: value[:50])
def test_crooked_paths_lead_nowhere(http: httpx2.Client, path: str) -> None:
    answer = sent(http, head(f"GET {path}", "Connection: close"))
    status = int(answer.split(b" ", 2)[1])
    assert status in (200, 400, 404)
    if status != 200:
        problem(answer)
    assert b"X-Evil: 1" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("target", ["http://evil.example/health", "*", "health", "http://localhost/v1/sessions"])
def test_other_forms_of_a_target_are_answered(http: httpx2.Client, target: str) -> None:
    answer = sent(http, head(f"GET {target}", "Connection: close"))
    assert int(answer.split(b" ", 2)[1]) in (200, 400, 403, 404)


@pytest.mark.parametrize("given", ["a b", "é", "a" * 100, "<script>", "../../x", "a\tb"])
def test_a_request_s_id_that_is_none_is_not_repeated(http: httpx2.Client, given: str) -> None:
    answer = sent(http, head("GET /health", f"X-Request-Id: {given}", "Connection: close"))
    top = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"200 ok" in top
    assert b"x-request-id: req_" in top
    assert b"x-evil" not in top


@pytest.mark.parametrize("table", ['a"; x="', "a\r\nX-Evil: 1", "../../etc/passwd", "é" * 50, "a" * 5_000])
def test_a_table_s_name_does_not_leave_the_file_name(http: httpx2.Client, session: str, table: str) -> None:
    records = {"table": table, "records": [{"a": 1}], "create": True}
    made = http.post(f"/v1/sessions/{session}/batch_insert", json=records)
    answer = http.get(f"/v1/sessions/{session}/export", params={"table": table})
    assert (answer.status_code == 200) == (made.status_code == 200)
    if answer.status_code == 200:
        disposition = answer.headers["content-disposition"]
        name = disposition.removeprefix('attachment; filename="').removesuffix('"')
        assert name.isascii()
        assert not set(name) & set('"/\\\r\n;')
        assert len(name) < 100
        assert "x-evil" not in answer.headers


def test_an_upgrade_to_what_there_is_not_is_an_ordinary_request(http: httpx2.Client) -> None:
    for protocol in ("websocket", "h2c"):
        request = head("GET /health", f"Upgrade: {protocol}", "Connection: Upgrade", "Sec-WebSocket-Key: x")
        with connected(http) as client:
            client.sendall(request)
            client.settimeout(HANG_SECONDS)
            assert b" 200 " in client.recv(65_536).split(b"\r\n")[0]


@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_body_behind_the_wish_for_another_protocol_is_a_body(http: httpx2.Client, framing: str, step: int) -> None:
    name = f"upgraded-{framing[:2]}-{step}"
    body = b'{"id":"%s"}' % name.encode()
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    kind = "Content-Type: application/json"
    made = head("POST /v1/sessions", kind, *wish, framing.format(len(body)))
    made += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if "chunked" in framing else body
    asked = head(f"GET /v1/sessions/{name}", *wish)
    with connected(http) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in (made, asked + asked + head("GET /health", "Connection: close")):
            for start in range(0, len(request), step):
                client.sendall(request[start : start + step])
        answers = rest(client).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"201", b"200", b"200", b"200"]
    assert all(f'"id":"{name}"'.encode() in answer for answer in answers[:3])


@pytest.mark.parametrize("coding", ["gzip, chunked", "deflate,Chunked", "chunked, chunked"])
def test_a_body_in_a_coding_that_nobody_undoes_is_refused(http: httpx2.Client, coding: str) -> None:
    kind = "Content-Type: application/json"
    request = head("POST /v1/sessions", kind, f"Transfer-Encoding: {coding}") + b"2\r\n{}\r\n0\r\n\r\n"
    assert problem(sent(http, request)) == (400, "request.invalid")


def test_nothing_is_tunnelled(http: httpx2.Client) -> None:
    for request in (
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        head("CONNECT a:1", "Upgrade: x", "Connection: Upgrade"),
    ):
        assert problem(sent(http, request)) == (400, "request.invalid")


def test_a_client_of_the_first_http_is_sent_one_answer(http: httpx2.Client) -> None:
    body = b'{"id":"first-http"}'
    line = b"POST /v1/sessions HTTP/1.0\r\nExpect: 100-continue\r\n"
    answer = sent(http, line + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 201 ")


# ── clients that are slow ──


def test_a_connection_on_which_nothing_comes_is_closed(http: httpx2.Client) -> None:
    with connected(http) as client:
        assert rest(client) == b""


def test_a_head_that_comes_too_slowly_is_cut(http: httpx2.Client) -> None:
    started = time.monotonic()
    with connected(http) as client:
        client.sendall(b"GET /health HTTP/1.1\r\n")
        answer = trickled(client, b"X: y\r\n" * 10_000)
    assert problem(answer) == (408, "request.timeout")
    assert time.monotonic() - started < HANG_SECONDS


def test_a_second_head_that_comes_too_slowly_is_cut(http: httpx2.Client) -> None:
    with connected(http) as client:
        client.sendall(head("GET /health"))
        whole = HTTPResponse(client)  # to its end: what is left of it would be taken for the next answer
        whole.begin()
        assert (whole.status, bool(whole.read())) == (200, True)
        assert problem(trickled(client, b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)) == (408, "request.timeout")


@pytest.mark.parametrize(("path", "media"), UPLOADS)
def test_a_body_that_comes_too_slowly_is_cut(http: httpx2.Client, session: str, path: str, media: str) -> None:
    with connected(http) as client:
        length = "Content-Length: 50000"
        client.sendall(head(f"POST /v1/sessions/{session}/{path}", f"Content-Type: {media}", length))
        client.sendall(ROW * 10)
        assert problem(trickled(client, b" " * 10_000)) == (408, "request.timeout")
    assert is_free(http, session)
    assert tables(http, session) == []


def trickled(client: socket.socket, data: bytes) -> bytes:
    """What the server says while `data` goes out byte by byte, each well within every bound."""
    client.settimeout(0.05)
    answer = b""
    for n in range(len(data)):
        try:
            client.sendall(data[n : n + 1])
            piece = client.recv(65_536)
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            break
        if not piece:
            break
        answer += piece
        if answer.endswith(b"}"):
            break
    return answer


def test_a_client_that_does_not_read_its_export_is_let_go(http: httpx2.Client, session: str) -> None:
    code = "helpers.db.batch_insert('t', [{'a': 'x' * 1000}] * 50_000, create=True)"
    http.post(f"/v1/sessions/{session}/execute", json={"code": code})
    with connected(http) as client:
        client.sendall(head(f"GET /v1/sessions/{session}/export?table=t"))
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        assert soon(lambda: "codemode_http_requests_in_progress 1.0\n" in http.get("/metrics").text)  # this one
        assert len(rest(client)) < 45_000_000


# ── ids and duplicates ──


def test_one_id_asked_for_at_once_is_made_once(http: httpx2.Client, address: str) -> None:
    def create(_: int) -> int:
        return httpx2.post(f"{address}/v1/sessions", json={"id": "twins"}, timeout=HANG_SECONDS).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(create, range(16)))
    assert set(statuses) <= {200, 201}
    assert 201 in statuses
    assert is_free(http, "twins")
