"""Around every request, whatever becomes of it: an id that the client sees, an answer to a fault, the figures."""

from __future__ import annotations

import logging
import os
import re
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codemode.api import problems
from codemode.api.heads import header
from codemode.api.traffic import NO_OPERATION, Traffic
from codemode.service.logs import request_id
from codemode.tracing import NOTHING, Span, is_on, span

_access = logging.getLogger("codemode.access")
# What machines ask every few seconds, the front of several workers too, says nothing while it goes well.
_PROBES = ("health", "ready", "prometheus")
_PROBED = ("/health", "/ready", "/metrics")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Observed:
    """The application with each request observed; what inner layers know of it they leave in the request's state."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app, self._traffic = app, traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["id"] = id_of(header(scope, b"x-request-id"))
        request_id.set(state["id"])  # in the context of this request's own task, so there is nothing to set back
        await _Request(self._traffic, state).serve(self._app, scope, receive, send)


def id_of(given: str | None) -> str:
    """The client's own id of its request where it is one that may stand in a log, else a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else f"req_{os.urandom(8).hex()}"


class _Request:
    """One request on its way: what passes is looked at, never changed but for the id among its headers."""

    def __init__(self, traffic: Traffic, state: dict[str, Any]) -> None:
        self._traffic, self._state = traffic, state
        self._status: int | None = None

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def received() -> Message:
            message = await receive()
            self._traffic.bytes_in += len(message.get("body", b""))
            return message

        async def sent(message: Message) -> None:
            self._look(message, scope["method"])
            await send(message)

        started = time.monotonic()
        self._traffic.in_progress += 1
        about = {"http.request.method": scope["method"], "codemode.request.id": self._state["id"]}
        try:
            wanted = is_on() and scope["path"] not in _PROBED
            with span("request", about, headers=Headers(scope=scope)) if wanted else NOTHING as traced:
                await self._answered(app, scope, received, sent)
                self._trace(traced)
        finally:
            self._traffic.in_progress -= 1
            seconds = time.monotonic() - started
            self._traffic.ended(self._state.get("operation"), self._status, seconds)
            self._log(scope, seconds)

    async def _answered(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            if self._status is not None:
                raise  # the answer has begun: its reader learns of it by the connection that is broken off
            # Answered here and not outside of all: from there it would go on to the server, which logs it once more.
            await problems.on_fault(Request(scope), error)(scope, receive, send)

    def _trace(self, traced: Span) -> None:
        traced.rename(self._state.get("operation", NO_OPERATION))
        if self._status is not None:
            traced.set({"http.response.status_code": self._status})
            if self._status >= 500:
                traced.fail(self._state.get("outcome", str(self._status)))

    def _look(self, message: Message, method: str) -> None:
        if message["type"] == "http.response.start":
            if not self._state.get("gone"):  # whoever is gone gets no answer
                self._status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._state["id"].encode())]
        elif method != "HEAD":  # the server sends no body of its answer
            self._traffic.bytes_out += len(message.get("body", b""))

    def _log(self, scope: Scope, seconds: float) -> None:
        """One line for the request: no path, query, header or body of it, since any of them may hold a secret."""
        state, status = self._state, self._status
        operation = state.get("operation", NO_OPERATION)
        level = logging.DEBUG if operation in _PROBES and status == 200 else logging.INFO
        if status is not None and status >= 500:
            # A fault is for somebody to look into; that the service is full, ending or out of room passes.
            level = logging.ERROR if status == 500 else logging.WARNING
        if not _access.isEnabledFor(level):
            return
        caller, named = state.get("caller"), scope.get("path_params", {}).get("id")
        fields = {
            "method": scope["method"],
            "operation": operation,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "tenant": caller and caller.tenant,
            "token": caller and caller.token,
            "session": state.get("resource") or (named if scope["path"].startswith("/v1/sessions/") else None),
            "execution": state.get("execution") or (named if scope["path"].startswith("/v1/executions/") else None),
            "outcome": state.get("outcome"),
            "reason": state.get("reason"),
        }
        _access.log(level, "request", extra={"fields": fields})
