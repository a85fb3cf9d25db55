"""Questions to a catalogue in PostgreSQL: early and clear words by sqlglot; what may be read its server decides.

A text that sqlglot cannot read goes on, since PostgreSQL says better what is wrong with it. Functions that neither it
nor the list below knows are refused: among them are those that read files, sleep, or run text as SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from codemode.catalog.asking import TABLES_WAY, not_shown
from codemode.catalog.views import View
from codemode.database.schema import did_you_mean
from codemode.errors import (
    CodemodeError,
    MultipleStatements,
    NoSuchColumn,
    NoSuchTable,
    StatementError,
)
from codemode.guard.gate import admit
from codemode.guard.lookup import closest
from codemode.guard.parse import grammar, may_be_read
from codemode.guard.questions import only_reads
from codemode.guard.repair import shortened
from codemode.guard.statement import Statement
from codemode.limits import Limits

# Possessive throughout: else comments have 2^n ways to begin and end, and forty of them hold the worker for days.
_BEGINS = re.compile(r"(?:\s++|--[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/|\()*+(\w+)")
_READS = frozenset({"SELECT", "WITH", "VALUES"})
_NAMED = re.compile(r'"([^"]+)" does not exist|column (\S+) does not exist')
# Beside those that sqlglot has a class for: of PostgreSQL's own, what only computes from its arguments.
FUNCTIONS = frozenset(
    {
        "age", "array_position", "array_remove", "bit_length", "btrim", "clock_timestamp", "cume_dist", "date_part",
        "dense_rank", "div", "first_value", "jsonb_array_length", "jsonb_build_object", "jsonb_each_text",
        "jsonb_object_keys", "jsonb_pretty", "jsonb_typeof", "json_array_elements", "json_array_elements_text",
        "json_array_length", "json_build_object", "json_each", "json_each_text", "json_object_keys", "json_typeof",
        "justify_interval", "last_value", "make_interval", "mode", "nth_value", "ntile", "percent_rank",
        "plainto_tsquery", "quote_ident", "quote_literal", "rank", "regexp_matches", "regexp_split_to_array",
        "regexp_split_to_table", "row_to_json", "statement_timestamp", "string_to_array", "to_json", "to_jsonb",
        "to_timestamp", "to_tsquery", "to_tsvector", "translate", "ts_rank", "width_bucket",
    }
)  # fmt: skip


class PostgresQuestions:
    """The guard of questions to a catalogue that shows `views`."""

    def __init__(self, views: Iterable[View], limits: Limits) -> None:
        self._views, self._limits = list(views), limits

    def close(self) -> None:
        """Nothing is held."""

    def check(self, sql: str) -> Statement:
        """`sql` where it seems to be a question; raises a StatementError with the way out."""
        text = admit(sql, self._limits.sql_bytes).rstrip().rstrip(";")
        begins = _BEGINS.match(text)
        verb = begins[1].upper() if begins else ""
        if verb and verb not in _READS:
            raise only_reads(verb, text)
        for tree in _trees(text):
            self._check(tree, text)
        return Statement(text, "select", reads_only=True, returns_rows=True, changes_schema=False)

    def _check(self, tree: Any, text: str) -> None:
        from sqlglot import exp

        writes = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Command, exp.Into, exp.Lock)
        known = {view.name.lower() for view in self._views} | {
            each.alias_or_name.lower() for each in tree.find_all(exp.CTE)
        }
        for node in tree.walk():
            if isinstance(node, writes):
                raise only_reads(type(node).__name__.upper(), text)
            if isinstance(node, exp.Anonymous) and node.name.lower() not in FUNCTIONS:
                raise not_shown(f"function {node.name}()", self._views)
            if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
                if node.db or node.catalog:
                    raise not_shown(".".join(filter(None, (node.catalog, node.db, node.name))), self._views)
                if node.name.lower() not in known:
                    raise self._no_table(node.name, text)

    def _no_table(self, name: str, text: str) -> NoSuchTable:
        available = [view.name for view in self._views]
        near = closest(name, available)
        hint = did_you_mean(near) or TABLES_WAY
        return NoSuchTable(
            f"no such table: {name}", hint=hint, did_you_mean=near, available=available, sql=shortened(text)
        )

    def explained(self, error: Exception, statement: Statement) -> CodemodeError:
        """The server's error with the names that would do."""
        if not isinstance(error, CodemodeError):
            raise error
        found = _NAMED.search(error.message)
        name = ((found[1] or found[2]) if found else "").rpartition(".")[2]
        if isinstance(error, NoSuchTable) and name:
            return self._no_table(name, statement.sql)
        if isinstance(error, NoSuchColumn) and name:
            columns = list(dict.fromkeys(column for view in self._views for column in view.columns))
            error.did_you_mean = tuple(closest(name, columns))
            error.hint = did_you_mean(error.did_you_mean) or TABLES_WAY
        if isinstance(error, StatementError):
            error.sql = shortened(statement.sql)
        return error


def _trees(text: str) -> list[Any]:
    """What sqlglot reads `text` as; nothing where it cannot. Raises MultipleStatements."""
    if not may_be_read(text):
        return []
    try:
        trees = [tree for tree in grammar("postgres").parse(text) if tree is not None]
    except Exception:  # noqa: BLE001 - TypeError, AttributeError and RecursionError all occur in the parser
        return []
    if len(trees) > 1:
        raise MultipleStatements(
            "the text holds more than one statement", hint="send one at a time", sql=shortened(text)
        )
    return trees
