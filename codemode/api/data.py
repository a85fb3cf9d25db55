"""A session's data over HTTP: read-only queries, uploads that stream into one transaction, exports, the schema."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO, Literal, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from codemode.api import bodies, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, service_of
from codemode.api.streams import Chunks, records
from codemode.database.sources import Source
from codemode.database.transfer import EXPORT_FORMATS, IMPORT_FORMATS, Profile, reader_for, writer_for
from codemode.database.writers import Written
from codemode.errors import RequestInvalid, RequestMediaType
from codemode.values import ResultInfo

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MEDIA = {
    "csv": "text/csv; charset=utf-8", "tsv": "text/tab-separated-values; charset=utf-8", "json": "application/json",
    "ndjson": "application/x-ndjson", "markdown": "text/markdown; charset=utf-8",
}  # fmt: skip
_EXTENSIONS = {"markdown": "md"}
ON_CONFLICT = ("error", "ignore", "replace", "update")


class QueryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One read-only statement with its parameters, in order or by name."""

    sql: str
    params: list[Any] | dict[str, Any] = []


class QueryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rows as objects; `result_info.truncated` says that there are more."""

    columns: tuple[str, ...]
    result: list[dict[str, Any]]
    result_info: ResultInfo
    rows_read: int


class Records(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Records for one table, in one transaction."""

    table: str
    records: list[dict[str, Any] | list[Any]]
    columns: list[str] | None = None
    on_conflict: Literal["error", "ignore", "replace", "update"] = "error"
    key: str | list[str] | None = None
    create: bool = False


class Inserted(msgspec.Struct, frozen=True, kw_only=True):
    """What an insert wrote."""

    success: bool
    rows_written: int
    chunks: int
    columns: list[str]


async def query(request: Request) -> Response:
    """Run one statement that only reads, on a connection that waits for no execution."""
    service, caller = service_of(request), caller_of(request)
    body = await bodies.decode(request, QueryBody, service.settings.body_bytes)

    def read() -> QueryAnswer:
        rows = service.session(caller, request.path_params["id"]).query(body.sql, body.params, read_only=True)
        info = ResultInfo(type="rows", row_count=rows.row_count, truncated=rows.truncated)
        return QueryAnswer(columns=tuple(rows.columns), result=list(rows), result_info=info, rows_read=rows.rows_read)

    return answer(await service.call(read))


async def batch_insert(request: Request) -> Response:
    """Insert records: a JSON document, or NDJSON that streams into one transaction in constant memory."""
    service, caller = service_of(request), caller_of(request)
    if bodies.media_type(request) in NDJSON:
        return await _stream_in(request)
    body = await bodies.decode(request, Records, service.settings.body_bytes)
    options = {"columns": body.columns, "on_conflict": body.on_conflict, "key": body.key, "create": body.create}

    def insert() -> dict[str, Any]:
        return service.session(caller, request.path_params["id"]).batch_insert(body.table, body.records, **options)

    return answer(await service.call(insert))


async def _stream_in(request: Request) -> Response:
    service, caller = service_of(request), caller_of(request)
    table = request.query_params.get("table")
    if not table:
        raise RequestInvalid("the table is missing", hint="name it: ?table=NAME")
    options = {
        "on_conflict": queries.choice(request, "on_conflict", ON_CONFLICT, "error"),
        "key": request.query_params.getlist("key") or None,
        "create": queries.flag(request, "create"),
    }
    body = Chunks(bodies.pieces(request, service.settings.upload_bytes), service.settings.upload_idle_seconds)

    def insert() -> dict[str, Any]:
        session = service.session(caller, request.path_params["id"])
        return session.batch_insert(table, records(iter(body), session.limits.value_bytes * 2), **options)

    return answer(await service.call(insert))


async def import_file(request: Request) -> Response:
    """Load a file (CSV, TSV, JSON, NDJSON, plain or gzip) into a table, with inferred types."""
    service, caller = service_of(request), caller_of(request)
    table = request.query_params.get("table")
    if not table or not table.strip():
        raise RequestInvalid("the table is missing", hint="name it: ?table=NAME")
    kind = queries.choice(request, "format", IMPORT_FORMATS) or _kind_of(bodies.media_type(request))
    if_exists = queries.choice(request, "if_exists", ("error", "append", "replace"), "error")
    reader = reader_for(kind, request.query_params.getlist("null"), request.query_params.get("delimiter"))
    # Types are inferred in one pass and rows are read in another, so the file is kept until then.
    with tempfile.TemporaryFile() as spool:
        async for piece in bodies.pieces(request, service.settings.upload_bytes):
            await service.call(spool.write, piece)
        await service.call(spool.seek, 0)

        def load() -> Profile:
            session = service.session(caller, request.path_params["id"])
            with Source(cast(BinaryIO, spool), name=request.query_params.get("name", "the upload")) as source:
                return session.import_source(source, reader, table, str(if_exists))

        profile = await service.call(load)
    return answer(profile)


def _kind_of(media: str) -> str:
    kinds = {found.partition(";")[0]: kind for kind, found in MEDIA.items()} | dict.fromkeys(NDJSON, "ndjson")
    if media not in kinds:
        raise RequestMediaType(
            f"cannot tell the format of {media or 'a body without Content-Type'}",
            hint="say ?format=csv, or send Content-Type: text/csv",
        )
    return kinds[media]


async def export(request: Request) -> Response:
    """All rows of a statement or table as CSV, TSV, JSON, NDJSON or Markdown, in constant memory."""
    service, caller = service_of(request), caller_of(request)
    kind = str(queries.choice(request, "format", EXPORT_FORMATS, "csv"))
    sql, table, null = (request.query_params.get(name, "") for name in ("sql", "table", "null"))
    if bool(sql) == bool(table):
        raise RequestInvalid("say what to export", hint="?table=NAME or ?sql=SELECT…")
    if table:
        quoted = table.replace('"', '""')
        sql = f'SELECT * FROM "{quoted}"'  # noqa: S608 - quoted, and read-only for the guard in any case

    def start() -> Iterator[str]:
        columns, rows = service.session(caller, request.path_params["id"]).stream(sql)
        return writer_for(kind, null)(columns, rows, Written())

    pieces = await service.call(start)
    first = await service.call(next, pieces, "")  # what is wrong with the statement is said before the status is sent

    async def stream() -> AsyncIterator[str]:
        piece = first
        while piece:
            yield piece
            piece = await service.call(next, pieces, "")

    name = f"{(table or 'rows')[:80]}.{_EXTENSIONS.get(kind, kind)}"
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return StreamingResponse(stream(), media_type=MEDIA[kind], headers=headers)


async def schema(request: Request) -> Response:
    """The tables of a session with their columns."""
    service, caller = service_of(request), caller_of(request)

    def read() -> dict[str, Any]:
        session = service.session(caller, request.path_params["id"])
        return {"tables": [{"name": name, "columns": session.get_columns(name)} for name in session.get_tables()]}

    return answer(await service.call(read))


async def table(request: Request) -> Response:
    """One table: columns, indexes, foreign keys, row count, a few rows."""
    service, caller = service_of(request), caller_of(request)

    def read() -> dict[str, Any]:
        return service.session(caller, request.path_params["id"]).describe_table(request.path_params["table"])

    return answer(await service.call(read))


_PATH = "/v1/sessions/{id}"
_FORMAT = Parameter(name="format", about=f"One of {', '.join(IMPORT_FORMATS)}; else by Content-Type.")
OPERATIONS = (
    Operation(
        method="POST", path=f"{_PATH}/query", name="query", handler=query, scope="read", body=QueryBody,
        about="Run one statement that only reads; it waits for no execution.",
        answers={200: QueryAnswer}, problems=(404, 410, 422),
    ),
    Operation(
        method="POST", path=f"{_PATH}/batch_insert", name="batch_insert", handler=batch_insert, scope="execute",
        body=Records, upload=NDJSON[:1], answers={200: Inserted}, problems=(404, 410, 413, 415, 422, 429),
        about="Insert records in one transaction: a JSON document, or NDJSON that streams in constant memory.",
        parameters=(
            Parameter(name="table", about="The table, for NDJSON."),
            Parameter(name="on_conflict", about=f"One of {', '.join(ON_CONFLICT)}, for NDJSON."),
            Parameter(name="key", about="The columns of the key for on_conflict=update; may be repeated."),
            Parameter(name="create", about="Make the table from inferred types, for NDJSON.", kind=bool),
        ),
    ),
    Operation(
        method="POST", path=f"{_PATH}/import", name="import_file", handler=import_file, scope="execute",
        upload=("text/csv", "text/tab-separated-values", "application/json", *NDJSON[:1], "application/octet-stream"),
        about="Load a file into a table in one transaction, with inferred types; gzip is recognised.",
        answers={200: Profile}, problems=(404, 410, 413, 415, 422, 429),
        parameters=(
            Parameter(name="table", about="The table.", required=True),
            _FORMAT,
            Parameter(name="if_exists", about="error, append or replace."),
            Parameter(name="null", about="A text that stands for NULL; may be repeated."),
            Parameter(name="delimiter", about="Between the fields, instead of the comma or tab."),
            Parameter(name="name", about="What errors call the file."),
        ),
    ),
    Operation(
        method="GET", path=f"{_PATH}/export", name="export", handler=export, scope="read", media="text/csv",
        about="All rows of a table or statement as a file, in constant memory.", answers={200: str},
        problems=(404, 410, 422),
        parameters=(
            Parameter(name="table", about="The table; or sql."),
            Parameter(name="sql", about="A statement that only reads; or table."),
            Parameter(name="format", about=f"One of {', '.join(EXPORT_FORMATS)}; csv by default."),
            Parameter(name="null", about="What NULL is written as in CSV and TSV; empty by default."),
        ),
    ),
    Operation(
        method="GET", path=f"{_PATH}/schema", name="schema", handler=schema, scope="read",
        about="The tables of a session with their columns.", answers={200: dict[str, Any]}, problems=(404, 410),
    ),
    Operation(
        method="GET", path=f"{_PATH}/tables/{{table}}", name="describe_table", handler=table, scope="read",
        about="One table: columns, indexes, foreign keys, row count, a few rows.",
        answers={200: dict[str, Any]}, problems=(404, 410, 422),
    ),
)  # fmt: skip
