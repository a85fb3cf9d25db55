"""What the remarks ask of a statement's tree, and of the columns that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import apsw
from sqlglot import exp

from codemode.database.names import folded
from codemode.guard import lookup
from codemode.guard.calls import as_written, called

EQUAL, ORDERED = (exp.EQ, exp.NEQ), (exp.LT, exp.LTE, exp.GT, exp.GTE)
COMPARED = (*EQUAL, *ORDERED, exp.In, exp.Between)
CONDITIONS = (*COMPARED, exp.Is, exp.Like, exp.Glob, exp.And, exp.Or, exp.Not)
_SHOWN = 120  # characters of a part of the statement
_WHOLE = frozenset({"count", "length", "octet_length", "instr", "unicode", "sign", "row_number", "rank", "dense_rank",
    "ntile", "changes", "unixepoch", "json_array_length"})  # fmt: skip
_AS_THEIR_ARGUMENTS = frozenset({"sum", "min", "max", "abs", "coalesce", "ifnull", "nullif", "lag", "lead",
    "first_value", "last_value", "iif", "if"})  # fmt: skip


_AS_THEIR_FIRST = frozenset({"min", "max", "lag", "lead", "first_value", "last_value", "nth_value", "coalesce",
    "ifnull", "nullif"})  # fmt: skip
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OF_TEXTS = re.compile(r"CHAR|CLOB|TEXT")
_OF_NUMBERS = re.compile(r"INT|REAL|FLOA|DOUB|NUMERIC|DECIMAL")


def text_of(node: Any) -> str | None:
    """The text of a literal in single quotes."""
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def is_number(node: Any) -> bool:
    """Whether `node` is a number, written out."""
    node = plain(node)
    node = node.this if isinstance(node, exp.Neg) else node
    return isinstance(node, exp.Literal) and not node.is_string


def value_of(node: Any) -> float:
    """The number that is written out there."""
    node = plain(node)
    return -float(node.this.this) if isinstance(node, exp.Neg) else float(node.this)


def plain(node: Any) -> Any:
    """`node` without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def said(node: Any) -> str:
    """`node` as it is written in SQL."""
    text = as_written(node.sql("sqlite", normalize_functions=False, comments=False))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def sides(node: Any) -> tuple[Any, list[Any]]:
    """What is compared, without parentheses, and what with."""
    if isinstance(node, exp.Between):
        return plain(node.this), [node.args["low"], node.args["high"]]
    return plain(node.this), node.expressions if isinstance(node, exp.In) else [node.expression]


def is_set(node: Any) -> bool:
    """Whether `node` is an assignment of SET, which looks like a comparison."""
    return node.arg_key == "expressions" and isinstance(node.parent, exp.Update | exp.OnConflict)


def within(node: Any) -> Iterator[Any]:
    """The nodes of one SELECT's expression, without those of selects inside of it."""
    return (each for each in node.walk(prune=lambda n: isinstance(n, exp.Query)))


class Named:
    """The columns that a statement may mean: those of its tables, and the names that it gives itself."""

    def __init__(self, text: str, tree: Any, tables: Sequence[str], connection: apsw.Connection) -> None:
        self.text, self._tree, self._tables, self._connection = text, tree, tables, connection
        self._days: dict[str, bool] = {}
        self._whole: dict[str, bool] = {}  # by column, each asked once: `b+b AS a` and so on would double the work

    @cached_property
    def _types(self) -> dict[str, dict[str, str]]:
        """The types of the columns of a name, by table."""
        found: dict[str, dict[str, str]] = {}
        for table in dict.fromkeys(self._tables):
            for name, kind in lookup.column_types(self._connection, table):
                found.setdefault(folded(name), {})[table] = kind.upper()
        return found

    @cached_property
    def _aliases(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for node in self._tree.find_all(exp.Alias):
            found.setdefault(folded(node.alias), []).append(node.this)
        return found

    def columns(self, table: str) -> list[str]:
        """The columns of a table; none where it is no table of the session's."""
        return lookup.columns(self._connection, table)

    def is_whole(self, node: Any, depth: int = 0) -> bool:
        """Whether `node` is a whole number wherever it is not NULL."""
        node, deeper = plain(node), depth + 1
        if depth > 20:
            return False
        if isinstance(node, exp.Column):
            return self._is_whole_column(node, deeper)
        if isinstance(node, exp.Literal):
            return not node.is_string and str(node.this).isdecimal() and len(str(node.this)) < 19
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Mod):
            return self.is_whole(node.this, deeper) and self.is_whole(node.expression, deeper)
        if isinstance(node, exp.Window | exp.Filter | exp.Neg):
            return self.is_whole(node.this, deeper)
        if isinstance(node, exp.Cast):
            return is_cast_to(node, _INTEGERS) or (is_cast_to(node, DECIMALS) and self.is_whole(node.this, deeper))
        if isinstance(node, exp.Case):
            values = [*(each.args["true"] for each in node.args["ifs"]), node.args.get("default") or exp.Null()]
            return all(isinstance(each, exp.Null) or self.is_whole(each, deeper) for each in values)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select) and len(node.this.expressions) == 1:
            return self.is_whole(node.this.expressions[0].unalias(), deeper)
        if isinstance(node, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Is | exp.In | exp.Between):
            return True
        return self._is_whole_call(node, deeper)

    def _is_whole_call(self, node: Any, depth: int) -> bool:
        name = called(node)
        if name not in _AS_THEIR_ARGUMENTS:
            return name in _WHOLE
        values = node.expressions[1:] if name in ("iif", "if") else node.expressions
        values = node.expressions[:1] if name in ("nullif", "lag", "lead") else values
        values = [
            value for each in values for value in (each.expressions if isinstance(each, exp.Distinct) else [each])
        ]
        return bool(values) and all(self.is_whole(each, depth) for each in values)

    def _is_whole_column(self, node: Any, depth: int) -> bool:
        name = folded(node.name)
        if name not in self._whole:
            self._whole[name] = False  # where it is asked again on the way, it is given by itself
            self._whole[name] = self._holds_whole(name, depth)
        return self._whole[name]

    def _holds_whole(self, name: str, depth: int) -> bool:
        types, given = self._types.get(name, {}), self._given(name)
        if not (types or given):
            return False
        return all("INT" in kind for kind in types.values()) and all(self.is_whole(each, depth) for each in given)

    def _given(self, name: str) -> list[Any]:
        """What the statement gives the name to, where that is not a column of the same name."""
        given = self._aliases.get(name, [])
        return [each for each in given if not (isinstance(each, exp.Column) and folded(each.name) == name)]

    def is_number_of(self, node: Any) -> bool:
        """Whether `node` is a number, a sum of them, or a column for numbers."""
        node = plain(node)
        if isinstance(node, exp.Column):
            kinds = self._types.get(folded(node.name), {}).values()
            return bool(kinds) and all(_OF_NUMBERS.search(kind) for kind in kinds)
        return is_number(node) or called(node) in ("sum", "avg", "total", "round", "count")

    def is_of_texts(self, node: Any) -> bool:
        """Whether `node` is a column that makes texts of the numbers that it is compared with."""
        node = plain(node)
        kinds = self._types.get(folded(node.name), {}).values() if isinstance(node, exp.Column) else ()
        return any(_OF_TEXTS.search(kind) for kind in kinds)

    def is_day(self, node: Any, depth: int = 0) -> bool:
        """Whether `node` is a date as text: what a function answers, or a column that holds some in its first rows."""
        node = plain(node)
        if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp) or called(node) in ("date", "datetime"):
            return True
        if depth > 20:
            return False
        if isinstance(node, exp.Column):
            name = folded(node.name)
            if name not in self._days:
                self._days[name] = False
                self._days[name] = self._holds_days(name, depth + 1)
            return self._days[name]
        if isinstance(node, exp.Window | exp.Filter):
            return self.is_day(node.this, depth + 1)
        return (
            called(node) in _AS_THEIR_FIRST and bool(node.expressions) and self.is_day(node.expressions[0], depth + 1)
        )

    def _holds_days(self, name: str, depth: int) -> bool:
        types, given = self._types.get(name, {}), self._given(name)
        texts = [lookup.first_text(self._connection, table, name) for table in types]
        days = [text is not None and _DAY.match(text) is not None for text in texts]
        return bool(types or given) and all(days) and all(self.is_day(each, depth) for each in given)


_INTEGERS = frozenset({"INT", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT"})
DECIMALS = frozenset({"DECIMAL"})


def is_cast_to(node: Any, types: frozenset[str]) -> bool:
    """Whether `node` is a CAST to one of `types`, as sqlglot names them."""
    return isinstance(node, exp.Cast) and node.to.this.name in types
