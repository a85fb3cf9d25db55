"""What is sent again when a service or the network fails, what is not, and that nothing happens twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from codemode import AsyncClient, Client, Limits
from codemode.client.calls import Place
from codemode.client.session import RemoteSession
from codemode.errors import (
    AuthInvalid,
    CodemodeError,
    QuotaExceeded,
    SessionBusy,
    WorkerError,
    WorkerInternal,
    WorkerUnreachable,
    error_of,
    every_error,
)
from tests.client.conftest import Served
from tests.client.flaky import CUT, answer, cutting, refusal, script

BUSY = refusal(429, "session.busy")
GONE = refusal(503, "worker.unavailable")
PROXY = answer(502, b"<html>Bad Gateway</html>")
ROWS = answer(200, {"columns": ["a"], "result": [], "result_info": {"truncated": False}, "rows_read": 0})
DONE = answer(200, {"success": True, "rows_written": 1, "changes": 1, "rows_read": 0, "last_row_id": 1})
OUTCOME = answer(200, {"ok": True, "status": "completed", "execution_id": "ex_1", "session_id": "s", "result": 1})
INSERTED = answer(200, {"success": True, "rows_written": 1, "chunks": 1, "columns": ["a"]})


def session_at(url: str, retries: int = 2) -> RemoteSession:
    """A session of a service that nobody was asked for."""
    return RemoteSession(Client(url, "cm_secret", retries=retries)._connection, "local", Place("s", Limits()))


def reading(session: RemoteSession) -> Any:
    return session.query("SELECT 1", read_only=True)


def writing(session: RemoteSession) -> Any:
    return session.exec("DELETE FROM t")


def running(session: RemoteSession) -> Any:
    return session.run("return 1")


def inserting(session: RemoteSession) -> Any:
    return session.batch_insert("t", [{"a": 1}])


def generating(session: RemoteSession) -> Any:
    return session.batch_insert("t", ({"a": n} for n in range(3)))


Call = Callable[[RemoteSession], Any]
AGAIN: list[tuple[Call, list[bytes]]] = [
    (reading, [BUSY, GONE, ROWS]),
    (reading, [CUT, PROXY, ROWS]),
    (reading, [CUT, ROWS]),
    (writing, [BUSY, BUSY, DONE]),
    (writing, [GONE, DONE]),
    (running, [CUT, CUT, OUTCOME]),
    (running, [BUSY, PROXY, OUTCOME]),
    (inserting, [BUSY, INSERTED]),
    (running, [refusal(429, "quota.executions"), OUTCOME]),
]
NEVER: list[tuple[Call, list[bytes], type[CodemodeError]]] = [
    (writing, [CUT], WorkerUnreachable),
    (writing, [PROXY], WorkerUnreachable),
    (inserting, [CUT], WorkerUnreachable),
    (generating, [BUSY], SessionBusy),
    (generating, [CUT], WorkerUnreachable),
    (reading, [refusal(500, "worker.internal")], WorkerInternal),
    (reading, [refusal(401, "auth.invalid", retryable=False)], AuthInvalid),
    (reading, [answer(301, b"", ["Location: http://127.0.0.1/"])], WorkerUnreachable),
    (reading, [answer(200, b"<html>Welcome</html>")], WorkerUnreachable),
    (reading, [answer(200, {"hello": "world"})], WorkerUnreachable),
    (writing, [answer(429, {"code": "session.busy", "detail": "wait"}, ["Retry-After: 3600"])], SessionBusy),
    (writing, [refusal(429, "quota.exceeded", retryable=False)], QuotaExceeded),
]


@pytest.mark.parametrize(("call", "answers"), AGAIN)
def test_what_may_be_sent_again_is(call: Call, answers: list[bytes]) -> None:
    with script(*answers) as server:
        call(session_at(server.url))
        assert len(server.requests) == len(answers)
        assert len({_body(request) for request in server.requests}) == 1


@pytest.mark.parametrize(("call", "answers", "error"), NEVER)
def test_what_may_have_been_done_is_not(call: Call, answers: list[bytes], error: type[CodemodeError]) -> None:
    with script(*answers, ROWS) as server:
        with pytest.raises(error):
            call(session_at(server.url))
        assert len(server.requests) == len(answers)


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_is_raised_as_itself(kind: type[CodemodeError]) -> None:
    document = {"code": kind.code, "detail": "why", "hint": "so", "did_you_mean": ["this"], "available": ["this"]}
    meant = error_of(kind.code) or CodemodeError
    with script(answer(400, document, ["Retry-After: 7"])) as server, pytest.raises(meant, match="why") as raised:
        reading(session_at(server.url))
    assert (raised.value.hint, raised.value.did_you_mean) == ("so", ("this",))
    assert getattr(raised.value, "retry_after", 7) == 7


def test_attempts_are_bounded() -> None:
    with script(*[BUSY] * 5) as server:
        with pytest.raises(SessionBusy):
            reading(session_at(server.url, retries=3))
        assert len(server.requests) == 4


def test_without_retries_nothing_is_sent_again_and_no_key_is_made() -> None:
    with script(CUT) as server:
        with pytest.raises(WorkerUnreachable):
            running(session_at(server.url, retries=0))
        assert json.loads(_body(server.requests[0]))["idempotency_key"] is None


def test_a_key_of_the_caller_is_kept_and_what_writes_nothing_needs_none() -> None:
    with script(OUTCOME, OUTCOME, OUTCOME) as server:
        session = session_at(server.url)
        session.run("return 1", idempotency_key="mine")
        session.run("return 1", dry_run=True)
        session.run("return 1", read_only=True)
        keys = [json.loads(_body(request))["idempotency_key"] for request in server.requests]
    assert keys == ["mine", None, None]


def test_the_service_says_how_long_to_wait() -> None:
    with script(answer(429, {"code": "session.busy", "detail": "wait"}, ["Retry-After: 1"]), ROWS) as server:
        began = time.monotonic()
        reading(session_at(server.url))
    assert time.monotonic() - began >= 1


def test_a_client_that_is_closed_before_it_sends_again_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with script(BUSY) as server:
        session = session_at(server.url)
        # As another thread would while this one waits.
        waiting = SimpleNamespace(sleep=lambda seconds: session._connection.close())
        monkeypatch.setattr("codemode.client.connection.time", waiting)
        with pytest.raises(WorkerError, match="this client is closed"):
            reading(session)
        assert len(server.requests) == 1


def test_an_asynchronous_client_follows_the_same_rules() -> None:
    async def ask(url: str, call: Callable[[Any], Any]) -> Any:
        async with AsyncClient(url) as client:
            session = await client.session("s")
            return await call(session)

    made = answer(201, {"id": "s", "tenant": "local", "limits": {}})
    with script(CUT, made, CUT, OUTCOME) as server:
        assert asyncio.run(ask(server.url, lambda session: session.run("return 1"))).result == 1
        assert len(server.requests) == 4
    with script(made, CUT) as server, pytest.raises(WorkerUnreachable):
        asyncio.run(ask(server.url, lambda session: session.exec("DELETE FROM t")))


def test_a_code_of_a_newer_service_is_told_as_its_family() -> None:
    with script(refusal(409, "session.sealed", hint="unseal it"), refusal(418, "teapot.hot")) as server:
        session = session_at(server.url)
        with pytest.raises(CodemodeError) as found:
            reading(session)
        assert (type(found.value).__name__, found.value.code, found.value.hint) == (
            "SessionError", "session.sealed", "unseal it",
        )  # fmt: skip
        with pytest.raises(CodemodeError) as found:
            reading(session)
        assert (type(found.value), found.value.code, found.value.retryable) == (CodemodeError, "teapot.hot", True)


def test_an_execution_whose_answer_was_lost_is_not_done_twice(served: Served) -> None:
    with cutting(served.url, b"/execute") as proxy, Client(proxy.url, served.token) as client:
        session = client.session("lost-answer")
        session.exec("CREATE TABLE t (a)")
        outcome = session.run("helpers.db.exec('INSERT INTO t VALUES (1)')\nreturn 10**30")
        assert (proxy.cut, outcome.replayed, outcome.result) == (1, True, 10**30)
        assert session.value("SELECT count(*) FROM t") == 1


def test_output_is_told_once_however_often_an_execution_is_begun() -> None:
    def events(*pieces: tuple[str, Any]) -> bytes:
        lines = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in pieces).encode()
        return b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n" + lines

    end = {"ok": True, "status": "completed", "execution_id": "ex_1", "session_id": "s", "stdout": "one\ntwo\n"}
    broken = events(("started", {}), ("stdout", {"text": "one\ntw"}))
    whole = events(("started", {}), ("stdout", {"text": "one"}), ("stdout", {"text": "\ntwo\n"}), ("outcome", end))
    printed: list[str] = []
    with script(broken, whole) as server:
        outcome = session_at(server.url).run("…", on_output=printed.append)
    assert "".join(printed) == outcome.stdout
    assert printed == ["one\ntw", "o\n"]


def _body(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]
