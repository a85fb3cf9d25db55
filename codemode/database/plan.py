"""EXPLAIN QUERY PLAN in plain words: what a statement reads whole, looks up and sorts, in how many rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw

from codemode.counts import plural
from codemode.database.execute import Parameters
from codemode.database.names import folded

_STEP = re.compile(
    r"(?P<how>SCAN|SEARCH) (?P<table>.+?)(?: USING (?P<using>.+?)(?: \((?P<terms>.*)\))?)?"
    r"( VIRTUAL TABLE.*)?( LEFT-JOIN)?",
    re.DOTALL,
)
_SORT = re.compile(r"USE TEMP B-TREE FOR (.+)")
_BLOOM = re.compile(r"BLOOM FILTER ON (\S+) \((.*)\)")
_READ = 2_000  # characters of a line: an alias may have a megabyte, and to take it apart takes the square
_GUESS = 10  # rows that SQLite expects of an equality on an index it knows nothing about

# What SQLite says of the parts of a statement, in words; the rest is shown as it is, in small letters.
_PARTS = (
    (re.compile(r"CORRELATED SCALAR SUBQUERY (\d+)"), r"subquery \1, for each row anew"),
    (re.compile(r"CORRELATED LIST SUBQUERY (\d+)"), r"the list of subquery \1, for each row anew"),
    (re.compile(r"SCALAR SUBQUERY (\d+)"), r"subquery \1, once"),
    (re.compile(r"LIST SUBQUERY (\d+)"), r"the list of subquery \1, once"),
    (re.compile(r"MATERIALIZE (.+)"), r"compute \1 and keep it"),
    (re.compile(r"CO-ROUTINE (.+)"), r"compute \1 row by row"),
    (re.compile(r"MULTI-INDEX OR"), "one look-up for each side of OR"),
    (re.compile(r"COMPOUND QUERY"), "several SELECTs, one after another"),
    (re.compile(r"UNION USING TEMP B-TREE"), "UNION: leave out rows that were there"),
    (re.compile(r"SCAN CONSTANT ROW|SCAN \d+ CONSTANT ROWS?"), "one row of constants"),
)


@dataclass(frozen=True)
class Step:
    """One line of the plan: its depth, SQLite's own text, and what it names."""

    depth: int
    detail: str
    how: str = ""  # SCAN or SEARCH
    table: str = ""
    using: str = ""  # "INDEX name", "COVERING INDEX name", "AUTOMATIC …", "INTEGER PRIMARY KEY", …
    terms: tuple[str, ...] = ()  # what is compared: "tailnum=?"
    sort: str = ""

    @property
    def index(self) -> str:
        """The name of the index that is used, if one is."""
        found = re.fullmatch(r"(?:COVERING )?INDEX (.+)", self.using, re.DOTALL)
        return found[1] if found else ""

    @property
    def is_automatic(self) -> bool:
        """Whether SQLite builds an index for this one run."""
        return self.using.startswith("AUTOMATIC")

    @property
    def is_full_text(self) -> bool:
        """Whether a full-text index finds the rows of a MATCH: SQLite calls that a scan."""
        return re.search(r"VIRTUAL TABLE INDEX \d+:\S*M\d", self.detail) is not None

    @property
    def reads_all(self) -> bool:
        """Whether a table, or an index in its place, is read from its first row to its last."""
        return self.how == "SCAN" and "VIRTUAL TABLE" not in self.detail


def steps(connection: apsw.Connection, sql: str, params: Parameters) -> list[Step]:
    """The plan of `sql` as SQLite chose it, without running it."""
    rows: list[Any] = connection.execute(f"EXPLAIN QUERY PLAN {sql}", params, can_cache=False).fetchall()
    depth: dict[int, int] = {0: -1}
    found = []
    for number, parent, _, detail in rows:
        depth[number] = depth.get(parent, -1) + 1
        found.append(_step(depth[number], detail or "…"))  # NULL where its names are longer than a value may be
    return found


def _step(depth: int, detail: str) -> Step:
    if len(detail) > _READ:
        return Step(depth, f"{detail[:_READ]}…")
    if (sort := _SORT.fullmatch(detail)) is not None:
        return Step(depth, detail, sort=sort[1])
    step = _STEP.fullmatch(detail)
    if step is None or detail.endswith("CONSTANT ROW"):
        return Step(depth, detail)
    terms = tuple((step["terms"] or "").split(" AND ")) if step["terms"] else ()
    return Step(depth, detail, step["how"], step["table"], step["using"] or "", terms)


def statistics(connection: apsw.Connection) -> dict[str, list[int]]:
    """What ANALYZE found out: index → its rows, then the rows for each value of its first column, first two, …"""
    known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'", can_cache=False).fetchall()
    if not known:
        return {}
    rows = connection.execute("SELECT idx, stat FROM sqlite_stat1 WHERE idx IS NOT NULL", can_cache=False)
    return {index: [int(part) for part in str(stat).split() if part.isdigit()] for index, stat in rows}


def unique_indexes(connection: apsw.Connection) -> dict[str, int]:
    """The unique indexes, with how many columns each has."""
    return dict(
        connection.execute(
            "SELECT i.name, (SELECT count(*) FROM pragma_index_info(i.name)) FROM sqlite_schema AS t,"
            " pragma_index_list(t.name) AS i WHERE t.type = 'table' AND i.\"unique\" AND NOT i.partial",
            can_cache=False,
        )
    )


@dataclass
class Sizes:
    """How many rows tables have, and what ANALYZE found out about their indexes; asked for as they are needed."""

    names: Mapping[str, str]  # folded alias → table
    count: Callable[[str], int | None]
    statistics: Mapping[str, Sequence[int]] = field(default_factory=dict)  # index → rows, rows for each value, …
    unique: Mapping[str, int] = field(default_factory=dict)  # unique index → how many columns it has

    def table(self, name: str) -> str:
        """The table that stands behind a name of the plan; "" for a subquery."""
        return self.names.get(folded(name), "")

    def rows(self, step: Step) -> int | None:
        """The rows that SQLite expects a step to read, each time; None where nobody can say."""
        if not step.how or step.is_full_text or not self.table(step.table):
            return None
        total = self.count(self.table(step.table))
        if step.how == "SCAN" or total is None:
            return total
        return min(total, self._found(step, total))

    def _found(self, step: Step, total: int) -> int:
        """A range is taken for a quarter of the rows, as SQLite takes it."""
        equal = sum("=?" in term and "<" not in term and ">" not in term for term in step.terms)
        known = self.statistics.get(step.index, ())
        if "PRIMARY KEY" in step.using or equal >= self.unique.get(step.index, len(step.terms) + 1):
            rows = 1 if equal else total
        else:
            rows = total if not equal else known[equal] if equal < len(known) else _GUESS
        return max(1, rows >> 2 * (len(step.terms) - equal))


def in_words(step: Step, sizes: Sizes) -> str:
    """One step as a person would say it."""
    if step.sort:
        return f"sort for {step.sort}" if step.sort.endswith("BY") else f"sort rows for {step.sort}"
    if not step.how:
        return _part_in_words(step.detail, sizes)
    name, expected = _named(step.table, sizes), sizes.rows(step)
    rows = "" if expected is None else plural(expected, "row")
    if step.how == "SCAN":
        return _scan(step, name) + (rows and f", {rows}")
    return _search(step, name) + (rows and f", about {rows}")


def _named(name: str, sizes: Sizes) -> str:
    table = sizes.table(name)
    return name if folded(table) in ("", folded(name)) else f"{table} ({name})"


def _part_in_words(detail: str, sizes: Sizes) -> str:
    for pattern, words in _PARTS:
        if pattern.fullmatch(detail):
            return pattern.sub(words, detail)
    bloom = _BLOOM.fullmatch(detail)
    return f"skip rows early that have no match in {_named(bloom[1], sizes)}" if bloom else detail.lower()


def _scan(step: Step, name: str) -> str:
    if step.is_full_text:
        return f"search {name} by its full-text index"
    if step.using.startswith("COVERING INDEX"):
        return f"read all of index {step.index}, which holds all that is needed of {name}"
    return f"read all of {name}" + (f" in the order of index {step.index}" if step.index else "")


def _search(step: Step, name: str) -> str:
    columns = " and ".join(step.terms) or "its key"
    if step.is_automatic:
        return f"build an index on {name} for this one run, and look up {columns}"
    if "PRIMARY KEY" in step.using:
        return f"look up {name} by its primary key, {columns}"
    return f"look up {name} with index {step.index}, {columns}" if step.index else f"look up {name}, {columns}"


def scans(found: Sequence[Step]) -> list[str]:
    """What is read whole, each once."""
    return list(dict.fromkeys(step.table for step in found if step.reads_all))


def advice(found: Sequence[Step]) -> list[str]:
    """What the plan alone says: which index SQLite would have liked, and what it reads whole."""
    said = [
        f"SQLite builds an index on {step.table} ({', '.join(step.terms)}) for this one run, each time anew"
        for step in found
        if step.is_automatic
    ]
    if names := ", ".join(scans(found)):
        said.append(f"{names}: read whole; an index on the columns compared in WHERE or ON lets SQLite search instead")
    return said
