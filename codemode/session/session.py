"""One session as its host sees it: run snippets in it, call its database, look at its log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Unpack

import msgspec

from codemode import tracing
from codemode.catalog.sessions import SessionRecord
from codemode.database import metrics
from codemode.database.clock import iso, sure_ms
from codemode.database.execute import DatabaseError
from codemode.database.usage import thinned
from codemode.errors import WorkerUnavailable
from codemode.limits import Limits
from codemode.loading import loading_late
from codemode.session.accounts import told, write_log
from codemode.session.calls import Calls
from codemode.session.checkpoint_calls import CheckpointCalls
from codemode.session.execution import Execution, Runner, snippet_of
from codemode.session.file_calls import FileCalls
from codemode.session.host import HostFunctions
from codemode.session.host_calls import LocalChannel
from codemode.session.idempotency import replay
from codemode.session.ids import new_execution_id
from codemode.session.log_calls import LogCalls
from codemode.session.nearness import Warned, expires_soon, near_limits
from codemode.session.opened import OpenSession, Reader
from codemode.session.provenance import HOST
from codemode.session.registry import Registry
from codemode.session.request import Request, RunOptions, checked_request
from codemode.session.statements import Statements
from codemode.session.tally import Tally
from codemode.session.transaction import Transaction
from codemode.session.turn import GivenUp
from codemode.tracing import span
from codemode.values import Notice, Outcome, never_ran
from sandbox import Begun, Cancel, SandboxUnavailable

# Loaded by the calls that need it: a process that runs one snippet has no event loop, no file and no call of its own.
if TYPE_CHECKING:
    from codemode.session.running import Ended, Place, Running
    from sandbox.helpers import Helpers

_log = logging.getLogger("codemode")
_NOT_BEGUN = nullcontext(None)
_SIZES = 20  # points of the size's history among the metrics: a model reads them


class Host(Protocol):
    """What a session needs of its worker."""

    registry: Registry

    @property
    def sandbox(self) -> Runner:
        """What runs snippets."""
        ...

    @property
    def started_sandbox(self) -> Runner | None:
        """The same where it runs already; never waits."""
        ...


class Session(CheckpointCalls, FileCalls, LogCalls):
    """A tenant's named working memory; made by `Worker.session`, safe to use from several threads."""

    def __init__(self, worker: Host, tenant: str, session_id: str, limits: Limits) -> None:
        self.id, self.tenant, self.limits = session_id, tenant, limits
        self._worker, self._registry = worker, worker.registry
        self._key = (tenant, session_id)

    def __repr__(self) -> str:
        return f"<Session {self.id}>"

    def run(self, code: str, **options: Unpack[RunOptions]) -> Outcome:
        """Run a snippet and answer with its outcome: all or nothing, unless `atomic` is False.

        `options`: `inputs` (a dict of variables), `functions` (a dict of what it may call), `timeout` in seconds,
        `atomic`, `dry_run`, `read_only`, `max_result_bytes`, `result_format`, `max_cell`, `on_output`, `on_event` and
        `idempotency_key`. A snippet that fails is an outcome with `ok` False. Raises RequestInvalid for a wrong
        argument, SessionBusy when the session's turn does not come within `queue_seconds`, and the other session
        errors.
        """
        request = checked_request(self.limits, code, options)
        asked, stop, seconds = time.monotonic(), Cancel(), self.limits.queue_seconds
        try:
            with self._begun(request) as begun, self._registry.turn(self._key, seconds, stop=stop) as opened:
                outcome = self._execute(opened, request, time.monotonic() - asked, begun, stop)
        except GivenUp:
            outcome = never_ran(new_execution_id(), self.id)
        self._told(outcome)
        return outcome

    async def run_async(self, code: str, **options: Unpack[RunOptions]) -> Outcome:
        """The same as `run` without blocking the event loop; asynchronous `functions` run on the caller's loop.

        Waiting for the session's turn holds no thread. Cancelling the task cancels the execution.
        """
        import asyncio

        running = self.begin(code, self._told, **options)
        try:
            return await running.outcome()
        except asyncio.CancelledError:
            # Its thread cannot be left behind: it has the session's turn. End its child and wait for the rollback.
            await running.end()
            raise

    def begin(
        self,
        code: str,
        ended: Ended | None = None,
        place: Place | None = None,
        answers: Callable[[str], object] | None = None,
        **options: Unpack[RunOptions],
    ) -> Running:
        """Ask for an execution from a running event loop: its id at once, its outcome when it is over.

        `ended` gets the outcome before anybody else has it, in the thread of the execution: what is written of it then
        keeps no event loop waiting. It begins in the loop's next step, when it has the session's turn and `place`.
        `answers` gets the id that the outcome will have, in that thread, when it has its turn: of an earlier execution
        where its idempotency key has an outcome. Raises RequestInvalid for a wrong argument; what `run` raises beside
        it comes with the outcome.
        """
        import asyncio

        from codemode.session.running import Anywhere, Running

        request = checked_request(self.limits, code, options, asyncio.get_running_loop())
        asked, seconds, where = time.monotonic(), self.limits.queue_seconds, place or Anywhere()
        with ExitStack() as opening:  # where it comes to nothing, nothing stays in use
            slot = opening.enter_context(self._registry.slots.used(self._key))  # while its queue is waited in
            # First of all: waking and compiling takes a child longer than all else that comes before the snippet.
            early = opening.enter_context(self._begun(request)) if where.is_free else None
            running = Running(new_execution_id(), self.id, where, request.host.give_up, ended)
            held = opening.pop_all()

        def execute(begun: Begun | None) -> Outcome:
            try:
                with self._registry.turn(self._key, seconds, granted=True, stop=running.stop) as opened:
                    waited = time.monotonic() - asked
                    outcome = self._execute(opened, request, waited, begun, running.stop, running.id, answers)
                    if ended is not None:
                        ended(outcome)
                    if place is not None:  # a service's: its caller's next request comes when the turn is given back
                        running.tell(outcome)
            except GivenUp:
                outcome = never_ran(running.id, self.id)
                if ended is not None:
                    ended(outcome)
            return outcome

        def prepare(held: ExitStack) -> Callable[[], Outcome]:
            return partial(execute, early or held.enter_context(self._begun(request, granted=True)))

        running.begin(slot.queue, seconds, held, prepare)
        return running

    def cancel(self) -> bool:
        """End the running execution, from another thread; whether it ends cancelled: one that commits already stays."""
        return self._registry.cancel(self._key)

    def compact(self) -> dict[str, int]:
        """Give free pages back to the disk; answers the size in bytes `before` and `after`."""
        with loading_late():
            from codemode.database import compact

        with self._registry.turn(self._key, self.limits.queue_seconds) as opened:
            try:
                opened.history.cut("the session was compacted after it")
                sizes = compact.compact(opened.files.database, opened.limits, opened.files.unfinished)
                opened.used = 0, sizes["after"]
                return sizes
            except DatabaseError as error:
                raise opened.explained(error, "VACUUM") from None

    def _sibling(self, session_id: str) -> Session:
        record = self._registry.record((self.tenant, session_id))
        return Session(self._worker, self.tenant, session_id, self._registry.limits(record))

    def _begun(self, request: Request, *, granted: bool = False) -> AbstractContextManager[Begun | None]:
        """Have the snippet compiled while its turn is taken, where that is likely to come at once.

        It runs in the turn and not before. One that has an idempotency key may not have to run at all.
        """
        sandbox = self._worker.started_sandbox
        if sandbox is None or request.key is not None or not self._registry.is_free(self._key, granted=granted):
            return _NOT_BEGUN
        try:
            return sandbox.begin(snippet_of(request, self._key, self.limits)) or _NOT_BEGUN
        except SandboxUnavailable:  # whoever runs it says so
            return _NOT_BEGUN

    def _execute(
        self,
        opened: OpenSession,
        request: Request,
        queue_seconds: float,
        begun: Begun | None,
        cancel: Cancel,
        execution_id: str | None = None,
        answers: Callable[[str], object] | None = None,
    ) -> Outcome:
        known = None if request.key is None else replay(opened, self.id, request.key, request.code)
        if answers is not None and execution_id is not None:
            answers(execution_id if known is None else known.execution_id)
        if known is not None:
            _tell_again(known, request)
            return known
        if opened.limits != self.limits:  # lowered meanwhile: it was handed over with others
            begun = None
        execution = Execution(opened, self.id, request, cancel, self._metrics, execution_id)
        ids = {"codemode.session.id": self.id, "codemode.execution.id": execution.id}
        try:
            with span("execution", ids) as traced, opened.history.recording(execution.id, "execution"):
                outcome = execution.run(self._worker.sandbox, queue_seconds, begun)
                if tracing.is_on():
                    traced.set(told(outcome))
                if outcome.error is not None:
                    traced.fail(outcome.error.code)
        except SandboxUnavailable as error:
            raise WorkerUnavailable(
                f"the snippet did not run: {error}",
                hint="try again; where it stays so, raise the limit of open files or processes",
            ) from None
        self._registry.account.ended(outcome, execution.totals)
        return outcome

    @contextmanager
    def _turn(self) -> Iterator[Calls]:
        """A turn and a transaction for calls of the host itself: kept when the block ends well."""
        turn = self._registry.turn(self._key, self.limits.queue_seconds)
        with turn as opened, opened.history.recording("", HOST):
            opened.history.begin()
            transaction = Transaction(opened, "atomic")
            statements = Statements(opened, transaction, HOST)
            calls = Calls(statements, HostFunctions(), lambda: self._metrics(statements))
            kept = False
            try:
                yield calls
                kept = True
            finally:
                calls.pages.close_all()
                try:
                    transaction.finish(keep=kept)
                    if kept:
                        statements.analyse_large_load()
                finally:
                    tally = statements.tally
                    more = tally.totals(opened.meter.cost)
                    write_log(opened, tally.entries, more, opened.size_bytes(), tally.slow)
                    self._registry.account.add(more)

    @contextmanager
    def _helpers(self, *, read_only: bool = False) -> Iterator[Helpers]:
        with loading_late():
            from codemode.complaints import as_error
            from sandbox.helpers import HelperError, Helpers

        try:
            if not read_only:
                with self._turn() as calls:
                    helpers = Helpers(LocalChannel(calls))
                    yield helpers
                    self._tell(helpers.warnings, calls.statements.tally)
                return
            with self._registry.reading(self._key) as reader, reader.still():
                yield Helpers(LocalChannel(self._reading(reader)))
        except HelperError as error:
            raise as_error(error) from None

    def _tell(self, warnings: list[str], tally: Tally) -> None:
        """What a host's call did not store as it came is logged: not every call's answer has room for it."""
        tally.warn_all(warnings, "value")
        for text in warnings:
            _log.warning("session %s: %s", self.id, text)

    def _told(self, outcome: Outcome) -> None:
        self._registry.telling.ended(self.tenant, outcome)

    def _used(self) -> None:
        self._registry.touch(self._key)

    def _reading(self, reader: Reader) -> Calls:
        statements = Statements(reader, Transaction(reader, "read_only"), HOST)
        return Calls(statements, HostFunctions(), lambda: self._metrics(statements))

    def _pages(self, sql: str, params: Any, size: int) -> Iterator[tuple[list[str], list[Any]]]:
        statement = self._asked(sql, params)
        # A connection of its own: it stays open while the caller takes its time, and nobody waits for it.
        with closing(self._registry.new_reader(self._key)) as reader, reader.still(), ExitStack() as last:
            calls = self._reading(reader)
            # By itself: where the garbage collector ends a forgotten iterator, apsw has lost sight of the cursor that
            # it would close together with the connection, which fails then and ends the process a moment later.
            last.callback(calls.pages.close_all)
            started = calls.answer("db.pages_open", [*statement, size])
            self._used()
            while True:
                page = calls.answer("db.pages_next", [started["cursor"]])
                yield started["columns"], list(zip(*page["values"], strict=True))
                if page["done"]:
                    return

    def _asked(self, sql: Any, params: Any) -> tuple[str, Any]:
        """A statement with its parameters, as every other call of the host sends them."""
        with loading_late():
            from codemode.complaints import as_error
            from sandbox.helpers import HelperError
            from sandbox.helpers.db import wire_statement

        try:
            return wire_statement(sql, params, lambda text: _log.warning("session %s: %s", self.id, text))
        except HelperError as error:
            raise as_error(error) from None

    def _metrics(self, statements: Statements) -> dict[str, Any]:
        """What get_metrics answers; called with the engine's rights on the statements' connection."""
        record = self._registry.known(self._key)
        journal, connection, tally = statements.opened.journal, statements.opened.connection, statements.tally
        totals = journal.totals().plus(tally.totals(statements.opened.meter.cost))
        size, limits = metrics.size_bytes(connection), msgspec.to_builtins(statements.opened.limits)
        return {
            "session_id": self.id,
            "database_size": size,
            "last_activity": iso(record.last_activity),
            "expires_at": None if record.expires_at is None else iso(record.expires_at),
            "tables": metrics.table_sizes(connection),
            "execution_logs": journal.count(),
            "rows_read": totals.rows_read,
            "rows_written": totals.rows_written,
            "usage": msgspec.to_builtins(totals),
            "size_history": msgspec.to_builtins(thinned(journal.sizes(), _SIZES)),
            "limits": limits,
            "warnings": [warned.text for warned in _standing(record, size, limits)],
        }


def _standing(record: SessionRecord, size: int, limits: dict[str, Any]) -> Iterator[Warned]:
    """What is near a limit whether or not anything runs."""
    yield from near_limits({"database_bytes": size}, limits)
    left = None if record.expires_at is None else (record.expires_at - sure_ms()) / 1000
    yield from expires_soon(left)


def _tell_again(known: Outcome, request: Request) -> None:
    """What a caller who repeats an execution would have heard."""
    if request.on_output is not None and known.stdout:
        request.on_output(known.stdout)
    if request.on_event is not None:
        for text in known.warnings:
            request.on_event(Notice(text=text))
