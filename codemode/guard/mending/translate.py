"""A statement of another dialect, read by sqlglot, rebuilt where SQLite has no such syntax, and written as SQLite's.

sqlglot decides the grammar and nothing else. Functions travel under a prefix that it does not know, because its own
translations of them can be prepared and still mean something else; what they mean is decided in functions.py and
dates.py. Whatever sqlglot would silently leave out is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import ErrorLevel, exp

from codemode.guard.mending import queries, shapes, writes
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.expressions import rewritten
from codemode.guard.mending.queries import PREFIX, NotExact
from codemode.guard.parse import grammar, may_be_read
from codemode.guard.policy import FUNCTIONS

_CALL = re.compile(
    rf"(?<![\w.\"`\[])({'|'.join(sorted(map(re.escape, FUNCTIONS), key=len, reverse=True))})\s*(?=\()", re.IGNORECASE
)
_GRAMMARS = ("sqlite", "postgres", "mysql", "bigquery", "tsql", "duckdb")
_KEPT = re.compile(rf"\b{PREFIX}(\w+)", re.IGNORECASE)
_NOT_CALLED = frozenset({"glob", "like", "match", "values"})  # keywords too: `x LIKE ('a')`
_TEXT = re.compile(r"('(?:[^']|'')*')")


@lru_cache(maxsize=1)
def load_dialects() -> None:
    """Import the grammars that statements are read with: sqlglot does so at their first use."""
    for name in _GRAMMARS:
        sqlglot.parse_one("SELECT 1", read=grammar(name)).sql("sqlite")


def translations(broken: Broken) -> Iterator[str]:
    """What the statement is in SQLite's own words, read in each dialect that might be its own."""
    text = rewritten(broken.sql)
    if not may_be_read(text):
        return
    protected = _protected(text)
    for dialect in _dialects(text):
        found = _translated(protected, dialect, broken)
        if found is not None:
            yield found


def _dialects(text: str) -> list[str]:
    """Whose grammar to read `text` with: SQLite's own takes most of the others', and changes least."""
    first = ["postgres"] if re.search(r"\bDISTINCT\s+ON\b|\bUNNEST\b", text, re.IGNORECASE) else []
    # To MySQL and BigQuery, double quotes stand around texts.
    quoted = [] if '"' in text else ["mysql", "bigquery"]
    return [*first, "sqlite", *quoted, "tsql", "duckdb"]


def _protected(text: str) -> str:
    pieces = _TEXT.split(text)
    return "".join(piece if piece.startswith("'") else _CALL.sub(_prefixed, piece) for piece in pieces)


def _prefixed(found: re.Match[str]) -> str:
    return found[0] if found[1].lower() in _NOT_CALLED else f"{PREFIX}{found[1]}"


def _translated(text: str, dialect: str, broken: Broken) -> str | None:
    try:
        trees = [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
        if len(trees) != 1 or isinstance(trees[0], exp.Command):
            return None
        tree: Any = _rebuilt(trees[0], broken)
        written = tree.sql("sqlite", normalize_functions=False, unsupported_level=ErrorLevel.RAISE, comments=False)
    except Exception:  # noqa: BLE001 - NotExact, ParseError, UnsupportedError; sqlglot raises others too
        return None
    return _KEPT.sub(r"\1", written)


def _rebuilt(tree: Any, broken: Broken) -> Any:
    for rebuild in writes.REBUILDS:
        tree = rebuild(tree) or tree
    for reshape in shapes.REBUILDS:
        tree = reshape(tree, broken.columns) or tree
    for change in queries.CHANGES:
        change(tree, broken.columns)
    if isinstance(tree, exp.Create | exp.Alter | exp.Drop):
        raise NotExact  # definitions.py keeps their text: types and defaults mean much here
    return tree
