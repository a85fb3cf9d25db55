"""Builders that look for text."""

from __future__ import annotations

import re
from typing import Any

from sandbox.helpers.conditions import escaped
from sandbox.helpers.quoting import Query, columns, compose, invalid, limited, listed, quote, source
from sandbox.helpers.spelling import spelled

_PATTERN_BYTES = 1000  # SQLite refuses a longer LIKE pattern (the worker's LIKE limit)

_FTS_PHRASE = r'"(?:[^"]|"")*"'
_FTS_ITEM = rf"(?:{_FTS_PHRASE}|\w+)"
_FTS_NEAR = rf"NEAR\(\s*{_FTS_ITEM}(?:\s+{_FTS_ITEM})*\s*(?:,\s*\d{{1,4}}\s*)?\)"
_FTS_TOKEN = re.compile(rf'\s*({_FTS_NEAR}|{_FTS_PHRASE}(?:\s*\*)?|\(|\)|[^\s"()]+)')
_FTS_OPERAND = re.compile(rf"{_FTS_NEAR}|{_FTS_PHRASE}(?:\s*\*)?|(?!(?:AND|OR|NOT)\b)\w+\*?")
_FTS_OPERATORS = frozenset({"AND", "OR", "NOT"})


@spelled()
def text_search(table: Any, field: str, term: str, case_sensitive: bool = False, limit: int | None = None) -> Query:
    """Rows whose `field` contains `term`, which is taken literally (% and _ too); all columns.

    Upper and lower case count as equal unless `case_sensitive`; outside ASCII only where the term is all of one case.
    """
    column = quote(field, "field")
    wanted = _exactly(column, _text(term)) if case_sensitive else _anyhow(column, _text(term))
    return compose("SELECT * FROM", source(table), "WHERE", wanted, limited(limit))


@spelled()
def multi_field_search(table: Any, fields: Any, term: str, limit: int | None = None) -> Query:
    """Rows in which any of `fields` contains `term`, which is taken literally; all columns."""
    tests = listed([_anyhow(column, _text(term)) for column in columns(fields)], " OR ")
    return compose("SELECT * FROM", source(table), "WHERE", tests, limited(limit))


@spelled()
def full_text_search(fts_table: str, query: str, limit: int | None = None) -> Query:
    """Rows of an FTS5 table that match `query`, best first; all columns and `score` (higher is better).

    Plain words must all occur, whatever characters they hold; `word*` matches a beginning. A query that is well
    formed with AND, OR, NOT, brackets or "phrases" is taken as FTS5 syntax.
    """
    name = quote(fts_table, "fts_table")
    return compose(
        'SELECT *, -"rank" AS "score" FROM',
        name,
        Query(f'WHERE {name} MATCH ? ORDER BY "rank"', [match_text(_text(query))]),
        limited(limit),
    )


def match_text(query: str) -> str:
    """`query` as FTS5 takes it: as it is where it is FTS5 syntax on purpose, else each word as a phrase."""
    query = query.replace("\0", " ")  # FTS5 would read no further
    words = query.split()
    if not words:
        raise invalid("the query holds no words", hint="to list all rows, select from the table")
    return query if _is_syntax(query) else " ".join(map(_phrase, words))


def _phrase(word: str) -> str:
    stem, star = (word[:-1], " *") if len(word) > 1 and word.endswith("*") else (word, "")
    return '"' + stem.replace('"', '""') + '"' + star


def _is_syntax(query: str) -> bool:
    """Whether `query` is well-formed FTS5 with at least one operator, phrase or bracket."""
    tokens, end = [], 0
    while match := _FTS_TOKEN.match(query, end):
        tokens.append(match[1])
        end = match.end()
    marked = any(token in _FTS_OPERATORS or token[0] in '"(' or token.startswith("NEAR(") for token in tokens)
    return marked and not query[end:].strip() and _well_formed(tokens)


def _well_formed(tokens: list[str]) -> bool:
    # A bracket stands between operators only: FTS5 joins words and phrases without one, but no brackets.
    depth, before = 0, "("
    for word in tokens:
        opened = before == "(" or before in _FTS_OPERATORS
        if word in _FTS_OPERATORS or word == ")":
            fits = not opened
        elif word == "(":
            fits = opened
        else:
            fits = before != ")" and _FTS_OPERAND.fullmatch(word) is not None
        depth += (word == "(") - (word == ")")
        if not fits or depth < 0:
            return False
        before = word
    return depth == 0 and before != "(" and before not in _FTS_OPERATORS


def _text(term: Any) -> str:
    if isinstance(term, str):
        return str.__str__(term)
    if isinstance(term, (int, float)) and not isinstance(term, bool):
        return str(term)
    raise invalid(f"the text to look for must be text, not {term!r}")


def _exactly(column: str, term: str) -> Query:
    return Query(f"instr({column}, ?) > 0" if term else f"{column} IS NOT NULL", [term] if term else [])


def _anyhow(column: str, term: str) -> Query:
    # SQLite folds the case of ASCII letters only: for others the term is also tried in both cases.
    variants = [term] if term.isascii() else list(dict.fromkeys([term, term.lower(), term.upper()]))
    tests = listed([_like(column, variant) for variant in variants], " OR ")
    return tests if len(variants) == 1 else Query(f"({tests})", tests.params)


def _like(column: str, term: str) -> Query:
    pattern = f"%{escaped(term)}%"
    if len(pattern.encode(errors="replace")) > _PATTERN_BYTES or "\0" in term:  # LIKE would refuse it, or stop at NUL
        return Query(f"instr(lower({column}), lower(?)) > 0", [term])
    return Query(f"{column} LIKE ? ESCAPE '\\'", [pattern])
