"""Errors as HTTP says them: a status, and a problem document (RFC 9457) with the fields that models repair by."""

from __future__ import annotations

import logging
import secrets

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from codemode.docstrings import doc_of
from codemode.errors import (
    CodemodeError,
    NoSuchMethod,
    NoSuchPath,
    QuotaError,
    RequestError,
    RequestInvalid,
    RequestTooLarge,
    StatementError,
    WorkerInternal,
)
from codemode.service import private

_log = logging.getLogger("codemode")
MEDIA_TYPE = "application/problem+json"
BUSY_SECONDS = 1  # what Retry-After says of a session that is busy: most executions take less
AGAIN_SECONDS = 2  # and of a service that ends, or lacks something for the moment

# By code, else by its first part. What a statement did wrong is 422: the request itself was well formed.
_STATUS = {
    "request.invalid": 400,
    "request.too_large": 413,
    "request.media_type": 415,
    "request.timeout": 408,
    "request.incomplete": 400,
    "request.method": 405,
    "request.path": 404,
    "auth.missing": 401,
    "auth.invalid": 401,
    "auth.forbidden": 403,
    "session.not_found": 404,
    "token.not_found": 404,
    "execution.not_found": 404,
    "record.not_found": 404,
    "record.exists": 409,
    "session.expired": 410,
    "session.busy": 429,
    "session.exists": 409,
    "session.no_such_checkpoint": 404,
    "session.checkpoint_exists": 409,
    "session.cannot_undo": 409,
    "session.checkpoint_limit": 409,
    "session.damaged": 409,
    "session.newer": 409,
    "quota": 429,
    "storage.full": 507,
    "sql": 422,
    "code": 422,
    "worker": 503,
    "worker.internal": 500,
}


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The document of a request that failed; `code` is stable, `detail` and `hint` are for people and models."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    did_you_mean: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    sql: str | None = None
    suggestion: str | None = None
    retryable: bool = False


def status_of(code: str) -> int:
    """The HTTP status of an error code."""
    return _STATUS.get(code) or _STATUS.get(code.partition(".")[0]) or 500


def problem_of(error: CodemodeError) -> ProblemDocument:
    """The document of one error of the tree."""
    status, (message, hint) = status_of(error.code), private.told(error)
    return ProblemDocument(
        type=f"urn:codemode:error:{error.code}",
        title=doc_of(type(error)).partition(";")[0].strip().rstrip("."),
        status=status,
        detail=message,
        code=error.code,
        hint=hint,
        did_you_mean=error.did_you_mean,
        available=error.available,
        sql=error.sql if isinstance(error, StatementError) else None,
        suggestion=error.suggestion,
        retryable=error.retryable,
    )


def answer(error: CodemodeError, headers: dict[str, str] | None = None) -> Response:
    """The response to a request that failed with `error`."""
    document = problem_of(error)
    headers = dict(headers or {})
    if document.status == 429:
        headers.setdefault("Retry-After", str(error.retry_after if isinstance(error, QuotaError) else BUSY_SECONDS))
    if error.code in ("worker.unavailable", "worker.unreachable"):
        headers.setdefault("Retry-After", str(AGAIN_SECONDS))
    if document.status == 401:
        why = ', error="invalid_token"' if error.code == "auth.invalid" else ""  # RFC 6750: not where none was sent
        headers.setdefault("WWW-Authenticate", f'Bearer realm="codemode"{why}')
    return Response(msgspec.json.encode(document), status_code=document.status, headers=headers, media_type=MEDIA_TYPE)


def on_http_error(request: Request, error: HTTPException) -> Response:
    """What Starlette itself refuses: an unknown path, a method that a path does not have, and the like."""
    kinds: dict[int, type[RequestError]] = {404: NoSuchPath, 405: NoSuchMethod, 413: RequestTooLarge}
    kind = kinds.get(error.status_code, RequestInvalid)
    path = request.url.path[:200]
    told = {404: f"there is nothing at {path}", 405: f"{path} has no {request.method}"}
    slash = error.status_code == 404 and path.endswith("/") and path != "/"
    hint = "leave the slash at the end out" if slash else "GET /openapi.json lists what there is"
    known = kind(told.get(error.status_code, error.detail), hint=hint)
    request.state.outcome = known.code
    allowed = {"Allow": ", ".join(sorted(_methods(request)))} if error.status_code == 405 else {}
    return answer(known, {**(error.headers or {}), **allowed})


def _methods(request: Request) -> set[str]:
    """What the path takes: its operations are routes of one method each, and Starlette knows of the first alone."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }


def on_fault(request: Request, error: Exception) -> Response:
    """A fault of our own: the client gets an id, the log what it stands for."""
    fault = f"fault_{secrets.token_hex(8)}"
    _log.error("%s", fault, exc_info=error)
    request.state.outcome = WorkerInternal.code
    return answer(WorkerInternal(f"internal fault {fault}", hint="report the id; the service's log explains it"))
