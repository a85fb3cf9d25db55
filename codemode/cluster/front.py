"""The front: listens on the service's address, runs no snippet, and forwards each request to the worker it is for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from codemode import __version__
from codemode.api import problems
from codemode.api.events import event
from codemode.api.observe import Health
from codemode.api.observed import id_of
from codemode.cluster import merging
from codemode.cluster.exchange import AnswerCut, ClientGone, Incoming, Message, Receive, Send, exchange
from codemode.cluster.forward import Answer, ConnectionGone
from codemode.cluster.refusals import Refusals
from codemode.cluster.routing import EVERY, Router
from codemode.cluster.slots import Slot, Slots
from codemode.errors import CodemodeError, WorkerUnavailable, WorkerUnreachable
from codemode.plain import encode

_LOOK_SECONDS = 0.02
Own = Callable[[Incoming, Send], Awaitable[None]]


class Front:
    """An ASGI application over the workers of `slots`; `leave`, `drained` and `end` end it in order."""

    def __init__(self, slots: Slots, router: Router, drain_seconds: float) -> None:
        self._slots, self._router, self._drain_seconds = slots, router, drain_seconds
        self._leaving = self._hurried = False
        self._refusals = Refusals()
        self._own: dict[str, Own] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        incoming, started = Incoming(scope, receive), time.monotonic()
        try:
            own = self._own.get(incoming.path) if incoming.method == "GET" else None
            await (own or self._forward)(incoming, send)
        except ClientGone:
            return
        except AnswerCut as cut:
            error = _ended_meanwhile()
            self._refusals.add(incoming.method, incoming.path, _id_of(incoming), error, started, cut.status)
            # Otherwise the connection is closed before the answer's end, and the client sees that it was cut.
            if cut.between_events:
                problem = event("problem", problems.problem_of(error))
                await send({"type": "http.response.body", "body": problem, "more_body": False})
        except CodemodeError as error:
            request_id = _id_of(incoming)
            self._refusals.add(incoming.method, incoming.path, request_id, error, started)
            await problems.answer(error, {"X-Request-Id": request_id})(scope, receive, send)

    async def _forward(self, incoming: Incoming, send: Send) -> None:
        name = await self._router.worker_of(incoming)
        if name == EVERY:
            answers = await self._ask_all(incoming, body=await incoming.peek(self._router.most) or b"")
            await _pass(send, answers[min(answers)])
            return
        slot = self._slots.any() if name is None else self._slots.by_name[name]
        connections, connection = await slot.connected()
        passed = False
        try:
            passed = await exchange(connection, incoming, send)
        except ConnectionGone:
            raise _ended_meanwhile() from None
        finally:
            if not passed:  # its request has no end, or its answer was not taken
                connection.close()
            connections.give_back(connection)

    # What the front answers itself, or puts together from what every worker says.

    async def _health(self, incoming: Incoming, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"x-request-id", _id_of(incoming).encode())]
        await _pass(send, Answer(200, headers, encode(Health(status="ok", version=__version__))))

    async def _ready(self, incoming: Incoming, send: Send) -> None:
        """Ready when all workers are: behind a balancer, others take over meanwhile."""
        if self._leaving:
            raise WorkerUnavailable("the service is about to end", hint="send requests elsewhere, or again in a moment")
        if not self._slots.ready:
            raise WorkerUnavailable("a worker ended and is being replaced", hint="the other workers serve meanwhile")
        answers = await self._ask_all(incoming)
        await _pass(send, next((each for each in answers.values() if each.status != 200), answers[min(answers)]))

    async def _metrics(self, incoming: Incoming, send: Send) -> None:
        """Those of the workers that are there: figures are wanted most when one of them is not."""
        answers = await self._ask_all(incoming, wait=False)
        one = next((each for each in answers.values() if each.status != 200), None)
        if one is None:
            texts = {name: each.body for name, each in answers.items()}
            restarts = {name: slot.restarts for name, slot in self._slots.by_name.items()}
            merged = merging.exposition(texts, restarts, self._refusals.counts)
            one = answers[min(answers)]._replace(body=merged)
        await _pass(send, one)

    async def _ask_all(self, incoming: Incoming, *, wait: bool = True, body: bytes = b"") -> dict[str, Answer]:
        """What every worker says, by name, to the request with this `body`; raises WorkerUnavailable.

        Without `wait`, what those say that are there now, and still are when they have answered.
        """
        slots = self._slots.by_name
        # Never with the length of a body that is not sent: the worker would take the next request on the connection for
        # it, whoever sent that one.
        request = incoming.head(without=b"accept-encoding", body=body) + body
        found = await asyncio.gather(*((_ask if wait else _ask_now)(slot, request) for slot in slots.values()))
        answers = {name: answer for name, answer in zip(slots, found, strict=True) if answer is not None}
        if not answers:
            raise WorkerUnavailable("no worker is there", hint="the service's log says why they do not start")
        return answers

    # How it ends: what the server in front of it asks for.

    def leave(self) -> None:
        """Say that the service is about to end; may be called in a signal handler."""
        self._leaving = True

    def hurry(self) -> None:
        """Wait for nothing any more: what runs is ended now; may be called in a signal handler."""
        self._hurried = True
        self._slots.hurry()

    async def drained(self) -> None:
        """Wait for `drain_seconds`: those that send requests learn meanwhile that they should not come here."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._drain_seconds
        while not self._hurried and loop.time() < until:
            await asyncio.sleep(_LOOK_SECONDS)

    async def end(self) -> None:
        """Have the workers end as a single one does: what runs gets its time, is undone then, and answered."""
        self._leaving = True
        await self._slots.end()


def _id_of(incoming: Incoming) -> str:
    """The id of a request that no worker answers."""
    return id_of((incoming.header(b"x-request-id") or b"").decode("latin-1"))


async def _ask(slot: Slot, request: bytes) -> Answer:
    connections, connection = await slot.connected()
    try:
        return await connection.ask(request)
    except ConnectionGone:
        raise _ended_meanwhile() from None
    finally:
        connections.give_back(connection)


async def _ask_now(slot: Slot, request: bytes) -> Answer | None:
    """The same of the process that is there; None where there is none, or it ends before its answer does."""
    try:
        return await slot.process.ask(request) if slot.process is not None else None
    except (ConnectionError, FileNotFoundError, BlockingIOError, ConnectionGone):
        return None


async def _pass(send: Send, answer: Answer) -> None:
    """Send an answer of a worker that is there as a whole; its length is that of what is sent."""
    headers = [header for header in answer.headers if header[0] not in (b"content-length", b"transfer-encoding")]
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _ended_meanwhile() -> WorkerUnreachable:
    # Not WorkerUnavailable, after which clients send anything again: the commit may have come before the end.
    return WorkerUnreachable(
        "the worker process ended while it served this request: what it had not committed is undone",
        hint="look whether it was committed before you send it again; under an idempotency key nothing is run twice",
    )
