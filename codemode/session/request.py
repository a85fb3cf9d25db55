"""What a caller asks of an execution, checked before anything is started for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from msgspec import Struct

from codemode.asked import above_zero, code_text, inputs_text, known_options, one_of, switches, whole_above_zero
from codemode.errors import RequestInvalid
from codemode.limits import Limits
from codemode.session.confining import frame_bytes
from codemode.session.host import HostFunction, HostFunctions
from codemode.session.idempotency import IdempotencyKey
from codemode.session.transaction import Mode
from codemode.values import Event
from sandbox.form import FORMATS, Form

if TYPE_CHECKING:
    import asyncio


class RunOptions(TypedDict, total=False):
    """The keyword arguments of Session.run."""

    inputs: Mapping[str, Any] | None  # variables of the snippet: None, text, numbers, lists, dicts
    functions: Mapping[str, HostFunction] | None  # callable from the snippet as helpers.host.NAME(...)
    timeout: float | None  # seconds; lowered to execution_seconds with a warning
    atomic: bool  # all or nothing (the default), or each call by itself
    dry_run: bool  # run, report, and roll back
    read_only: bool  # refuse every write
    max_result_bytes: int | None  # of the result as JSON, at most result_bytes; a larger one becomes a table
    result_format: Literal["objects", "columns", "csv", "markdown", "auto"]  # of rows that are the result
    max_cell: int | None  # characters of a text in these rows; longer ones end in how much is missing
    on_output: Callable[[str], None] | None  # called with what the snippet prints, as it is printed
    on_event: Callable[[Event], None] | None  # called with a Progress or a Notice, as it arises
    idempotency_key: str | None  # the same key within 24 hours answers with the stored outcome and runs nothing


class Request(Struct, frozen=True):
    """One snippet to run, checked."""

    code: str
    inputs: str  # JSON object
    host: HostFunctions
    seconds: float
    mode: Mode
    result_bytes: int
    form: Form
    on_output: Callable[[str], None] | None = None
    on_event: Callable[[Event], None] | None = None
    warnings: tuple[str, ...] = ()
    key: IdempotencyKey | None = None


def checked_request(
    limits: Limits,
    code: str,
    options: RunOptions,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Request:
    """The request, bounded by `limits`; raises RequestInvalid for what no execution can be made of."""
    if not options:  # most calls: nothing that could be wrong, or above a limit
        text, host = _code(code, limits.code_bytes), HostFunctions(None, loop)
        return Request(text, "{}", host, limits.execution_seconds, "atomic", limits.result_bytes, Form())
    known_options(options, RunOptions.__annotations__)
    noted: list[str] = []
    inputs = _inputs(options.get("inputs"), limits.result_set_bytes)
    host = HostFunctions(options.get("functions"), loop, frame_bytes(limits))
    return Request(
        code=_code(code, limits.code_bytes),
        inputs=inputs,
        host=host,
        seconds=_bounded("timeout", options.get("timeout"), limits.execution_seconds, "s", noted),
        result_bytes=int(
            _bounded("max_result_bytes", options.get("max_result_bytes"), limits.result_bytes, "bytes", noted)
        ),
        mode=_mode(options),
        form=_form(options),
        on_output=options.get("on_output"),
        on_event=options.get("on_event"),
        warnings=tuple(noted),
        key=_key(code, inputs, host, options),
    )


def _bounded(name: str, asked: float | None, limit: float, unit: str, noted: list[str]) -> float:
    if asked is None:
        return limit
    wanted = above_zero(name, asked)
    if wanted > limit:
        noted.append(
            f"{name} {wanted:,.15g} {unit} is above this session's limit and was lowered to {limit:,.15g} {unit}"
        )
        return limit
    return wanted


def _code(code: object, most: int) -> str:
    text = code_text(code)
    if 4 * len(text) > most and (size := len(text.encode())) > most:  # only then can it be too many bytes
        raise RequestInvalid(
            f"code has {size:,} bytes; code_bytes is {most:,}",
            hint="pass data as inputs, or insert it with batch_insert",
        )
    return text


def _inputs(inputs: Mapping[str, Any] | None, most: int) -> str:
    if not inputs:
        return "{}"
    text = inputs_text(inputs)
    if len(text) > most:
        raise RequestInvalid(
            f"inputs have {len(text):,} bytes as JSON; result_set_bytes is {most:,}",
            hint="insert what is large with batch_insert",
        )
    return text


def _key(code: str, inputs: str, host: HostFunctions, options: RunOptions) -> IdempotencyKey | None:
    """The idempotency key; `timeout`, `on_output` and `on_event` are no part of what a retry repeats."""
    text = options.get("idempotency_key")
    if text is None:
        return None
    return IdempotencyKey.of(
        text, code, json.loads(inputs), sorted(host.names), _mode(options), *_asked_of_the_result(options)
    )


def _asked_of_the_result(options: RunOptions) -> tuple[Any, ...]:
    return options.get("max_result_bytes"), options.get("result_format"), options.get("max_cell")


def _form(options: RunOptions) -> Form:
    kind, most = options.get("result_format") or "objects", options.get("max_cell")
    return Form(one_of("result_format", kind, FORMATS), None if most is None else whole_above_zero("max_cell", most))


def _mode(options: RunOptions) -> Mode:
    asked = switches(options)
    if asked["dry_run"] and not asked["atomic"]:
        raise RequestInvalid("dry_run and atomic=False exclude each other", hint="a dry run is one transaction")
    if asked["read_only"]:
        return "read_only"
    if asked["dry_run"]:
        return "dry_run"
    return "atomic" if asked["atomic"] else "each"
