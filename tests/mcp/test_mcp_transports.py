"""What has to hold however a client reaches the tools: answers, progress, cancellation, clients that disappear."""

from __future__ import annotations

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_clients import run, text

LOOP = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('begun', flush=True)\nwhile True:\n    pass"
MAKE = "helpers.db.create_table('t', {'n': 'INTEGER'}, if_not_exists=True)"


def test_a_session_keeps_its_tables_from_call_to_call(connect):
    async def work():
        async with connect() as client:
            made = await client.call_tool(
                "execute_code", {"code": f"{MAKE}\nhelpers.db.exec('INSERT INTO t VALUES (7)')"}
            )
            session_id = made.structured_content["session_id"]
            found = await client.call_tool("query", {"session_id": session_id, "sql": "SELECT n FROM t"})
            assert found.structured_content["rows"] == [[7]]

    run(work)


def test_what_is_printed_and_the_time_come_as_progress(connect):
    told: list[tuple[float, str]] = []
    complete = anyio.Event()

    async def progress(seconds: float, _total: float | None, message: str | None) -> None:
        told.append((seconds, message or ""))
        messages = [message for _, message in told]
        if {"first", "second"} <= set(messages) and any(each.startswith("running for ") for each in messages):
            complete.set()

    async def work():
        code = "import time\nprint('first')\ntime.sleep(2.5)\nprint('second')\ntime.sleep(60)"
        async with connect() as client, anyio.create_task_group() as tasks:

            async def call():
                await client.call_tool("execute_code", {"code": code}, progress_callback=progress)

            tasks.start_soon(call)
            await complete.wait()  # a busy machine may tell that time passes only after the second word
            tasks.cancel_scope.cancel()

    run(work)
    assert [seconds for seconds, _ in told] == sorted({seconds for seconds, _ in told})


def test_a_call_that_is_cancelled_is_undone(connect):
    begun = anyio.Event()

    async def progress(_seconds: float, _total: float | None, message: str | None) -> None:
        if message == "begun":
            begun.set()

    async def work():
        async with connect() as client:
            made = await client.call_tool("execute_code", {"code": MAKE})
            call = {"session_id": made.structured_content["session_id"]}
            async with anyio.create_task_group() as tasks:

                async def loop():
                    await client.call_tool("execute_code", {**call, "code": LOOP}, progress_callback=progress)

                tasks.start_soon(loop)
                await begun.wait()
                tasks.cancel_scope.cancel()
            # Its turn comes only when the execution is over: well before the limit of a minute.
            with anyio.fail_after(20):
                after = await client.call_tool(
                    "execute_code", {**call, "code": "return helpers.db.value('SELECT count(*) FROM t')"}
                )
            assert after.structured_content["result"] == 0

    run(work)


def test_a_client_that_gives_up_waiting_ends_the_execution(connect):
    async def work():
        async with connect() as client:
            made = await client.call_tool("execute_code", {"code": MAKE})
            call = {"session_id": made.structured_content["session_id"]}
            with pytest.raises(MCPError):
                await client.call_tool("execute_code", {**call, "code": LOOP}, read_timeout_seconds=1.0)
            with anyio.fail_after(20):
                after = await client.call_tool(
                    "execute_code", {**call, "code": "return helpers.db.value('SELECT count(*) FROM t')"}
                )
            assert after.structured_content["result"] == 0

    run(work)


def test_values_that_other_encoders_refuse_arrive_as_text(connect):
    async def work():
        async with connect() as client:
            code = (
                "deep = []\nfor _ in range(140):\n    deep = [deep]\n"
                "return {'int': 2 ** 64, 'huge': 10 ** 5000, 'nan': float('nan'), 'bytes': b'\\xff', 'half': '\\ud800',"
                " 'deep': deep}"
            )
            done = await client.call_tool("execute_code", {"code": code})
            assert done.structured_content["ok"], text(done)
            value = done.structured_content["result"]
            assert value["int"] == 2**64
            assert value["huge"] == "1" + "0" * 5000
            assert value["nan"] is None
            assert value["bytes"] == {"$bytes": "/w=="}
            assert value["half"] == "\\ud800"

    run(work)
