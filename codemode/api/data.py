"""A session's data over HTTP: queries, exports, the schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode import cells
from codemode.api import bodies, queries
from codemode.api.downloads import download
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, in_session, recorded, service_of, session_of
from codemode.api.statements import Statement, parameters
from codemode.database.names import quoted
from codemode.database.transfer import EXPORT_FORMATS, writer_for
from codemode.database.writers import Written
from codemode.errors import AuthForbidden, RequestInvalid, StatementError
from codemode.session.files import EXPORTING, storage_full
from codemode.session.session import Session
from sandbox.helpers.rows import Rows

MEDIA = {
    "csv": "text/csv; charset=utf-8", "tsv": "text/tab-separated-values; charset=utf-8", "json": "application/json",
    "ndjson": "application/x-ndjson", "markdown": "text/markdown; charset=utf-8",
}  # fmt: skip
SQLITE = "sqlite"
_PIECE = 256 * 1024
_EXTENSIONS = {"markdown": "md"}


class QueryBody(Statement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement that answers rows; `first`: of them the first alone."""

    read_only: bool = True
    first: bool = False


class RowsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows `result` holds, and whether there are more than the limits let through."""

    type: Literal["rows"] = "rows"
    row_count: int
    truncated: bool


class QueryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rows as objects; `result_info.truncated` says that there are more.

    `warnings`: values that were not bound as they came, and what the statement can hardly mean.
    """

    columns: tuple[str, ...]
    result: list[dict[str, Any]]
    result_info: RowsInfo
    rows_read: int
    warnings: list[str] = []


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table and its columns, each with name, type, not_null, default_value and primary_key."""

    name: str
    columns: list[dict[str, Any]]


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a session."""

    tables: list[Table]


class HasColumn(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the column is there."""

    found: bool


class FoundColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column with its score and why, or null."""

    found: dict[str, Any] | None


async def query(request: Request) -> Response:
    """Run one statement that only reads, on a connection that waits for no execution.

    With `"read_only": false` it waits for the session's turn, may be a write with RETURNING, and needs the scope
    `execute`. `first`: of the rows the first alone.
    """
    body = await bodies.decode(request, QueryBody)
    if body.read_only:
        return answer(await in_session(request, lambda session: _read(session, body)))
    try:
        caller_of(request).require("execute")
        found = await in_session(request, lambda session: _read(session, body), "write")
    except AuthForbidden as error:
        raise AuthForbidden(error.message, hint=f"what only reads goes with `read_only`; else {error.hint}") from None
    await recorded(request, "query", "ok")
    return answer(found)


def _read(session: Session, body: QueryBody) -> QueryAnswer:
    params = parameters(body.params)
    if body.first and not body.read_only:
        row = session.query_one(body.sql, params)
        rows = Rows(list(row or ()), [] if row is None else [list(row.values())])
    else:
        rows = session.query(body.sql, params, read_only=body.read_only)
    shown = rows[:1] if body.first else rows
    info = RowsInfo(row_count=len(shown), truncated=rows.truncated)
    return QueryAnswer(
        columns=tuple(rows.columns), result=cells.rows_to_json(shown), result_info=info, rows_read=rows.rows_read,
        warnings=rows.warnings,
    )  # fmt: skip


async def export(request: Request) -> Response:
    """All rows of a statement or table as CSV, TSV, JSON, NDJSON or Markdown, or the session as a database file."""
    service = service_of(request)
    kind = str(queries.choice(request, "format", (*EXPORT_FORMATS, SQLITE), "csv"))
    sql, table, null = (request.query_params.get(name, "") for name in ("sql", "table", "null"))
    if kind == SQLITE:
        if sql or table:
            raise RequestInvalid("a database file holds the whole session", hint="leave ?table and ?sql out")
        headers = {"Content-Disposition": 'attachment; filename="session.db"'}
        return await download(service, _database(request), "application/vnd.sqlite3", headers)
    if bool(sql) == bool(table):
        raise RequestInvalid("say what to export", hint="?table=NAME or ?sql=SELECT…")
    if table:
        sql = f"SELECT * FROM {quoted(table)}"  # noqa: S608 - read-only for the guard in any case

    def start() -> Iterator[str]:
        columns, rows = session_of(request).stream(sql)
        return writer_for(kind, null)(columns, rows, Written())

    name = f"{(table or 'rows')[:80]}.{_EXTENSIONS.get(kind, kind)}"
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return await download(service, await service.call(start), MEDIA[kind], headers)


def _database(request: Request) -> Iterator[bytes]:
    """The session as one database file, piece by piece; its name is gone before the first one is sent."""
    with ExitStack() as held:
        with _place(service_of(request).worker.data_dir) as place:
            file = held.enter_context(session_of(request).portable(Path(place)).open("rb"))
        while piece := file.read(_PIECE):
            yield piece


def _place(directory: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=EXPORTING, dir=directory)
    except OSError as error:
        raise storage_full(directory, error) from None


async def schema(request: Request) -> Response:
    """The tables of a session with their columns; with `table` the columns of that one alone."""
    asked = request.query_params.get("table")

    def read(session: Session) -> Tables:
        if asked is not None:
            return Tables(tables=[Table(name=asked, columns=session.get_columns(asked))])
        return Tables(tables=[Table(name=name, columns=_columns(session, name)) for name in session.get_tables()])

    return answer(await in_session(request, read))


def _columns(session: Session, name: str) -> list[dict[str, Any]]:
    try:
        return session.get_columns(name)
    except StatementError:  # a view of what is there no more
        return []


async def describe(request: Request) -> Response:
    """One table, of any name: columns, indexes, foreign keys, row count, a few rows."""
    name = queries.text(request, "table")
    return answer(await in_session(request, lambda session: cells.all_to_json(session.describe_table(name))))


async def table(request: Request) -> Response:
    """The same for a table whose name may stand in a path."""
    name = request.path_params["table"]
    return answer(await in_session(request, lambda session: cells.all_to_json(session.describe_table(name))))


async def has_column(request: Request) -> Response:
    """Whether a table has a column, without regard to upper and lower case."""
    name, column = queries.text(request, "table"), queries.text(request, "column")
    return answer(HasColumn(found=await in_session(request, lambda session: session.has_column(name, column))))


async def find_column(request: Request) -> Response:
    """The column of a table that a meaning fits best; null where none does."""
    name, meaning = queries.text(request, "table"), queries.text(request, "meaning")
    return answer(FoundColumn(found=await in_session(request, lambda session: session.find_column(name, meaning))))


_PATH = "/v1/sessions/{id}"
OPERATIONS = (
    Operation(
        method="POST", path=f"{_PATH}/query", name="query", handler=query, scope="read", body=QueryBody,
        about="Run one statement that only reads; it waits for no execution.",
        answers={200: QueryAnswer}, problems=(404, 409, 410, 422),
    ),
    Operation(
        method="GET", path=f"{_PATH}/export", name="export", handler=export, scope="read", media="text/csv",
        about="All rows of a table or statement as a file, or the session as a database file.", answers={200: str},
        problems=(404, 409, 410, 422),
        parameters=(
            Parameter(name="table", about="The table; or sql."),
            Parameter(name="sql", about="A statement that only reads; or table."),
            Parameter(
                name="format",
                about=f"One of {', '.join(EXPORT_FORMATS)}; csv by default. Or {SQLITE}: the whole session.",
            ),
            Parameter(name="null", about="What NULL is written as in CSV and TSV; empty by default."),
        ),
    ),
    Operation(
        method="GET", path=f"{_PATH}/schema", name="schema", handler=schema, scope="read",
        about="The tables of a session with their columns.", answers={200: Tables}, problems=(404, 409, 410, 422),
        parameters=(Parameter(name="table", about="Only this table."),),
    ),
    Operation(
        method="GET", path=f"{_PATH}/describe", name="describe", handler=describe, scope="read",
        about="One table, of any name.", answers={200: dict[str, Any]}, problems=(404, 409, 410, 422),
        parameters=(Parameter(name="table", about="The table.", required=True),),
    ),
    Operation(
        method="GET", path=f"{_PATH}/has_column", name="has_column", handler=has_column, scope="read",
        about="Whether a table has a column.", answers={200: HasColumn}, problems=(404, 409, 410, 422),
        parameters=(
            Parameter(name="table", about="The table.", required=True),
            Parameter(name="column", about="The column.", required=True),
        ),
    ),
    Operation(
        method="GET", path=f"{_PATH}/find_column", name="find_column", handler=find_column, scope="read",
        about="The column of a table that a meaning fits best.", answers={200: FoundColumn},
        problems=(404, 409, 410, 422),
        parameters=(
            Parameter(name="table", about="The table.", required=True),
            Parameter(name="meaning", about="What the column should hold, in words.", required=True),
        ),
    ),
    Operation(
        method="GET", path=f"{_PATH}/tables/{{table}}", name="describe_table", handler=table, scope="read",
        about="One table: columns, indexes, foreign keys, row count, a few rows.",
        answers={200: dict[str, Any]}, problems=(404, 409, 410, 422),
    ),
)  # fmt: skip
