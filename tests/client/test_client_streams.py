"""Executions that are followed or left in the background, whole results and uploads, on both clients."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from anyio.from_thread import start_blocking_portal
from patience import HANG_SECONDS, soon

from codemode import AsyncClient, Client
from codemode.client.ask import Ask
from codemode.client.connection import AsyncConnection, Connection, Terms
from codemode.errors import ExecutionNotFound, RequestInvalid
from codemode.values import Notice, Progress
from tests.client.conftest import Served

FOREVER = "helpers.db.exec('CREATE TABLE t (a)')\nprint('begun')\nwhile True: pass"


def ends(session: Any) -> bool:
    """Whether what runs in a session ends by itself: its turn is free then."""
    return soon(lambda: session.run("return helpers.schema.get_tables()").result == [])


def test_an_execution_is_followed(client: Client) -> None:
    events = list(client.session().follow("print('ü\u2028')\nreturn [1]"))
    assert [event.name for event in events] == ["started", "stdout", "outcome"]
    assert events[0].data["execution_id"] == events[-1].outcome.execution_id
    assert events[1].data == {"text": "ü\u2028\n"}
    assert events[-1].outcome.result == [1]
    assert all(event.outcome is None for event in events[:-1])


def test_progress_and_warnings_are_told(client: Client) -> None:
    told: list[Any] = []
    code = """
        import time
        helpers.db.batch_insert('t', ((time.sleep(0.001), {'a': n})[1] for n in range(2_000)), create=True)
        helpers.db.query('SELECT 1 FROM t AS x, t AS y LIMIT 20_000')
    """
    outcome = client.session().run(code, on_event=told.append)
    assert outcome.ok
    assert {type(event) for event in told} == {Progress, Notice}
    assert next(event.text for event in told if isinstance(event, Notice)).startswith("a query's answer was cut")


def test_giving_up_following_cancels(client: Client) -> None:
    session = client.session()
    events = session.follow(FOREVER)
    assert next(events).name == "started"
    assert next(events).data == {"text": "begun\n"}
    events.close()  # type: ignore[attr-defined]
    assert ends(session)


def test_a_wrong_argument_is_told_when_following_begins(client: Client) -> None:
    with pytest.raises(RequestInvalid, match="dryrun"):
        client.session().follow("return 1", dryrun=True)  # type: ignore[call-arg]


def test_an_execution_in_the_background(client: Client) -> None:
    session = client.session()
    before = session.background("while True: pass")
    running = session.background("return 10**30")
    assert running.outcome is None
    with pytest.raises(TimeoutError):
        running.wait(timeout=0)
    before.cancel()
    assert running.wait(timeout=HANG_SECONDS).result == 10**30
    assert running.outcome is running.poll() is running.wait()
    again = client.execution(running.id)
    assert (again.session_id, again.outcome.result if again.outcome else None) == (session.id, 10**30)


def test_waiting_less_than_a_second_does_not_ask_without_pause(
    client: Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = client.session().background("while True: pass")
    asked, real, real_async = [], Connection.send, AsyncConnection.send
    monkeypatch.setattr(Connection, "send", lambda *each: asked.append(each) or real(*each))
    monkeypatch.setattr(AsyncConnection, "send", lambda *each: asked.append(each) or real_async(*each))

    async def wait() -> None:
        async with AsyncClient(served.url, served.token) as there:
            await (await there.execution(running.id)).wait(timeout=0.4)

    with pytest.raises(TimeoutError):
        running.wait(timeout=0.4)
    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    running.cancel()
    assert len(asked) < 25


def test_an_execution_in_the_background_is_cancelled(client: Client) -> None:
    running = client.session().background("while True: pass")
    outcome = running.cancel()
    assert outcome is not None
    assert outcome.status == "cancelled"


@pytest.mark.parametrize("timeout", [float("nan"), "5", True, [], b"1"])
def test_what_is_no_time_to_wait_is_refused(served: Served, client: Client, timeout: Any) -> None:
    running = client.session().background("return 1")
    with pytest.raises(RequestInvalid, match="timeout must be seconds"):
        running.wait(timeout=timeout)

    async def wait() -> None:
        async with AsyncClient(served.url, served.token) as there:
            with pytest.raises(RequestInvalid, match="timeout must be seconds"):
                await (await there.execution(running.id)).wait(timeout=timeout)

    asyncio.run(wait())


@pytest.mark.parametrize("timeout", [None, float("inf"), 10**400])
def test_an_execution_is_waited_for_as_long_as_it_takes(client: Client, timeout: Any) -> None:
    assert client.session().background("return 1").wait(timeout=timeout).result == 1


@pytest.mark.parametrize("execution_id", ["ex_0", "", "..", "a/b", "x" * 100])
def test_an_execution_that_is_not_there(client: Client, execution_id: str) -> None:
    with pytest.raises(ExecutionNotFound):
        client.execution(execution_id)


def test_run_async_of_a_blocking_client(client: Client) -> None:
    async def both() -> list[Any]:
        one, other = client.session(), client.session()
        return list(await asyncio.gather(one.run_async("return 1"), other.run_async("return 2")))

    assert [outcome.result for outcome in asyncio.run(both())] == [1, 2]


@pytest.mark.parametrize("options", [{}, {"on_output": lambda text: None}], ids=["waited for", "heard"])
def test_a_task_that_is_cancelled_cancels_its_execution(served: Served, client: Client, options: Any) -> None:
    session = client.session()

    async def give_up() -> None:
        async with AsyncClient(served.url, served.token) as there:
            task = asyncio.ensure_future((await there.session(session.id)).run(FOREVER, **options))
            assert await asyncio.to_thread(soon, lambda: served.worker.sandbox.children["busy"])
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(give_up())
    assert ends(session)


def test_the_asynchronous_client_runs_on_trio(served: Served) -> None:
    async def ask() -> Any:
        async with AsyncClient(served.url, served.token) as client:
            session = await client.session()
            await session.batch_insert("t", [{"a": n} for n in range(10)], create=True)
            running = await session.background("return 3")
            outcome = await running.wait()
            return [len(page) async for page in session.pages("SELECT a FROM t", size=4)], outcome.result

    assert trio.run(ask) == ([4, 4, 2], 3)


@pytest.mark.parametrize("backends", [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "asyncio")])
def test_an_asynchronous_client_begins_anew_on_another_loop(served: Served, backends: tuple[str, str]) -> None:
    client = AsyncClient(served.url, served.token)

    async def ask() -> Any:
        return await (await client.session()).value("SELECT 1")

    async def ask_and_close() -> Any:
        async with client:
            return await ask()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the first loop ends with its connection open
        assert anyio.run(ask, backend=backends[0]) == anyio.run(ask_and_close, backend=backends[1]) == 1
        gc.collect()


def test_loops_that_run_at_once_keep_their_connections(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, real = [], Terms.opened
    monkeypatch.setattr(Terms, "opened", lambda terms, kind: opened.append(kind) or real(terms, kind))
    client = AsyncClient(served.url, served.token)
    with start_blocking_portal("asyncio") as one, start_blocking_portal("trio") as other:
        for _ in range(3):
            assert one.call(client.isolation) == other.call(client.isolation)
        for loop in (one, other):
            loop.call(client.close)
    assert len(opened) == 2


def test_records_may_come_asynchronously(served: Served, tmp_path: Path) -> None:
    async def records() -> AsyncIterator[dict[str, Any]]:
        for number in range(5_000):
            yield {"a": number, "b": b"\x00"}

    async def ask() -> Any:
        async with AsyncClient(served.url, served.token) as client:
            session = await client.session()
            done = await session.batch_insert("t", records(), create=True)
            exported = await session.export("t", tmp_path / "t.csv")
            return done["rows_written"], exported.rows, [e.name async for e in session.follow("pass")]

    assert asyncio.run(ask()) == (5_000, 5_000, ["started", "outcome"])


def test_an_open_file_of_ndjson_is_inserted(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_text('{"a": 1}\n\n{"a": 9007199254740993, "b": {"$bytes": "AA=="}}\n', encoding="utf-8")
    session = client.session()
    with path.open("rb") as binary, path.open(encoding="utf-8") as text:
        assert session.batch_insert("t", binary, create=True)["rows_written"] == 2
        assert session.batch_insert("u", text, create=True)["rows_written"] == 2
    assert session.query("SELECT * FROM t") == [{"a": 1, "b": None}, {"a": 2**53 + 1, "b": b"\x00"}]


def test_endless_records_end_with_the_first_that_is_wrong(client: Client) -> None:
    def endless() -> Iterator[dict[str, int]]:
        yield {"a": 1}
        while True:
            yield {"b": 1}

    session = client.session()
    session.exec("CREATE TABLE t (a)")
    with pytest.raises(Exception, match="unknown key 'b'"):
        session.batch_insert("t", endless())
    assert session.value("SELECT count(*) FROM t") == 0


def test_pages_that_are_given_up_hold_nothing_up(client: Client) -> None:
    session = client.session()
    session.batch_insert("t", ({"a": n} for n in range(20_000)), create=True)
    pages = session.pages("SELECT a FROM t", size=10)
    assert len(next(pages)) == 10
    pages.close()  # type: ignore[attr-defined]
    assert session.exec("DROP TABLE t")["success"]


def test_asynchronous_pages_that_are_given_up_close_their_answer(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, whole = [], AsyncConnection.pieces

    async def pieces(connection: AsyncConnection, ask: Ask) -> AsyncIterator[bytes]:
        async with aclosing(whole(connection, ask)) as found:
            try:
                async for piece in found:
                    yield piece
            finally:
                closed.append(ask.path)

    async def ask() -> None:
        async with AsyncClient(served.url, served.token) as client:
            session = await client.session()
            await session.batch_insert("t", ({"a": n} for n in range(20_000)), create=True)
            async with aclosing(session.pages("SELECT a FROM t", size=10)) as pages:
                assert len(await anext(pages)) == 10
            assert closed == [f"/v1/sessions/{session.id}/rows"]

    monkeypatch.setattr(AsyncConnection, "pieces", pieces)
    asyncio.run(ask())


def test_rows_go_in_and_out_in_constant_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "codemode", "--data-dir", str(tmp_path), "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            address = json.loads(service.stdout.readline())["result"]["address"]
            with Client(address) as client:
                session = client.session()
                session.exec("CREATE TABLE t (a, b)")
                peaks = [_peak(session, count) for count in (2_000, 100_000)]
        finally:
            service.terminate()
            service.wait(HANG_SECONDS)
    assert peaks[1] < 2 * peaks[0] + 1_000_000, peaks  # fifty times the rows, 20 MB of them


def _peak(session: Any, count: int) -> int:
    tracemalloc.start()
    try:
        records = ({"a": number, "b": "x" * 200} for number in range(count))
        assert session.batch_insert("t", records)["rows_written"] == count
        assert sum(len(page) for page in session.pages("SELECT * FROM t", size=500)) >= count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
