"""One execution: a snippet runs in a child, its helper calls are answered, and one outcome comes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from msgspec import Struct, structs

from codemode.catalog.sessions import SessionRecord
from codemode.counts import plural
from codemode.database.clock import in_ms, now, sure_ms
from codemode.database.journal import Entry, bounded
from codemode.errors import CodemodeError
from codemode.limits import Limits
from codemode.session.accounts import figures, totals, write_log
from codemode.session.calls import Calls
from codemode.session.confining import sandbox_limits
from codemode.session.idempotency import Keyed
from codemode.session.ids import new_execution_id
from codemode.session.nearness import near_expiry, near_limits
from codemode.session.opened import OpenSession
from codemode.session.request import Request
from codemode.session.results import value_of
from codemode.session.slots import Key
from codemode.session.statements import Statements
from codemode.session.transaction import Transaction
from codemode.values import DatabaseUse, Outcome, Problem, ResultInfo, Totals, Usage
from sandbox import Begun, Cancel, RunOutcome, Snippet


class Runner(Protocol):
    """What runs snippets: a sandbox.Sandbox."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """The names of the active layers."""
        ...

    def begin(self, snippet: Snippet) -> Begun | None:
        """Have a snippet compiled that `run` will ask for."""
        ...

    def run(
        self,
        snippet: Snippet,
        serve: Callable[[str, list[Any]], Any],
        *,
        begun: Begun | None = None,
        on_output: Callable[[str], None] | None = None,
        cancel: Cancel | None = None,
        meanwhile: Callable[[], None] | None = None,
        on_start: Callable[[], None] | None = None,
        keep: Hashable | None = None,
    ) -> RunOutcome:
        """Run one snippet to its end."""
        ...


class _Ran(Struct, frozen=True):
    """A snippet's run that is over, and what goes into the outcome beside it."""

    run: RunOutcome
    isolation: tuple[str, ...]
    started: float  # time.monotonic
    used: float  # time.thread_time, then
    queue_seconds: float
    value: Any
    info: ResultInfo | None


class Execution:
    """One run of one snippet; `run` may be called once, by whoever has the session's turn."""

    def __init__(
        self,
        opened: OpenSession,
        session_id: str,
        request: Request,
        cancel: Cancel,
        metrics: Callable[[Statements], Any],
        execution_id: str | None,
    ) -> None:
        self.id = execution_id or new_execution_id()
        self._opened, self._session_id, self._request, self._cancel = opened, session_id, request, cancel
        self.totals = Totals()  # of this execution, when it is over
        expires_at = opened.record.expires_at
        self._left_seconds = None if expires_at is None else (expires_at - sure_ms()) / 1000
        self._measured = metrics
        self._is_ready = False

    def run(self, runner: Runner, queue_seconds: float, begun: Begun | None = None) -> Outcome:
        """Run the snippet, commit or roll back, write the log, and answer; `begun` is of this request and limits."""
        started, timestamp, used = time.monotonic(), now(), time.thread_time()
        try:
            run = self._run(runner, begun)
        except BaseException:
            if self._is_ready:
                self._calls.pages.close_all()
                self._transaction.finish(keep=False)
            raise
        self._get_ready()  # where no child was asked
        value, info, problem = value_of(run, self._calls.spill)
        text = None if value is None else run.value_json
        ran = _Ran(run, runner.isolation, started, used, queue_seconds, value, info)
        self._calls.pages.close_all()
        problem = problem or self._doom()
        promised = None
        if self._keyed is not None and problem is None and self._transaction.pending:
            # As it will be, so that it commits together with the data: either both are there after a crash, or neither.
            promised = self._outcome(ran, None)
            self._keyed.promise(promised, text)
        problem = self._ended(self._with_progress(problem, run.helper_calls))
        outcome = promised if promised is not None and problem is None else self._outcome(ran, problem)
        if self._keyed is not None:
            passing = run.error is not None and run.error.get("retryable") is True
            outcome = self._keyed.settle(outcome, text if problem is None else None, passing=passing)
        return self._logged(outcome, timestamp)

    def _run(self, runner: Runner, begun: Begun | None) -> RunOutcome:
        """Only this may be cancelled: what follows is short, and commits or rolls back."""
        request, opened, record = self._request, self._opened, self._opened.record
        key = record.tenant, record.id
        opened.deadline.obey(self._cancel)
        try:
            return runner.run(
                begun.snippet if begun is not None else snippet_of(request, key, opened.limits),
                self._served,
                begun=begun,
                on_output=request.on_output,
                cancel=self._cancel,
                meanwhile=self._get_ready,
                on_start=self._start_clock,
                keep=variables_key(record) if record.stateful else None,
            )
        finally:
            opened.deadline.obey(None)

    def _get_ready(self) -> None:
        """Make what answers the child, while the child, which has its code by then, is at work."""
        if self._is_ready:
            return
        opened, request = self._opened, self._request
        opened.history.begin()
        self._transaction = Transaction(opened, request.mode, self.id)
        self._statements = statements = Statements(opened, self._transaction, self.id)
        statements.tally.warn_all(request.warnings, "clamped")
        # Without a way back to this object: what nobody refers to any more goes at once, and no collector looks for it.
        measured = self._measured
        self._calls = Calls(statements, request.host, lambda: measured(statements))
        self._keyed = Keyed(opened, self._transaction, request.key, self.id) if request.key else None
        self._is_ready = True

    def _start_clock(self) -> None:
        self._statements.ends_at = time.monotonic() + self._request.seconds
        self._tell()

    def _served(self, method: str, args: list[Any]) -> Any:
        """The answer to one call, and then the host is told what is new: what it raises is no error of the call."""
        if self._request.on_event is None:
            return self._calls(method, args)
        try:
            return self._calls(method, args)
        finally:
            self._tell()

    def _tell(self) -> None:
        if self._request.on_event is not None:
            for each in self._statements.tally.news():
                self._request.on_event(each)

    def _doom(self) -> Problem | None:
        """What speaks against a good outcome of a snippet that ended well."""
        if not self._transaction.doomed:
            return None
        return Problem(code="sql.runtime", message=self._transaction.doomed, hint="run it without that statement")

    def _with_progress(self, problem: Problem | None, calls: int) -> Problem | None:
        """A timeout says how far the snippet got: its calls, and the last of them that is on the log."""
        if problem is None or problem.code != "code.timeout":
            return problem
        entries = self._statements.tally.entries
        if not entries:
            return problem
        last = f"{entries[-1].kind}: {_on_one_line(entries[-1].statement)}"
        hint = f"{problem.hint}; it had made {plural(calls, 'helper call')}; the last one on its log was {last}"
        return structs.replace(problem, hint=hint)

    def _ended(self, problem: Problem | None) -> Problem | None:
        """End the transaction as the run ended; the problem is the commit's where that fails."""
        try:
            self._transaction.finish(keep=problem is None)
        except CodemodeError as error:
            return Problem(
                code=error.code,
                message=f"the commit failed: {error.message}",
                hint=error.hint,
                retryable=error.retryable or error.hint is not None,
            )
        if problem is None and self._transaction.committed:
            self._statements.analyse_large_load()
        return problem

    def _outcome(self, ran: _Ran, problem: Problem | None) -> Outcome:
        run, info = ran.run, None if problem else ran.info
        use, usage = self._database_use(problem), _usage(ran, info)
        self._warn(run, usage, use, problem)
        return Outcome(
            ok=problem is None,
            status=run.status if run.status != "completed" or problem is None else "error",
            execution_id=self.id,
            session_id=self._session_id,
            result=None if problem else ran.value,
            result_info=info,
            stdout=run.stdout,
            stdout_truncated=run.stdout_truncated,
            db=use,
            usage=usage,
            isolation=ran.isolation,
            warnings=tuple(self._statements.tally.warnings),
            error=problem,
            variables=run.variables,
            variables_reason=run.variables_reason,
        )

    def _warn(self, run: RunOutcome, usage: Usage, use: DatabaseUse, problem: Problem | None) -> None:
        """Everything that the caller should know of, each kind counted."""
        tally, request, limits = self._statements.tally, self._request, self._opened.limits
        tally.warn_all(run.warnings, "value")
        used = figures(tally, usage, use, cut=run.stdout_truncated)
        used["helper_calls"] -= run.streamed_calls
        if run.value_info.get("truncated"):
            used["result_bytes"] = 0  # what is cut says so itself
        bounds = {**structs.asdict(limits), "execution_seconds": request.seconds, "result_bytes": request.result_bytes}
        near = near_limits(used, bounds, problem.code if problem else None)
        for warned in (*near, *near_expiry(self._left_seconds, limits.idle_seconds)):
            if warned.kind not in tally.kinds:  # an outcome that was promised has looked already
                tally.warn(warned.text, warned.kind)

    def _database_use(self, problem: Problem | None) -> DatabaseUse:
        transaction, tally, cost = self._transaction, self._statements.tally, self._opened.meter.cost
        return DatabaseUse(
            committed=transaction.committed or (problem is None and transaction.mode != "dry_run"),
            rolled_back=transaction.rolled_back,
            dry_run=transaction.mode == "dry_run",
            rows_read=tally.rows_read,
            rows_written=tally.rows_written,
            scan_steps=cost.scan_steps,
            vm_steps=cost.vm_steps,
            sorts=cost.sorts,
            auto_indexes=cost.auto_indexes,
            tables_changed=transaction.changed,
            size_bytes=self._opened.size_bytes(),
        )

    def _logged(self, outcome: Outcome, timestamp: str) -> Outcome:
        tally, size = self._statements.tally, outcome.db.size_bytes
        entry = Entry(
            self.id, timestamp, "execution", bounded(self._request.code), outcome.usage.duration_ms, tally.rows_read,
            tally.rows_written, size, outcome.error.code if outcome.error else None,
        )  # fmt: skip
        self.totals = totals(outcome, tally)
        warning = write_log(self._opened, [*tally.entries, entry], self.totals, size, tally.slow)
        return outcome if warning is None else structs.replace(outcome, warnings=(*outcome.warnings, warning))


def snippet_of(request: Request, key: Key, limits: Limits) -> Snippet:
    """What the sandbox runs for a request in a session of this key and these limits.

    Its owner begins with the session's key, as the key of its variables does: they are let go of together.
    """
    bounds = sandbox_limits(limits, request.seconds, request.result_bytes)
    return Snippet(
        code=request.code,
        inputs=request.inputs,
        functions=request.host.names,
        limits=bounds,
        form=request.form,
        owner=(key,),
    )


def variables_key(record: SessionRecord) -> Hashable:
    """Whose variables a child holds: a session that is removed and made anew is another one."""
    return (record.tenant, record.id), record.created_at


def _usage(ran: _Ran, info: ResultInfo | None) -> Usage:
    run = ran.run
    return Usage(
        duration_ms=in_ms(time.monotonic() - ran.started),
        queue_ms=in_ms(ran.queue_seconds),
        cpu_ms=in_ms(run.cpu_seconds),
        worker_cpu_ms=in_ms(time.thread_time() - ran.used),
        peak_memory_bytes=run.peak_memory_bytes,
        helper_calls=run.helper_calls,
        result_bytes=len((run.value_json or "").encode()) if info else 0,
        stdout_bytes=len(run.stdout) if run.stdout.isascii() else len(run.stdout.encode("utf-8", "replace")),
    )


_SHOWN = 200


def _on_one_line(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"
