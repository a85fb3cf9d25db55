"""The end of the service, as whoever embeds it asks for it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from codemode import Worker
from codemode.service.service import Service

HANG_SECONDS = 20


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
