"""The time between two dates: here dates are texts, and one less another is years.

Read behind the rest of a rewriting, which has made `date(…)` of casts and literals.
"""

from __future__ import annotations

from collections.abc import Callable

from codemode.guard.mending.dates import has_time, is_whole_day, moved, seconds_of
from codemode.guard.mending.tokens import (
    following,
    operand_after,
    operand_before,
    preceding,
    split,
    tokens,
    word,
)

_MOST = 60  # of one statement


def with_spans(text: str) -> str | None:
    """`text` with its differences of dates as numbers; None where one is left that counts years."""
    said = _changed(_changed(text, _compared_with_a_span, _of_a_frame), _between_days)
    parts = tokens(said)
    signs = (at for at, part in enumerate(parts) if part in "+-")
    return None if any(_is_day(side) or has_time(side) for at in signs for side in _sides(parts, at)) else said


def _changed(text: str, *changes: Callable[[list[str], int], bool]) -> str:
    parts, at, left = tokens(text), 0, _MOST
    while at < len(parts) and left > 0:
        before = len(parts)
        if any(change(parts, at) for change in changes):
            at, left = max(at - (before - len(parts)), 0), left - 1
        at += 1
    return "".join(parts)


def _is_day(value: str) -> bool:
    return is_whole_day(value) or value.upper() == "CURRENT_DATE"


def _between_days(parts: list[str], at: int) -> bool:
    """date(a) - date(b), date(a) + 7."""
    if parts[at] not in "+-":
        return False
    left, right = _sides(parts, at)
    if not _is_day(left):
        return False
    said = None
    if right.isdigit():
        said = moved(left, right, "day", parts[at])
    elif parts[at] == "-" and _is_day(right):
        said = f"CAST(julianday({left}) - julianday({right}) AS INTEGER)"
    return said is not None and _put(parts, operand_before(parts, at), operand_after(parts, at), said)


def _compared_with_a_span(parts: list[str], at: int) -> bool:
    """a - b > INTERVAL '30 minutes': in seconds."""
    sign = preceding(parts, at)
    if word(parts, at) != "INTERVAL" or word(parts, sign) not in (">", "<", ">=", "<=", "=", "<>", "!="):
        return False
    last, seconds = _span(parts, at)
    start = operand_before(parts, sign)
    if seconds is None or start is None:
        return False
    if parts[start] == "(":
        sides = split(parts[start + 1 : preceding(parts, sign)], "-")
    else:
        minus = preceding(parts, start)
        first = operand_before(parts, minus) if word(parts, minus) == "-" else None
        if first is None:
            return False
        sides, start = ["".join(parts[first:minus]).strip(), "".join(parts[start:sign]).strip()], first
    if len(sides) != 2 or not all(sides):
        return False
    between = " - ".join(f"unixepoch({side}, 'subsec')" for side in sides)
    return _put(parts, start, last, f"{between} {parts[sign]} {seconds}")


def _of_a_frame(parts: list[str], at: int) -> bool:
    """ORDER BY x RANGE BETWEEN INTERVAL '30 days' PRECEDING …: the same in seconds."""
    if word(parts, at) != "INTERVAL":
        return False
    last, seconds = _span(parts, at)
    if seconds is None or word(parts, following(parts, last)) not in ("PRECEDING", "FOLLOWING"):
        return False
    range_at = next((place for place in range(at - 1, -1, -1) if word(parts, place) == "RANGE"), -1)
    ordered = next((place for place in range(range_at - 1, -1, -1) if word(parts, place) == "ORDER"), -1)
    by = following(parts, ordered)
    key = "".join(parts[by + 1 : range_at]).strip()
    if not 0 <= ordered < range_at or word(parts, by) != "BY" or "," in key or key.count("(") != key.count(")"):
        return False
    name, _, order = key.partition(" ")
    if order.upper().strip() not in ("", "ASC", "DESC"):
        return False
    counted = key if name.startswith("unixepoch(") else f"unixepoch({name}){f' {order}' if order else ''}"
    _put(parts, at, last, str(seconds))
    return _put(parts, by + 1, range_at - 1, f" {counted} ")


def _span(parts: list[str], at: int) -> tuple[int, int | None]:
    """Where the INTERVAL at `at` ends, and its length in seconds where that is always the same."""
    amount = following(parts, at)
    unit = following(parts, amount)
    seconds = seconds_of(parts[amount], None) if amount < len(parts) else None
    if seconds is not None or unit >= len(parts):
        return amount, seconds
    return unit, seconds_of(parts[amount], parts[unit])


def _sides(parts: list[str], at: int) -> tuple[str, str]:
    """The operands of the sign at `at`; empty where it stands between none."""
    start, end = operand_before(parts, at), operand_after(parts, at)
    if start is None or end is None:
        return "", ""
    return "".join(parts[start:at]).strip(), "".join(parts[at + 1 : end + 1]).strip()


def _put(parts: list[str], start: int | None, last: int | None, said: str) -> bool:
    if start is None or last is None:
        return False
    parts[start : last + 1] = [said]
    return True
