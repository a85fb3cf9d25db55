"""What the full-text searches of a statement look for, read from its program, so that each is judged before it runs.

The attack is a query that FTS5 takes minutes for in one operation, which no deadline ends (database/fulltext.py).
SQLite hands it to FTS5 wherever it comes from: MATCH, `docs = …`, `docs(…)`, a view, a trigger; and where a table's
words are trigrams, LIKE and GLOB, whose pattern FTS5 makes a query of. So it is read there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from codemode.database.fulltext import RANKED_PHRASES, check_pattern, check_query
from codemode.errors import StatementRefused
from codemode.guard.program import Operation, Program, Text

_PATTERNS = frozenset("LG")  # what FTS5 calls an argument that is a pattern of LIKE or of GLOB; M is one of MATCH
_WANTED = _PATTERNS | {"M"}


class Search(NamedTuple):
    """What a statement looks for: a query, or a pattern of LIKE or GLOB."""

    text: Text
    is_pattern: bool = False
    phrases: int | None = None  # at most so many, where rows are ranked by it


def searches(program: Program, *, is_ranked: bool) -> tuple[Search, ...]:
    """The queries that hold parameters: `check_search` judges them when these are known.

    `is_ranked` says that the statement may ask how well the rows match.
    Raises StatementRefused for a query that SQL computes, and StatementLimit for a literal that nothing could stop.
    """
    found = dict.fromkeys(
        search
        for frame, operation in program.of({"VFilter"})
        for search in _searches(program, frame, operation, is_ranked)
    )
    held = []
    for search in found:
        if any(isinstance(part, int) for part in search.text):
            held.append(search)
        else:
            check_search(search, (), ())
    return tuple(held)


def check_search(search: Search, names: Sequence[str | None], params: Sequence[Any] | Mapping[str, Any]) -> None:
    """Judge one query with the parameters of its statement, whose `names` are; raises StatementLimit."""
    text = "".join(part if isinstance(part, str) else _value(part, names, params) for part in search.text)
    (check_pattern if search.is_pattern else check_query)(text, search.phrases)


def _value(number: int, names: Sequence[str | None], params: Sequence[Any] | Mapping[str, Any]) -> str:
    """The text that SQLite makes of a parameter; empty where none was given, which is an error of its own."""
    if isinstance(params, Mapping):
        value = params.get(names[number - 1] or "") if number <= len(names) else None
    else:
        value = params[number - 1] if number <= len(params) else None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _searches(program: Program, frame: int, operation: Operation, is_ranked: bool) -> Iterator[Search]:
    """What this hands to FTS5, whose plan has a letter for each argument."""
    plan = [letter for letter in operation.detail or "" if not letter.isdigit()]
    wanted = _WANTED.intersection(plan)
    if not wanted:
        return
    # The third number is the register of the plan's number; then come the number of arguments, and the arguments.
    number = program.longest_number(frame, operation.third + 1, operation.address)
    # FTS5 joins all of them to one query.
    phrases = RANKED_PHRASES // sum(letter in _WANTED for letter in plan) if is_ranked else None
    for place in range(number):
        kinds = wanted & {plan[place]} if number == len(plan) else wanted
        if not kinds:
            continue
        texts = program.texts(frame, operation.third + 2 + place, operation.address)
        if texts is None:
            raise _computed(kinds <= _PATTERNS)
        yield from (Search(text, kinds <= _PATTERNS, phrases) for text in texts)


def _computed(is_pattern: bool) -> StatementRefused:
    if is_pattern:
        return StatementRefused(
            "a pattern that SQL computes is not available in LIKE and GLOB on a full-text table of trigrams",
            hint="make the text in Python and give it as a parameter: LIKE ?; or write +column LIKE …, which reads all",
        )
    return StatementRefused(
        "a full-text query that SQL computes is not available: on a long document nothing could stop it",
        hint="make the text in Python and give it as a parameter: MATCH ?",
    )
