"""What sessions cost and how they came to be, over HTTP: provenance, slow statements, days, sizes; the sweep."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, in_session, service_of
from codemode.asked import MOST_ENTRIES
from codemode.session.session import Session
from codemode.values import Day, Layer, SizeAt, SlowStatement, TableChange


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant's sessions that expired now."""

    expired: list[str]


async def table_changes(request: Request) -> Response:
    """Which executions made or changed which table, the newest first."""
    table, limit = request.query_params.get("table"), queries.whole(request, "limit", 100, most=MOST_ENTRIES)
    return answer(await in_session(request, lambda session: session.table_changes(table, limit)))


async def slow_statements(request: Request) -> Response:
    """The newest statements that took longer than the setting `slow_statement_ms`, with plans."""
    limit = queries.whole(request, "limit", 100, most=MOST_ENTRIES)
    return answer(await in_session(request, lambda session: session.slow_statements(limit)))


async def usage(request: Request) -> Response:
    """What a session cost, by day (UTC), oldest first."""
    return answer(await in_session(request, Session.usage_by_day))


async def sizes(request: Request) -> Response:
    """The size of a session's database since it was made."""
    return answer(await in_session(request, Session.size_history))


async def tenant_usage(request: Request) -> Response:
    """What the tenant's sessions cost together, by day (UTC), oldest first; of one user's token those in its reach."""
    service, caller = service_of(request), caller_of(request)
    return answer(await service.call(service.worker.usage_by_day, caller.tenant, user=caller.user))


async def layers(request: Request) -> Response:
    """Each layer of confinement: active or not, and why."""
    service = service_of(request)
    return answer(await service.call(lambda: service.worker.layers))


async def sweep(request: Request) -> Response:
    """Expire what is over now, of all tenants, instead of at the next sweep; tells the tenant's own."""
    service = service_of(request)
    return answer(Swept(expired=await service.call(service.worker.sweep, caller_of(request).tenant)))


_PATH = "/v1/sessions/{id}"
_LIMIT = Parameter(name="limit", about=f"At most so many; 100 by default, {MOST_ENTRIES:,} at most.", kind=int)
OPERATIONS = (
    Operation(
        method="GET", path=f"{_PATH}/table_changes", name="table_changes", handler=table_changes, scope="read",
        about="Which executions made or changed which table.", answers={200: list[TableChange]},
        problems=(404, 409, 410),
        parameters=(Parameter(name="table", about="Only of this table."), _LIMIT),
    ),
    Operation(
        method="GET", path=f"{_PATH}/slow_statements", name="slow_statements", handler=slow_statements, scope="read",
        about="The newest slow statements, with plans.", answers={200: list[SlowStatement]}, problems=(404, 409, 410),
        parameters=(_LIMIT,),
    ),
    Operation(
        method="GET", path=f"{_PATH}/usage", name="session_usage", handler=usage, scope="read",
        about="What a session cost, by day.", answers={200: list[Day]}, problems=(404, 409, 410),
    ),
    Operation(
        method="GET", path=f"{_PATH}/sizes", name="session_sizes", handler=sizes, scope="read",
        about="The size of a session's database over time.", answers={200: list[SizeAt]}, problems=(404, 409, 410),
    ),
    Operation(
        method="GET", path="/v1/usage", name="usage", handler=tenant_usage, scope="read",
        about="What the tenant's sessions cost together, by day.", answers={200: list[Day]},
    ),
    Operation(
        method="GET", path="/v1/layers", name="layers", handler=layers, scope="read",
        about="The layers of confinement.", answers={200: list[Layer]},
    ),
    Operation(
        method="POST", path="/v1/sweep", name="sweep", handler=sweep, scope="admin",
        about="Expire what is over now.", answers={200: Swept},
    ),
)  # fmt: skip
