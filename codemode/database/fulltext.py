"""Bounds the parts of FTS5 that nothing can stop: two of its functions, and the reading of a long query.

Taken away are snippet() and highlight() on a long document.

The guard refuses them by name, but FTS5 also calls them by a name that is data: `rank MATCH 'highlight(0, …)'` in a
query, or 'rank' in the table's own configuration. No authorizer hears of that, so the functions themselves refuse.

A query is read in the square of its number of words, in one operation: 100,000 words take 20 s, so long queries are
refused. NEAR(…) takes the square of its number of phrases times how often they are in one document: 300 words that are
there 100,000 times took 26 s. The guard finds out what a statement searches for (guard/searches.py).
"""

from __future__ import annotations

from typing import Any

import apsw

from codemode.errors import StatementLimit
from codemode.patterns import pattern

QUERY_CHARACTERS = 32_000
NEAR_PHRASES = 24
PATTERN_BYTES = 250  # of LIKE and GLOB everywhere: one of them takes as long as pattern times value, 0.3 s
_WORD = pattern(r'"(?:[^"]|"")*"?|[()]|[0-9A-Za-z_\x1a\x80-\U0010ffff]+')

UNSTOPPABLE = ("snippet", "highlight")


def refuse_unstoppable(connection: apsw.Connection) -> None:
    """Put functions that only refuse in the place of those; FTS5 finds the newest of a name."""
    try:
        for name in UNSTOPPABLE:
            connection.register_fts5_function(name, _refusing(name))
    except apsw.NoFTS5Error:
        next(connection.execute("SELECT 1 FROM sqlite_schema", can_cache=False), None)  # raises what is wrong with it
        raise


def _refusing(name: str) -> Any:
    def refuse(_api: object, *_arguments: object) -> None:
        raise apsw.SQLError(f"{name}() is not available: on long documents it cannot be stopped")

    return refuse


def check_query(text: str) -> None:
    """Raise StatementLimit for a full-text query that nothing could stop."""
    if len(text) > QUERY_CHARACTERS:
        raise StatementLimit(
            f"a full-text query has {QUERY_CHARACTERS:,} characters at most", hint="search for fewer words at a time"
        )
    if "NEAR" in text and _most_in_near(text) > NEAR_PHRASES + 1:  # its distance is one more
        raise StatementLimit(
            f"NEAR(…) takes {NEAR_PHRASES} words or phrases at most: of more, nothing could stop it on a long document",
            hint='search for words that have to be there with AND, or for a phrase in "double quotes"',
        )


def check_pattern(text: str) -> None:
    """Raise StatementLimit for a pattern of LIKE or GLOB that SQLite itself would only refuse at the first row.

    A table of trigrams makes a full-text query of it before that: 100,000 pieces between wildcards took 22 s.
    """
    if len(text.encode(errors="replace")) > PATTERN_BYTES:
        raise StatementLimit(
            f"a pattern of LIKE or GLOB has {PATTERN_BYTES} bytes at most", hint="look for a shorter piece of the text"
        )


def _most_in_near(text: str) -> int:
    """The most words, phrases and numbers that stand in one NEAR; a word is what FTS5 takes for one."""
    most = inside = 0
    before, near = "", False
    for found in _WORD.findall(text):
        if found in ("(", ")"):
            near, inside = found == "(" and before == "NEAR", 0
        elif near:
            inside += 1
            most = max(most, inside)
        before = found
    return most
