"""What a database file from outside may hold: a backup comes back by way of disks and hands that nobody vouches for.

Whoever can write such a file chooses its schema. A trigger on a table of the engine would run with the engine's rights
at its next write, a view in the place of one would answer for it. So everything under a reserved name must be what the
engine's own migrations make, and nothing else may sit on it. What users made (their triggers, views and expressions)
is bound at each statement as it always is: by the authorizer, and by a connection that trusts no schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from codemode.database.connection import MOST_COLUMNS, allow_any_length, open_frozen
from codemode.database.execute import Deadline
from codemode.database.migrate import SESSION, migrations, newer
from codemode.errors import SessionDamaged, StatementTimeout
from codemode.guard.policy import is_reserved
from codemode.guard.scan import most_joined
from codemode.limits import Limits

CATALOG = ("codemode.catalog", "migrations/sqlite")
Objects = set[tuple[str, str, str, str]]  # type, name, table, definition

_SQLITES_OWN = re.compile(r"sqlite_(?:sequence|stat[134]|autoindex_.*)", re.DOTALL)
_RESULT = re.compile(r"_result_[1-9][0-9]{0,17}")
_HINT = "use another backup"


def check_session(path: Path, limits: Limits, until: float) -> int:
    """Raise unless the frozen file `path` is a sound session database; answers its form (user_version).

    SessionNewer for one of a later form, SessionDamaged for what is none or holds what no session may, StatementTimeout
    at `until` (time.monotonic).
    """
    with _frozen(path, limits, until) as connection:
        version = _form(connection, SESSION)
        found = {each for each in _objects(connection) if is_reserved(each[1]) or is_reserved(each[2])}
        results = {each for each in found if each[0] == "table" and _RESULT.fullmatch(each[1]) and each[1] == each[2]}
        _expect(found - results, {each for each in _made(SESSION, version) if is_reserved(each[2])})
        _expect_bounded(connection)
        _expect_sound(connection)
        return version


def check_engine_file(path: Path, kind: tuple[str, str], until: float) -> int:
    """The same for a file of the engine alone, a log or a catalogue: its schema is the migrations' and no more."""
    with _frozen(path, Limits(), until) as connection:
        version = _form(connection, kind)
        _expect(_objects(connection), _made(kind, version))
        _expect_sound(connection)
        return version


@contextmanager
def _frozen(path: Path, limits: Limits, until: float) -> Iterator[apsw.Connection]:
    try:
        with closing(open_frozen(path, limits)) as connection, Deadline(connection).until(until):
            allow_any_length(connection)
            yield connection
    except apsw.InterruptError:
        raise StatementTimeout("checking the copy took too long", hint="try again where there is less to do") from None
    except apsw.Error as error:
        raise SessionDamaged(f"the copy cannot be read: {error}", hint=_HINT) from None


def _form(connection: apsw.Connection, kind: tuple[str, str]) -> int:
    version, known = int(connection.pragma("user_version")), len(migrations(*kind))
    if version > known:
        raise newer(version, known)
    if version < 1:
        raise SessionDamaged("the file is empty, or no database of codemode", hint=_HINT)
    return version


def _objects(connection: apsw.Connection) -> Objects:
    sql = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema"
    rows = connection.execute(sql, can_cache=False).fetchall()
    return {
        (str(kind), str(name), str(table), _normal(str(text)))
        for kind, name, table, text in rows
        if not (kind in ("table", "index") and _SQLITES_OWN.fullmatch(str(name)))
    }


def _made(kind: tuple[str, str], version: int) -> Objects:
    """What the first `version` migrations make of an empty file."""
    with closing(apsw.Connection(":memory:")) as connection:
        for step in migrations(*kind)[:version]:
            connection.execute(step)
        return _objects(connection)


def _normal(sql: str) -> str:
    """A definition without its comments and blanks: they may differ between versions that made the same."""
    return re.sub(r"\s+", "", re.sub(r"--[^\n]*", "", sql)).lower()


def _expect(found: Objects, made: Objects) -> None:
    if strange := sorted(found ^ made):
        raise SessionDamaged(
            f"the {strange[0][0]} {strange[0][1][:80]!r} is not what codemode makes: the file was changed by hand",
            hint=_HINT,
        )


def _expect_bounded(connection: apsw.Connection) -> None:
    """No view or trigger that would end the process where it is read, which the guard lets nobody make."""
    sql = "SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') AND sql LIKE '%using%'"
    for name, made in connection.execute(sql, can_cache=False):
        if most_joined(str(made)) > MOST_COLUMNS:
            raise SessionDamaged(f"{str(name)[:80]!r} has a USING of more than {MOST_COLUMNS} columns", hint=_HINT)


def _expect_sound(connection: apsw.Connection) -> None:
    found = connection.pragma("quick_check", 1)
    if found != "ok":
        raise SessionDamaged(f"the copy is damaged: {found}", hint=_HINT)
