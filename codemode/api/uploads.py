"""Uploads: one body into one transaction, answered when it is over, or with events of how far it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from codemode.api.bodies import Upload
from codemode.api.events import Events, EventStream, settled
from codemode.api.requests import answer, caller_of, in_session, on_record, service_of
from sandbox.helpers.records import ENOUGH

Progress = Callable[[dict[str, Any]], None]
Record = TypeVar("Record")
_PROGRESS_SECONDS = 0.25  # between two figures of progress: people read them
_COUNTED = 500  # records between two looks at the clock


async def uploaded(request: Request, action: str, work: Callable[[Upload, Progress], Awaitable[Any]]) -> Response:
    """The response to an upload that `work` does; it is ended, and undone, when the service ends before it did.

    A client that takes text/event-stream is sent what `work` says of its progress, then `outcome` or `problem`.
    """
    service = service_of(request)
    upload = Upload(request, service.settings.upload_bytes)
    # Before the first byte: what is wrong with the session is told by the status, and a file that may not go there does
    # not fill the disk on its way.
    await in_session(request, lambda session: None)
    # It holds a thread and its session's turn as an execution does, and a slow one for longer.
    admission = await service.admit(caller_of(request), writes=True)
    if "text/event-stream" not in request.headers.get("accept", "").lower():
        with admission, service.acts.known(upload):
            return answer(await work(upload, lambda _: None))
    ending = ExitStack()
    ending.enter_context(service.acts.known(upload))
    events = Events()
    request.state.goes_on = True
    done = asyncio.ensure_future(on_record(request, action, work(upload, _paced(events))))
    # Before its reader learns that it is over, and sends the next one.
    done.add_done_callback(lambda _: admission.end())

    async def over() -> None:
        with ending:
            upload.cancel()
            await settled(done)

    # Whoever reads the body sees a client that goes away; two readers would take its pieces from each other.
    return EventStream(events.until(done), over, watch=False)


def _paced(events: Events) -> Progress:
    told_at = 0.0

    def tell(document: dict[str, Any]) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _PROGRESS_SECONDS:
            told_at = time.monotonic()
            events.tell("progress", document, key="progress")

    return tell


def counted(records: Iterator[Record], table: str, tell: Progress) -> Iterator[Record]:
    """The records, and word of how many they are so far."""
    number = 0
    for record in records:
        yield record
        number += record is not ENOUGH
        if number % _COUNTED == 0:
            tell({"table": table, "rows": number})
