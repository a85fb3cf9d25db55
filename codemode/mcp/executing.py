"""The tools that run snippets: wait for the outcome, or leave the execution in the background and come back."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import anyio
import msgspec
from msgspec import Meta

from codemode.errors import CodemodeError
from codemode.mcp import wire, words
from codemode.mcp.progress import Progress
from codemode.mcp.tool import Call, Reply, Tool
from codemode.plain import decode
from codemode.service.background import Accepted
from codemode.session.running import Running
from codemode.session.session import Session
from codemode.values import DatabaseUse, Outcome, Problem, ResultInfo, Usage

_LONGEST_WAIT = 60
# Any JSON, said in full: clients that map schemas onto a dialect of their own drop what says nothing.
_ANY = [{"type": kind} for kind in ("object", "array", "string", "number", "boolean", "null")]
SessionId = Annotated[str | None, Meta(description="The session, as execute_code or create_session answered it.")]


class ExecuteCode(msgspec.Struct, frozen=True, kw_only=True):
    """One snippet to run."""

    code: Annotated[str, Meta(description="Python 3 source.")]
    session_id: Annotated[str | None, Meta(description="Whose tables to use; a new session without it.")] = None
    inputs: Annotated[dict[str, Any], Meta(description="Variables of the snippet: name → JSON value.")] = {}
    timeout_seconds: Annotated[float | None, Meta(description="Ends the snippet earlier than the limit.")] = None
    dry_run: Annotated[bool, Meta(description="Run, report, and undo everything.")] = False
    read_only: Annotated[bool, Meta(description="Refuse every write.")] = False
    atomic: Annotated[bool, Meta(description="All or nothing; false keeps each call by itself.")] = True
    result_format: Annotated[
        Literal["objects", "columns", "csv", "markdown", "auto"], Meta(description="Of rows that are the result.")
    ] = "objects"
    max_cell: Annotated[int | None, Meta(description="Characters of a text in these rows.")] = None
    max_result_bytes: Annotated[int | None, Meta(description="A result above is kept as a table.")] = None
    idempotency_key: Annotated[str | None, Meta(description="The same key within 24 hours runs nothing twice.")] = None
    background: Annotated[bool, Meta(description="Answer at once; get_execution has the outcome.")] = False


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome, without what is zero or empty; `ok` is null and `status` pending while the execution goes on.

    The layers of confinement are left out: they tell a model nothing, and it would pay for them with every call.
    """

    ok: bool | None
    status: Literal["completed", "error", "timeout", "cancelled", "rejected", "pending"]
    execution_id: str
    session_id: str
    result: Annotated[Any, Meta(extra_json_schema={"anyOf": _ANY})] = None
    result_info: ResultInfo | None = None
    stdout: str = ""
    stdout_truncated: bool = False
    db: DatabaseUse | None = None
    usage: Usage | None = None
    warnings: list[str] = []
    error: Problem | None = None
    replayed: bool = False
    variables: str | None = None
    variables_reason: str | None = None


class GetExecution(msgspec.Struct, frozen=True, kw_only=True):
    """Which execution to look at."""

    execution_id: Annotated[str, Meta(description="As execute_code answered it.")]
    wait_seconds: Annotated[
        float, Meta(ge=0, le=_LONGEST_WAIT, description=f"Wait so long for its end, {_LONGEST_WAIT} at most.")
    ] = 0


class CancelExecution(msgspec.Struct, frozen=True, kw_only=True):
    """Which execution to end."""

    execution_id: Annotated[str, Meta(description="As execute_code answered it.")]


async def execute_code(call: Call, given: ExecuteCode) -> Reply:
    """Run a snippet. One that fails is an answer with `ok` false: it was run, and what became of it is told."""
    session = await _session(call, given.session_id)
    most = given.max_result_bytes
    if most is None:
        most = min(call.text_bytes, session.limits.result_bytes)
    options = {
        "inputs": given.inputs,
        "timeout": given.timeout_seconds,
        "atomic": given.atomic,
        "dry_run": given.dry_run,
        "read_only": given.read_only or call.face.read_only,
        "max_result_bytes": most,
        "result_format": given.result_format,
        "max_cell": given.max_cell,
        "idempotency_key": given.idempotency_key,
    }
    if given.background:
        return await _begun(call, session, given.code, options)
    return _told(await _followed(call, session, given.code, options), call.text_bytes)


async def _session(call: Call, session_id: str | None) -> Session:
    """The session that is named; the default one, which is made on first use; or a new one."""
    if session_id is not None or call.face.read_only:
        return await call.session(session_id, "execute")
    made, _ = await call.service.call(call.service.create, call.caller, call.face.session)
    return await call.session(made.id, "execute")


async def _followed(call: Call, session: Session, code: str, options: dict[str, Any]) -> Outcome:
    """The outcome; where the client cancels its call or goes away, the execution is ended, undone and recorded."""
    progress = Progress(call.client)
    options = {**options, "on_output": progress.print, "on_event": progress.happened}
    with call.service.acts.known(await call.service.begin(call.caller, session, code, **options)) as running:
        try:
            async with progress.told():
                return await running.outcome()
        except asyncio.CancelledError:
            # A cancelled scope cancels every wait in it, and the rollback has to be waited for.
            with anyio.CancelScope(shield=True):
                await running.end()
                await call.recorded("execute_code", session.id, await _code_of(running))
            raise


async def _code_of(running: Running) -> str:
    """What became of an execution that was ended: it may have been over before."""
    try:
        outcome = await running.outcome()
    except CodemodeError as error:
        return error.code
    return outcome.error.code if outcome.error else "ok"


async def _begun(call: Call, session: Session, code: str, options: dict[str, Any]) -> Reply:
    running = await call.service.begin(call.caller, session, code, **options)

    def ended(outcome: str) -> None:
        call.record("execute_code", session.id, outcome)

    await call.service.background.keep(call.caller, running, ended)
    return _pending(running.id, session.id)


async def get_execution(call: Call, given: GetExecution) -> Reply:
    """Look at an execution in the background, or wait for it."""
    found = await call.service.background.find(call.caller, given.execution_id, given.wait_seconds)
    return _looked(found, call.text_bytes)


async def cancel_execution(call: Call, given: CancelExecution) -> Reply:
    """End an execution in the background."""
    return _looked(await call.service.background.cancel(call.caller, given.execution_id), call.text_bytes)


def _looked(found: Accepted, most: int) -> Reply:
    if found.outcome is None:
        return _pending(found.execution_id, found.session_id)
    return _told(decode(msgspec.json.encode(found.outcome).decode()), most)


def _pending(execution_id: str, session_id: str) -> Reply:
    data = {"ok": None, "status": "pending", "execution_id": execution_id, "session_id": session_id, "result": None}
    return Reply(data, words.outcome(data), session_id, "pending")


def _told(outcome: Outcome | dict[str, Any], most: int) -> Reply:
    data: dict[str, Any] = wire.fit(outcome)
    data["stdout"], cut = _ends(data["stdout"], most)
    data["stdout_truncated"] = data["stdout_truncated"] or cut
    data = {**_lean({name: data[name] for name in Execution.__struct_fields__}), "result": data["result"]}
    error = data.get("error")
    return Reply(data, words.outcome(data), data["session_id"], error["code"] if error else "ok")


_ALWAYS = ("ok", "status", "committed")


def _lean(part: dict[str, Any]) -> dict[str, Any]:
    """What says something: a model pays for every zero that it is told."""
    said = {name: _lean(each) if isinstance(each, dict) else each for name, each in part.items() if name != "result"}
    return {name: each for name, each in said.items() if name in _ALWAYS or each not in (None, "", 0, [], {})}


def _ends(text: str, most: int) -> tuple[str, bool]:
    """The beginning and the end of a text above `most` characters, and whether it was cut."""
    if len(text) <= most:
        return text, False
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters are left out …\n{text[-half:]}", True


_HELPERS = """
Globals: `helpers` and the names in `inputs`, nothing else. No files, no network. The standard library for data can be
imported (json, re, math, statistics, datetime, collections, csv …). Variables are gone afterwards, tables stay.
- helpers.db: query(sql, params) → list of dicts, query_one, value, pages, exec, batch_insert(table, records,
  create=True), create_table, save_state, get_state
- helpers.schema: get_tables(), get_columns(table), describe_table(table)
- helpers.sql: builders, such as top_n, count_by, statistics; pass what they build to helpers.db.query
Answer with a top-level `return` of plain data, or with the last expression. print() is captured.
Limits: $execution_seconds seconds, $memory_bytes of memory, $rows rows a query, $helper_calls helper calls, $result
of result; a larger one is kept as a table `_result_N`, and the answer says how to read on.
When it fails the answer has ok=false and says how to mend it. Example:

rows = helpers.db.query("SELECT city, sum(km) AS km FROM trips WHERE km > ? GROUP BY city", [3])
return {row["city"]: row["km"] for row in rows}"""

TOOLS = (
    Tool(
        name="execute_code", title="Run Python next to a database", scope="execute", run=execute_code,
        about="Run Python 3 next to a session's own SQLite database, all or nothing: what fails leaves no change. "
        "Without session_id it makes a session and answers its id." + _HELPERS,
        read_only_about="Run Python 3 next to a session's own SQLite database, which it can only read." + _HELPERS,
        takes=ExecuteCode, answers=Execution, destructive=True, makes_session=True, stoppable=True,
    ),
    Tool(
        name="get_execution", title="Look at a background execution", scope="read", run=get_execution,
        about="The outcome of an execution that execute_code began with background=true, or that it is pending. "
        f"wait_seconds waits for its end, {_LONGEST_WAIT} at most. Outcomes are kept for an hour.",
        takes=GetExecution, answers=Execution, read_only=True, idempotent=True,
    ),
    Tool(
        name="cancel_execution", title="Cancel a background execution", scope="execute", run=cancel_execution,
        about="End an execution that runs in the background, and undo what it did not commit. One that is over is not "
        "changed: its outcome is answered.",
        takes=CancelExecution, answers=Execution, destructive=True, idempotent=True,
    ),
)  # fmt: skip
