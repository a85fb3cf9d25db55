"""What a statement that SQLite takes can hardly mean: it answers the same whatever the data holds.

Nothing is refused for it. A remark is a warning of the outcome, and says what to write instead. Each is about a part of
the statement that is always NULL, always true or false, or without effect: `x = NULL`, `strftime(x, '%Y')`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    ("null", pattern(r"[=>]\s*null\b|when\s+null\b|not\s+in\s*\([^()]*\bnull\b")),
    (")", _COMPARED),
    ("->", None),
    ("or", pattern(r"or\s+['\d]")),  # a value as a condition
    ("and", pattern(r"and\s+['\d]")),
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
_AGGREGATES = ("count", "sum", "avg", "total", "group_concat")


def remarks(text: str, tables: Sequence[str], connection: apsw.Connection) -> tuple[str, ...]:
    """What there is to say about `text`, which SQLite has prepared and which names `tables`."""
    if len(text) > _LONGEST or not _is_suspect(text.lower()) or not may_be_read(text):
        return ()
    from codemode.guard.remarking.every import found  # only where something may be said

    return found(text, tables, connection)


def _is_suspect(text: str) -> bool:
    for word, sought in _SUSPECT:
        if word in text and (sought is None or sought.search(text) is not None):
            return True
    # An aggregate beside something else, and nothing that says of which rows.
    return "," in text and not ("group" in text or "where" in text) and any(map(text.__contains__, _AGGREGATES))
