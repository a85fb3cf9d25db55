"""A statement of another dialect, read by sqlglot, rebuilt where SQLite has no such syntax, and written as SQLite's.

sqlglot decides the grammar and nothing else. Functions keep their names (guard/calls.py), because its own translations
of them can be prepared and still mean something else; what they mean is decided in functions.py and dates.py. Whatever
sqlglot would silently leave out is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import ErrorLevel, exp

from codemode.guard.calls import as_written, protected
from codemode.guard.mending import queries, shapes, writes
from codemode.guard.mending.broken import Broken
from codemode.guard.mending.expressions import rewritten
from codemode.guard.mending.queries import NotExact
from codemode.guard.parse import grammar, may_be_read

_DEEPEST = 60  # of a tree; 480 divisions in a row, 1 kB, held the worker for 6 seconds
_GRAMMARS = ("sqlite", "postgres", "mysql", "bigquery", "tsql", "duckdb")


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
    kept = protected(text)
    for dialect in _dialects(text):
        found = _translated(kept, dialect, broken)
        if found is not None:
            yield found


def _dialects(text: str) -> list[str]:
    """Whose grammar to read `text` with: SQLite's own takes most of the others', and changes least."""
    first = ["postgres"] if re.search(r"\bDISTINCT\s+ON\b|\bUNNEST\b", text, re.IGNORECASE) else []
    # To MySQL and BigQuery, double quotes stand around texts.
    quoted = [] if '"' in text else ["mysql", "bigquery"]
    return [*first, "sqlite", *quoted, "tsql", "duckdb"]


def _translated(text: str, dialect: str, broken: Broken) -> str | None:
    try:
        trees = [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
        if len(trees) != 1 or isinstance(trees[0], exp.Command) or _is_deep(trees[0]):
            return None
        tree: Any = _rebuilt(trees[0], broken)
        written = tree.sql("sqlite", normalize_functions=False, unsupported_level=ErrorLevel.RAISE, comments=False)
    except Exception:  # noqa: BLE001 - NotExact, ParseError, UnsupportedError; sqlglot raises others too
        return None
    return as_written(written)


def _is_deep(tree: Any) -> bool:
    """Whether to write `tree` could take long: sqlglot copies, for each division, what is below it."""
    return any(node.depth > _DEEPEST for node in tree.walk())


def _hides_its_target(tree: Any) -> bool:
    """Whether the WITH of a write has the name of the table that is written."""
    known = tree.args.get("with_")
    if known is None or not isinstance(tree, exp.Delete | exp.Update | exp.Insert | exp.Merge):
        return False
    target = tree.this.find(exp.Table)
    return target is not None and any(each.alias.lower() == target.name.lower() for each in known.expressions)


def _rebuilt(tree: Any, broken: Broken) -> Any:
    if _hides_its_target(tree):  # below it the name means something else than behind DELETE FROM
        raise NotExact
    for rebuild in writes.REBUILDS:
        tree = rebuild(tree) or tree
    for reshape in shapes.REBUILDS:
        tree = reshape(tree, broken.columns) or tree
    for change in queries.CHANGES:
        change(tree, broken.columns)
    if isinstance(tree, exp.Create | exp.Alter | exp.Drop):
        raise NotExact  # definitions.py keeps their text: types and defaults mean much here
    return tree
