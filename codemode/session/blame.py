"""Which column and which value a constraint speaks of, and how far a statement got that took too long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from codemode.database import rules
from codemode.database.batch import insert_chunk
from codemode.database.execute import UNBOUND, Connection, Cost, DatabaseError
from codemode.database.names import folded
from codemode.database.schema import closest
from codemode.errors import CodemodeError, ConstraintFailed, StatementTimeout
from codemode.guard import Statement
from codemode.guard.mending.rows import row_values, values_set
from codemode.session import references

if TYPE_CHECKING:
    from codemode.session.statements import Statements

_SHOWN = 80  # characters of a value
_SHOWN_RULE = 400  # the same of a CHECK
_SHOWN_VALUES = 60
_UNKNOWN = object()


class Refused(NamedTuple):
    """A record of a chunk that a constraint refuses: its place there, its values, and the error."""

    place: int
    values: Sequence[Any]
    error: ConstraintFailed


def refused_record(
    statements: Statements, statement: Statement, values: Sequence[Any], width: int, first: int
) -> Refused | None:
    """The record for which a whole chunk was undone: it is inserted again, record by record, by `statement`, of one.

    `first` is the number of the chunk's first record. What is inserted is the caller's to undo. None where nothing is
    refused, or something else goes wrong.
    """
    for place in range(len(values) // width):
        record = values[place * width : (place + 1) * width]
        try:
            with statements.stepping(statement):
                insert_chunk(statements.opened.connection, statement.sql, record, first + place, width)
        except ConstraintFailed as error:
            return Refused(place, record, error)
        except CodemodeError:
            return None
    return None


def with_values(
    error: ConstraintFailed, connection: Connection, tables: Sequence[str], record: Mapping[str, Any]
) -> ConstraintFailed:
    """`error` with the columns that it is about, their values in `record` and what would be right.

    `tables` are those that the statement writes, its own first, which `record` is of. Runs with the engine's rights.
    """
    told = _Told(error, record)
    kind = error.message.partition(" ")[0]
    if kind == "FOREIGN":
        _tell_of_references(told, connection, tables)
    elif kind == "CHECK":
        _tell_of_checks(told, connection, tables)
    elif kind == "UNIQUE":
        _tell_of_keys(told, connection)
    elif found := re.match(r"(?:NOT NULL constraint failed:|cannot store \w+ value in \w+ column) (.+)", error.message):
        told.columns = [found[1].rpartition(".")[2]]
    elif error.message == "datatype mismatch":
        keys = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (tables[0],), can_cache=False)
        told.columns = [str(row[0]) for row in keys]
    return told.error()


class _Told:
    """A constraint's error while more is found out about it."""

    def __init__(self, error: ConstraintFailed, record: Mapping[str, Any]) -> None:
        self._error = error
        self.values = {folded(name): value for name, value in record.items()}
        self._spelt = {folded(name): name for name in record}
        self.message, self.hint = error.message, error.hint
        self.columns: Sequence[str] = ()
        self.available: Sequence[str] = error.available
        self.meant: Sequence[str] = error.did_you_mean

    def error(self) -> ConstraintFailed:
        named = [name for name in dict.fromkeys(map(folded, self.columns)) if name in self.values]
        told = ", ".join(f"{self._spelt[name]} = {_shown(self.values[name])}" for name in named)
        return ConstraintFailed(
            f"{self.message} ({told})" if told else self.message, hint=self.hint, sql=self._error.sql,
            did_you_mean=self.meant, available=self.available, suggestion=self._error.suggestion,
        )  # fmt: skip


def _tell_of_checks(told: _Told, connection: Connection, tables: Sequence[str]) -> None:
    """Which rule was broken, or which of those that SQLite calls the same, and the values that it allows."""
    said = told.message.removeprefix("CHECK constraint failed: ")
    known = (check for table in tables for check in rules.checks(connection, table))
    first, *others = dict.fromkeys(check.rule for check in known if check.called == said) or [said]
    broken = rules.Check(None, " AND ".join(f"({rule})" for rule in (first, *others)) if others else first)
    rule = broken.rule if len(broken.rule) <= _SHOWN_RULE else f"{broken.rule[:_SHOWN_RULE]}…"
    told.columns = re.findall(r"[^\W\d]\w*", re.sub(r"'[^']*'", "", broken.rule))
    told.hint = f"the table's CHECK has to hold: {rule}"
    if broken.values is not None:
        column, allowed = broken.values
        told.hint = f"the table's CHECK takes for {column}: {', '.join(allowed[:_SHOWN_VALUES])}"
        told.available = [_content(value) for value in allowed[:_SHOWN_VALUES]]
        given = told.values.get(folded(column))
        told.meant = closest(given, list(told.available)) if isinstance(given, str) else ()


def _content(value: str) -> str:
    return value[1:-1].replace("''", "'") if value.startswith("'") else value


def _tell_of_keys(told: _Told, connection: Connection) -> None:
    """The columns of the key; of one on expressions, or of some rows only, what it is."""
    failed = re.match(r"UNIQUE constraint failed: (?:index '(?P<index>.+)'|(?P<columns>.+))", told.message)
    if failed is None:
        return
    if failed["index"]:
        sql = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?"
        made: Any = connection.execute(sql, (failed["index"],), can_cache=False).fetchone()
        held = rules.Key((None,), rules.where(made[0]), made[0]).target if made and made[0] else failed["index"]
        told.hint = f"a row with this key exists, which is {held}: use another value, or ON CONFLICT {held} DO UPDATE"
        told.columns = re.findall(r"[^\W\d]\w*", held)
        return
    names = [name.strip() for name in failed["columns"].split(",")]
    told.columns = [name.rpartition(".")[2] for name in names]
    key = rules.key_of(connection, names[0].rpartition(".")[0], tuple(told.columns))
    if key is not None and key.where:
        told.hint = f"a row with this key exists: use ON CONFLICT {key.target} DO UPDATE, or INSERT OR IGNORE"


def _tell_of_references(told: _Told, connection: Connection, tables: Sequence[str]) -> None:
    """The columns whose values no row has, and what to do; for a row that is referred to, who refers to it."""
    orphan = references.orphan(connection, tables[0], told.values)
    if orphan is not None:
        told.columns = orphan.columns
        told.hint = f"insert the row that it refers to first: {orphan.parent} has none with this {orphan.key}"
        return
    holders = references.holders(connection, tables[0])
    if holders:
        told.hint = f"{told.hint}: {'; '.join(holders)}"


def _shown(value: Any) -> str:
    text = "NULL" if value is None else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def written(sql: str, params: Any, columns: list[str]) -> dict[str, Any]:
    """The values that an INSERT of one row or an UPDATE gives, from its text and its parameters.

    Those that are computed are left out.
    """
    values = iter(params) if isinstance(params, Sequence) else iter(())
    found = {}
    for name, text in (row_values(sql, columns) or values_set(sql)).items():
        value = next(values, _UNKNOWN) if text == "?" else _literal(text, params)
        if value is not _UNKNOWN:
            found[name] = value
        elif "?" in text:
            break  # which of the parameters are this one's is not known, nor is it of what follows
    return found


def _literal(text: str, params: Any) -> Any:
    if text.upper() == "NULL":
        return None
    if re.fullmatch(r"'(?:[^']|'')*'", text):
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"[+-]?\d+\.\d*", text):
        return float(text)
    return params.get(text[1:], _UNKNOWN) if text[:1] in ":@$" and isinstance(params, Mapping) else _UNKNOWN


_RECURSIVE = re.compile(r"\bWITH\s+RECURSIVE\b", re.IGNORECASE)


def timed_out(sql: str, connection: Connection, seconds: float, most: float, cost: Cost) -> StatementTimeout:
    """What a statement did in `seconds`, of `query_seconds` at `most`, and what its plan reads whole.

    Runs with the engine's rights.
    """
    from codemode.database import plan

    try:
        tables = plan.scans(plan.steps(connection, sql, UNBOUND))
    except DatabaseError:
        tables = []
    whole = f"; its plan reads {' and '.join(tables)} whole" if tables else ""
    way = "filter earlier, or add an index on the columns of ON and WHERE" if tables else "ask for less at a time"
    if _RECURSIVE.search(sql[:2_000]):
        way = f"end the recursion: WHERE depth < 20, or UNION instead of UNION ALL where it comes back; or {way}"
    bound = f"query_seconds ({most:g} s)" if seconds >= most else f"{seconds:.3g} s"
    return StatementTimeout(
        f"the statement took longer than {bound}"
        f" and was ended after {cost.vm_steps:,} steps, {cost.scan_steps:,} of them in full scans",
        hint=f"{way}{whole}; helpers.db.explain(sql) says more",
        sql=sql[:2_000],
    )
