"""The account of an execution, or of a call of the host: its figures in one place, and into the session's log."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable

from codemode.database.execute import DatabaseError
from codemode.database.journal import Entry
from codemode.errors import CodemodeError
from codemode.session.durations import Durations
from codemode.session.opened import OpenSession
from codemode.session.tally import Tally
from codemode.tracing import Value
from codemode.values import DatabaseUse, Outcome, SlowStatement, Sum, Totals, Usage

# The limit counts from above this: what a snippet that does nothing takes, some 26 MiB, and what is left to it beside.
_OWN_BYTES = 34 * 1024 * 1024
_log = logging.getLogger("codemode")


class Account:
    """What a worker did since it started; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sum = Sum()
        self._ends: Counter[tuple[str, str]] = Counter()
        self.ran, self.waited = Durations(), Durations()  # executions: with their child, and for their session's turn

    def add(self, more: Totals) -> None:
        """Add one call of the host."""
        with self._lock:
            self._sum.add(more)

    def ended(self, outcome: Outcome, more: Totals) -> None:
        """Add one execution."""
        family = outcome.error.code.partition(".")[0] if outcome.error else "none"
        with self._lock:
            self._sum.add(more)
            self._ends[outcome.status, family] += 1
        self.ran.add(outcome.usage.duration_ms / 1000)
        self.waited.add(outcome.usage.queue_ms / 1000)

    def ends(self) -> dict[tuple[str, str], int]:
        """How many executions ended with each status and first part of an error's code, "none" without an error."""
        with self._lock:
            return dict(self._ends)

    @property
    def totals(self) -> Totals:
        """The sum so far."""
        with self._lock:
            return self._sum.totals()


def figures(tally: Tally, usage: Usage, use: DatabaseUse, *, cut: bool) -> dict[str, float]:
    """What an execution used, by the name of the limit that bounds it; printed text that was `cut` says so itself."""
    return {
        "rows": 0 if "truncated" in tally.kinds else tally.most_rows,
        "query_seconds": tally.longest_seconds,
        "execution_seconds": usage.duration_ms / 1000,
        "helper_calls": usage.helper_calls,
        "memory_bytes": max(0, usage.peak_memory_bytes - _OWN_BYTES),
        "state_bytes": tally.largest_state,
        "database_bytes": use.size_bytes,
        "result_bytes": usage.result_bytes,
        "stdout_bytes": 0 if cut else usage.stdout_bytes,
    }


def totals(outcome: Outcome, tally: Tally) -> Totals:
    """One execution as an addition to its session's totals."""
    use, usage = outcome.db, outcome.usage
    return Totals(
        executions=1,
        failed=0 if outcome.ok else 1,
        rows_read=use.rows_read,
        rows_written=use.rows_written,
        vm_steps=use.vm_steps,
        scan_steps=use.scan_steps,
        sorts=use.sorts,
        auto_indexes=use.auto_indexes,
        helper_calls=usage.helper_calls,
        duration_ms=usage.duration_ms,
        cpu_ms=usage.cpu_ms,
        worker_cpu_ms=usage.worker_cpu_ms,
        result_bytes=usage.result_bytes,
        stdout_bytes=usage.stdout_bytes,
        slow_statements=tally.slow_statements,
        peak_memory_bytes=usage.peak_memory_bytes,
        warnings=dict(tally.kinds),
    )


def told(outcome: Outcome) -> dict[str, Value]:
    """What a span says of an execution that is over: how it went and what it cost, nothing of what it answered."""
    return {
        "codemode.status": outcome.status,
        "codemode.queue_ms": outcome.usage.queue_ms,
        "codemode.cpu_ms": outcome.usage.cpu_ms,
        "codemode.helper_calls": outcome.usage.helper_calls,
        "codemode.rows_read": outcome.db.rows_read,
        "codemode.rows_written": outcome.db.rows_written,
    }


def write_log(
    opened: OpenSession, entries: Iterable[Entry], more: Totals, size: int, slow: Iterable[SlowStatement] = ()
) -> str | None:
    """Write `entries` and `slow`, and add `more`; a log that cannot be written is a warning, never a lost outcome."""
    opened.used = more.executions + (opened.used[0] if opened.used else 0), size
    for entry in entries:
        entry.size_bytes = size
    try:
        opened.journal.write(entries, more, size, slow)
    except (DatabaseError, CodemodeError) as error:  # the latter where the file cannot be opened again
        _log.error("the execution log %s cannot be written: %s", opened.journal.path, error)
        return f"this execution could not be written to the log: {error}"
    return None
