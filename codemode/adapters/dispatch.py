"""Run one tool call as a model's API hands it over, and answer with the text that goes back.

What the model can mend (its arguments, its SQL, its snippet, a busy session) is an answer. What only the host can mend
(a session that is gone, a full disk, a token, an option) is raised: no retry of the model would help.
"""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Unpack

import msgspec

from codemode.adapters.answer import MOST, Answer, fitting, of_error, of_outcome, of_rows
from codemode.adapters.session import AnySession, RunSettings
from codemode.adapters.tools import TOOLS, Arguments, DescribeTable, ExecuteCode, ListTables, QueryRows
from codemode.errors import RequestInvalid, SessionBusy, SnippetError, StatementError

FOR_THE_MODEL = (StatementError, SnippetError, SessionBusy)


def dispatch(
    session: AnySession,
    name: str,
    arguments: str | Mapping[str, Any] | None,
    *,
    most: int = MOST,
    **settings: Unpack[RunSettings],
) -> Answer:
    """Run the tool `name` in the session; `arguments` are JSON text or an object.

    `most`: characters of the answer. `settings` are options of `Session.run` for `execute_code`. Raises what the model
    cannot mend: SessionNotFound, SessionExpired, StorageFull, AuthError and their like, RequestInvalid for `settings`.
    """
    prepared = _prepared(session, name, arguments, most)
    if isinstance(prepared, Answer):
        return prepared
    try:
        return of_outcome(session.run(prepared, **bounded(session, settings, most)), most)
    except FOR_THE_MODEL as error:
        return of_error(error, most)


async def dispatch_async(
    session: AnySession,
    name: str,
    arguments: str | Mapping[str, Any] | None,
    *,
    most: int = MOST,
    **settings: Unpack[RunSettings],
) -> Answer:
    """The same without blocking the event loop; cancelling the task ends a running snippet."""
    prepared = await asyncio.to_thread(_prepared, session, name, arguments, most)
    if isinstance(prepared, Answer):
        return prepared
    try:
        return of_outcome(await session.run_async(prepared, **bounded(session, settings, most)), most)
    except FOR_THE_MODEL as error:
        return of_error(error, most)


def checked_code(session: AnySession, code: str) -> str:
    """The code, if `Session.run` will take it; raises RequestInvalid.

    What else `run` calls invalid is the host's: how it wants snippets to run.
    """
    size, most = _check_characters(code), session.limits.code_bytes
    if size > most:
        hint = "insert data with helpers.db.batch_insert, in several snippets"
        raise RequestInvalid(f"the code has {size:,} bytes; at most {most:,} are taken", hint=hint)
    return code


def bounded(session: AnySession, settings: RunSettings, most: int) -> RunSettings:
    """The settings with a bound on results: what half an answer has no room for becomes a table, which SQL reads."""
    return {"max_result_bytes": min(most // 2, session.limits.result_bytes), **settings}


def _prepared(session: AnySession, name: str, arguments: str | Mapping[str, Any] | None, most: int) -> Answer | str:
    """The code of a snippet that is to run, or the answer, where that takes none."""
    try:
        call = _call(name, arguments)
        return checked_code(session, call.code) if isinstance(call, ExecuteCode) else _read(session, call, most)
    except (*FOR_THE_MODEL, RequestInvalid) as error:
        return of_error(error, most)


def _read(session: AnySession, call: Arguments, most: int) -> Answer:
    match call:
        case QueryRows(sql=sql, params=params):
            return of_rows(session.query(sql, params or (), read_only=True), most)
        case ListTables():
            return Answer(text=fitting({"tables": session.get_tables()}, most))
        case DescribeTable(table=table):
            return Answer(text=fitting(session.describe_table(table), most))
    raise AssertionError(f"{call.tool} has no way to run")


def _call(name: str, arguments: str | Mapping[str, Any] | None) -> Arguments:
    """The arguments, checked. Raises RequestInvalid in words by which a model can mend them."""
    kind = TOOLS.get(name)
    if kind is None:
        raise RequestInvalid(
            f"there is no tool {name!r}", did_you_mean=difflib.get_close_matches(name, TOOLS), available=tuple(TOOLS)
        )
    given = _object(kind, arguments)
    names = kind.__struct_fields__
    for unknown in given.keys() - set(names):
        alike = difflib.get_close_matches(str(unknown), names)
        raise RequestInvalid(f"{name} has no argument {unknown!r}", did_you_mean=alike, available=names)
    try:
        call = msgspec.convert(given, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # the latter for half of a surrogate pair
        raise RequestInvalid(f"{name}: {error}", hint=_shape(kind), available=names) from None
    for text in _texts(call):
        _check_characters(text)
    return call


def _texts(call: Arguments) -> Iterator[str]:
    for name in call.__struct_fields__:
        value = getattr(call, name)
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def _check_characters(text: str) -> int:
    """The size of the text in bytes; raises RequestInvalid for what no database and no connection takes."""
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        place = f"position {error.start}"
        raise RequestInvalid(f"a lone surrogate at {place} is no character", hint="leave it out") from None


def _object(kind: type[Arguments], arguments: str | Mapping[str, Any] | None) -> dict[str, Any]:
    given: object = arguments
    if isinstance(given, str):
        try:
            # Models leave line breaks in strings as they are, and send nothing where there is nothing to send.
            given = json.loads(given, strict=False) if given.strip() else None
        except (ValueError, RecursionError) as error:
            raise RequestInvalid(f"the arguments of {kind.tool} are not JSON: {error}", hint=_shape(kind)) from None
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        found = type(given).__name__
        raise RequestInvalid(f"the arguments of {kind.tool} are an object, not {found}", hint=_shape(kind))
    return dict(given)


def _shape(kind: type[Arguments]) -> str:
    shown = ", ".join(f'"{name}": …' for name in kind.__struct_fields__)
    return f"send {{{shown}}}"
