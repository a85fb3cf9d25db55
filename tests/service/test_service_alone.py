"""The service without a face: what it holds at once, and its end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from patience import HANG_SECONDS

from codemode import Settings, Worker
from codemode.errors import WorkerUnavailable
from codemode.service.callers import LOCAL
from codemode.service.service import Service


def test_a_thread_that_asks_the_event_loop_for_something_meanwhile_is_answered(tmp_path: Path) -> None:
    async def piece() -> bytes:
        return b"of an upload"

    async def main() -> bytes:
        service, loop = Service(worker, open_to_all=True), asyncio.get_running_loop()
        await service.start()

        def read() -> bytes:
            time.sleep(0.5)  # in a statement, say, when the service ends
            return asyncio.run_coroutine_threadsafe(piece(), loop).result(HANG_SECONDS)

        reading = loop.run_in_executor(None, read)
        await service.stop()
        return await reading

    with Worker(tmp_path) as worker:
        assert asyncio.run(main()) == b"of an upload"


def test_executions_in_the_background_are_bounded_as_connections_are(tmp_path: Path) -> None:
    async def main() -> None:
        service = Service(worker, open_to_all=True)
        await service.start()
        session = worker.session("s")

        async def left_in_the_background() -> None:
            await service.background.keep(
                LOCAL, await service.begin(LOCAL, session, "while True: pass"), lambda code: None
            )

        for _ in range(3):
            await left_in_the_background()
        with pytest.raises(WorkerUnavailable):
            await left_in_the_background()
        assert service.background.pending == len(service.acts) == 3
        await service.stop()

    settings = msgspec.structs.replace(Settings(), connections=3, shutdown_seconds=0.1)
    with Worker(tmp_path, settings=settings) as worker:
        asyncio.run(main())


def test_nothing_of_the_service_begins_after_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        service, loop = Service(worker, open_to_all=True), asyncio.get_running_loop()
        await service.start()
        running = await service.begin(LOCAL, worker.session("s"), "return 1")
        await running.outcome()
        await service.stop()
        assert [event.kind for event in worker.of(LOCAL.tenant).events.since("s", 0)] == ["execution"]
        until = loop.time() + 0.2  # longer than events are collected for
        while loop.time() < until:  # a loop that is closed with a task says so on standard error
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await asyncio.sleep(0)

    with Worker(tmp_path) as worker:
        asyncio.run(main())
