"""Frozen structs that cross a boundary: what an execution answers with, and what a session is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

import msgspec

Status = Literal["completed", "error", "timeout", "cancelled", "rejected"]
Change = Literal["added", "removed", "changed"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why an execution failed, and what to do about it; `line` counts in the text as it was submitted.

    `retryable`: running again can go well, as it is where the cause passes (a timeout, a full disk), or changed as
    `hint` and `did_you_mean` say. `suggestion` is what would run instead: with `sql` a statement in its place, or
    several for `script`, which SQLite has prepared; without it a whole snippet, which compiles. Nobody ran it.
    """

    code: str
    message: str
    hint: str | None = None
    did_you_mean: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    line: int | None = None
    sql: str | None = None
    suggestion: str | None = None
    traceback: str | None = None
    retryable: bool = False


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a long insert is: `rows` were taken for `table` so far. Told a few times a second, the newest figure."""

    table: str
    rows: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A warning as it arises; the outcome's `warnings` have it too, unless what it warned of came right after all."""

    text: str


Event = Progress | Notice


class DatabaseUse(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution did to its session's database, counted by SQLite."""

    committed: bool = True
    rolled_back: bool = False
    dry_run: bool = False
    rows_read: int = 0
    rows_written: int = 0
    scan_steps: int = 0
    vm_steps: int = 0
    sorts: int = 0
    auto_indexes: int = 0
    tables_changed: tuple[str, ...] = ()
    size_bytes: int = 0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution cost; `cpu_ms` and memory are the kernel's figures for the child.

    `worker_cpu_ms`: what the worker's own thread used for it, most of it in the guard and in SQLite.
    """

    duration_ms: float = 0.0
    queue_ms: float = 0.0
    cpu_ms: float = 0.0
    worker_cpu_ms: float = 0.0
    peak_memory_bytes: int = 0
    helper_calls: int = 0
    result_bytes: int = 0
    stdout_bytes: int = 0


class ResultColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the table that keeps a result; type ANY holds values of several types."""

    name: str
    type: str


class ResultInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What `result` is: its type, its rows where it has any, and whether it is whole.

    `truncated`: there is more than `result` holds, which is `shown` rows or characters. `format` is that of rows where
    another one than objects was asked for, and `clipped_cells` how many of their texts end in how much is missing.
    `handle` is the table of the session that keeps all of it, with `columns`; `bytes` is the table's size then,
    otherwise that of the result as JSON. `how_to_read` is one line of words and SQL.
    """

    type: str
    row_count: int | None = None
    truncated: bool = False
    shown: int | None = None
    format: str | None = None
    clipped_cells: int = 0
    handle: str | None = None
    bytes: int = 0
    columns: tuple[ResultColumn, ...] = ()
    how_to_read: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The one envelope that every execution answers with."""

    ok: bool
    status: Status
    execution_id: str
    session_id: str
    result: Any = None
    result_info: ResultInfo | None = None
    stdout: str = ""
    stdout_truncated: bool = False
    db: DatabaseUse = DatabaseUse()
    usage: Usage = Usage()
    isolation: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: Problem | None = None
    replayed: bool = False
    variables: Literal["kept", "fresh"] | None = None
    variables_reason: str | None = None


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant may use of the service; 0 is no bound."""

    sessions: int = 0
    bytes: int = 0
    executions: int = 0
    executions_per_minute: int = 0


class TenantUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant uses now; None is not counted, since no quota bounds it."""

    sessions: int
    bytes: int
    executions: int | None = None
    executions_left: int | None = None


class TenantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant of the service: what it may use, and what it uses."""

    id: str
    quotas: Quotas
    use: TenantUse


class ParticipantInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A user or agent who takes part in a session, or did until `left_at`."""

    user_id: str
    role: Literal["owner", "member", "viewer"]
    joined_at: str
    left_at: str | None = None


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be known of a token; its secret was shown once."""

    id: str
    tenant: str
    name: str
    scopes: tuple[str, ...]
    user: str | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act: who (a token's id, "local", or "os:" and a user of the machine) did what to what, when, how it ended."""

    id: int
    at: str
    tenant: str
    actor: str
    action: str
    resource: str
    outcome: str
    address: str | None
    agent: str | None


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One session as the catalogue knows it; times are ISO 8601 UTC with milliseconds and Z."""

    id: str
    tenant: str
    created_at: str
    last_activity: str
    expires_at: str | None
    pinned: bool
    state: Literal["active", "expired"]
    size_bytes: int
    stateful: bool = False
    owner: str | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A named copy of a session's data, kept with the session."""

    name: str
    created_at: str
    size_bytes: int


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back or done again: an execution, a host's call, or a restore; and when it was made."""

    what: str
    execution_id: str | None
    timestamp: str


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is not in a backup, or was not restored from one, and why: an error code and its message.

    `session.not_found` and `session.expired` are sessions that went while the backup was made.
    """

    tenant: str
    id: str
    code: str
    message: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was written and read back; `data_bytes` are the sizes of the files in it, `size_bytes` its own.

    `left_out`: sessions that are not in it. `notes`: what is missing of those that are.
    """

    file: str
    created_at: str
    size_bytes: int
    data_bytes: int
    sessions: int
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every session is in it that could be: one that went meanwhile could not."""
        return all(each.code in ("session.not_found", "session.expired") for each in self.left_out)


class RestoredSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a backup and what was done with it, under the id that it has now; `as_of` is its data's time."""

    tenant: str
    id: str
    done: Literal["made", "replaced", "skipped"]
    as_of: str


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did; `catalog`: tokens, tenants and the audit log came back too."""

    file: str
    sessions: tuple[RestoredSession, ...]
    catalog: bool = False


class ColumnsDifference(msgspec.Struct, frozen=True, kw_only=True):
    """How the columns of one table differ, by name; `changed` ones have another type, default, NOT NULL or key."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class SchemaDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One table, index, view or trigger that was added, removed or changed; its definition on both sides, clipped."""

    type: str
    name: str
    change: Change
    before: str | None = None
    after: str | None = None
    columns: ColumnsDifference | None = None


class TableDifference(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one table differ, matched by `key`: exact counts, and a few of the rows, long values clipped.

    A changed row of the sample has its `key` and, `before` and `after`, the values that differ. `note` says why rows
    could not be matched.
    """

    table: str
    key: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    added_sample: tuple[dict[str, Any], ...] = ()
    removed_sample: tuple[dict[str, Any], ...] = ()
    changed_sample: tuple[dict[str, Any], ...] = ()
    note: str | None = None


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What leads from one state of a session to another; without `complete` there may be more than what was found."""

    tables: tuple[TableDifference, ...] = ()
    schema: tuple[SchemaDifference, ...] = ()
    complete: bool = True


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a session's execution log, as the table `execution_logs` holds it."""

    id: int
    execution_id: str
    timestamp: str
    kind: str
    statement: str
    duration_ms: float
    rows_read: int
    rows_written: int
    size_bytes: int
    error_code: str | None


class Totals(msgspec.Struct, frozen=True):
    """What executions, and calls of the host, cost together; `peak_memory_bytes` is the largest of one execution.

    `warnings`: how often each kind of warning was given.
    """

    executions: int = 0
    rows_read: int = 0
    rows_written: int = 0
    failed: int = 0
    vm_steps: int = 0
    scan_steps: int = 0
    sorts: int = 0
    auto_indexes: int = 0
    helper_calls: int = 0
    duration_ms: float = 0.0
    cpu_ms: float = 0.0
    worker_cpu_ms: float = 0.0
    result_bytes: int = 0
    stdout_bytes: int = 0
    slow_statements: int = 0
    peak_memory_bytes: int = 0
    warnings: dict[str, int] = {}

    def plus(self, more: Totals) -> Self:
        """These and `more` together."""
        sums = {name: getattr(self, name) + getattr(more, name) for name in _SUMMED}
        kinds = self.warnings.keys() | more.warnings.keys()
        return msgspec.structs.replace(
            self,
            **sums,
            peak_memory_bytes=max(self.peak_memory_bytes, more.peak_memory_bytes),
            warnings={kind: self.warnings.get(kind, 0) + more.warnings.get(kind, 0) for kind in sorted(kinds)},
        )


_SUMMED = tuple(name for name in Totals.__struct_fields__ if name not in ("peak_memory_bytes", "warnings"))


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What the sessions of a tenant, or of one of its users, hold and have cost.

    `pinned` ones are among the `sessions` that are active. `size_bytes` is what the databases take on disk. `usage` is
    what the last 400 days cost; of a whole tenant that includes sessions that are gone.
    """

    sessions: int
    pinned: int
    expired: int
    size_bytes: int
    usage: Totals


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker holds at one moment, of all tenants together.

    `sessions`: how many are `active`, `pinned` among them, and `expired`; `open` have their files open. `children`: how
    many are `ready`, `busy` and `kept`, none before the first execution. `layers`: which layers of confinement are
    active; empty until then. `last_backup`: when the newest scheduled one was made, in seconds since 1970; 0 for never.
    """

    sessions: dict[str, int]
    open: int
    children: dict[str, int]
    layers: dict[str, bool]
    free_bytes: int
    last_backup: float
    backup_failing: bool


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one execution, or "host" for all calls of the host, did to one table.

    `inserted`, `updated`, `deleted`: rows, as SQLite counted them, `upserted` where an upsert did one or the other.
    `uncounted`: triggers or foreign keys may have changed further rows.
    """

    table: str
    execution_id: str
    first_at: str
    last_at: str
    inserted: int
    updated: int
    deleted: int
    upserted: int
    uncounted: bool
    created_at: str | None
    altered_at: str | None
    dropped_at: str | None


KEPT_DAYS = 400  # a year, and what it takes to compare with the year before


class Day(Totals, frozen=True, kw_only=True):
    """The totals of one day, UTC; `size_bytes` of the database at its end."""

    day: str
    size_bytes: int = 0

    def with_another(self, other: Day) -> Day:
        """This day of one session and of another together: their sizes too."""
        return msgspec.structs.replace(self.plus(other), size_bytes=self.size_bytes + other.size_bytes)


def summed(days: Iterable[Day]) -> list[Day]:
    """`days` of several sessions, those of one date together, oldest first."""
    by_day: dict[str, Day] = {}
    for each in days:
        known = by_day.get(each.day)
        by_day[each.day] = each if known is None else known.with_another(each)
    return [by_day[day] for day in sorted(by_day)]


class SizeAt(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a session's database from `timestamp` on."""

    timestamp: str
    size_bytes: int


class SlowStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement that took longer than the setting `slow_statement_ms`, with the lines of its plan.

    The plan is the one that SQLite would choose directly afterwards; empty where it no longer prepares.
    """

    execution_id: str
    timestamp: str
    statement: str
    duration_ms: float
    vm_steps: int
    scan_steps: int
    sorts: int
    auto_indexes: int
    plan: tuple[str, ...] = ()


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of confinement as `codemode doctor` reports it."""

    name: str
    active: bool
    required: bool
    why: str
