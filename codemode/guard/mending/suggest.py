"""A statement that would run in the place of one that failed: mended, then checked by the guard, and never run.

Mends are same-shaped functions, a Broken statement → texts that may have been meant; one that changes nothing is passed
over. What still fails is mended again by its new error, a few times; what the guard takes first is the suggestion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import apsw

from codemode.errors import CodemodeError
from codemode.guard.mending import definitions, indexes, named, rows, sources, translate, verbs, words
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.expressions import rewritten
from codemode.guard.mending.translate import load_dialects
from codemode.patterns import pattern

LONGEST = 4_000  # characters: an error is read by a model, and mending takes time with the length
_COMMENTS = 20  # each that nothing closes is looked for to the end of the text; rules go past all that stand together
_BLANKS = pattern(
    r"\s{100}"
)  # in a row: several parts of a rule may stand for them, which takes the cube of their number
_ROUNDS = 5
_CHECKS = 30
_SECONDS = 0.5  # of this thread's processor, looked at between two checks; each by itself is milliseconds

Mend = Callable[[Broken], Iterator[str]]
Check = Callable[[str], CodemodeError | None]
"""What is wrong with a text, or None where the guard takes it."""


def _expressions(broken: Broken) -> Iterator[str]:
    yield rewritten(broken.sql)


MENDS: tuple[Mend, ...] = (
    words.without_fence,
    verbs.asked_of_the_schema,
    verbs.in_other_words,
    verbs.as_a_script,
    definitions.dropped_if_it_exists,
    definitions.made_unless_it_exists,
    words.with_straight_quotes,
    words.with_sqlite_comments,
    words.with_placeholders,
    words.without_what_sqlite_lacks,
    definitions.table_as_sqlite_has_it,
    definitions.column_as_sqlite_adds_it,
    indexes.full_text_as_sqlite_has_it,
    indexes.with_its_columns_last,
    rows.with_the_words_of_a_search_quoted,
    rows.with_like_for_match,
    rows.with_the_rows_of_its_key,
    rows.with_a_key_for_its_conflict,
    named.from_the_catalogue,
    sources.with_rows_that_have_none,
    sources.with_the_first_rows_of_each,
    sources.with_the_elements_of_a_list,
    sources.with_json_each,
    sources.with_a_series,
    sources.with_a_limit,
    sources.with_the_parts_of_a_union_apart,
    sources.with_distinct_rows_below,
    named.without_the_schema,
    words.with_a_pasted_list,
    words.with_a_list_as_one_value,
    words.with_null_for_none,
    words.with_dates_in_quotes,
    words.with_texts_in_single_quotes,
    _expressions,
    named.with_the_closest_name,
    named.with_the_column_s_own_table,
    named.with_the_table_before_it,
    words.with_offset_behind_a_limit,
    words.with_a_column_list,
    words.without_an_ellipsis,
    words.without_a_trailing_comma,
    words.with_the_clause_meant,
    translate.translations,
    words.with_doubled_apostrophes,
    words.with_keywords_quoted,
    words.with_odd_names_quoted,
    words.with_brackets_closed,
    words.with_a_bare_word_quoted,
)
# For a statement that SQLite prepares as it is: what is wrong with it only shows when it runs.
RUNNING_MENDS: tuple[Mend, ...] = (
    rows.updated_where_it_exists,
    rows.with_the_index_rebuilt,
    rows.with_the_words_of_a_search_quoted,
    rows.with_like_for_match,
    rows.with_json_checked,
    rows.with_the_root_of_a_path,
    definitions.table_as_sqlite_has_it,
    definitions.column_as_sqlite_adds_it,
)


def suggested(sql: str, error: CodemodeError, connection: apsw.Connection, check: Check) -> str | None:
    """A statement that SQLite prepares in this session and that is near `sql`; None where none is found in time."""
    if not _is_read_quickly(sql, LONGEST):
        return None
    runs = error.code != "sql.multiple_statements" and check(sql) is None
    search = _Search(connection, check, RUNNING_MENDS if runs else MENDS)
    found = search.mended(sql, error, _ROUNDS)
    if found is not None and not runs:
        found = _wholly(found, check)
    return None if found is None or (runs and _words(found) == _words(sql)) else found


def _wholly(found: str, check: Check) -> str:
    """`found` with what SQLite takes and other databases mean otherwise in its words too: `CAST(x AS DATE)`."""
    meant = rewritten(found)
    return meant if meant != found and check(meant) is None else found


def _is_read_quickly(text: str, most: int) -> bool:
    """Whether each rule takes milliseconds for `text`: nothing ends one that has begun, and no other thread runs."""
    return len(text) <= most and text.count("/*") + text.count("--") <= _COMMENTS and not _BLANKS.search(text)


def _words(sql: str) -> str:
    """`sql` without what a parser changes when it writes it anew: the same statement again is no way out."""
    return "".join(sql.split()).casefold().rstrip(";")


class _Search:
    def __init__(self, connection: apsw.Connection, check: Check, mends: tuple[Mend, ...]) -> None:
        self._connection, self._check, self._mends = connection, check, mends
        self._tried: set[str] = set()
        load_dialects()  # once, and not in this statement's time
        self._ends_at = time.thread_time() + _SECONDS

    def mended(self, sql: str, error: CodemodeError, rounds: int) -> str | None:
        """The first text that passes; failing that, the same for each text that fails otherwise than `sql` did."""
        failures = []
        for candidate in self._candidates(Broken(sql, error, self._connection)):
            if len(self._tried) >= _CHECKS or time.thread_time() > self._ends_at:
                return None
            if candidate in self._tried or candidate.strip().rstrip(";") == sql.strip().rstrip(";"):
                continue
            if not _is_read_quickly(candidate, 2 * LONGEST):
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

    def _candidates(self, broken: Broken) -> Iterator[str]:
        for mend in self._mends:
            yield from mend(broken)
