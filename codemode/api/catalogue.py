"""Questions to the catalogue over HTTP: read-only SQL across all sessions, users and messages of the tenant."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode import cells
from codemode.api import bodies
from codemode.api.data import QueryAnswer, RowsInfo
from codemode.api.operations import Operation
from codemode.api.requests import answer, caller_of, service_of
from codemode.api.statements import Statement
from codemode.service import questions


class CatalogueQuery(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement that reads; at most `max_rows` rows of its answer, and never more than the limit `rows`."""

    max_rows: Annotated[int, msgspec.Meta(ge=1)] | None = None


class CatalogueColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column, and what it holds; times are milliseconds since 1970, UTC."""

    name: str
    about: str


class CatalogueTable(msgspec.Struct, frozen=True, kw_only=True):
    """One table that questions may read: it shows the rows of the tenant alone."""

    name: str
    about: str
    columns: list[CatalogueColumn]


class CatalogueTables(msgspec.Struct, frozen=True, kw_only=True):
    """The tables that questions may read."""

    tables: list[CatalogueTable]


async def query(request: Request) -> Response:
    """Run one statement that only reads, over what the catalogue holds of the tenant."""
    service, caller = service_of(request), caller_of(request)
    body = await bodies.decode(request, CatalogueQuery)
    rows = await service.call(questions.ask, service.worker, caller, body.sql, body.params, body.max_rows)
    info = RowsInfo(row_count=rows.row_count, truncated=rows.truncated)
    return answer(
        QueryAnswer(
            columns=tuple(rows.columns),
            result=cells.rows_to_json(rows),
            result_info=info,
            rows_read=rows.rows_read,
        )
    )


async def tables(request: Request) -> Response:
    """The tables that questions may read, with their columns."""
    service, caller = service_of(request), caller_of(request)
    found = await service.call(questions.tables, service.worker, caller)
    return answer(
        CatalogueTables(
            tables=[
                CatalogueTable(
                    name=view.name,
                    about=view.about,
                    columns=[CatalogueColumn(name=name, about=what) for name, what in view.columns.items()],
                )
                for view in found
            ]
        )
    )


OPERATIONS = (
    Operation(
        method="POST", path="/v1/catalog/query", name="query_catalogue", handler=query, scope="admin",
        body=CatalogueQuery, about="Ask across all sessions, users and messages of the tenant with read-only SQL.",
        answers={200: QueryAnswer}, problems=(422,),
    ),
    Operation(
        method="GET", path="/v1/catalog/tables", name="catalogue_tables", handler=tables, scope="admin",
        about="The tables that such a question may read.", answers={200: CatalogueTables},
    ),
)  # fmt: skip
