"""Give a session's free pages back to the disk."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import apsw

from codemode.database.connection import open_session
from codemode.database.execute import Deadline
from codemode.database.metrics import size_bytes
from codemode.database.names import quoted
from codemode.limits import Limits


def compact(path: Path, limits: Limits) -> dict[str, int]:
    """VACUUM the file within `execution_seconds`; its size in bytes before and after.

    On a connection of its own: VACUUM attaches a scratch file, which the session's connection never may, and it
    cannot run inside a transaction. It computes the users' indexes on expressions, so the connection has the same
    bounded functions and the same walls otherwise. Only whoever has the session's turn may call it.
    """
    connection = open_session(path, limits)
    try:
        connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, 1)
        before = size_bytes(connection)
        with Deadline(connection).until(time.monotonic() + limits.execution_seconds):
            connection.execute("VACUUM")
            rebuild_external_indexes(connection)
        connection.set_busy_timeout(0)
        with suppress(apsw.BusyError):  # a reader is in its way: the next checkpoint will do
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return {"before": before, "after": size_bytes(connection)}
    finally:
        connection.close(True)


def rebuild_external_indexes(connection: apsw.Connection) -> None:
    """Bring full-text indexes over other tables back into step.

    VACUUM numbers the rows of a table without INTEGER PRIMARY KEY anew, and such an index knows rows by number.
    """
    listed = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
    shadows = {str(name) for name, kind in listed if kind == "shadow"}
    for name in (str(name) for name, kind in listed if kind == "virtual"):
        # Of FTS5 alone are tables of this name, and one that has its rows elsewhere keeps no content. No pattern is
        # matched against what made it: the text is a snippet's, and 4 kB of it could take seconds.
        if f"{name}_config" in shadows and f"{name}_content" not in shadows:
            with suppress(apsw.SQLError):  # of none, or of a table that is there no more: there is nothing to rebuild
                connection.execute(f"INSERT INTO {quoted(name)} ({quoted(name)}) VALUES ('rebuild')")  # noqa: S608
