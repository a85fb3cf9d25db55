"""A session as a plain database file: everybody's SQLite opens it, and nothing of the engine's bookkeeping is in it.

What stays besides the users' tables, indexes, views and triggers: `session_state` where something is kept in it, and
the tables of kept results. They are data, and views may read them.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import apsw

from codemode.database import copies
from codemode.database.compact import let_vacuum_write, rebuild_external_indexes
from codemode.database.connection import allow_any_length, open_session
from codemode.database.execute import Deadline
from codemode.database.names import quoted
from codemode.errors import StatementTimeout
from codemode.limits import Limits


def write_portable(source: Path, place: Path, limits: Limits, until: float) -> Path:
    """Write the committed state of the session's file `source` to a new file in the directory `place`; its path.

    Waits for nobody, and nobody waits. Raises StatementTimeout at `until` (time.monotonic), StorageFull and
    SessionDamaged.
    """
    copy, target = place / "copy.db", place / "portable.db"
    with copies.explained(place):
        try:
            copies.take(source, copy, copies.unless(lambda: time.monotonic() > until))
            with closing(open_session(copy, limits, own=True)) as connection:
                _strip(connection, target, until)
            with closing(open_session(target, limits)) as connection:
                _finish(connection, until)
            copies.sync(target)
        except apsw.InterruptError:
            raise StatementTimeout("the export took longer than was allowed", hint="raise execution_seconds") from None
    return target


def _strip(connection: apsw.Connection, target: Path, until: float) -> None:
    """Drop what is the engine's, and write the rest anew: what was deleted is not in it either."""
    allow_any_length(connection)
    with Deadline(connection).until(until):
        empty = not connection.execute("SELECT EXISTS (SELECT 1 FROM session_state)").get
        names = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for name in names:
            if _is_bookkeeping(name) or (name == "session_state" and empty):
                connection.execute(f"DROP TABLE {quoted(name)}")
        let_vacuum_write(connection)
        connection.execute("VACUUM INTO ?", (str(target),))


def _is_bookkeeping(name: str) -> bool:
    return name.lower().startswith("_codemode_")


def _finish(connection: apsw.Connection, until: float) -> None:
    allow_any_length(connection)
    with Deadline(connection).until(until):
        rebuild_external_indexes(connection)  # VACUUM numbers rows anew, and these know rows by number
        connection.execute("PRAGMA user_version = 0")
        connection.execute("PRAGMA journal_mode = delete")  # one file, also while it is open
