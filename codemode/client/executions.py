"""Executions as requests: the body of one, its outcome, and what is told while it runs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from codemode.asked import (
    above_zero,
    code_text,
    inputs_text,
    key_text,
    known_options,
    one_of,
    switches,
    whole_above_zero,
)
from codemode.client.ask import Ask, Call, converted, document, query_of, stranger
from codemode.client.calls import Place
from codemode.client.lines import ServerEvents
from codemode.errors import ExecutionNotFound, RequestInvalid
from codemode.values import Event, Notice, Outcome, Progress
from sandbox.form import FORMATS

# The arguments of Session.run; a test compares them.
OPTIONS = (
    "inputs", "functions", "timeout", "atomic", "dry_run", "read_only", "max_result_bytes", "result_format", "max_cell",
    "on_output", "on_event", "idempotency_key",
)  # fmt: skip
LONGEST_WAIT = 60  # seconds that the service lets one look at an execution wait
_EVENTS: dict[str, type[Progress | Notice]] = {"progress": Progress, "warning": Notice}
Mode = Literal["sync", "stream", "background"]


class ExecutionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something told of an execution while it runs.

    `name`: started, stdout (`data["text"]`), progress, warning, and at the end outcome, with `outcome`.
    """

    name: str
    data: Any
    outcome: Outcome | None = None


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """An execution in the background, as the service tells of it."""

    execution_id: str
    session_id: str
    state: Literal["pending", "done"]
    outcome: Outcome | None = None


def execute(place: Place, code: Any, options: dict[str, Any], mode: Mode, *, retried: bool) -> Ask:
    """The request for one execution.

    Where it may be `retried` it gets an idempotency key of its own, unless the caller chose one: a retry then answers
    with the outcome of the first attempt, where that one ended well. What writes nothing needs none.
    """
    known_options(options, OPTIONS)
    if options.get("functions"):
        raise RequestInvalid(
            "functions cannot be lent over HTTP: the snippet runs where your process is not",
            hint="pass what they would answer as inputs or insert it first; or run an embedded Worker for this",
        )
    key = options.get("idempotency_key")
    asked = switches(options)
    idle = asked["read_only"] or asked["dry_run"]
    if key is None and retried and not idle:
        key = f"client-{uuid.uuid4()}"
    timeout, most, cell = (options.get(name) for name in ("timeout", "max_result_bytes", "max_cell"))
    fields: dict[str, Any] = {
        "code": code_text(code),
        "inputs": msgspec.Raw(inputs_text(options.get("inputs") or {}).encode()),
        "timeout_ms": None if timeout is None else above_zero("timeout", timeout) * 1000.0,
        **asked,
        "max_result_bytes": None if most is None else int(above_zero("max_result_bytes", most)),
        "result_format": one_of("result_format", options.get("result_format") or "objects", FORMATS),
        "max_cell": None if cell is None else whole_above_zero("max_cell", cell),
        "idempotency_key": None if key is None else key_text(key),
        "mode": mode,
    }
    return Ask(
        method="POST", path=f"{place.path}/execute", body=document(**fields), seconds=place.seconds,
        safe=key is not None or idle,
    )  # fmt: skip


def listens(options: Mapping[str, Any]) -> bool:
    """Whether a caller wants to hear of an execution while it runs."""
    return options.get("on_output") is not None or options.get("on_event") is not None


def outcome_of(document: Any) -> Outcome:
    """The outcome that a document holds, equal to the one that an embedded session would have answered with."""
    return msgspec.convert(document, Outcome)


def outcome_call(ask: Ask) -> Call[Outcome]:
    """An execution that is waited for."""
    return Call(ask, outcome_of)


def background_call(ask: Ask) -> Call[Background]:
    """An execution that is begun and left to itself."""
    return Call(ask, converted(Background))


def _path(execution_id: str) -> str:
    if not isinstance(execution_id, str) or not re.fullmatch(r"\w{1,64}", execution_id, re.ASCII):
        raise ExecutionNotFound(f"there is no execution {str(execution_id)[:60]} in the background")
    return f"/v1/executions/{execution_id}"


def whole_seconds(wait: float) -> int:
    """How long one look waits of so many seconds."""
    return round(min(LONGEST_WAIT, max(0, wait)))


def look(execution_id: str, wait: float) -> Call[Background]:
    """Look at an execution in the background, and wait for its end for so many seconds."""
    whole = whole_seconds(wait)
    ask = Ask(method="GET", path=_path(execution_id), query=query_of(wait=whole), safe=True, seconds=whole)
    return Call(ask, converted(Background))


def end(execution_id: str) -> Call[Background]:
    """End an execution in the background; ending it twice is the same as once."""
    return Call(Ask(method="DELETE", path=_path(execution_id), safe=True, seconds=60.0), converted(Background))


def cancel(place: Place) -> Call[bool]:
    """End whatever runs in the session."""
    return place.post("cancel", lambda found: bool(found["cancelled"]))


class Events:
    """Reads what is told of one execution, line by line, until its outcome."""

    def __init__(self) -> None:
        self._told = ServerEvents()
        self._over = False

    def feed(self, line: bytes) -> Iterator[ExecutionEvent]:
        """The event that ends with this line; raises the CodemodeError that a problem tells of."""
        for name, data in self._told.feed(line):
            self._over = name == "outcome"
            yield ExecutionEvent(name=name, data=data, outcome=outcome_of(data) if self._over else None)

    def end(self) -> None:
        """Raise WorkerUnreachable unless the outcome came."""
        if not self._over:
            raise stranger("an execution that is followed to no end")


class Listener:
    """Tells a caller's functions what happens; what was printed once, however often the execution has to be begun."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._on_output: Callable[[str], None] = options.get("on_output") or _ignored
        self._on_event: Callable[[Event], None] = options.get("on_event") or _ignored
        self._told = self._seen = 0  # characters told in all, and seen in this attempt
        self._outcome: Outcome | None = None

    def take(self, event: ExecutionEvent) -> None:
        """Hand on what was not handed on before."""
        if event.name == "started":
            self._seen = 0
        elif event.name == "stdout":
            self._printed(event.data["text"])
        elif event.name in _EVENTS:
            self._on_event(msgspec.convert(event.data, _EVENTS[event.name]))
        self._outcome = event.outcome or self._outcome

    def _printed(self, text: str) -> None:
        fresh = text[max(0, self._told - self._seen) :]
        self._seen += len(text)
        self._told = max(self._told, self._seen)
        if fresh:
            self._on_output(fresh)

    def outcome(self) -> Outcome:
        """The outcome, which has come."""
        assert self._outcome is not None
        return self._outcome


def _ignored(_: Any) -> None:
    """For what nobody asked to hear."""
