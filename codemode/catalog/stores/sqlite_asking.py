"""Questions to a catalogue in SQLite: a connection that only reads, views of one tenant, and SQLite's own authorizer.

Each question has a connection of its own. For each table there are two TEMP views: an inner one with a name that nobody
can guess, which reads the table, and one with the name that everybody knows, which reads the inner one. The authorizer
is told through which view a table is read, and lets nothing read a table but the inner ones. One view is not enough: a
common table expression of its name looks like it (`WITH sessions AS (SELECT * FROM main.sessions) …`).
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import apsw

from codemode.catalog.asking import Question, not_shown
from codemode.catalog.stores.sqlite import BUSY_MS
from codemode.catalog.views import View, shown
from codemode.database.connection import READ_ONLY_SETTINGS
from codemode.database.execute import Deadline, Result, run
from codemode.database.temporary import spent_too_much
from codemode.errors import StatementLimit, StorageFull
from codemode.limits import Limits

_TABLE_FUNCTIONS = frozenset({"json_each", "json_tree"})
_READING = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE})
_COLUMNS = """
    SELECT lower(made.name), info.name FROM main.sqlite_schema AS made, pragma_table_xinfo(made.name, 'main') AS info
    WHERE made.type = 'table' AND made.sql NOT LIKE 'create virtual table%'
"""
_NAMES = "SELECT lower(name) FROM main.sqlite_schema UNION SELECT lower(name) FROM pragma_module_list"


@contextmanager
def asking_file(path: Path, limits: Limits) -> Iterator[SqliteAsking]:
    """What one question to the catalogue in `path` needs, as long as the block lasts; raises StorageFull."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.CantOpenError as error:
        raise StorageFull(
            f"the catalogue cannot be opened: {error} ({path})", hint="raise the limit of open files"
        ) from None
    with closing(connection):
        yield asking_on(connection, limits)


def asking_on(connection: apsw.Connection, limits: Limits) -> SqliteAsking:
    """What one question needs on a connection that only reads, and that nobody else uses meanwhile."""
    connection.set_busy_timeout(BUSY_MS)
    for setting in READ_ONLY_SETTINGS:
        setting(connection, limits)
    return SqliteAsking(connection)


class SqliteAsking:
    """The wall around one question; made by `asking_file` and `asking_on`."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        tables: defaultdict[str, list[str]] = defaultdict(list)
        for table, column in connection.execute(_COLUMNS, can_cache=False):
            tables[table].append(column)
        self.views: list[View] = shown(tables)

    def answer(self, question: Question, functions: Collection[str]) -> Result:
        """Its answer; see `Asking.answer`."""
        connection = self._connection
        known = frozenset(name for (name,) in connection.execute(_NAMES, can_cache=False))
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, question.value_bytes)
        with _only_through(connection, self.views, question.tenant) as secret:
            wall = _Wall(secret, frozenset(view.name.lower() for view in self.views), known, functions)
            connection.authorizer = wall.decide
            try:
                with Deadline(connection).until(question.until):
                    return run(
                        connection, question.sql, question.params,
                        rows=question.rows, result_bytes=question.result_bytes,
                    )  # fmt: skip
            except apsw.AuthError:
                raise not_shown(wall.refused, self.views) from None
            except apsw.InterruptError:
                if spent_too_much(connection):
                    raise StatementLimit(
                        "the question needs more temporary disk space than one may use",
                        hint="sort or group fewer rows: filter first",
                    ) from None
                raise
            finally:
                connection.authorizer = None


@contextmanager
def _only_through(connection: apsw.Connection, views: list[View], tenant: str) -> Iterator[str]:
    """The views of `tenant`, as long as the block lasts; answers what the names of the inner ones begin with."""
    secret = f"v{secrets.token_hex(16)}_"  # new for each question: whoever finds it out is over
    names = [f"{secret}{view.name}" for view in views]
    for view, inner in zip(views, names, strict=True):
        connection.execute(f"CREATE TEMP VIEW {inner} AS {view.select(tenant, 'main')}", can_cache=False)
        connection.execute(f"CREATE TEMP VIEW {view.name} AS SELECT * FROM temp.{inner}", can_cache=False)  # noqa: S608
    try:
        yield secret
    finally:
        for view, inner in zip(views, names, strict=True):
            connection.execute(f"DROP VIEW temp.{view.name}; DROP VIEW temp.{inner}", can_cache=False)


class _Wall:
    """The authorizer: everything that is not listed here is refused, whatever the guard above thought of it."""

    def __init__(self, secret: str, views: frozenset[str], known: frozenset[str], functions: Collection[str]) -> None:
        self._secret, self._views, self._functions = secret, views, functions
        self._known = known - views - _TABLE_FUNCTIONS
        self.refused = "this statement"

    def decide(
        self, code: int, first: str | None, second: str | None, database: str | None, accessor: str | None
    ) -> int:
        """SQLite's callback: OK or DENY, never an exception."""
        if code == apsw.SQLITE_READ:
            allowed = self._may_read((first or "").lower(), second or "", database, accessor or "")
            what = ".".join(filter(None, ("main" if database == "main" else "", first)))
        elif code == apsw.SQLITE_FUNCTION:
            allowed, what = (second or "").lower() in self._functions, f"function {second}()"
        else:
            allowed, what = code in _READING, _action(code)
        if allowed:
            return apsw.SQLITE_OK
        if self.refused == "this statement":
            self.refused = what
        return apsw.SQLITE_DENY

    def _may_read(self, table: str, column: str, database: str | None, accessor: str) -> bool:
        if accessor.startswith(self._secret):
            return True  # inside of an inner view: our own text
        if table in _TABLE_FUNCTIONS:
            return True
        if database == "temp":
            return table in self._views or table.startswith(self._secret)
        # A source of which no column is read, named without a database: a view, or a common table expression.
        unnamed = database is None and column == ""
        return unnamed and table not in self._known and not table.startswith(("sqlite_", "pragma_"))


def _action(code: int) -> str:
    name = str(apsw.mapping_authorizer_function.get(code, code))
    return name.removeprefix("SQLITE_").replace("_", " ")
