"""Date functions of other databases as SQLite's: each builder gets its arguments' texts and answers SQL, or None.

None wherever the meaning is not certain: a suggestion that runs and answers something else is worse than none. Dates
are texts here. Whole days are answered as `date(…)`, times as `datetime(…)`; tests/guard/test_mending_functions.py
compares them with Python's own dates.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from codemode.guard.mending.formats import formatted, from_dotnet, from_letters, from_percent, from_strftime
from codemode.guard.mending.tokens import content, is_text, split, tokens

Builder = Callable[[list[str]], str | None]

_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_NUMBERS = {
    "year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S", "doy": "%j", "dow": "%w",
    "isodow": "%u", "isoyear": "%G", "isoweek": "%V",
}  # fmt: skip
_SHORT = {
    "yy": "year", "yyyy": "year", "q": "quarter", "qq": "quarter", "m": "month", "mm": "month", "mon": "month",
    "d": "day", "dd": "day", "dayofyear": "doy", "hh": "hour", "h": "hour", "mi": "minute", "n": "minute",
    "min": "minute", "ss": "second", "s": "second", "sec": "second", "wk": "week", "ww": "week", "isowk": "isoweek",
}  # fmt: skip
_LENGTH = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def unit_of(text: str) -> str:
    """The unit that a word or text names, in singular: `'Days'`, `dd` and `DAY` are `day`."""
    plain = (content(text) if is_text(text) else text).strip().lower()
    plain = _SHORT.get(plain, plain)
    return plain[:-1] if plain.endswith("s") and plain[:-1] in _UNITS else plain


def part(unit: str, value: str) -> str | None:
    """One part of a date as a number, or of the time between two."""
    if unit == "epoch":
        return _epoch(value)
    if between := _between(value):  # the days of a - b; its other parts are what is left of a day
        return f"(unixepoch({between[0]}) - unixepoch({between[1]})) / 86400" if unit == "day" else None
    if age := re.fullmatch(r"AGE\((.+)\)", value.strip(), re.IGNORECASE | re.DOTALL):
        return _years_of_age(unit, split(tokens(age[1])))
    if unit == "quarter":
        return f"(CAST(strftime('%m', {value}) AS INTEGER) + 2) / 3"
    if unit == "dayofweek":
        return f"CAST(strftime('%w', {value}) AS INTEGER) + 1"  # MySQL, BigQuery: Sunday is 1
    code = _NUMBERS.get(unit)
    return f"CAST(strftime('{code}', {value}) AS INTEGER)" if code else None


def _between(value: str) -> list[str] | None:
    """The two times of `a - b`, in brackets or not; None where `value` is something else."""
    inner = value.strip()
    inner = inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner
    sides = split(tokens(inner), "-")
    return sides if len(sides) == 2 and all(sides) and not sides[1].upper().startswith("INTERVAL") else None


def _epoch(value: str) -> str:
    """Seconds, with decimals as elsewhere: what they are divided by is often a whole number."""
    if between := _between(value):
        return f"unixepoch({between[0]}, 'subsec') - unixepoch({between[1]}, 'subsec')"
    return f"unixepoch({value}, 'subsec')"


def _years_of_age(unit: str, args: list[str]) -> str | None:
    """EXTRACT(YEAR FROM AGE(a, b)): timediff begins with the sign and four digits of years."""
    if unit != "year" or len(args) not in (1, 2):
        return None
    later, earlier = args if len(args) == 2 else ("date('now')", args[0])
    return f"CAST(substr(timediff({later}, {earlier}), 1, 5) AS INTEGER)"


def truncated(unit: str, value: str, first_day: int = 1) -> str | None:
    """The beginning of the year, month, … that `value` lies in; `first_day` of a week: 1 is Monday, 0 Sunday."""
    if unit in ("year", "month", "day"):
        return f"date({value})" if unit == "day" else f"date({value}, 'start of {unit}')"
    if unit == "week":
        return f"date({value}, '-6 days', 'weekday {first_day}')"
    if unit == "quarter":
        months = f"((CAST(strftime('%m', {value}) AS INTEGER) - 1) % 3)"
        return f"date({value}, 'start of month', '-' || {months} || ' months')"
    formats = {"hour": "%H:00:00", "minute": "%H:%M:00", "second": "%H:%M:%S"}
    return f"strftime('%Y-%m-%d {formats[unit]}', {value})" if unit in formats else None


def boundaries(unit: str, start: str, end: str) -> str | None:
    """How many beginnings of `unit` lie between two times, as DATEDIFF(unit, start, end) counts."""
    if _is_number(start) or _is_number(end):
        return None
    if unit == "day":
        return f"CAST(julianday(date({end})) - julianday(date({start})) AS INTEGER)"
    if unit == "year":
        return f"CAST(strftime('%Y', {end}) AS INTEGER) - CAST(strftime('%Y', {start}) AS INTEGER)"
    if unit == "month":
        months = "(CAST(strftime('%Y', {0}) AS INTEGER) * 12 + CAST(strftime('%m', {0}) AS INTEGER))"
        return f"{months.format(end)} - {months.format(start)}"
    if unit in ("hour", "minute", "second"):
        return f"(unixepoch({truncated(unit, end)}) - unixepoch({truncated(unit, start)})) / {_LENGTH[unit]}"
    return None


def elapsed(unit: str, start: str, end: str) -> str | None:
    """How many whole units passed between two times, as TIMESTAMPDIFF counts."""
    if unit in _LENGTH:
        return f"(unixepoch({end}) - unixepoch({start})) / {_LENGTH[unit]}"
    between = f"timediff({end}, {start})"  # ±YYYY-MM-DD …
    years = f"CAST(substr({between}, 1, 5) AS INTEGER)"
    if unit == "month":
        return f"{years} * 12 + CAST(substr({between}, 1, 1) || substr({between}, 7, 2) AS INTEGER)"
    return years if unit == "year" else None


def moved(value: str, count: str, unit: str, sign: str) -> str | None:
    """`value` moved by `count` units; months end at the last day of a shorter month, as elsewhere."""
    if unit not in _UNITS or _is_number(value):
        return None
    factor = {"week": 7, "quarter": 3}.get(unit, 1)
    name = {"week": "day", "quarter": "month"}.get(unit, unit) + "s"
    count = content(count) if is_text(count) else count.strip()
    if re.fullmatch(r"[+-]?\d+", count):
        number = int(count) * factor * (-1 if sign == "-" else 1)
        modifier = f"'{number:+d} {name}'"
    else:
        modifier = f"({sign}1 * ({count}){f' * {factor}' if factor > 1 else ''}) || ' {name}'"
    floor = ", 'floor'" if name in ("months", "years") else ""
    if unit in ("hour", "minute", "second") or has_time(value):
        return f"{_flat('datetime', value)}, {modifier}{floor})"
    if is_whole_day(value):
        return f"{_flat('date', value)}, {modifier}{floor})"
    return f"strftime(iif(length({value}) > 10, '%F %T', '%F'), {value}, {modifier}{floor})"  # as exact as it was


def _is_number(value: str) -> bool:
    """Whether it is 0, or -1, which is a day of 1900 in T-SQL and one before Christ here."""
    return value.strip().lstrip("-").isdigit()


def is_whole_day(value: str) -> bool:
    """Whether `value` is a date without a time."""
    return bool(re.fullmatch(r"'\d{4}-\d\d-\d\d'|date\(.*\)", value.strip(), re.IGNORECASE | re.DOTALL))


def has_time(value: str) -> bool:
    """Whether `value` is a date with a time."""
    return bool(re.fullmatch(r"'\d{4}-\d\d-\d\d[ T].+'|datetime\(.*\)", value.strip(), re.IGNORECASE | re.DOTALL))


def _flat(function: str, value: str) -> str:
    """The beginning of a call on `value`; `datetime('now')` and `date('now')` are looked through."""
    inner = re.fullmatch(rf"{function}\(([^()]+)\)", value.strip(), re.IGNORECASE)
    return f"{function}({inner[1] if inner else value}"


_MONTH_END = "'start of month', '+1 month', '-1 day'"


def _name_of(unit: str, value: str) -> str | None:
    return (
        formatted("'%B'", value) if unit == "month" else formatted("'%A'", value) if unit in ("weekday", "dw") else None
    )


def _one(form: str) -> Builder:
    return lambda args: form.format(args[0]) if len(args) == 1 and args[0] else None


def _none(form: str) -> Builder:
    return lambda args: form if args in ([""], []) or args[0].isdigit() else None


def _part_first(args: list[str]) -> str | None:
    return part(unit_of(args[0]), args[1]) if len(args) == 2 else None


def _part_of(unit: str) -> Builder:
    return lambda args: part(unit, args[0]) if len(args) == 1 and args[0] else None


def _date_trunc(args: list[str]) -> str | None:
    if len(args) != 2:
        return None
    if unit_of(args[0]) in _UNITS:
        return truncated(unit_of(args[0]), args[1])
    week = re.fullmatch(r"(?:WEEK\s*\(\s*(MONDAY|SUNDAY)\s*\)|(ISOWEEK)|(WEEK))", args[1].strip(), re.IGNORECASE)
    if week:  # BigQuery's week begins on Sunday
        return truncated("week", args[0], 0 if week[3] or (week[1] or "").upper() == "SUNDAY" else 1)
    return truncated(unit_of(args[1]), args[0])


def _datediff(args: list[str]) -> str | None:
    if len(args) == 2:
        return boundaries("day", args[1], args[0])
    if len(args) != 3:
        return None
    if unit_of(args[2]) in _UNITS and not is_text(args[2]):  # BigQuery: (end, start, unit)
        return boundaries(unit_of(args[2]), args[1], args[0])
    return boundaries(unit_of(args[0]), args[1], args[2])


def _timestampdiff(args: list[str]) -> str | None:
    if len(args) != 3:
        return None
    if unit_of(args[2]) in _UNITS:  # TIMESTAMP_DIFF(end, start, unit)
        return elapsed(unit_of(args[2]), args[1], args[0])
    return elapsed(unit_of(args[0]), args[1], args[2])


def _shifted(sign: str) -> Builder:
    def build(args: list[str]) -> str | None:
        if begins := _beginning(args):
            return begins
        if len(args) == 3 and unit_of(args[0]) in _UNITS:  # DATEADD(day, 7, x)
            return moved(args[2], args[1], unit_of(args[0]), sign)
        interval = re.fullmatch(r"INTERVAL\s+('[^']*'|.+?)\s*([a-z_]+)?", args[-1].strip(), re.IGNORECASE | re.DOTALL)
        if len(args) == 2 and interval:
            return by_interval(args[0], interval[1], interval[2], sign)
        return None

    return build


def _beginning(args: list[str]) -> str | None:
    """DATEADD(month, DATEDIFF(month, 0, x), 0) of T-SQL: the first of the month of x."""
    counted = re.fullmatch(r"DATEDIFF\((.+)\)", args[1].strip(), re.IGNORECASE | re.DOTALL) if len(args) == 3 else None
    inner = split(tokens(counted[1])) if counted else []
    if len(inner) != 3 or not inner[1] == args[2] == "0" or unit_of(inner[0]) != unit_of(args[0]):
        return None
    return truncated(unit_of(args[0]), inner[2]) if unit_of(args[0]) != "week" else None


def seconds_of(amount: str, unit: str | None) -> int | None:
    """The length of an INTERVAL, `'3 days'` or `3` and DAY, where it is always the same."""
    if unit is None and (both := re.fullmatch(r"'\s*(\d+)\s+([a-z]+)\s*'", amount, re.IGNORECASE)):
        amount, unit = both.groups()
    count = content(amount) if is_text(amount) else amount
    length = _LENGTH.get(unit_of(unit)) if unit else None
    return int(count) * length if length and count.strip().isdigit() else None


def by_interval(value: str, amount: str, unit: str | None, sign: str) -> str | None:
    """`value` moved by an INTERVAL: `'3 days'`, or `3` and DAY."""
    if unit is None and (both := re.fullmatch(r"'\s*([+-]?\d+)\s+([a-z]+)\s*'", amount, re.IGNORECASE)):
        amount, unit = both.groups()
    return moved(value, amount, unit_of(unit), sign) if unit else None


def _formatted(convert: Callable[[str], str | None], *, format_first: bool = False) -> Builder:
    def build(args: list[str]) -> str | None:
        if len(args) != 2:
            return None
        value, shape = reversed(args) if format_first else args
        form = convert(shape)
        return formatted(form, value) if form else None

    return build


def _parsed(args: list[str]) -> str | None:
    iso = len(args) == 1 or (len(args) == 2 and args[1].upper() in ("'YYYY-MM-DD'", "'%Y-%M-%D'"))
    return f"date({args[0]})" if iso else None


def _parts_to_date(args: list[str]) -> str | None:
    return f"printf('%04d-%02d-%02d', {', '.join(args)})" if len(args) == 3 else None


def _unixepoch(args: list[str]) -> str | None:
    return f"unixepoch({args[0] or repr('now')})" if len(args) == 1 else None


_NOW = "now getdate sysdate utc_timestamp clock_timestamp getutcdate current_timestamp sysdatetime"
DATE_BUILDERS: dict[str, Builder] = {
    **dict.fromkeys(_NOW.split(), _none("datetime('now')")),
    **dict.fromkeys(("curdate", "today", "current_date"), _none("date('now')")),
    **dict.fromkeys(("curtime", "current_time"), _none("time('now')")),
    **{name: _part_of(name) for name in (*_UNITS, "dayofweek") if name != "week"},
    "isodow": _part_of("isodow"),
    "dayofmonth": _one("CAST(strftime('%d', {}) AS INTEGER)"),
    "dayofyear": _one("CAST(strftime('%j', {}) AS INTEGER)"),
    "weekday": _one("(CAST(strftime('%w', {}) AS INTEGER) + 6) % 7"),  # MySQL: Monday is 0
    "weekofyear": _one("CAST(strftime('%V', {}) AS INTEGER)"),
    "epoch": lambda args: _epoch(args[0]) if len(args) == 1 and args[0] else None,
    "date_part": _part_first,
    "datepart": _part_first,
    **dict.fromkeys(("date_trunc", "datetrunc", "timestamp_trunc", "datetime_trunc"), _date_trunc),
    **dict.fromkeys(("datediff", "date_diff", "datetime_diff"), _datediff),
    **dict.fromkeys(("timestampdiff", "timestamp_diff"), _timestampdiff),
    **dict.fromkeys(("dateadd", "date_add", "adddate", "timestampadd", "timestamp_add", "datetime_add"), _shifted("+")),
    **dict.fromkeys(("date_sub", "subdate", "timestamp_sub", "datetime_sub"), _shifted("-")),
    "date_format": _formatted(from_percent),
    "to_char": _formatted(from_letters),
    **dict.fromkeys(("format_date", "format_timestamp"), _formatted(from_strftime, format_first=True)),
    **dict.fromkeys(("to_date", "str_to_date"), _parsed),
    **dict.fromkeys(("make_date", "datefromparts"), _parts_to_date),
    **dict.fromkeys(("last_day", "eomonth"), _one("date({}, " + _MONTH_END + ")")),
    "datename": lambda args: _name_of(unit_of(args[0]), args[1]) if len(args) == 2 else None,
    "dayname": lambda args: formatted("'%A'", args[0]) if len(args) == 1 else None,
    "monthname": lambda args: formatted("'%B'", args[0]) if len(args) == 1 else None,
    "format": _formatted(from_dotnet),
    "unix_timestamp": _unixepoch,
    **dict.fromkeys(("from_unixtime", "timestamp_seconds"), _one("datetime({}, 'unixepoch')")),
}  # fmt: skip
