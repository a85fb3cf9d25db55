"""Executions over HTTP: wait for the outcome, follow it as it runs, or leave it in the background."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, queries
from codemode.api.events import Events, EventStream, settled
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, in_session, on_record, record, service_of, session_entered
from codemode.service.background import Accepted
from codemode.session.running import Running
from codemode.session.session import Session
from codemode.values import Event, Outcome, Progress

_LONGEST_WAIT = 60
_UNWATCHED_SECONDS = 0.02  # most executions are over by then, and need no task that looks for their client to go away


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


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an execution ends cancelled: there may be none, or one that commits already."""

    cancelled: bool


async def execute(request: Request) -> Response:
    """Run a snippet. A snippet that fails is a 200 whose outcome says so; 4xx speaks of the request alone.

    `sync` answers with the outcome, and a client that goes away cancels the execution. `stream` answers with
    server-sent events: `started`, `stdout` as it is printed, `progress` of long inserts, `warning` as it arises, then
    `outcome`. `background` answers 202 with an id.
    """
    service, caller, state = service_of(request), caller_of(request), request.scope["state"]
    body = await bodies.decode(request, Execute)
    session = await session_entered(request)
    if body.mode == "background":
        running = await service.begin(caller, session, body.code, **body.options())
        state["goes_on"] = True
        await service.background.keep(caller, running, lambda ended: record(request, "execute", ended))
        state["execution"] = running.id
        accepted = Accepted(execution_id=running.id, session_id=session.id, state="pending")
        return answer(accepted, 202, {"Location": f"/v1/executions/{running.id}"})
    if body.mode == "stream":
        return await _streamed(request, session, body)

    def ended(outcome: Outcome) -> None:
        state["goes_on"] = True
        record(request, "execute", _code_of(outcome))

    with service.acts.known(await service.begin(caller, session, body.code, ended, **body.options())) as running:
        state["execution"] = running.id
        return await _unless_gone(request, running)


async def _unless_gone(request: Request, running: Running) -> Response:
    """The outcome, or nothing when the client goes away first: its execution is cancelled then."""
    running.start()
    watch = _Watch(request, running)
    try:
        return answer(await running.outcome())
    finally:
        watch.end()
        await running.end()  # where the request itself was cancelled


class _Watch:
    """Cancels an execution whose client goes away."""

    def __init__(self, request: Request, running: Running) -> None:
        self._request, self._running = request, running
        self._task: asyncio.Task[None] | None = None
        self._later = asyncio.get_running_loop().call_later(_UNWATCHED_SECONDS, self._begin)

    def end(self) -> None:
        """Look no more."""
        self._later.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._running.cancel()


async def _streamed(request: Request, session: Session, body: Execute) -> Response:
    service, caller, events = service_of(request), caller_of(request), Events()

    def told(event: Event) -> None:
        # Figures of one insert replace each other while the client is slow; warnings are few.
        kind, key = ("progress", event.table) if isinstance(event, Progress) else ("warning", None)
        events.tell(kind, event, key)

    def started(execution_id: str) -> None:
        events.tell("started", {"execution_id": execution_id, "session_id": session.id})

    # Which execution answers is known at once, or where there is a key when the turn has come.
    keyed = body.idempotency_key is not None
    options = {**body.options(), "on_output": events.text, "on_event": told}
    running = await service.begin(caller, session, body.code, answers=started if keyed else None, **options)
    if not keyed:
        started(running.id)
    ending = ExitStack()
    ending.enter_context(service.acts.known(running))
    request.state.execution = running.id
    request.state.goes_on = True
    outcome = asyncio.ensure_future(on_record(request, "execute", running.outcome(), _code_of))

    async def over() -> None:
        with ending:
            await running.end()
            await settled(outcome)

    return EventStream(events.until(outcome), over)


def _code_of(outcome: Outcome) -> str:
    return outcome.error.code if outcome.error else "ok"


async def look(request: Request) -> Response:
    """An execution in the background: pending, or done with its outcome; `wait` seconds for it if asked."""
    service, caller = service_of(request), caller_of(request)
    wait = queries.whole(request, "wait", 0, least=0, most=_LONGEST_WAIT)
    return answer(await service.background.find(caller, request.path_params["id"], wait))


async def cancel(request: Request) -> Response:
    """End an execution in the background; its outcome says whether it was cancelled or over before."""
    service, caller = service_of(request), caller_of(request)
    return answer(await service.background.cancel(caller, request.path_params["id"]))


async def cancel_running(request: Request) -> Response:
    """End the running execution of a session, whoever asked for it; whether it ends cancelled."""
    return answer(Cancelled(cancelled=await in_session(request, Session.cancel)))


OPERATIONS = (
    Operation(
        method="POST", path="/v1/sessions/{id}/execute", name="execute", handler=execute, scope="execute",
        enters=True, does="execute",  # bytes are looked at when it begins: what only reads goes on
        about="Run a snippet: all or nothing, confined, with an outcome that says what it did and cost.",
        body=Execute, events=True, answers={200: Outcome, 202: Accepted}, problems=(404, 409, 410, 429, 507),
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
    Operation(
        method="POST", path="/v1/sessions/{id}/cancel", name="cancel", handler=cancel_running, scope="execute",
        does="execute", about="End the running execution of a session.", answers={200: Cancelled}, problems=(404, 410),
    ),
)  # fmt: skip
