"""Give a session's free pages back to the disk."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import apsw

from codemode.database.connection import open_session
from codemode.database.execute import Deadline
from codemode.database.metrics import size_bytes
from codemode.database.names import quoted
from codemode.limits import Limits

# CREATE VIRTUAL TABLE … USING fts5 (…, content='posts'); content='' has no table to be rebuilt from.
_EXTERNAL = re.compile(r"""using\b.*?\bfts5\b.*\bcontent\s*=\s*(?!''|"")['"\w\[`]""", re.IGNORECASE | re.DOTALL)


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
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return {"before": before, "after": size_bytes(connection)}
    finally:
        connection.close(True)


def rebuild_external_indexes(connection: apsw.Connection) -> None:
    """Bring full-text indexes over other tables back into step.

    VACUUM numbers the rows of a table without INTEGER PRIMARY KEY anew, and such an index knows rows by number.
    """
    made = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL").fetchall()
    for name, sql in made:
        if _EXTERNAL.search(str(sql)):
            with suppress(apsw.SQLError):  # of a table that is there no more: nothing can be in step with it
                connection.execute(f"INSERT INTO {quoted(str(name))} ({quoted(str(name))}) VALUES ('rebuild')")  # noqa: S608
