"""Frozen structs that cross a boundary: what executions, sessions, tenants and backups look like from outside."""

from __future__ import annotations

from codemode.values.access import AuditEntry, ParticipantInfo, Quotas, TenantInfo, TenantUse, TokenInfo
from codemode.values.backup import Backup, LeftOut, Restored, RestoredSession
from codemode.values.costs import KEPT_DAYS, Day, SizeAt, SlowStatement, Sum, TableChange, Totals, summed
from codemode.values.holdings import Holdings, Layer, Stats
from codemode.values.outcome import (
    DatabaseUse,
    Event,
    Notice,
    Outcome,
    Problem,
    Progress,
    ResultColumn,
    ResultInfo,
    Status,
    Usage,
    never_ran,
    untold,
)
from codemode.values.session import (
    Change,
    Checkpoint,
    ColumnsDifference,
    Differences,
    LogEntry,
    SchemaDifference,
    SessionInfo,
    TableDifference,
    Undone,
)

__all__ = [
    "KEPT_DAYS",
    "AuditEntry",
    "Backup",
    "Change",
    "Checkpoint",
    "ColumnsDifference",
    "DatabaseUse",
    "Day",
    "Differences",
    "Event",
    "Holdings",
    "Layer",
    "LeftOut",
    "LogEntry",
    "Notice",
    "Outcome",
    "ParticipantInfo",
    "Problem",
    "Progress",
    "Quotas",
    "Restored",
    "RestoredSession",
    "ResultColumn",
    "ResultInfo",
    "SchemaDifference",
    "SessionInfo",
    "SizeAt",
    "SlowStatement",
    "Stats",
    "Status",
    "Sum",
    "TableChange",
    "TableDifference",
    "TenantInfo",
    "TenantUse",
    "TokenInfo",
    "Totals",
    "Undone",
    "Usage",
    "never_ran",
    "summed",
    "untold",
]
