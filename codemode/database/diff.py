"""What differs between two states of a session: objects of the schema, and rows by their key.

Both files are attached read-only to a connection of their own, with the bounded functions of a session's: computed
columns are the user's. SQLite joins the two by key; only counts and a few clipped rows ever come into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from codemode.database.connection import READ_ONLY_SETTINGS, closed_if_it_fails, wait_for_others
from codemode.database.names import folded, is_reserved, quoted
from codemode.limits import Limits
from codemode.values import Change, ColumnsDifference, Differences, SchemaDifference, TableDifference

BEFORE, AFTER = "before", "after"
_PROGRESS_STEPS = 10_000
_MOST_TABLES = 200  # with differences; more are for a program of one's own
_MOST_OBJECTS = 500
_SAMPLE_BYTES = 256 * 1024  # of all samples together: an answer that a model can read
_CONVERTING = ("INT", "CHAR", "CLOB", "TEXT", "REAL", "FLOA", "DOUB")  # such a type tells the type of equal values
_TEXT = 200  # characters of a sampled value or a definition


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files: where it is, and whether nobody changes it (a checkpoint)."""

    path: Path
    frozen: bool

    @property
    def uri(self) -> str:
        """For ATTACH: read-only; one that nobody changes also without locks and files beside it."""
        return f"file:{quote(str(self.path))}?{'immutable=1' if self.frozen else 'mode=ro'}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as one side has it."""

    name: str
    columns: dict[str, tuple[Any, ...]]  # by lower name: name, type, NOT NULL, default, place in the primary key
    without_rowid: bool


def compare(before: Side, after: Side, limits: Limits, is_over: Callable[[], bool], sample: int) -> Differences:
    """What to do to `before` to come to `after`; `complete` is False where `is_over` ended it early.

    `sample` bounds the rows shown of each kind and table. Raises apsw's errors for files that cannot be read.
    """
    with closing(_attached(before, after, limits)) as connection:
        connection.set_progress_handler(is_over, _PROGRESS_STEPS, id="diff")
        comparison = _Comparison(connection, sample)
        try:
            comparison.run()
        except apsw.InterruptError:
            comparison.complete = False
        return Differences(
            tables=tuple(comparison.tables), schema=tuple(comparison.schema), complete=comparison.complete
        )


def _attached(before: Side, after: Side, limits: Limits) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(":memory:", flags=flags)
    with closed_if_it_fails(connection):
        wait_for_others(connection, limits)
        for setting in READ_ONLY_SETTINGS:  # ENABLE_ATTACH_WRITE is off: what is attached is read-only
            setting(connection, limits)
        for limit, value in (
            (apsw.SQLITE_LIMIT_ATTACHED, 2),
            (apsw.SQLITE_LIMIT_COLUMN, 1_000),  # of two tables side by side
            (apsw.SQLITE_LIMIT_EXPR_DEPTH, 1_000),  # one OR for each column
            (apsw.SQLITE_LIMIT_VDBE_OP, 10_000_000),  # the list of tables is a program: some eight operations for each
        ):
            connection.limit(limit, value)
        for name, side in ((BEFORE, before), (AFTER, after)):
            connection.execute(f"ATTACH ? AS {name}", (side.uri,))
        connection.execute("BEGIN")  # from the first look on one state of a session that goes on being used
    return connection


class _Comparison:
    """Fills `tables` and `schema` one by one, so that an early end leaves what was found."""

    def __init__(self, connection: apsw.Connection, sample: int) -> None:
        self._connection, self._sample, self._room = connection, sample, _SAMPLE_BYTES
        self.tables: list[TableDifference] = []
        self.schema: list[SchemaDifference] = []
        self.complete = True

    def run(self) -> None:
        before, after = self._tables(BEFORE), self._tables(AFTER)
        self._compare_schema(before, after)
        for key in sorted(before.keys() | after.keys()):
            if len(self.tables) >= _MOST_TABLES:
                self.complete = False
                return
            with self._unreadable(key):
                found = self._compare_table(before.get(key), after.get(key))
                if found is not None:
                    self.tables.append(found)

    @contextmanager
    def _unreadable(self, name: str) -> Iterator[None]:
        """One table that SQLite cannot read to its end must not hide the others."""
        try:
            yield
        except apsw.InterruptError:
            raise
        except (apsw.SQLError, apsw.TooBigError, apsw.ConstraintError, apsw.MismatchError) as error:
            self._left_out(name, str(error))
        except UnicodeDecodeError:  # of a row that would be shown
            self._left_out(name, "a value is marked as text and holds bytes that are none")

    def _left_out(self, name: str, why: str) -> None:
        self.complete = False
        self.tables.append(TableDifference(table=name, note=f"not compared: {why}"))

    def _rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, params).fetchall()

    def value(self, sql: str) -> int:
        """The whole number that `sql` answers."""
        return int(self._connection.execute(sql).get)

    def _tables(self, side: str) -> dict[str, Table]:
        sql = "SELECT name, wr FROM pragma_table_list WHERE schema = ? AND type IN ('table', 'virtual')"
        return {
            folded(name): Table(name, self._columns(side, name), bool(wr))
            for name, wr in self._rows(sql, side)
            if not is_reserved(name) or name == "session_state"
        }

    def _columns(self, side: str, table: str) -> dict[str, tuple[Any, ...]]:
        sql = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1'
        return {folded(row[0]): row for row in self._rows(sql, table, side)}

    def _compare_schema(self, before: dict[str, Table], after: dict[str, Table]) -> None:
        old, new = self._objects(BEFORE), self._objects(AFTER)
        for key in sorted(old.keys() | new.keys()):
            if old.get(key, (None, None))[1] == new.get(key, (None, None))[1]:
                continue
            if len(self.schema) >= _MOST_OBJECTS:
                self.complete = False
                return
            kind, table = key
            change: Change = "added" if key not in old else "removed" if key not in new else "changed"
            both = kind == "table" and change == "changed" and table in before and table in after
            self.schema.append(
                SchemaDifference(
                    type=kind,
                    name=(new.get(key) or old[key])[0],
                    change=change,
                    before=_clipped(old[key][1]) if key in old else None,
                    after=_clipped(new[key][1]) if key in new else None,
                    columns=_columns_difference(before[table], after[table]) if both else None,
                )
            )

    def _objects(self, side: str) -> dict[tuple[str, str], tuple[str, str]]:
        sql = (
            f"SELECT type, name, sql FROM {side}.sqlite_schema WHERE sql IS NOT NULL AND name NOT IN"  # noqa: S608
            " (SELECT name FROM pragma_table_list WHERE schema = ? AND type = 'shadow')"
        )
        return {
            (kind, folded(name)): (name, text) for kind, name, text in self._rows(sql, side) if not is_reserved(name)
        }

    def _compare_table(self, old: Table | None, new: Table | None) -> TableDifference | None:
        if old is None or new is None:
            return self._whole(old, new)
        key = self._key(old, new)
        if key is None:
            return self._by_count(old, new)
        return _Join(self, old, new, key).difference()

    def _whole(self, old: Table | None, new: Table | None) -> TableDifference:
        """A table that only one side has: all of its rows."""
        side, table = (BEFORE, old) if new is None else (AFTER, new)
        assert table is not None
        place = f"{side}.{quoted(table.name)}"
        rows, sample = self.value(f"SELECT count(*) FROM {place}"), self.sample(f"SELECT * FROM {place}", table)  # noqa: S608
        if new is None:
            return TableDifference(table=table.name, removed=rows, removed_sample=sample)
        return TableDifference(table=table.name, added=rows, added_sample=sample)

    def _by_count(self, old: Table, new: Table) -> TableDifference:
        counts = [
            self.value(f"SELECT count(*) FROM {side}.{quoted(table.name)}")  # noqa: S608
            for side, table in ((BEFORE, old), (AFTER, new))
        ]
        return TableDifference(
            table=new.name,
            note=f"its key changed, so rows cannot be matched: {counts[0]:,} before, {counts[1]:,} after",
        )

    def _key(self, old: Table, new: Table) -> tuple[str, ...] | None:
        """The columns that tell rows apart on both sides: the primary key, else the rowid; None where they differ."""
        keys = [_primary_key(table) for table in (old, new)]
        if keys[0] != keys[1] or old.without_rowid != new.without_rowid:
            return None
        if keys[0] and (old.without_rowid or not self._has_null(old, new, keys[0])):
            return keys[0]
        taken = old.columns.keys() | new.columns.keys()
        return next(((name,) for name in ("rowid", "_rowid_", "oid") if name not in taken), None)

    def _has_null(self, old: Table, new: Table, key: tuple[str, ...]) -> bool:
        """SQLite lets NULL into a primary key, any number of times: such a key tells nothing apart."""
        missing = " OR ".join(f"{quoted(column)} IS NULL" for column in key)
        return any(
            self.value(f"SELECT EXISTS (SELECT 1 FROM {side}.{quoted(table.name)} WHERE {missing})")  # noqa: S608
            for side, table in ((BEFORE, old), (AFTER, new))
        )

    def sample(self, sql: str, table: Table) -> tuple[dict[str, Any], ...]:
        """The first rows of `sql`, whose columns are those of `table`, clipped; fewer where the room is used up."""
        names = [column[0] for column in table.columns.values()]
        return tuple({name: _clipped(value) for name, value in zip(names, row, strict=True)} for row in self.some(sql))

    def some(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """At most `sample` rows, while there is room for them; one by one: computed columns make 400 MB of one."""
        for row in self._connection.execute(f"{sql} LIMIT {self._sample}") if self._sample else ():
            self._room -= sum(len(str(_clipped(value))) for value in row)
            if self._room < 0:
                return
            yield row


class _Join:
    """The rows of one table on both sides, matched by `key`."""

    def __init__(self, comparison: _Comparison, old: Table, new: Table, key: tuple[str, ...]) -> None:
        self._comparison, self._old, self._new, self._key = comparison, old, new, key
        self._both = [name for name in new.columns if name in old.columns and not (name in key and self._is_id(name))]
        self._a, self._b = f"{BEFORE}.{quoted(old.name)} AS a", f"{AFTER}.{quoted(new.name)} AS b"
        self._match = " AND ".join(f"a.{quoted(column)} = b.{quoted(column)}" for column in key)

    def difference(self) -> TableDifference | None:
        """The counts and samples; None where there is no difference."""
        value = self._comparison.value
        gone = f"FROM {self._a} WHERE NOT EXISTS (SELECT 1 FROM {self._b} WHERE {self._match})"  # noqa: S608
        come = f"FROM {self._b} WHERE NOT EXISTS (SELECT 1 FROM {self._a} WHERE {self._match})"  # noqa: S608
        removed = value(f"SELECT count(*) {gone}")
        # Keys are unique: what is not among the matched rows was added.
        matched = value(f"SELECT count(*) FROM {self._a}") - removed  # noqa: S608
        added = value(f"SELECT count(*) FROM {self._b}") - matched  # noqa: S608
        changed = value(f"SELECT count(*) {self._unlike}") if self._both else 0
        if not (removed or added or changed):
            return None
        sample, old, new = self._comparison.sample, self._old, self._new
        lost = f"SELECT {_listed('a', old)} {gone} ORDER BY {self._by('a')}"
        return TableDifference(
            table=new.name,
            key=tuple(self._name(column) for column in self._key),
            added=added,
            removed=removed,
            changed=changed,
            added_sample=sample(f"SELECT {_listed('b', new)} {come} ORDER BY {self._by('b')}", new) if added else (),
            removed_sample=sample(lost, old) if removed else (),
            changed_sample=self._changes() if changed else (),
        )

    def _by(self, alias: str) -> str:
        return ", ".join(f"{alias}.{quoted(column)}" for column in self._key)

    @property
    def _unlike(self) -> str:
        return f"FROM {self._a} JOIN {self._b} ON {self._match} WHERE {' OR '.join(map(self._unlike_in, self._both))}"

    def _unlike_in(self, column: str) -> str:
        a, b = f"a.{quoted(column)}", f"b.{quoted(column)}"
        # BINARY: a column that compares without case would call a change of case none, also one of the key.
        unlike = f"{a} IS NOT {b} COLLATE BINARY"
        old, new = (table.columns[column][1].upper() for table in (self._old, self._new))
        if old == new and any(word in new for word in _CONVERTING):
            return unlike
        return f"{unlike} OR typeof({a}) <> typeof({b})"  # SQLite calls 1 and 1.0 equal, and '007' and 7 by their types

    def _is_id(self, column: str) -> bool:
        """Whether a key column holds whole numbers alone: rows that match have the very same one."""
        return all(table.columns[column][1].upper() == "INTEGER" for table in (self._old, self._new))

    def _changes(self) -> tuple[dict[str, Any], ...]:
        """Rows that differ: the key, and of the other columns those that differ, before and after."""
        wide = [*self._key, *self._both]
        columns = [f"a.{quoted(column)}" for column in wide] + [f"b.{quoted(column)}" for column in self._both]
        found = []
        for row in self._comparison.some(f"SELECT {', '.join(columns)} {self._unlike} ORDER BY {self._by('a')}"):
            key, rest = row[: len(self._key)], row[len(self._key) :]
            pairs = list(zip(self._both, rest[: len(self._both)], rest[len(self._both) :], strict=True))
            differing = [(self._name(name), old, new) for name, old, new in pairs if _differ(old, new)]
            found.append(
                {
                    "key": dict(zip(map(self._name, self._key), map(_clipped, key), strict=True)),
                    "before": {name: _clipped(old) for name, old, _ in differing},
                    "after": {name: _clipped(new) for name, _, new in differing},
                }
            )
        return tuple(found)

    def _name(self, column: str) -> str:
        return str(self._new.columns[column][0]) if column in self._new.columns else column


def _primary_key(table: Table) -> tuple[str, ...]:
    columns = [(row[4], name) for name, row in table.columns.items() if row[4]]
    return tuple(name for _, name in sorted(columns))


def _listed(alias: str, table: Table) -> str:
    return ", ".join(f"{alias}.{quoted(row[0])}" for row in table.columns.values())


def _columns_difference(old: Table, new: Table) -> ColumnsDifference:
    return ColumnsDifference(
        added=tuple(new.columns[name][0] for name in new.columns if name not in old.columns),
        removed=tuple(old.columns[name][0] for name in old.columns if name not in new.columns),
        changed=tuple(
            new.columns[name][0]
            for name in new.columns
            if name in old.columns and new.columns[name][1:] != old.columns[name][1:]
        ),
    )


def _differ(old: Any, new: Any) -> bool:
    return bool(type(old) is not type(new) or old != new)


def _clipped(value: Any) -> Any:
    """A value for people and models: short, and what is not shown is counted."""
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    if isinstance(value, str) and len(value) > _TEXT:
        return f"{value[:_TEXT]}… [{len(value):,} characters]"
    return value
