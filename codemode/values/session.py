"""What a session is, how two states of one differ, and what its log keeps."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from codemode.values.records import SessionStatus

Change = Literal["added", "removed", "changed"]


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One session as the catalogue knows it; times are ISO 8601 UTC with milliseconds and Z.

    `state` says whether its data is there, `status` also whether it was closed.
    """

    id: str
    tenant: str
    created_at: str
    last_activity: str
    expires_at: str | None
    pinned: bool
    state: Literal["active", "expired"]
    status: SessionStatus
    type: str
    workspace_id: str | None
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
