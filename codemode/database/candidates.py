"""Which indexes could serve a statement: SQLite's planner is asked, through tables that have a shape and no rows.

In each table's place stands a virtual table that writes down what the planner offers it: which columns are compared,
how, and in which order the rows are wanted. SQLite's own sqlite3_expert works this way. Nothing is run and nothing is
parsed, so joins, subqueries and views count as the planner sees them; a comparison of an expression is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, NamedTuple

import apsw

from codemode.database.names import folded, quoted
from codemode.database.rules import written

MOST_CANDIDATES = 8
_MOST_COLUMNS = 4
_EQUALS = frozenset(
    {apsw.SQLITE_INDEX_CONSTRAINT_EQ, apsw.SQLITE_INDEX_CONSTRAINT_IS, apsw.SQLITE_INDEX_CONSTRAINT_ISNULL}
)
_RANGES = frozenset(
    {
        apsw.SQLITE_INDEX_CONSTRAINT_GT, apsw.SQLITE_INDEX_CONSTRAINT_GE,
        apsw.SQLITE_INDEX_CONSTRAINT_LT, apsw.SQLITE_INDEX_CONSTRAINT_LE,
    }
)  # fmt: skip


class Term(NamedTuple):
    """One column of an index, by its place in the table; `collation` where it is not the column's own."""

    column: int
    collation: str = ""
    descending: bool = False


@dataclass(frozen=True)
class Candidate:
    """An index that could serve: its table, its columns as they are written, and its name."""

    table: str
    columns: tuple[str, ...]
    name: str

    @property
    def sql(self) -> str:
        """The statement that makes it."""
        return f"CREATE INDEX {written(self.name)} ON {written(self.table)} ({', '.join(self.columns)})"

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.columns)})"


@dataclass(frozen=True)
class Shape:
    """A table as the planner may see it: column names with their declared types, and the indexes that it has."""

    name: str
    columns: tuple[tuple[str, str], ...]
    indexed: tuple[tuple[str, ...], ...] = ()


@dataclass
class _Offer:
    """What the planner offered one table at one time."""

    equals: list[Term] = field(default_factory=list)
    ranges: list[Term] = field(default_factory=list)
    order: list[Term] = field(default_factory=list)


def candidates(
    connection: apsw.Connection, shapes: Sequence[Shape], views: Iterable[str], sql: str, taken: Container[str] = ()
) -> list[Candidate] | None:
    """The indexes that could serve `sql`, those on compared columns first; at most MOST_CANDIDATES.

    `connection` is an empty database with the functions of a session. None where the statement cannot be prepared over
    such tables: it searches full text, reads the execution log, or changes rows with RETURNING. Names that are `taken`
    (folded) are not used again.
    """
    offers: dict[str, list[_Offer]] = {shape.name: [] for shape in shapes}
    connection.create_module("shape", _Module({s.name: s for s in shapes}, offers), use_bestindex_object=True)
    try:
        for shape in shapes:
            connection.execute(f"CREATE VIRTUAL TABLE {quoted(shape.name)} USING shape")
        for view in views:
            connection.execute(view)
        connection.execute(f"EXPLAIN QUERY PLAN {sql}", apsw._null_bindings).fetchall()  # type: ignore[attr-defined]
    except apsw.Error:
        return None
    found: dict[tuple[str, tuple[str, ...]], int] = {}
    for shape in shapes:
        for offer in offers[shape.name]:
            for rank, terms in _indexes(offer):
                columns = tuple(_column(shape, term) for term in terms[:_MOST_COLUMNS])
                if not _is_indexed(shape, columns):
                    found[shape.name, columns] = min(rank, found.get((shape.name, columns), rank))
    ranked = sorted(found, key=lambda each: (found[each], -len(each[1])))[:MOST_CANDIDATES]
    return [Candidate(table, columns, _name(table, columns, taken)) for table, columns in ranked]


def chosen(connection: apsw.Connection, possible: Sequence[Candidate], sql: str) -> list[Candidate]:
    """Those of the candidates that the planner takes, when it has the choice of all of them.

    `connection` is a copy of the schema without rows: what the planner knows of an index is not in its rows. Of a
    statement that cannot be prepared there, it is none of them.
    """
    made = []
    for candidate in possible:
        with suppress(apsw.Error):  # a column of a type that cannot be indexed, a collation that is not known here
            connection.execute(candidate.sql)
            made.append(candidate)
    try:
        found = connection.execute(f"EXPLAIN QUERY PLAN {sql}", apsw._null_bindings).fetchall()  # type: ignore[attr-defined]
    except apsw.Error:
        return []
    details = [f"{row[3]} " for row in found]
    return [candidate for candidate in made if any(f"INDEX {candidate.name} " in detail for detail in details)]


def _indexes(offer: _Offer) -> Iterator[tuple[int, list[Term]]]:
    """The indexes for one offer, each with its rank: equality first, then one range or the order of rows."""
    equals = _once(offer.equals)
    order = _once(term for term in offer.order if all(term.column != other.column for other in equals))
    if equals:
        yield 0, equals
    for term in _once(offer.ranges):
        if all(term.column != other.column for other in equals):
            yield 1, [*equals, term]
    if order:
        yield 2, [*equals, *order]


def _once(terms: Iterable[Term]) -> list[Term]:
    return list({term.column: term for term in terms}.values())


def _column(shape: Shape, term: Term) -> str:
    return (
        written(shape.columns[term.column][0])
        + (f" COLLATE {term.collation}" if term.collation else "")
        + (" DESC" if term.descending else "")
    )


def _is_indexed(shape: Shape, columns: tuple[str, ...]) -> bool:
    return any(tuple(map(written, index[: len(columns)])) == columns for index in shape.indexed)


def _name(table: str, columns: Iterable[str], taken: Container[str]) -> str:
    plain = (re.sub(r" (?:COLLATE \w+|DESC)\b", "", column) for column in columns)
    first, *others = (re.sub(r"\W+", "_", part).strip("_") for part in (table, *plain))
    name = f"{first}_by_{'_'.join(others)}"
    numbered = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(each for each in numbered if folded(each) not in taken)


class _Module:
    """The virtual tables: each has the columns of its shape."""

    def __init__(self, shapes: dict[str, Shape], offers: dict[str, list[_Offer]]) -> None:
        self._shapes, self._offers = shapes, offers

    def Create(  # noqa: N802 - apsw's name
        self, connection: apsw.Connection, modulename: str, databasename: str, tablename: str, *args: Any
    ) -> tuple[str, Any]:
        """Declare the table's columns; innocuous, or no view could read it."""
        connection.vtab_config(apsw.SQLITE_VTAB_INNOCUOUS)
        columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in self._shapes[tablename].columns)
        return f"CREATE TABLE shape ({columns})", _Table(self._offers[tablename])

    Connect = Create

    def ShadowName(self, table_suffix: str) -> bool:  # noqa: N802 - apsw's name
        """None of these tables has others behind it."""
        return False


class _Table:
    """One of them: it writes down what it is offered, and takes it."""

    def __init__(self, offers: list[_Offer]) -> None:
        self._offers = offers

    def BestIndexObject(self, info: Any) -> bool:  # noqa: N802 - apsw's name
        """Take every comparison, so that the planner goes on to ask what is left without those of other tables."""
        order = ((info.get_aOrderBy_iColumn(n), info.get_aOrderBy_desc(n)) for n in range(info.nOrderBy))
        offer = _Offer(order=[Term(column, "", descending) for column, descending in order if column >= 0])
        for number in range(info.nConstraint):
            self._take(info, number, offer)
        self._offers.append(offer)
        found = bool(offer.equals or offer.ranges)
        info.estimatedCost, info.estimatedRows = (10.0, 10) if found else (1e6, 1_000_000)
        return True

    def _take(self, info: Any, number: int, offer: _Offer) -> None:
        column, how = info.get_aConstraint_iColumn(number), info.get_aConstraint_op(number)
        if column < 0 or not info.get_aConstraint_usable(number) or how not in _EQUALS | _RANGES:
            return
        collation = info.get_aConstraint_collation(number)
        term = Term(column, "" if collation == "BINARY" else collation)
        (offer.equals if how in _EQUALS else offer.ranges).append(term)
        info.set_aConstraintUsage_argvIndex(number, len(offer.equals) + len(offer.ranges))

    def Disconnect(self) -> None:  # noqa: N802 - apsw's name
        """Nothing is held."""

    Destroy = Disconnect
