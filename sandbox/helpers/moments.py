"""Dates as SQLite keeps them, ISO text or Unix seconds, and the periods that they fall into."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from sandbox.helpers.quoting import invalid
from sandbox.helpers.spelling import closest, did_you_mean

_PERIODS = {
    "year": "strftime('%Y', {0}, 'unixepoch')",
    "quarter": "strftime('%Y-Q', {0}, 'unixepoch') || ((strftime('%m', {0}, 'unixepoch') + 2) / 3)",
    "month": "strftime('%Y-%m', {0}, 'unixepoch')",
    "week": "strftime('%G-W%V', {0}, 'unixepoch')",
    "day": "strftime('%Y-%m-%d', {0}, 'unixepoch')",
    "hour": "strftime('%Y-%m-%d %H:00', {0}, 'unixepoch')",
}
_MILLISECONDS = 100_000_000_000  # a number beyond this counts milliseconds: as seconds it lies after the year 5138
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400.0  # seconds: no date can be had of the day after the last one


def seconds_of(column: str) -> str:
    """SQL for the Unix seconds of a date in `column`; NULL for text that is no date."""
    # Text must begin like a date: SQLite would take "2013" for a Julian day and "12:00" for a time in 2000. And its day
    # must be one of its month: SQLite takes February 30 for March 2.
    day = f"substr({column}, 1, 10)"
    is_date = f"{column} GLOB '[0-9][0-9][0-9][0-9]-*' AND (substr({column}, 9, 2) < '29' OR date({day}) = {day})"
    return (
        f"CASE typeof({column})"
        f" WHEN 'text' THEN CASE WHEN {is_date} THEN unixepoch({column}) END"
        f" WHEN 'blob' THEN NULL"
        f" ELSE CASE WHEN abs({column}) >= {_MILLISECONDS} THEN {column} / 1000 ELSE {column} END END"
    )


def period_text(period: Any, seconds: str) -> str:
    """SQL for the name of the period in which `seconds` lie."""
    known = period.lower() if isinstance(period, str) else ""
    if known not in _PERIODS:
        meant = closest(str(period), _PERIODS)
        hint = did_you_mean(meant) or f"use one of {', '.join(_PERIODS)}"
        raise invalid(f"unknown period {period!r}", hint, meant)
    return _PERIODS[known].format(seconds)


def between(first: Any, last: Any) -> Iterator[tuple[str, float]]:
    """Comparisons (operator, Unix seconds) that keep dates from `first` to `last`, both inclusive; None is open."""
    if first is not None:
        yield ">=", _span(first, "min_date")[0]
    if last is not None:
        start, following = _span(last, "max_date")
        yield ("<=", start) if following is None else ("<", following)


def _span(bound: Any, what: str) -> tuple[float, float | None]:
    """The seconds at which `bound` begins, and, where it is a whole day, month or year, those after its end."""
    if isinstance(bound, (int, float)) and not isinstance(bound, bool):
        return bound / 1000 if abs(bound) >= _MILLISECONDS else bound, None
    if isinstance(bound, str):
        bound = _parsed(bound.strip(), what)
    if isinstance(bound, tuple):
        return _seconds(bound[0]), _seconds(bound[1]) + _DAY
    if isinstance(bound, datetime):
        return _seconds(bound), None
    if isinstance(bound, date):
        return _seconds(bound), _seconds(bound) + _DAY
    raise invalid(f"{what} must be a date, ISO text or Unix seconds, not {bound!r}")


def _parsed(text: str, what: str) -> Any:
    """The moment or the day that is written; of a month or a year its first and its last day."""
    try:
        if len(text) == 4:
            year = int(text)
            return date(year, 1, 1), date(year, 12, 31)
        if len(text) == 7 and text[4] == "-":
            start = date.fromisoformat(f"{text}-01")
            return start, start.replace(day=monthrange(start.year, start.month)[1])
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{what} {text!r} is no ISO date", hint='write "2013-01-31" or "2013-01-31 17:00"') from None


def _seconds(moment: date) -> float:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if moment.tzinfo is None:  # as SQLite does: a time without a zone is UTC
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH).total_seconds()
