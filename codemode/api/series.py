"""What `GET /metrics` tells, as data: each series with its meaning, its labels and where its figure comes from.

Every label has a closed set of values that this code names: no tenant, no id, no SQL, nothing that a request or a child
brings. The figures are those that the worker keeps anyway.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from codemode import __version__
from codemode.api.traffic import Traffic
from codemode.session.accounts import Account
from codemode.session.durations import Durations
from codemode.session.nearness import KINDS
from codemode.values import Holdings, Status

OTHER = "other"
FAMILIES = ("none", "code", "sql", "request", "session", "storage", "worker", OTHER)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one scrape reads."""

    account: Account
    traffic: Traffic
    holdings: Holdings
    pending: int


Labels = tuple[str, ...]
Figure = float | Durations | Mapping[Labels, float] | Mapping[Labels, Durations]


@dataclass(frozen=True, slots=True)
class Series:
    """One series; its figure is one number or durations, or one for the values of each of `labels`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    figure: Callable[[Seen], Figure]
    labels: tuple[str, ...] = ()


def _executions(seen: Seen) -> Mapping[Labels, float]:
    """What a child says of itself is checked, and checked once more here: it must not be able to make a series."""
    found: Counter[Labels] = Counter({("error", "worker"): 0})  # before there is one: see `Traffic.counts`
    for (status, family), number in seen.account.ends().items():
        known = status if status in get_args(Status) else OTHER
        found[known, family if family in FAMILIES else OTHER] += number
    return found


def _warnings(seen: Seen) -> Mapping[Labels, float]:
    found: Counter[Labels] = Counter({(kind,): 0 for kind in KINDS})
    for kind, number in seen.account.totals.warnings.items():
        found[(kind if kind in KINDS else OTHER,)] += number
    return found


def _total(field: str) -> Callable[[Seen], float]:
    return lambda seen: float(getattr(seen.account.totals, field))


def _requests(seen: Seen) -> Mapping[Labels, float]:
    return {labels: float(number) for labels, number in seen.traffic.counts.items()}


def _request_seconds(seen: Seen) -> Mapping[Labels, Durations]:
    return {(name,): took for name, took in seen.traffic.seconds.items() if took.read()[0][-1]}


def _labelled(figures: Mapping[str, float]) -> Mapping[Labels, float]:
    return {(name,): figure for name, figure in figures.items()}


def _cpu(seen: Seen) -> Mapping[Labels, float]:
    totals = seen.account.totals
    return {("child",): totals.cpu_ms / 1000, ("worker",): totals.worker_cpu_ms / 1000}


def _build(_seen: Seen) -> Mapping[Labels, float]:
    return {(__version__, platform.python_version()): 1}


SERIES = (
    Series("codemode_build_info", "gauge", "1; the versions are its labels.", _build, ("version", "python")),
    Series(
        "codemode_http_requests_total",
        "counter",
        "Requests by operation and class of status.",
        _requests,
        ("operation", "status"),
    ),
    Series(
        "codemode_http_request_seconds",
        "histogram",
        "How long requests took, streams and uploads to their end.",
        _request_seconds,
        ("operation",),
    ),
    Series(
        "codemode_http_requests_in_progress",
        "gauge",
        "Requests that are being served.",
        lambda seen: seen.traffic.in_progress,
    ),
    Series(
        "codemode_http_received_bytes_total",
        "counter",
        "Bytes of the bodies of requests.",
        lambda seen: seen.traffic.bytes_in,
    ),
    Series(
        "codemode_http_sent_bytes_total",
        "counter",
        "Bytes of the bodies of answers, as they were sent.",
        lambda seen: seen.traffic.bytes_out,
    ),
    Series(
        "codemode_executions_total",
        "counter",
        "Executions that ran, by status and first part of the error's code.",
        _executions,
        ("status", "error"),
    ),
    Series(
        "codemode_execution_run_seconds",
        "histogram",
        "How long executions ran, their wait for a child included.",
        lambda seen: seen.account.ran,
    ),
    Series(
        "codemode_execution_queue_seconds",
        "histogram",
        "How long executions waited for their session's turn.",
        lambda seen: seen.account.waited,
    ),
    Series(
        "codemode_execution_cpu_seconds_total",
        "counter",
        "Processor time of executions, by where it was used.",
        _cpu,
        ("where",),
    ),
    Series("codemode_helper_calls_total", "counter", "Helper calls of snippets.", _total("helper_calls")),
    Series("codemode_rows_read_total", "counter", "Rows that statements answered.", _total("rows_read")),
    Series(
        "codemode_rows_written_total",
        "counter",
        "Rows that statements changed, undone ones too.",
        _total("rows_written"),
    ),
    Series(
        "codemode_scan_steps_total",
        "counter",
        "Rows that SQLite read one by one, for want of an index.",
        _total("scan_steps"),
    ),
    Series(
        "codemode_slow_statements_total",
        "counter",
        "Statements that took longer than slow_statement_ms.",
        _total("slow_statements"),
    ),
    Series("codemode_result_bytes_total", "counter", "Bytes of results.", _total("result_bytes")),
    Series(
        "codemode_stdout_bytes_total", "counter", "Bytes of printed text that outcomes carried.", _total("stdout_bytes")
    ),
    Series("codemode_warnings_total", "counter", "Warnings that executions were given, by kind.", _warnings, ("kind",)),
    Series(
        "codemode_background_pending",
        "gauge",
        "Executions in the background that wait or run.",
        lambda seen: seen.pending,
    ),
    Series(
        "codemode_sessions",
        "gauge",
        "Sessions by state; pinned ones are active too.",
        lambda seen: _labelled(seen.holdings.sessions),
        ("state",),
    ),
    Series(
        "codemode_sessions_open",
        "gauge",
        "Sessions that have a place in this process, most with open files.",
        lambda seen: seen.holdings.open,
    ),
    Series(
        "codemode_children",
        "gauge",
        "Children that are ready, busy with an execution, or kept with variables.",
        lambda seen: _labelled(seen.holdings.children),
        ("state",),
    ),
    Series(
        "codemode_isolation_layer",
        "gauge",
        "1 where a layer of confinement is active; none before the first child.",
        lambda seen: _labelled({name: int(active) for name, active in seen.holdings.layers.items()}),
        ("layer",),
    ),
    Series(
        "codemode_data_free_bytes",
        "gauge",
        "Free bytes of the file system of the data directory.",
        lambda seen: seen.holdings.free_bytes,
    ),
    Series(
        "codemode_last_backup_timestamp_seconds",
        "gauge",
        "When the newest scheduled backup was made, in seconds since 1970; 0 for never.",
        lambda seen: seen.holdings.last_backup,
    ),
    Series(
        "codemode_backup_failing",
        "gauge",
        "1 where the newest scheduled backup failed, or lacks a session that cannot be read.",
        lambda seen: int(seen.holdings.backup_failing),
    ),
)
