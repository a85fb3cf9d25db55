"""A statement that would run in the place of one that failed: mended, then checked by the guard, and never run.

Mends are same-shaped functions, a Broken statement → texts that may have been meant. What still fails is mended again
by its new error, a few times; what the guard takes first is the suggestion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import apsw

from codemode.errors import CodemodeError
from codemode.guard.mending import named, translate, words
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.expressions import rewritten

LONGEST = 4_000  # characters: an error is read by a model, and mending takes time with the length
_COMMENTS = 20  # each that nothing closes is looked for to the end of the text
_ROUNDS = 5
_CHECKS = 30
_SECONDS = 0.25  # looked at between two checks; each by itself is milliseconds

Mend = Callable[[Broken], Iterator[str]]
Check = Callable[[str], CodemodeError | None]
"""What is wrong with a text, or None where the guard takes it."""


def _expressions(broken: Broken) -> Iterator[str]:
    changed = rewritten(broken.sql)
    if changed != broken.sql:
        yield changed


MENDS: tuple[Mend, ...] = (
    words.without_fence,
    words.with_straight_quotes,
    words.with_sqlite_comments,
    words.with_placeholders,
    words.without_what_sqlite_lacks,
    named.from_the_catalogue,
    named.without_the_schema,
    words.with_texts_in_single_quotes,
    _expressions,
    named.with_the_closest_name,
    named.with_the_column_s_own_table,
    named.with_the_table_before_it,
    words.with_offset_behind_a_limit,
    words.with_a_column_list,
    words.without_an_ellipsis,
    translate.translations,
    words.without_a_trailing_comma,
    words.with_doubled_apostrophes,
    words.with_keywords_quoted,
    words.with_odd_names_quoted,
    words.with_brackets_closed,
    words.with_a_bare_word_quoted,
)


def suggested(sql: str, error: CodemodeError, connection: apsw.Connection, check: Check) -> str | None:
    """A statement that SQLite prepares in this session and that is near `sql`; None where none is found in time."""
    if len(sql) > LONGEST or sql.count("/*") > _COMMENTS:
        return None
    search = _Search(connection, check)
    found = search.mended(sql, error, _ROUNDS)
    return found if found is not None and len(found) <= 2 * LONGEST else None


class _Search:
    def __init__(self, connection: apsw.Connection, check: Check) -> None:
        self._connection, self._check = connection, check
        self._tried: set[str] = set()
        self._ends_at = time.monotonic() + _SECONDS

    def mended(self, sql: str, error: CodemodeError, rounds: int) -> str | None:
        """The first text that passes; failing that, the same for each text that fails otherwise than `sql` did."""
        failures = []
        for candidate in self._candidates(Broken(sql, error, self._connection)):
            if len(self._tried) >= _CHECKS or time.monotonic() > self._ends_at:
                return None
            if candidate in self._tried or candidate == sql:
                continue
            self._tried.add(candidate)
            failure = self._check(candidate)
            if failure is None:
                return candidate
            if failure.message != error.message:
                failures.append((candidate, failure))
        if rounds > 1:
            for candidate, failure in failures:
                if (found := self.mended(candidate, failure, rounds - 1)) is not None:
                    return found
        return None

    @staticmethod
    def _candidates(broken: Broken) -> Iterator[str]:
        for mend in MENDS:
            yield from mend(broken)
