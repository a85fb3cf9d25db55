"""Foreign functions and operators of a statement rewritten where they stand; the rest of its text stays as it is.

From the right to the left, so that what stands inside a call is rewritten before the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from codemode.guard.mending import functions
from codemode.guard.mending.dates import DATE_BUILDERS, by_interval, part, unit_of
from codemode.guard.mending.patterns import matched
from codemode.guard.mending.spans import with_spans
from codemode.guard.mending.tokens import (
    bracketed,
    changed_outside,
    closing,
    content,
    following,
    is_text,
    is_word,
    operand_after,
    operand_before,
    preceding,
    split,
    tokens,
    top_level,
    word,
)
from codemode.guard.scan import depth

_BUILDERS = {**functions.BUILDERS, **DATE_BUILDERS}
# Several aggregates: FILTER and OVER would belong to the last alone.
_IN_PIECES = "stddev stdev stddev_samp std stddev_pop stdevp variance var_samp var var_pop varp corr"
_AGGREGATES_IN_PIECES = frozenset(_IN_PIECES.split())
# A builder may write its argument down several times: lpad(lpad(lpad(… would grow without end, and each rewriting
# reads what it has written. (`test_hostile_statements_are_given_up_in_time`)
_LONGEST, _MOST_REWRITES, _DEEPEST = 4_000, 60, 20
Parts = list[str]
Rewrite = Callable[[Parts, int], bool]


def rewritten(text: str) -> str:
    """`text` with every foreign function and operator that has an exact counterpart written SQLite's way."""
    if depth(text) > _DEEPEST:
        return text
    before, after, left = "", text, _MOST_REWRITES
    while after != before and left > 0 and len(after) <= 2 * _LONGEST:
        before, (after, left) = (
            after,
            _rewritten_once(after, left),
        )  # what stood inside of what was rewritten as a whole
    changed = with_spans(_with_intervals(after))
    return text if changed in (None, text) else _compared_as_times(changed)


def _rewritten_once(text: str, left: int) -> tuple[str, int]:
    parts = tokens(text)
    at = len(parts) - 1
    while at >= 0 and left > 0:
        if at < len(parts) and any(rewrite(parts, at) for rewrite in _REWRITES):
            left -= 1
        at -= 1
    return "".join(parts), left


def _with_intervals(text: str) -> str:
    """From the left to the right, behind everything else: what an interval is added to may be another such sum."""
    parts = tokens(text)
    at, left = 0, _MOST_REWRITES
    while at < len(parts) and left > 0:
        if _interval(parts, at):
            left, at = left - 1, 0
        at += 1
    return "".join(parts)


def _call(parts: Parts, at: int) -> bool:
    """NAME(a, b) of another database."""
    name, opened = parts[at].lower(), at + 1
    if name not in _BUILDERS or word(parts, opened) != "(" or parts[at][:1] in "'\"`[":
        return _bare_word(parts, at)
    closed = closing(parts, opened)
    before = word(parts, preceding(parts, at))
    if closed is None or before in (".", "TABLE", "INTO", "INDEX", "VIEW", "JOIN"):
        return False
    args = split(parts[opened + 1 : closed])
    if name in _AGGREGATES_IN_PIECES and word(parts, following(parts, closed)) in ("OVER", "FILTER"):
        return False
    if args[0][:9].upper() == "DISTINCT " and name not in ("array_agg", "json_agg", "jsonb_agg", "any_value"):
        return False
    if name == "rand" and "BY" in (before, word(parts, preceding(parts, preceding(parts, at)))):
        return _replace(parts, at, closed, "random()")
    return _replace(parts, at, closed, _BUILDERS[name](args))


def _bare_word(parts: Parts, at: int) -> bool:
    """SYSDATE and its like without brackets."""
    if word(parts, at) in ("SYSDATE", "SYSTIMESTAMP", "LOCALTIMESTAMP") and word(parts, at + 1) != "(":
        return _replace(parts, at, at, "datetime('now')")
    return False


def _within(parts: Parts, at: int) -> bool:
    """LISTAGG, STRING_AGG and PERCENTILE_CONT … WITHIN GROUP (ORDER BY x)."""
    if word(parts, at) not in ("LISTAGG", "STRING_AGG", "GROUP_CONCAT", "PERCENTILE_CONT", "PERCENTILE_DISC", "MODE"):
        return False
    opened = following(parts, at)
    closed = closing(parts, opened) if word(parts, opened) == "(" else None
    if closed is None:
        return False
    args, name = split(parts[opened + 1 : closed]), parts[at].lower()
    within = following(parts, closed)
    if word(parts, within) != "WITHIN":
        return _plain_list(parts, at, closed, args)
    group = following(parts, following(parts, within))
    ended = closing(parts, group) if word(parts, group) == "(" else None
    order = re.fullmatch(r"\s*ORDER\s+BY\s+(.+)", "".join(parts[group + 1 : ended]), re.IGNORECASE | re.DOTALL)
    if ended is None or order is None:
        return False
    if name.startswith("percentile"):
        value = re.sub(r"\s+ASC\s*$", "", order[1], flags=re.IGNORECASE).strip()
        other = re.search(r"\s+DESC\s*$", value, re.IGNORECASE) or re.match(r"ARRAY\b|\[|json", args[0], re.IGNORECASE)
        return _replace(parts, at, ended, None if other else f"{name}({value}, {args[0]})")
    if name == "mode":
        return False
    separator = args[1] if len(args) > 1 else "''" if name == "listagg" else "','"
    return _replace(parts, at, ended, f"group_concat({args[0]}, {separator} ORDER BY {order[1].strip()})")


def _plain_list(parts: Parts, at: int, closed: int, args: list[str]) -> bool:
    """GROUP_CONCAT(x ORDER BY y SEPARATOR ';') of MySQL; LISTAGG(x, ', ') without an order."""
    if args[0][:9].upper() == "DISTINCT " and word(parts, following(parts, closed)) not in ("FILTER", "OVER"):
        return _replace(parts, at, closed, _distinct_list(", ".join(args)))
    if word(parts, at) == "LISTAGG" and len(args) in (1, 2):
        return _replace(parts, at, closed, f"group_concat({', '.join([*args, repr('')][:2])})")
    found = re.fullmatch(
        r"(DISTINCT\s+)?(.+?)(\s+ORDER\s+BY\s+.+?)?\s+SEPARATOR\s+('(?:[^']|'')*')",
        ", ".join(args),
        re.IGNORECASE | re.DOTALL,
    )
    if word(parts, at) != "GROUP_CONCAT" or found is None:
        return False
    if found[1]:  # SQLite separates distinct values by commas only
        return found[4] == "','" and _replace(parts, at, closed, f"group_concat(DISTINCT {found[2]}{found[3] or ''})")
    return _replace(parts, at, closed, f"group_concat({found[2]}, {found[4]}{found[3] or ''})")


_DISTINCT = re.compile(
    r"DISTINCT\s+(?P<value>.+?)(?:\s*,\s*(?P<mark>'(?:[^']|'')*'))?(?:\s+ORDER\s+BY\s+(?P<order>.+?)(?P<down>\s+DESC|\s+ASC)?)?"
    r"(?:\s+SEPARATOR\s+(?P<separator>'(?:[^']|'')*'))?",
    re.IGNORECASE | re.DOTALL,
)


def _distinct_list(said: str) -> str | None:
    """DISTINCT x, '; ' ORDER BY x: SQLite separates distinct values by commas only, so they go through JSON."""
    found = _DISTINCT.fullmatch(said)
    mark = (found["mark"] or found["separator"]) if found else None
    if found is None or mark in (None, "','") or (found["order"] and found["order"] != found["value"]):
        return None
    order = f" ORDER BY value{found['down'] or ''}" if found["order"] else ""
    return f"(SELECT group_concat(value, {mark}{order}) FROM json_each(json_group_array(DISTINCT {found['value']})))"


def _special_call(parts: Parts, at: int) -> bool:
    """EXTRACT(YEAR FROM x), POSITION(a IN b), SUBSTRING(x FROM 2), TRIM(BOTH ' ' FROM x), COUNT(DISTINCT a, b)."""
    name, opened = word(parts, at), at + 1
    if name not in ("EXTRACT", "POSITION", "SUBSTRING", "TRIM", "CAST", "COUNT") or word(parts, opened) != "(":
        return False
    closed = closing(parts, opened)
    if closed is None:
        return False
    inner = parts[opened + 1 : closed]
    if name == "EXTRACT" and (middle := top_level(inner, "FROM")) is not None:
        unit, value = unit_of("".join(inner[:middle]).strip()), "".join(inner[middle + 1 :]).strip()
        return _replace(parts, at, closed, part(unit, value))
    if name == "POSITION" and (middle := top_level(inner, "IN")) is not None:
        sought, value = "".join(inner[:middle]).strip(), "".join(inner[middle + 1 :]).strip()
        return _replace(parts, at, closed, f"instr({value}, {sought})")
    if name == "CAST":
        middle = top_level(inner, "AS")
        kind = "".join(inner[middle + 1 :]) if middle is not None else ""
        return functions.is_of_days(kind) and _replace(
            parts, at, closed, functions.cast("".join(inner[:middle]).strip(), kind)
        )
    if name in ("SUBSTRING", "TRIM"):
        return _replace(parts, at, closed, _part_of_text(inner) if name == "SUBSTRING" else _trimmed(inner))
    args = split(inner)
    if name == "COUNT" and len(args) > 1 and args[0][:9].upper() == "DISTINCT ":
        values = map(bracketed, (args[0][9:], *args[1:]))  # a row with a NULL is not counted elsewhere either
        return _replace(parts, at, closed, f"count(DISTINCT {' || char(31) || '.join(values)})")
    return False


def _part_of_text(inner: Parts) -> str | None:
    """x FROM 2 FOR 3, x FOR 3; of regular expressions only x FROM '@(.*)'."""
    start, length = top_level(inner, "FROM"), top_level(inner, "FOR")
    if start is None and length is None:
        return None
    value = "".join(inner[: start if start is not None else length]).strip()
    first = "".join(inner[start + 1 : length]).strip() if start is not None else "1"
    count = "".join(inner[length + 1 :]).strip() if length is not None else None
    if is_text(first):
        return functions.behind(value, first) if length is None else None
    if length is not None and start is not None and length < start:
        return None
    return f"substr({', '.join(filter(None, (value, first, count)))})"


_TRIMS = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}


def _trimmed(inner: Parts) -> str | None:
    """BOTH 'x' FROM y."""
    middle = top_level(inner, "FROM")
    if middle is None:
        return None
    side = word(inner, following(inner, -1))
    what = "".join(inner[following(inner, -1) + 1 : middle] if side in _TRIMS else inner[:middle]).strip()
    value = "".join(inner[middle + 1 :]).strip()
    return f"{_TRIMS.get(side, 'trim')}({value}{f', {what}' if what else ''})"


def _cast_operator(parts: Parts, at: int) -> bool:
    """x::type."""
    if parts[at] != "::":
        return False
    start, first = operand_before(parts, at), following(parts, at)
    if start is None or first >= len(parts) or not is_word(parts[first]):
        return False
    last = first
    while word(parts, following(parts, last)) in ("PRECISION", "VARYING"):
        last = following(parts, last)
    if word(parts, last + 1) == "(":
        last = closing(parts, last + 1) or last
    beside = word(parts, preceding(parts, start)), word(parts, following(parts, last))
    if word(parts, first) in ("JSON", "JSONB") and "||" in beside:
        return False  # there || appends and merges; here it would join two texts
    value = "".join(parts[start : preceding(parts, at) + 1])
    if word(parts, first) == "INTERVAL" and is_text(value):
        parts[start : last + 1] = ["INTERVAL", " ", value]
        return True
    return _replace(parts, start, last, functions.cast(value, "".join(parts[first : last + 1]), rounds=True))


def _interval(parts: Parts, at: int) -> bool:
    """x + INTERVAL '3 days', x - INTERVAL 3 DAY."""
    if word(parts, at) != "INTERVAL":
        return False
    sign, amount = preceding(parts, at), following(parts, at)
    times = operand_before(parts, sign) if word(parts, sign) == "*" else None
    if times is not None and is_text(word(parts, amount)):  # x + n * INTERVAL '1 day'
        return _times_an_interval(parts, times, sign, amount)
    if sign < 0 or parts[sign] not in "+-" or amount >= len(parts):
        return False
    start = operand_before(parts, sign)
    unit, last = following(parts, amount), amount
    name = None
    if (
        unit < len(parts)
        and is_word(parts[unit])
        and unit_of(parts[unit]) in ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
    ):
        name, last = parts[unit], unit
    if start is None:
        return False
    value = "".join(parts[start : preceding(parts, sign) + 1])
    if is_text(value) and word(parts, preceding(parts, start)) in _LITERALS:
        start = preceding(parts, start)
    return _replace(parts, start, last, by_interval(value, parts[amount], name, parts[sign]))


def _times_an_interval(parts: Parts, times: int, sign: int, amount: int) -> bool:
    one = re.fullmatch(r"'\s*1\s+([a-z]+)\s*'", parts[amount], re.IGNORECASE)
    plus = preceding(parts, times)
    start = operand_before(parts, plus) if word(parts, plus) in ("+", "-") else None
    if one is None or start is None:
        return False
    value, count = "".join(parts[start:plus]).strip(), "".join(parts[times:sign]).strip()
    return _replace(parts, start, amount, by_interval(value, count, one[1], parts[plus]))


_LITERALS = ("DATE", "TIMESTAMP", "TIME", "DATETIME")


def _date_literal(parts: Parts, at: int) -> bool:
    """DATE '2025-01-31'."""
    text = following(parts, at)
    if word(parts, at) in _LITERALS and text < len(parts) and is_text(parts[text]):
        return _replace(parts, at, text, parts[text])
    return False


def _matching(parts: Parts, at: int) -> bool:
    """x ~ 'pattern', x REGEXP 'pattern', x RLIKE 'pattern'."""
    operator = word(parts, at)
    if operator not in ("~", "~*", "!~", "!~*", "REGEXP", "RLIKE"):
        return False
    before, pattern = preceding(parts, at), following(parts, at)
    negated = operator.startswith("!") or word(parts, before) == "NOT"
    start = operand_before(parts, before if word(parts, before) == "NOT" else at)
    if start is None or pattern >= len(parts):
        return False
    ended = before if word(parts, before) == "NOT" else at
    value = "".join(parts[start : preceding(parts, ended) + 1])
    return _replace(
        parts, start, pattern, matched(value, parts[pattern], folded=operator.endswith("~*"), negated=negated)
    )


def _ilike(parts: Parts, at: int) -> bool:
    if word(parts, at) == "ILIKE":
        parts[at] = "LIKE"
        return True
    return False


def _json_operator(parts: Parts, at: int) -> bool:
    """x #>> '{a,b}'."""
    path = following(parts, at)
    if parts[at] not in ("#>", "#>>") or path >= len(parts) or not is_text(parts[path]):
        return False
    steps = content(parts[path]).strip("{}").split(",")
    if not all(re.fullmatch(r"\w+", step) for step in steps):
        return False
    said = "$" + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps)
    parts[at : path + 1] = ["->>" if parts[at] == "#>>" else "->", " ", f"'{said}'"]
    return True


def _zone(parts: Parts, at: int) -> bool:
    """x AT TIME ZONE 'UTC': times are in UTC here."""
    zone = following(parts, following(parts, at + 1))
    if [word(parts, at), word(parts, following(parts, at))] != ["AT", "TIME"]:
        return False
    name = following(parts, zone)
    if word(parts, zone) != "ZONE" or word(parts, name) not in ("'UTC'", "'GMT'", "'Z'"):
        return False
    del parts[preceding(parts, at) + 1 : name + 1]
    return True


def _contained(parts: Parts, at: int) -> bool:
    """tags @> '["a", "b"]' of a JSON array, tags ? 'a'."""
    sought = following(parts, at)
    start = operand_before(parts, at)
    if parts[at] not in ("@>", "?") or start is None or sought >= len(parts) or not is_text(parts[sought]):
        return False
    while start is not None and word(parts, before := preceding(parts, start)) in ("::", "->", "->>"):
        start = operand_before(parts, before)  # tags::jsonb @> …, x -> 'tags' @> …
    if start is None:
        return False
    value = re.sub(r"\s*::\s*jsonb?\s*$", "", "".join(parts[start:at]).strip(), flags=re.IGNORECASE)
    if parts[at] == "?":
        key = "iif(typeof(key) = 'text', key, value)"
        return _replace(
            parts, start, sought, f"EXISTS (SELECT 1 FROM json_each({value}) WHERE {key} = {parts[sought]})"
        )
    return _replace(parts, start, sought, functions.contained(value, parts[sought]))


def _joined(parts: Parts, at: int) -> bool:
    """first + ' ' + last, with a text that is no number: joined."""
    beside = (word(parts, preceding(parts, at)), word(parts, following(parts, at))) if parts[at] == "+" else ()
    if not any(is_text(each) and not re.match(r"'\s*[-+]?\.?\d", each) for each in beside):
        return False
    for sign in _chain(parts, at):
        parts[sign] = "||"
    return True


def _chain(parts: Parts, at: int) -> list[int]:
    """The places of the + that join what stands beside the one at `at`, itself among them."""
    signs, place = [at], operand_before(parts, at)
    while place is not None and (sign := preceding(parts, place)) >= 0 and parts[sign] == "+":
        signs.append(sign)
        place = operand_before(parts, sign)
    end = operand_after(parts, at)
    while end is not None and word(parts, sign := following(parts, end)) == "+":
        signs.append(sign)
        end = operand_after(parts, sign)
    return signs


_SAME_MEANING = {"<=>": "IS", "&&": "AND", "MOD": "%", "DIV": "/", "MINUS": "EXCEPT"}


def _operator(parts: Parts, at: int) -> bool:
    """<=>, &&, a MOD b, SELECT … MINUS SELECT …; a DIV b is SQLite's own division of whole numbers."""
    said = _SAME_MEANING.get(word(parts, at))
    behind = word(parts, following(parts, at))
    if said is None or behind == "(" or operand_before(parts, at) is None or (said == "EXCEPT") != (behind == "SELECT"):
        return False
    parts[at] = said
    return True


def _any_of(parts: Parts, at: int) -> bool:
    """x = ANY(ARRAY['a', 'b']), x = ANY (SELECT …), x = ANY(tags), x = ANY(?): an array is JSON here."""
    equal, opened = preceding(parts, at), following(parts, at)
    if word(parts, at) not in ("ANY", "SOME") or equal < 0 or parts[equal] != "=" or word(parts, opened) != "(":
        return False
    closed = closing(parts, opened)
    inner = "".join(parts[opened + 1 : closed]).strip()
    array = re.fullmatch(r"ARRAY\s*\[(.*)\]", inner, re.IGNORECASE | re.DOTALL)
    if closed is None:
        return False
    if re.fullmatch(r"[\w.]+|\?\d*|[:@$]\w+", inner):
        inner = f"SELECT value FROM json_each({inner})"
    elif not (array or re.match(r"SELECT\b", inner, re.IGNORECASE)):
        return False
    parts[equal : closed + 1] = ["IN", " ", f"({array[1] if array else inner})"]
    return True


_ITEMS = re.compile(r"\[\s*((?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?)(?:\s*,\s*(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?))*)\s*\]")


_OF_ARRAYS = ("ANY", "ALL", "SOME", "UNNEST")  # they have mends of their own


def _list(parts: Parts, at: int) -> bool:
    """['a', 'b'], ARRAY[1, 2]: a JSON array. `x[1]` and a name, `[1]`, are none."""
    found, before = _ITEMS.fullmatch(parts[at]), preceding(parts, at)
    if found is None:
        return False
    array, outside = f"json_array({found[1]})", preceding(parts, before)
    if word(parts, before) == "ARRAY":
        is_asked = word(parts, outside) == "(" and word(parts, preceding(parts, outside)) in _OF_ARRAYS
        return not is_asked and _replace(parts, before, at, array)
    is_list = word(parts, before) in ("(", ",", "=", "SELECT") and ("," in found[1] or "'" in found[1])
    return is_list and word(parts, outside) != "IN" and _replace(parts, at, at, array)


_REWRITES: tuple[Rewrite, ...] = (
    _special_call, _within, _call, _cast_operator, _date_literal, _matching, _ilike, _json_operator, _any_of,
    _operator, _zone, _contained, _joined, _list,
)  # fmt: skip


def _replace(parts: Parts, start: int, last: int, text: str | None) -> bool:
    if text is None or len(text) > _LONGEST:
        return False
    parts[start : last + 1] = [text if _stands_alone(text) else f"({text})"]
    return True


def _stands_alone(text: str) -> bool:
    """Whether `text` keeps its meaning next to any operator."""
    parts = tokens(text)
    if len(parts) == 1 or word(parts, 0) == "CASE":
        return True
    opened = 1 if is_word(parts[0]) else 0
    if word(parts, opened) != "(":
        return False
    closed = closing(parts, opened)
    return closed is not None and (closed == len(parts) - 1 or word(parts, following(parts, closed)) == "FILTER")


_COMPARISON = re.compile(r"(?<![\w.(])([a-z_]\w*(?:\.[a-z_]\w*)?)(\s*(?:>=|<=|<>|=|>|<)\s*)(datetime\()", re.IGNORECASE)


def _compared_as_times(text: str) -> str:
    """A column beside a computed time is read as a time too: `T` and a blank between date and time sort differently."""

    def read(found: re.Match[str]) -> str:
        return found[0] if _assigns(found) else f"datetime({found[1]}){found[2]}{found[3]}"

    return changed_outside(_COMPARISON, read, text)


def _assigns(found: re.Match[str]) -> bool:
    """Whether it may stand in a SET: `SET a = …, b = …`."""
    before = found.string[: found.start()].rstrip()
    return found[2].strip() == "=" and re.search(r"(?:,|\bSET)\Z", before, re.IGNORECASE) is not None
