"""What operators look at: health, readiness, statistics, metrics for a scraper, a session's log and figures."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode import __version__
from codemode.api import queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, in_session, served, service_of
from codemode.asked import LOG_KINDS, MOST_ENTRIES
from codemode.errors import WorkerUnavailable
from codemode.service import figures
from codemode.service.figures import Figures
from codemode.session.session import Session
from codemode.values import LogEntry


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """That the service answers, and which version of it."""

    status: str
    version: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether executions are taken; `isolation` names the active layers of confinement, `catalogue` where it is."""

    ready: bool
    catalogue: str = ""
    isolation: tuple[str, ...] = ()


async def health(request: Request) -> Response:
    """Whether the process answers; needs no token."""
    return answer(Health(status="ok", version=__version__))


async def ready(request: Request) -> Response:
    """Whether executions are taken: 503 where untrusted code cannot be confined or no snippet can run, the catalogue
    does not answer, and when the service is ending.
    """
    service = service_of(request)
    if service.acts.leaving:
        raise WorkerUnavailable("the service is about to end", hint="send requests elsewhere, or again in a moment")
    # As a request looks for its session: what another process took from the catalogue would fail them all.
    await service.call(service.worker.registry.catalog.get, "", "")
    kind = service.worker.catalogue.kind  # not its address: nobody has to show a token for this
    return answer(Readiness(ready=True, catalogue=kind, isolation=await service.call(lambda: service.worker.isolation)))


async def logs(request: Request) -> Response:
    """The newest entries of a session's execution log, newest first."""
    limit = queries.whole(request, "limit", 100, most=MOST_ENTRIES)
    kind, errors = request.query_params.get("kind"), queries.flag(request, "errors")
    return answer(await in_session(request, lambda session: session.logs(limit, kind=kind, errors=errors)))


async def metrics(request: Request) -> Response:
    """Sizes, counters, limits and expiry of a session."""
    return answer(await in_session(request, Session.metrics))


async def stats(request: Request) -> Response:
    """How many agents, people, sessions, messages and the like the tenant has; counted as they change, not when asked.

    With `usage`, what the sessions that the token reaches hold and have cost: that reads the log of each of them.
    """
    return answer(await served(request, figures.figures, usage=queries.flag(request, "usage")))


OPERATIONS = (
    Operation(
        method="GET", path="/health", name="health", handler=health, scope=None,
        about="Whether the process answers.", answers={200: Health},
    ),
    Operation(
        method="GET", path="/ready", name="ready", handler=ready, scope=None,
        about="Whether executions are taken.", answers={200: Readiness},
    ),
    Operation(
        method="GET", path="/v1/stats", name="stats", handler=stats, scope="read",
        about="How many there are of what in the tenant.", answers={200: Figures},
        parameters=(Parameter(name="usage", about="Also what the sessions hold and have cost.", kind=bool),),
    ),
    Operation(
        method="GET", path="/v1/sessions/{id}/logs", name="logs", handler=logs, scope="read",
        about="The newest entries of a session's execution log.", answers={200: list[LogEntry]},
        problems=(404, 409, 410),
        parameters=(
            Parameter(name="limit", about=f"At most so many; 100 by default, {MOST_ENTRIES:,} at most.", kind=int),
            Parameter(name="kind", about=f"Only entries of this kind: {', '.join(LOG_KINDS)}."),
            Parameter(name="errors", about="Only those that failed.", kind=bool),
        ),
    ),
    Operation(
        method="GET", path="/v1/sessions/{id}/metrics", name="metrics", handler=metrics, scope="read",
        about="Sizes, counters, limits and expiry of a session.", answers={200: dict[str, Any]},
        problems=(404, 409, 410),
    ),
)  # fmt: skip
