"""What an execution answers with, and what is told while it runs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

Status = Literal["completed", "error", "timeout", "cancelled", "rejected"]


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

    HOLDS_ANY: ClassVar[tuple[str, ...]] = ("result",)  # all other fields are text and numbers: see `codemode.plain`

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


def untold(execution_id: str, session_id: str, problem: Problem, status: Status = "error") -> Outcome:
    """The outcome of an execution of which no run told: it waited until it was given up, or its service was gone."""
    return Outcome(
        ok=False, status=status, execution_id=execution_id, session_id=session_id,
        db=DatabaseUse(committed=False), error=problem,
    )  # fmt: skip


def never_ran(execution_id: str, session_id: str) -> Outcome:
    """The outcome of an execution that was cancelled before it had its session's turn."""
    message = "cancelled while it waited for the session's turn"
    problem = Problem(code="code.cancelled", message=message, hint="nothing ran", retryable=True)
    return untold(execution_id, session_id, problem, "cancelled")
