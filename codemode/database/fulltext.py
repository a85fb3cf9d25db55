"""Bounds the parts of FTS5 that nothing can stop: two of its functions, and the reading of a long query.

Taken away are snippet() and highlight() on a long document.

The guard refuses them by name, but FTS5 also calls them by a name that is data: `rank MATCH 'highlight(0, …)'` in a
query, or 'rank' in the table's own configuration. No authorizer hears of that, so the functions themselves refuse.

A query is read in the square of its number of words, in one operation: 100,000 words take 20 s, so long queries are
refused. NEAR(…) takes the square of its number of phrases times how often they are in one document: 300 words that are
there 100,000 times took 26 s. A phrase takes its number of words times how often they are there, and bm25() (the
column `rank` too) the square of the number of phrases times that: 2,000 words that are there 4,000 times took 9 s. The
guard finds out what a statement searches for (guard/searches.py).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import apsw

from codemode.errors import StatementLimit
from codemode.patterns import pattern

QUERY_CHARACTERS = 32_000
NEAR_PHRASES = 24
PHRASE_CHARACTERS = 400  # 200 words of one letter, a million times in a document: 1.5 s; as trigrams three times that
RANKED_PHRASES = 200  # at the most places of theirs that fit into SQLite's memory: 5 s
_PIECE = 4
PATTERN_BYTES = 250  # of LIKE and GLOB everywhere: one of them takes as long as pattern times value, 0.3 s
_WORD = pattern(r'"(?:[^"]|"")*"?|[()+,]|[0-9A-Za-z_\x1a\x80-\U0010ffff]+')

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


def check_query(text: str, most_phrases: int | None = None) -> None:
    """Raise StatementLimit for a full-text query that nothing could stop, or of more words and phrases than that."""
    if len(text) > QUERY_CHARACTERS:
        raise StatementLimit(
            f"a full-text query has {QUERY_CHARACTERS:,} characters at most", hint="search for fewer words at a time"
        )
    parts = _parts(text)
    if parts.in_near > NEAR_PHRASES:
        raise StatementLimit(
            f"NEAR(…) takes {NEAR_PHRASES} words or phrases at most: of more, nothing could stop it on a long document",
            hint='search for words that have to be there with AND, or for a phrase in "double quotes"',
        )
    if parts.longest > PHRASE_CHARACTERS:
        raise StatementLimit(
            f"a phrase, or all of a NEAR(…), has {PHRASE_CHARACTERS} characters at most: of more, nothing could stop it"
            " on a long document",
            hint="search for a shorter piece of it, or for its words with AND",
        )
    if most_phrases is not None and parts.phrases > most_phrases:
        raise _ranked(most_phrases)


def check_pattern(text: str, most_phrases: int | None = None) -> None:
    """Raise StatementLimit for a pattern of LIKE or GLOB that SQLite itself would only refuse at the first row.

    A table of trigrams makes a full-text query of it before that: 100,000 pieces between wildcards took 22 s. Where
    the rows are ranked it may have no more pieces than that: of three letters and a wildcard, the shortest that count.
    """
    if len(text.encode(errors="replace")) > PATTERN_BYTES:
        raise StatementLimit(
            f"a pattern of LIKE or GLOB has {PATTERN_BYTES} bytes at most", hint="look for a shorter piece of the text"
        )
    if most_phrases is not None and len(text) > _PIECE * most_phrases:
        raise _ranked(most_phrases)


def _ranked(most_phrases: int) -> StatementLimit:
    return StatementLimit(
        f"a query whose rows are ranked has {most_phrases} words or phrases at most: of more, nothing could stop"
        " bm25() on a long document",
        hint="search for fewer words at a time, or leave out rank and bm25()",
    )


class _Parts(NamedTuple):
    """How large the parts of a query are; a word is what FTS5 takes for one."""

    phrases: int  # words and phrases, names of columns and distances too
    in_near: int  # of these the most that stand in one NEAR
    longest: int  # the most characters of a phrase, or of all that stand in one NEAR


def _parts(text: str) -> _Parts:
    phrases = in_near = longest = inside = size = 0
    before, near = "", False
    for found in _WORD.findall(text):
        if found in ("(", ")"):
            near, inside, size = found == "(" and before == "NEAR", 0, 0
        elif found == ",":  # what follows is the distance
            near = False
        elif found not in ("+", "AND", "OR", "NOT"):
            phrases += before != "+"
            inside += near
            length = len(found) - (2 if found[0] == '"' else 0)
            size = length + (size if near or before == "+" else 0)
            in_near, longest = max(in_near, inside), max(longest, size)
        before = found
    return _Parts(phrases, in_near, longest)
