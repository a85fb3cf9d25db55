"""Idempotency keys: the same key answers with the stored outcome and runs nothing, also after a crash.

What is known under a key is looked up by whoever has the session's turn, so a second caller waits for the first, in
whatever process. Where it is stored depends on how the execution ends:

    its end commits data            session.db, in that very transaction: both are there after a crash, or neither
    commit() or atomic=False        a mark in session.db with the first such commit; the outcome as below
    nothing is left to commit       log.db: a failure, a read, a dry run

A mark without an outcome means that the worker died in between. Such an execution is never run again, because a part
of its work is there already; its key answers `code.interrupted`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from codemode.asked import key_text
from codemode.database import idempotency, spill
from codemode.database.clock import in_ms, iso, now, now_ms, sure_ms
from codemode.database.execute import DatabaseError
from codemode.database.idempotency import Kept
from codemode.database.journal import Entry, bounded
from codemode.errors import CodemodeError, RequestInvalid
from codemode.plain import decode
from codemode.session.accounts import write_log
from codemode.session.opened import OpenSession
from codemode.session.transaction import Transaction
from codemode.values import DatabaseUse, Outcome, Problem, Totals

_MESSAGE = 2_000  # of an error, in the part of an outcome that is kept in any case
_PASSING = ("session.", "storage.", "worker.")  # codes of failures that are not the snippet's
_log = logging.getLogger("codemode")
T = TypeVar("T")


class IdempotencyKey(msgspec.Struct, frozen=True):
    """An idempotency key, and what it stands for: a hash of the code, the inputs and the options that matter."""

    text: str
    request: str

    @classmethod
    def of(cls, text: object, *request: Any) -> IdempotencyKey:
        """Check a caller's key; `request` is what must be the same in a retry, as plain data."""
        checked = key_text(text)
        canonical = json.dumps(request, sort_keys=True)
        return cls(checked, hashlib.sha256(canonical.encode()).hexdigest())


class Keyed:
    """The key of one execution that is about to run: keeps its outcome."""

    def __init__(self, opened: OpenSession, transaction: Transaction, key: IdempotencyKey, execution_id: str) -> None:
        self._opened, self._transaction, self._key = opened, transaction, key
        self._mark = Kept(key.request, execution_id, now_ms())
        self._promised: Outcome | None = None
        transaction.before_commit = lambda: self._store(self._mark)

    def promise(self, outcome: Outcome, value_json: str | None) -> None:
        """Commit `outcome` together with the data, when the execution ends now."""
        self._promised = outcome
        kept = self._kept(outcome, value_json)
        self._transaction.before_commit = lambda: self._store(kept)

    def settle(self, outcome: Outcome, value_json: str | None, *, passing: bool) -> Outcome:
        """Keep `outcome` in the log unless it was committed with the data; answers it, with a warning where that fails.

        A failure that was none of the snippet's doing (`passing`, a full disk, a fault of the worker) and left
        nothing behind is not kept: a retry should run.
        """
        if outcome is self._promised:
            return outcome
        error = outcome.error
        if error is not None and not outcome.db.committed and (passing or error.code.startswith(_PASSING)):
            return outcome
        try:
            self._opened.journal.remember(self._key.text, self._kept(outcome, value_json), sure_ms())
        except (DatabaseError, CodemodeError) as error:  # the latter where the file cannot be opened again
            _log.error("an outcome cannot be kept under its key in %s: %s", self._opened.journal.path, error)
            warning = f"this outcome could not be kept under its idempotency key: {error}"
            return msgspec.structs.replace(outcome, warnings=(*outcome.warnings, warning))
        return outcome

    def _kept(self, outcome: Outcome, value_json: str | None) -> Kept:
        core, body = _parted(outcome, value_json)
        return msgspec.structs.replace(self._mark, outcome=core, body=body)

    def _store(self, kept: Kept) -> None:
        with self._opened.guard.engine():
            try:
                idempotency.keep(self._opened.connection, self._key.text, kept, sure_ms())
            except DatabaseError as error:
                raise self._opened.explained(error, "") from None


def replay(opened: OpenSession, session_id: str, key: IdempotencyKey, code: str) -> Outcome | None:
    """The outcome that is kept under `key`, or None; raises RequestInvalid when the key stands for something else."""
    started = time.monotonic()
    kept = _known(opened, key.text)
    if kept is None:
        return None
    if kept.request != key.request:
        raise RequestInvalid(
            f"the idempotency key {key.text!r} stands for another request: {kept.execution_id} of "
            f"{iso(kept.started_at)} had other code, inputs or options",
            hint="use a new key for a new request, and retry with the very same code, inputs and options",
        )
    outcome = _interrupted(kept, session_id) if kept.outcome is None else _joined(kept.outcome, kept.body)
    outcome = _as_reachable(opened, outcome)
    _log_replay(opened, outcome, code, started)
    return outcome


def _as_reachable(opened: OpenSession, outcome: Outcome) -> Outcome:
    """`outcome` without the way to its table, where this is gone, or its name is that of another result by now."""
    info = outcome.result_info
    if info is None or info.handle is None or _in_engine(opened, spill.is_of, info.handle, outcome.execution_id):
        return outcome
    first = (info.how_to_read or "").partition(";")[0]
    told = msgspec.structs.replace(info, handle=None, columns=(), how_to_read=f"{first}; the rest is not kept any more")
    gone = f"{info.handle} does not keep this result any more: newer results, an undo or a restore took its place"
    return msgspec.structs.replace(outcome, result_info=told, warnings=(*outcome.warnings, gone))


def _in_engine(opened: OpenSession, find: Callable[..., T], *args: Any) -> T:
    try:
        with opened.guard.engine():
            return find(opened.connection, *args)
    except DatabaseError as error:
        raise opened.explained(error, "") from None


def _known(opened: OpenSession, key: str) -> Kept | None:
    kept = _in_engine(opened, idempotency.find, key, sure_ms())
    if kept is None or kept.outcome is None:
        kept = opened.journal.recall(key, sure_ms()) or kept
    return kept


def _log_replay(opened: OpenSession, outcome: Outcome, code: str, started: float) -> None:
    spent = in_ms(time.monotonic() - started)
    failed = outcome.error.code if outcome.error else None
    entry = Entry(outcome.execution_id, now(), "replay", bounded(code), spent, error_code=failed)
    write_log(opened, [entry], Totals(), opened.size_bytes())


def _parted(outcome: Outcome, value_json: str | None) -> tuple[str, str]:
    """An outcome as JSON in two parts: the short one that is always kept, and what can be long.

    `value_json` is the result as JSON text, which holds integers of any size.
    """
    error = outcome.error
    short = error and Problem(code=error.code, message=error.message[:_MESSAGE], retryable=error.retryable)
    core = msgspec.structs.replace(
        outcome, result=None, result_info=None, stdout="", warnings=(), error=short, replayed=True
    )
    long = {name: getattr(outcome, name) for name in ("result_info", "stdout", "warnings", "error")}
    rest = json.dumps(msgspec.to_builtins(long), ensure_ascii=False)
    return msgspec.json.encode(core).decode(), f'{{"result": {value_json or "null"}, {rest[1:]}'


def _joined(core: str, body: str | None) -> Outcome:
    outcome = msgspec.json.decode(core, type=Outcome)
    if body is None:
        gone = "the result and the output of this execution had to make room for newer ones; what it changed is there"
        return msgspec.structs.replace(outcome, warnings=(gone,))
    long = decode(body)
    result = long.pop("result")
    return msgspec.structs.replace(
        outcome,
        result=result,
        **{name: msgspec.convert(value, _TYPES[name]) for name, value in long.items()},
    )


_TYPES = {field.name: field.type for field in msgspec.structs.fields(Outcome)}


def _interrupted(kept: Kept, session_id: str) -> Outcome:
    problem = Problem(
        code="code.interrupted",
        message="the worker ended while this execution ran: what it had made permanent by then is there, the rest is"
        " undone, and what it answered is not known",
        hint="look at what is there, and send what is missing under a new key",
    )
    return Outcome(
        ok=False,
        status="error",
        execution_id=kept.execution_id,
        session_id=session_id,
        db=DatabaseUse(committed=True, rolled_back=True),
        error=problem,
        replayed=True,
    )
