"""Data into a session over HTTP: records as JSON or NDJSON, and files, each in one transaction."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode import cells
from codemode.api import bodies, queries
from codemode.api.data import MEDIA
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, in_session, service_of
from codemode.api.streams import Chunks, records
from codemode.api.uploads import Progress, counted, uploaded
from codemode.asked import IF_EXISTS
from codemode.database.sources import Source
from codemode.database.transfer import IMPORT_FORMATS, Profile, reader_for
from codemode.errors import RequestInvalid, RequestMediaType
from codemode.session.files import storage_full
from codemode.session.session import Session

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
ON_CONFLICT = ("error", "ignore", "replace", "update")


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


async def batch_insert(request: Request) -> Response:
    """Insert records: a JSON document, or NDJSON that streams into one transaction in constant memory."""
    if bodies.media_type(request) in NDJSON:
        return await _stream_in(request)
    body = await bodies.decode(request, Records)
    if request.query_params:  # of a word that is not heeded nobody learns
        raise RequestInvalid("a JSON body says all of it itself", hint="leave the query out, or send NDJSON")
    options = {"columns": body.columns, "on_conflict": body.on_conflict, "key": body.key, "create": body.create}

    records = map(cells.row_from_json, body.records)
    return answer(await in_session(request, lambda session: session.batch_insert(body.table, records, **options)))


async def _stream_in(request: Request) -> Response:
    table = request.query_params.get("table")
    if not table:
        raise RequestInvalid("the table is missing", hint="name it: ?table=NAME")
    options = {
        "columns": request.query_params.getlist("columns") or None,
        "on_conflict": queries.choice(request, "on_conflict", ON_CONFLICT, "error"),
        "key": request.query_params.getlist("key") or None,
        "create": queries.flag(request, "create"),
    }

    async def insert(upload: bodies.Upload, tell: Progress) -> Any:
        body = Chunks(upload.pieces())

        def within(session: Session) -> dict[str, Any]:
            found = records(iter(body), session.limits.value_bytes * 2)
            return session.batch_insert(table, counted(found, table, tell), **options)

        return await in_session(request, within)

    return await uploaded(request, "batch_insert", insert)


async def import_file(request: Request) -> Response:
    """Load a file (CSV, TSV, JSON, NDJSON, plain or gzip) into a table, with inferred types."""
    table = request.query_params.get("table")
    if not table or not table.strip():
        raise RequestInvalid("the table is missing", hint="name it: ?table=NAME")
    kind = queries.choice(request, "format", IMPORT_FORMATS) or _kind_of(bodies.media_type(request))
    if_exists = queries.choice(request, "if_exists", IF_EXISTS, "error")
    reader = reader_for(kind, request.query_params.getlist("null"), request.query_params.get("delimiter"))
    name, encoding = (request.query_params.get(*each) for each in (("name", "the upload"), ("encoding", "utf-8")))

    async def load(upload: bodies.Upload, tell: Progress) -> Profile:
        # Types are inferred in one pass and rows are read in another, so the file is kept until then. It stands beside
        # the data: the directory for temporary files may lie in memory.
        with _spool(service_of(request).worker.data_dir) as spool:
            await _spooled(request, upload, spool, lambda received: tell({"table": table, "received_bytes": received}))

            def within(session: Session) -> Profile:
                file = cast(BinaryIO, spool)
                with Source(file, name=name, encoding=encoding, check=upload.check) as source:

                    def done(consumed: int) -> None:
                        tell({"table": table, "fraction": round(consumed / max(1, 2 * source.size), 4)})

                    return session.import_source(source, reader, table, str(if_exists), done)

            return await in_session(request, within)

    return await uploaded(request, "import_file", load)


def _spool(directory: Path) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(dir=directory)
    except OSError as error:
        raise storage_full(directory, error) from None


async def _spooled(request: Request, upload: bodies.Upload, spool: IO[bytes], tell: Callable[[int], None]) -> None:
    service, received = service_of(request), 0
    try:
        async for piece in upload.pieces():
            await service.call(spool.write, piece)
            received += len(piece)
            tell(received)
        await service.call(spool.seek, 0)
    except OSError as error:
        raise storage_full(service.worker.data_dir, error) from None


def _kind_of(media: str) -> str:
    kinds = {found.partition(";")[0]: kind for kind, found in MEDIA.items()} | dict.fromkeys(NDJSON, "ndjson")
    if media not in kinds:
        raise RequestMediaType(
            f"cannot tell the format of {media[:80] or 'a body without Content-Type'}",
            hint="say ?format=csv, or send Content-Type: text/csv",
        )
    return kinds[media]


_PATH = "/v1/sessions/{id}"
_FORMAT = Parameter(name="format", about=f"One of {', '.join(IMPORT_FORMATS)}; else by Content-Type.")
OPERATIONS = (
    Operation(
        method="POST", path=f"{_PATH}/batch_insert", name="batch_insert", handler=batch_insert, scope="execute",
        body=Records, upload=NDJSON[:1], events=True, answers={200: Inserted},
        problems=(404, 409, 410, 413, 415, 422, 429, 507),
        about="Insert records in one transaction: a JSON document, or NDJSON that streams in constant memory.",
        parameters=(
            Parameter(name="table", about="The table, for NDJSON."),
            Parameter(name="on_conflict", about=f"One of {', '.join(ON_CONFLICT)}, for NDJSON."),
            Parameter(name="columns", about="What the values of a line are for, where the lines are lists; repeated."),
            Parameter(name="key", about="The columns of the key for on_conflict=update; may be repeated."),
            Parameter(name="create", about="Make the table from inferred types, for NDJSON.", kind=bool),
        ),
    ),
    Operation(
        method="POST", path=f"{_PATH}/import", name="import_file", handler=import_file, scope="execute",
        upload=("text/csv", "text/tab-separated-values", "application/json", *NDJSON[:1], "application/octet-stream"),
        events=True,
        about="Load a file into a table in one transaction, with inferred types; gzip is recognised.",
        answers={200: Profile}, problems=(404, 409, 410, 413, 415, 422, 429, 507),
        parameters=(
            Parameter(name="table", about="The table.", required=True),
            _FORMAT,
            Parameter(name="if_exists", about="error, append or replace."),
            Parameter(name="null", about="A text that stands for NULL; may be repeated."),
            Parameter(name="delimiter", about="Between the fields, instead of the comma or tab."),
            Parameter(name="encoding", about="Of the text; UTF-8 by default."),
            Parameter(name="name", about="What errors call the file."),
        ),
    ),
)  # fmt: skip
