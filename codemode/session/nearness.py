"""Which limits an execution came close to: pure, from its figures to its warnings.

A kind of warning is named for the limit that it warns of, so that operators can count them by limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

NEAR = 0.8  # of a limit: late enough to matter, early enough to act
SCAN_STEPS = 1_000_000  # of one statement: some 50 to 100 ms of reading rows one by one
EXPIRY_SECONDS = 3_600.0
_NAMES, _NAME = 5, 60  # shown in a warning: how many, and their characters

# What the figure is, and what to do before the limit is met.
_ADVICE = {
    "rows": ("of one answer", "read on with helpers.db.pages(sql), or aggregate in SQL"),
    "query_seconds": ("in one statement", "helpers.db.explain(sql) says what it reads whole"),
    "execution_seconds": ("for this execution", "do it in several executions, or in fewer and larger helper calls"),
    "helper_calls": ("in this execution", "use batch_insert, batch or one larger statement instead of a loop"),
    "memory_bytes": ("above the interpreter's own", "keep data in tables, read it with pages(), aggregate in SQL"),
    "state_bytes": ("in one value of the state", "keep large data in a table and only its name in the state"),
    "database_bytes": ("in the session's database", "delete what is not needed, or drop tables"),
    "result_bytes": ("in the result", "return less, or keep it in a table"),
    "stdout_bytes": ("printed", "print less, or keep it in a table"),
}

KINDS = (*_ADVICE, "idle_seconds", "scan", "truncated", "result", "value", "clamped", "meaning", "other")

# These errors say themselves which limit was met: to warn of it too would be noise.
_TOLD_BY = {
    "code.timeout": "execution_seconds",
    "code.memory": "memory_bytes",
    "code.call_limit": "helper_calls",
    "code.output_limit": "result_bytes",
    "sql.timeout": "query_seconds",
    "sql.disk_quota": "database_bytes",
}


class Warned(msgspec.Struct, frozen=True):
    """One warning and its kind."""

    kind: str
    text: str


def near_limits(used: Mapping[str, float], limits: Mapping[str, float], error: str | None = None) -> Iterator[Warned]:
    """A warning for each figure of `used` at 80 % or more of the limit of its name, and still below it.

    Times are seconds, sizes bytes. `error` is the code of the execution's error, if it failed.
    """
    for kind, figure in used.items():
        if not figure:
            continue
        limit = limits[kind]
        if limit * NEAR <= figure < limit and kind != _TOLD_BY.get(error or ""):
            where, advice = _ADVICE[kind]
            share = f"{100 * figure / limit:.0f} %"
            amount = f"{_amount(kind, figure)} of {_amount(kind, limit)}"
            yield Warned(kind, f"{kind} is near its limit: {amount} {where} ({share}); {advice}")


def near_expiry(left_seconds: float | None, idle_seconds: float) -> Iterator[Warned]:
    """A warning where the session had less than an hour left; None is a pinned one, which never expires.

    Its use counts from here: it has `idle_seconds` again.
    """
    if left_seconds is None or left_seconds > EXPIRY_SECONDS:
        return
    again = _duration(idle_seconds)
    if idle_seconds <= EXPIRY_SECONDS:
        text = f"this session and its data expire when nobody uses it for {again}"
    else:
        text = f"this session was {_duration(left_seconds)} from expiring with its data; now it has {again} again"
    yield Warned("idle_seconds", f"{text}; pin it to keep it (codemode sessions pin)")


def expires_soon(left_seconds: float | None) -> Iterator[Warned]:
    """The same for whoever only looks at the session, which is no use of it."""
    if left_seconds is not None and left_seconds <= EXPIRY_SECONDS:
        text = f"this session and its data expire in {_duration(left_seconds)} unless it is used; use it or pin it"
        yield Warned("idle_seconds", text)


def large_scan(steps: int, scans: Sequence[str], tables: Sequence[str]) -> Warned:
    """The warning for a statement that read `scans` row by row, `steps` rows in all.

    A plan has the names that the statement gave its tables; `tables` are their own.
    """
    what = _listed(scans or tables) or "a table"
    if not set(scans) <= set(tables):
        what += f" ({_listed(tables)})"
    return Warned(
        "scan",
        f"one statement read {steps:,} rows of {what} one by one; helpers.db.explain(sql) says why, and which index"
        " would help",
    )


def _listed(names: Sequence[str]) -> str:
    """A few names, however many and long they are: anybody may have made them up."""
    shown = [name if len(name) <= _NAME else f"{name[:_NAME]}…" for name in names[:_NAMES]]
    return ", ".join([*shown, "…"] if len(names) > _NAMES else shown)


def _amount(kind: str, figure: float) -> str:
    if kind.endswith("_seconds"):
        return f"{figure:,.1f} s"
    if kind.endswith("_bytes"):
        return f"{figure / 1e6:,.1f} MB" if figure >= 1e5 else f"{figure / 1e3:,.1f} kB"
    return f"{figure:,.0f}"


def _duration(seconds: float) -> str:
    if seconds >= 7_200:
        return f"{seconds / 3_600:,.0f} hours"
    return f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{max(0.0, seconds):,.0f} s"
