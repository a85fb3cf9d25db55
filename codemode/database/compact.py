"""Give a session's free pages back to the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path

import apsw

from codemode.database import copies
from codemode.database.connection import open_session
from codemode.database.execute import Deadline
from codemode.database.metrics import size_bytes
from codemode.database.names import quoted
from codemode.limits import Limits


def compact(path: Path, limits: Limits, unfinished: Callable[[], AbstractContextManager[Path]]) -> dict[str, int]:
    """VACUUM the file within `execution_seconds`; its size in bytes before and after.

    On a connection of its own: VACUUM attaches a scratch file, which the session's connection never may, and it
    cannot run inside a transaction. It computes the users' indexes on expressions, so the connection has the same
    bounded functions and the same walls otherwise. Only whoever has the session's turn may call it.

    A full-text index over another table knows its rows by number, and VACUUM may number them anew. Where there is one,
    a copy is compacted and its indexes rebuilt (`unfinished` says where), and put back in one transaction: whoever is
    late or killed leaves no index that finds other rows than it is asked for.
    """
    until = time.monotonic() + limits.execution_seconds
    with closing(open_session(path, limits)) as connection:
        let_vacuum_write(connection)
        before = size_bytes(connection)
        with Deadline(connection).until(until):
            if not _external_indexes(connection):
                connection.execute("VACUUM")
            else:
                with unfinished() as copy:
                    connection.execute("VACUUM INTO ?", (str(copy),))
                    _bring_into_step(copy, limits, until)
                    copies.put_back(copy, path, copies.unless(lambda: time.monotonic() > until))
        connection.set_busy_timeout(0)
        with suppress(apsw.BusyError):  # a reader is in its way: the next checkpoint will do
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return {"before": before, "after": size_bytes(connection)}


def let_vacuum_write(connection: apsw.Connection) -> None:
    """Let `connection`, on which no statement of a snippet runs, attach the one file that VACUUM writes."""
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, 1)


def _bring_into_step(copy: Path, limits: Limits, until: float) -> None:
    with closing(open_session(copy, limits, own=True)) as connection, Deadline(connection).until(until):
        rebuild_external_indexes(connection)


def rebuild_external_indexes(connection: apsw.Connection) -> None:
    """Bring full-text indexes over other tables back into step with the numbers that VACUUM gave their rows."""
    for name in _external_indexes(connection):
        with suppress(apsw.SQLError):  # of none, or of a table that is there no more: there is nothing to rebuild
            connection.execute(f"INSERT INTO {quoted(name)} ({quoted(name)}) VALUES ('rebuild')")  # noqa: S608


def _external_indexes(connection: apsw.Connection) -> list[str]:
    """The full-text indexes that keep no content of their own: of another table, or of none."""
    listed = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
    shadows = {str(name) for name, kind in listed if kind == "shadow"}
    # Of FTS5 alone are tables of this name, and one that has its rows elsewhere keeps no content. No pattern is matched
    # against what made it: the text is a snippet's, and 4 kB of it could take seconds.
    return [
        str(name)
        for name, kind in listed
        if kind == "virtual" and f"{name}_config" in shadows and f"{name}_content" not in shadows
    ]
