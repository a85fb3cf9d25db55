"""Streams of events: progress and warnings while something runs, and clients that are slow to read them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode.api.events import Events

EVENTS = {"Accept": "text/event-stream"}
MANY = "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 20000) SELECT a FROM n"


def told(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


def streamed(http: httpx2.Client, path: str, **request: Any) -> list[tuple[str, Any]]:
    with http.stream("POST", path, **request) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(told(answer.iter_lines()))


def execute(http: httpx2.Client, session: str, code: str) -> list[tuple[str, Any]]:
    return streamed(http, f"/v1/sessions/{session}/execute", json={"code": code, "mode": "stream"})


def test_a_long_insert_tells_how_far_it_is(http: httpx2.Client, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemode.session.tally._PROGRESS_SECONDS", 0.0)
    code = "helpers.db.batch_insert('t', ({'a': n, 'b': str(n) * 5} for n in range(40_000)), create=True)"
    events = execute(http, session, code)
    figures = [data["rows"] for name, data in events if name == "progress"]
    assert figures
    assert figures == sorted(figures)
    assert all(data["table"] == "t" for name, data in events if name == "progress")
    assert events[-1][0] == "outcome"
    assert events[-1][1]["db"]["rows_written"] == 40_000


def test_a_warning_comes_when_it_arises(http: httpx2.Client, session: str) -> None:
    events = execute(http, session, f"rows = helpers.db.query({MANY!r})\nprint('after')")
    names = [name for name, _ in events]
    assert names == ["started", "warning", "stdout", "outcome"]
    assert events[1][1]["text"] in events[-1][1]["warnings"]


def test_an_upload_tells_how_far_it_is_while_it_comes(http: httpx2.Client, session: str) -> None:
    place = http.base_url.host, http.base_url.port
    line = json.dumps({"a": 1}).encode() + b"\n"
    with socket.create_connection(place, HANG_SECONDS) as client:
        client.sendall(
            f"POST /v1/sessions/{session}/batch_insert?table=t&create=true HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/x-ndjson\r\nAccept: text/event-stream\r\n"
            f"Content-Length: {20_000 * len(line)}\r\nConnection: close\r\n\r\n".encode()
        )
        client.sendall(line * 10_000)
        answer = client.makefile("rb")
        events = told(each.decode().rstrip() for each in answer)
        name, data = next(events)
        assert (name, data["table"]) == ("progress", "t")
        assert data["rows"] <= 10_000
        client.sendall(line * 10_000)
        assert list(events)[-1] == (
            "outcome", {"success": True, "rows_written": 20_000, "chunks": 40, "columns": ["a"]}
        )  # fmt: skip


def test_an_import_tells_how_far_it_is(http: httpx2.Client, session: str) -> None:
    text = "a,b\n" + "".join(f"{n},{n}\n" for n in range(200_000))
    headers = EVENTS | {"Content-Type": "text/csv"}
    events = streamed(http, f"/v1/sessions/{session}/import?table=t", content=text, headers=headers)
    figures = [data["fraction"] for name, data in events if name == "progress" and "fraction" in data]
    assert figures == sorted(figures)
    assert all(0 <= each <= 1 for each in figures)
    assert (events[-1][0], events[-1][1]["rows"]) == ("outcome", 200_000)


def test_an_upload_that_fails_ends_in_a_problem_and_leaves_nothing(http: httpx2.Client, session: str) -> None:
    headers = EVENTS | {"Content-Type": "application/x-ndjson"}
    content = b'{"a": 1}\n' * 5_000 + b"{"
    place = f"/v1/sessions/{session}/batch_insert?table=t&create=true"
    [*_, (name, problem)] = streamed(http, place, content=content, headers=headers)
    assert (name, problem["status"], problem["code"]) == ("problem", 400, "request.invalid")
    assert "line 5001" in problem["detail"]
    assert http.get(f"/v1/sessions/{session}/schema").json() == {"tables": []}


def test_what_is_wrong_before_it_begins_is_a_status(http: httpx2.Client) -> None:
    headers = EVENTS | {"Content-Type": "application/x-ndjson"}
    answer = http.post("/v1/sessions/nobody/batch_insert?table=t", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "session.not_found")


def test_a_client_that_reads_nothing_does_not_hold_the_execution_up(http: httpx2.Client, session: str) -> None:
    code = "for n in range(20_000):\n    print(n, 'x' * 5)\nhelpers.db.exec('create table done (a)')"
    with http.stream("POST", f"/v1/sessions/{session}/execute", json={"code": code, "mode": "stream"}) as answer:
        assert soon(lambda: http.get(f"/v1/sessions/{session}/schema").json()["tables"])
        events = list(told(answer.iter_lines()))
    printed = "".join(data["text"] for name, data in events if name == "stdout")
    assert printed == "".join(f"{n} xxxxx\n" for n in range(20_000))
    assert events[-1][1]["ok"]


def test_what_waits_for_a_slow_client_is_bounded() -> None:
    async def kept() -> list[bytes]:
        events = Events()
        for n in range(10_000):
            events.text("x")
            events.tell("progress", {"rows": n}, key=f"t{n % 200}")
        over = asyncio.get_running_loop().create_future()
        over.set_result(None)
        return [each async for each in events.until(over)]

    waiting = list(told(line for each in asyncio.run(kept()) for line in each.decode().splitlines()))
    assert sum(name == "progress" for name, _ in waiting) <= 64
    assert "".join(data["text"] for name, data in waiting if name == "stdout") == "x" * 10_000


def test_of_texts_that_nobody_reads_the_beginning_and_the_end_wait() -> None:
    async def kept() -> list[bytes]:
        events, over, found = Events(), asyncio.get_running_loop().create_future(), []
        reading = events.until(over)
        for _ in range(2):  # whoever reads again is told again
            for n in range(100):
                events.text(f"<{n}>" + "x" * 100_000)
                if n % 10 == 9:
                    events.tell("warning", n)
            found += [await anext(reading) for _ in range(20)]
        over.set_result(None)
        return found + [each async for each in reading]

    waiting = list(told(line for each in asyncio.run(kept()) for line in each.decode().splitlines()))
    assert [name for name, _ in waiting] == ["stdout", "warning"] * 20 + ["outcome"]
    texts = [data["text"] for name, data in waiting if name == "stdout"]
    for first in (texts[:10], texts[10:]):
        assert sum(map(len, first)) < 2 * 4 * 2**20
        assert first[0].startswith("<0>")
        assert "bytes cut" in first[-1]
