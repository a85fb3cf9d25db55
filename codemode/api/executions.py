"""Executions over HTTP: wait for the outcome, follow it as it runs, or leave it in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from codemode.api import bodies, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.problems import problem_of
from codemode.api.requests import answer, caller_of, record, service_of
from codemode.errors import CodemodeError
from codemode.plain import encode
from codemode.service.background import Accepted
from codemode.session.running import Running
from codemode.session.session import Session
from codemode.values import Outcome

_BEAT_SECONDS = 15.0  # a comment so often keeps proxies from closing a stream in which nothing happens
_LONGEST_WAIT = 60


class Execute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One snippet to run; `mode` says how its outcome comes back."""

    code: str
    inputs: dict[str, Any] = {}
    timeout_ms: float | None = None
    atomic: bool = True
    dry_run: bool = False
    read_only: bool = False
    max_result_bytes: int | None = None
    result_format: Literal["objects", "columns", "csv", "markdown", "auto"] = "objects"
    max_cell: int | None = None
    idempotency_key: str | None = None
    mode: Literal["sync", "stream", "background"] = "sync"

    def options(self) -> dict[str, Any]:
        """The keyword arguments of Session.run."""
        return {
            "inputs": self.inputs,
            "timeout": None if self.timeout_ms is None else self.timeout_ms / 1000,
            "atomic": self.atomic,
            "dry_run": self.dry_run,
            "read_only": self.read_only,
            "max_result_bytes": self.max_result_bytes,
            "result_format": self.result_format,
            "max_cell": self.max_cell,
            "idempotency_key": self.idempotency_key,
        }


async def execute(request: Request) -> Response:
    """Run a snippet. A snippet that fails is a 200 whose outcome says so; 4xx speaks of the request alone.

    `sync` answers with the outcome, and a client that goes away cancels the execution. `stream` answers with
    server-sent events: `started`, `stdout` as it is printed, then `outcome`. `background` answers 202 with an id.
    """
    service, caller = service_of(request), caller_of(request)
    body = await bodies.decode(request, Execute, service.settings.body_bytes)
    session = await service.call(service.session, caller, request.path_params["id"])
    if body.mode == "background":
        request.state.goes_on = True
        running = service.background.begin(
            caller, session, body.code, body.options(), lambda ended: record(request, "execute", ended)
        )
        accepted = Accepted(execution_id=running.id, session_id=session.id, state="pending")
        return answer(accepted, 202, {"Location": f"/v1/executions/{running.id}"})
    if body.mode == "stream":
        request.state.goes_on = True
        return await _streamed(request, session, body)
    with service.running(session.begin(body.code, **body.options())) as running:
        return await _unless_gone(request, running)


async def _unless_gone(request: Request, running: Running) -> Response:
    """The outcome, or nothing when the client goes away first: its execution is cancelled then."""
    outcome = asyncio.ensure_future(running.outcome())
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait([outcome, gone], return_when=asyncio.FIRST_COMPLETED)
        if not outcome.done():
            await running.end()
        ended = await outcome
        request.state.outcome = ended.error.code if ended.error else "ok"
        return answer(ended)
    finally:
        gone.cancel()
        if not outcome.done():
            await running.end()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _streamed(request: Request, session: Session, body: Execute) -> Response:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[bytes | None] = asyncio.Queue()

    def printed(text: str) -> None:
        # From the thread that serves the child. What can come is bounded by stdout_bytes, as the child is.
        loop.call_soon_threadsafe(events.put_nowait, event("stdout", {"text": text}))

    running = session.begin(body.code, **body.options(), on_output=printed)
    return StreamingResponse(
        _events(request, running, events), media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )  # fmt: skip


async def _events(request: Request, running: Running, events: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    service = service_of(request)
    with service.running(running):
        try:
            yield event("started", {"execution_id": running.id, "session_id": running.session_id})
            outcome = asyncio.ensure_future(running.outcome())
            outcome.add_done_callback(lambda _: events.put_nowait(None))
            while (said := await _next(events)) is not None:
                yield said
            yield _last(outcome)
        finally:
            await running.end()
            record(request, "execute", await _code_of(running))


async def _code_of(running: Running) -> str:
    """The error's code of an execution that is over, or "ok"."""
    try:
        outcome = await running.outcome()
    except CodemodeError as error:
        return error.code
    return outcome.error.code if outcome.error else "ok"


async def _next(events: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        return await asyncio.wait_for(events.get(), _BEAT_SECONDS)
    except TimeoutError:
        return b": still running\n\n"


def _last(outcome: asyncio.Future[Outcome]) -> bytes:
    error = outcome.exception()
    if error is None:
        return event("outcome", outcome.result())
    if isinstance(error, CodemodeError):
        return event("problem", problem_of(error))
    raise error


def event(name: str, document: Any) -> bytes:
    """One server-sent event; JSON has no line break, so it is one data line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), encode(document))


async def look(request: Request) -> Response:
    """An execution in the background: pending, or done with its outcome; `wait` seconds for it if asked."""
    service, caller = service_of(request), caller_of(request)
    wait = queries.whole(request, "wait", 0, least=0, most=_LONGEST_WAIT)
    return answer(await service.background.find(caller, request.path_params["id"], wait))


async def cancel(request: Request) -> Response:
    """End an execution in the background; its outcome says whether it was cancelled or over before."""
    service, caller = service_of(request), caller_of(request)
    return answer(await service.background.cancel(caller, request.path_params["id"]))


OPERATIONS = (
    Operation(
        method="POST", path="/v1/sessions/{id}/execute", name="execute", handler=execute, scope="execute",
        about="Run a snippet: all or nothing, confined, with an outcome that says what it did and cost.",
        body=Execute, answers={200: Outcome, 202: Accepted}, problems=(404, 409, 410, 429),
    ),
    Operation(
        method="GET", path="/v1/executions/{id}", name="get_execution", handler=look, scope="read",
        about="Look at an execution in the background, or wait for it.", answers={200: Accepted}, problems=(404,),
        parameters=(Parameter(name="wait", about=f"Seconds to wait for its end, {_LONGEST_WAIT} at most.", kind=int),),
    ),
    Operation(
        method="DELETE", path="/v1/executions/{id}", name="cancel_execution", handler=cancel, scope="execute",
        about="End an execution in the background.", answers={200: Accepted}, problems=(404,),
    ),
)  # fmt: skip
