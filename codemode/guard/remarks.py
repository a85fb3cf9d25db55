"""What a statement that SQLite takes can hardly mean: it answers the same whatever the data holds.

Nothing is refused for it. A remark is a warning of the outcome, and says what to write instead. Each is about a part of
the statement that is always NULL, always true or false, or without effect: `x = NULL`, `strftime(x, '%Y')`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import apsw

from codemode.guard.parse import may_be_read
from codemode.patterns import pattern

_BESIDE = pattern(r"[=<>]\s*[\w.]+\s*[=<>]")  # one comparison after another
_COMPARED = pattern(r"\)\s*(?:[=<>!]|in\b|not\s+in\b|between\b)")  # what a function answers is compared
# What to look for in the small letters of a statement, and behind that a pattern, which takes longer. Where none is
# found there is nothing to say, and the statement's tree is not asked for.
_SUSPECT: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    ("strftime", None),
    ("julianday", None),
    ("unixepoch", None),
    ("date", pattern(r"date\s*\(|current_date\b")),
    ("time", pattern(r"time\s*\(|current_timestamp")),
    ("-", pattern(r"(?<!['\d])[12]\d\d\d-\d\d?-\d\d?(?!\d)")),  # a date without quotes
    ("-", pattern(r"[\w)\"]\s*-\s*[a-z_(\"]|[a-z_)\"]\s*-\s*\d")),  # what may be dates
    ("+", pattern(r"[a-z_)\"]\s*\+\s*\d")),
    ("format", pattern(r"format\s*\(\s*[^'\s]")),
    ("printf", pattern(r"printf\s*\(\s*[^'\s]")),
    (" join", pattern(r"\b(?:anti|semi)\s+join")),
    ("null", pattern(r"[=>]\s*null\b|when\s+null\b|not\s+in\s*\([^()]*\bnull\b")),
    (")", _COMPARED),
    ("->", None),
    ("or", pattern(r"or\s+['\d]")),  # a value as a condition
    ("and", pattern(r"and\s+['\d]")),
    ("avg", pattern(r"avg\s*\([^()]*/")),
    ("set", pattern(r"set\s+\w+\s*=\s*\S+\s+and\s")),
    ("=", _BESIDE),
    ("<", _BESIDE),
    (">", _BESIDE),
    ("~", None),
    ("count", pattern(r"count\s*\(\s*(?:case|not|[\w.]+\s*(?:[=<>!%]|(?:in|is|like|between|not)\b))")),
    ("by", pattern(r"by\s+['?:@$]")),
    ("('", pattern(r"(?:sum|avg|total|median)\s*\(\s*'")),
    ("cast", None),
    ("string", None),
    ("/", pattern(r"round|ceil|printf|format|1(?:00)?\.0|/\s*count")),
    ("round", pattern(r",\s*-\s*\d+\s*\)")),
    ("+", pattern(r"'\s*\+|\+\s*'")),
    ("%'", pattern(r"[=>]\s*'%")),
    ("last_value", None),
    ("rank", pattern(r"rank\s*\(")),
    ("cume_dist", None),
    ("select", pattern(r"in\s*\(\s*select\b")),
)
_LONGEST = 4_000  # characters: a verdict on a longer text is not kept, and each would be read anew
# A column that is two values at once, or is not.
_TWO_VALUES = pattern(r"\b([\w.]++)\s*=\s*['\d][^=]*?\band\s+\1\s*=\s*['\d]")
_NOT_TWO_VALUES = pattern(r"\b([\w.]++)\s*(?:<>|!=)[^=>]*?\bor\s+\1\s*(?:<>|!=)")
_AGGREGATES = ("count", "sum", "avg", "total", "group_concat")


class Remarks(NamedTuple):
    """What there is to say, and which parameters, by number or name, are compared with which texts."""

    words: tuple[str, ...] = ()
    text_parameters: tuple[tuple[int | str, str], ...] = ()


NONE = Remarks()


def remarks(text: str, tables: Sequence[str], connection: apsw.Connection) -> Remarks:
    """What there is to say about `text`, which SQLite has prepared and which names `tables`."""
    if len(text) > _LONGEST or not _is_suspect(text.lower()) or not may_be_read(text):
        return NONE
    from codemode.guard.remarking.every import found  # only where something may be said

    return found(text, tables, connection)


def _is_suspect(text: str) -> bool:
    for word, sought in _SUSPECT:
        if word in text and (sought is None or sought.search(text) is not None):
            return True
    if text.count("=") > 1 and _TWO_VALUES.search(text):
        return True
    if ("<>" in text or "!=" in text) and _NOT_TWO_VALUES.search(text):
        return True
    # An aggregate beside something else, and nothing that says of which rows.
    return "," in text and not ("group" in text or "where" in text) and any(map(text.__contains__, _AGGREGATES))


def numbers_for_texts(
    compared: Sequence[tuple[int | str, str]],
    names: Sequence[str | None],
    params: Sequence[Any] | Mapping[str, Any],
) -> list[str]:
    """What to say where numbers are bound to parameters that are compared with texts."""
    said = (_number_for_a_text(each, names, params) for each in compared)
    return [words for words in said if words is not None]


def _number_for_a_text(
    compared: tuple[int | str, str], names: Sequence[str | None], params: Sequence[Any] | Mapping[str, Any]
) -> str | None:
    which, text = compared
    if isinstance(params, Mapping):
        value = params.get(which) if isinstance(which, str) else None
    else:
        place = which - 1 if isinstance(which, int) else names.index(which) if which in names else len(params)
        value = params[place] if place < len(params) else None
    if not isinstance(value, int | float):
        return None
    return (
        f"{text} is a text, and {value!r}, which is bound, a number: no text equals a number. Bind {str(value)!r}, or"
        f" write CAST({text} AS INTEGER)"
    )
