"""A host's own statements over HTTP: one, several, a script, a table made; each is a transaction of its own.

Values that JSON cannot hold cross as `codemode.cells` says, in both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode import cells
from codemode.api import bodies
from codemode.api.downloads import download
from codemode.api.operations import Operation
from codemode.api.problems import problem_of
from codemode.api.requests import answer, in_session, service_of, session_of
from codemode.database.taking import in_steps
from codemode.errors import CodemodeError
from codemode.plain import encode

_ROWS_AT_ONCE, _BYTES_AT_ONCE = 200, 4 * 1024 * 1024  # lines of a stream that are encoded together
_LINES = msgspec.json.Encoder().encode_lines
Params = list[Any] | dict[str, Any]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement with its parameters, in order or by name."""

    sql: str
    params: list[Any] | dict[str, Any] = []


class Executed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a statement changed; with its rows where it returns any, and warnings of what it can hardly mean."""

    success: bool
    rows_read: int = msgspec.field(default_factory=int)
    rows_written: int = msgspec.field(default_factory=int)
    changes: int = msgspec.field(default_factory=int)
    last_row_id: int | None = None
    columns: list[str] | None = None
    rows: list[dict[str, Any]] | None = None
    truncated: bool = False
    warnings: list[str] = []


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several statements, all or nothing."""

    statements: list[Statement]


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many statements in one text, without parameters, all or nothing."""

    sql: str


class NewTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table to make; `columns` is the text between the brackets, or an object of column → type."""

    name: str
    columns: str | dict[str, str]
    if_not_exists: bool = False


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """That it was done."""

    success: bool


async def execute_statement(request: Request) -> Response:
    """Run one statement in a transaction of its own, and say what it changed."""
    body = await bodies.decode(request, Statement)
    return answer(await in_session(request, lambda session: _told(session.exec(body.sql, parameters(body.params)))))


async def batch(request: Request) -> Response:
    """Run several statements, all or nothing; one answer for each."""
    body = await bodies.decode(request, Batch)
    items = [(each.sql, parameters(each.params)) for each in body.statements]
    return answer(await in_session(request, lambda session: [_told(each) for each in session.batch(items)]))


async def script(request: Request) -> Response:
    """Run many statements from one text, all or nothing; one answer for each."""
    body = await bodies.decode(request, Script)
    return answer(await in_session(request, lambda session: [_told(each) for each in session.script(body.sql)]))


async def create_table(request: Request) -> Response:
    """Create a table."""
    body = await bodies.decode(request, NewTable)
    return answer(
        await in_session(request, lambda session: session.create_table(body.name, body.columns, body.if_not_exists))
    )


async def explain(request: Request) -> Response:
    """The plan of a statement in words, and an index that was tried; nothing of the session is changed."""
    body = await bodies.decode(request, Statement)
    return answer(await in_session(request, lambda session: session.explain(body.sql, parameters(body.params))))


async def rows(request: Request) -> Response:
    """All rows of a statement that only reads, as of its start, in constant memory.

    NDJSON: `{"columns": […]}`, then each row as a list, then `{"rows": n}`; without that last line it is not whole.
    A failure in the middle is a last line `{"problem": …}`.
    """
    service = service_of(request)
    body = await bodies.decode(request, Statement)

    def start() -> Iterator[bytes]:
        return _lines(*session_of(request).stream(body.sql, parameters(body.params)))

    return await download(service, await service.call(start), "application/x-ndjson", failed=_problem_line)


def parameters(given: Params) -> Params:
    """Parameters as the session takes them."""
    if isinstance(given, dict):
        return {name: cells.from_json(value) for name, value in given.items()}
    return [cells.from_json(value) for value in given]


def _told(done: Mapping[str, Any]) -> dict[str, Any]:
    return {**done, "rows": cells.rows_to_json(done["rows"])} if "rows" in done else dict(done)


def _lines(columns: list[str], found: Iterator[Iterable[Any]]) -> Iterator[bytes]:
    yield encode({"columns": columns}) + b"\n"
    count = 0
    for some in in_steps(found, _ROWS_AT_ONCE, _BYTES_AT_ONCE):
        count += len(some[0])
        yield _LINES([[cells.to_json(cell) for cell in row] for row in zip(*some, strict=True)])
    yield encode({"rows": count}) + b"\n"


def _problem_line(error: CodemodeError) -> bytes:
    return encode({"problem": problem_of(error)}) + b"\n"


_PATH = "/v1/sessions/{id}"
_WRITE = (404, 409, 410, 422, 429, 507)
OPERATIONS = (
    Operation(
        method="POST", path=f"{_PATH}/exec", name="exec", handler=execute_statement, scope="execute", body=Statement,
        about="Run one statement, and say what it changed.", answers={200: Executed}, problems=_WRITE,
    ),
    Operation(
        method="POST", path=f"{_PATH}/batch", name="batch", handler=batch, scope="execute", body=Batch,
        about="Run several statements, all or nothing.", answers={200: list[Executed]}, problems=_WRITE,
    ),
    Operation(
        method="POST", path=f"{_PATH}/script", name="script", handler=script, scope="execute", body=Script,
        about="Run many statements from one text, all or nothing.", answers={200: list[Executed]}, problems=_WRITE,
    ),
    Operation(
        method="POST", path=f"{_PATH}/create_table", name="create_table", handler=create_table, scope="execute",
        body=NewTable, about="Create a table.", answers={200: Success}, problems=_WRITE,
    ),
    Operation(
        method="POST", path=f"{_PATH}/explain", name="explain", handler=explain, scope="read", body=Statement,
        about="How SQLite would run a statement, and an index that was tried.",
        answers={200: dict[str, Any]}, problems=(404, 409, 410, 422),
    ),
    Operation(
        method="POST", path=f"{_PATH}/rows", name="rows", handler=rows, scope="read", body=Statement,
        about="All rows of a statement that only reads, as they come.", answers={200: str},
        media="application/x-ndjson", problems=(404, 409, 410, 422),
    ),
)  # fmt: skip
