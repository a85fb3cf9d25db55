"""A copy of a session's data in memory, to try on it what must not touch the session itself.

A small database is copied page by page, uncommitted changes of its connection included. Of a large one the tables in
question are made anew and filled with a sample of their rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from codemode.database import schema
from codemode.database.connection import closed_if_it_fails, open_scratch
from codemode.database.execute import Deadline
from codemode.database.metrics import size_bytes
from codemode.database.names import quoted
from codemode.database.sample import Sample
from codemode.limits import Limits

WHOLE_BYTES = 64 * 1024 * 1024  # 0.2 s to copy; twice this is held for a moment
_GROWS_BY = 64 * 1024 * 1024  # what indexes and tried writes may add


def whole_copy(connection: apsw.Connection, limits: Limits) -> apsw.Connection | None:
    """The database of `connection` in memory; None where it is larger than WHOLE_BYTES. Takes the engine's rights."""
    if size_bytes(connection) > WHOLE_BYTES:
        return None
    image = connection.serialize("main")
    scratch = open_scratch(limits)
    with closed_if_it_fails(scratch):
        # The header says WAL, which a database in memory cannot have.
        scratch.deserialize("main", b"".join((image[:18], b"\x01\x01", memoryview(image)[20:])))
        _bound_growth(scratch)
    return scratch


def sampled_copy(
    connection: apsw.Connection, samples: Sequence[Sample], limits: Limits, until: float
) -> apsw.Connection:
    """A database in memory with the tables of `samples` and their rows, made before `until` (time.monotonic).

    Takes the engine's rights.
    """
    scratch = empty_copy(connection, [sample.table for sample in samples], limits)
    with closed_if_it_fails(scratch):
        scratch.execute("PRAGMA foreign_keys = off")  # what a sampled row refers to may not be in a sample
        with Deadline(scratch).until(until):  # checks and computed columns are their users' expressions
            for sample in samples:
                columns = [name for name in schema.insertable(connection, sample.table) if name in sample.columns]
                marks, names = ", ".join("?" * len(columns)), ", ".join(map(quoted, columns))
                rows = zip(*map(sample.values, columns), strict=True)
                scratch.executemany(f"INSERT INTO {quoted(sample.table)} ({names}) VALUES ({marks})", rows)  # noqa: S608
        _bound_growth(scratch)
    return scratch


def empty_copy(connection: apsw.Connection, tables: Sequence[str], limits: Limits) -> apsw.Connection:
    """A database in memory with the `tables`, their indexes, all views, and no rows. Takes the engine's rights.

    It has what ANALYZE found out about the real tables, so that SQLite plans here as it does there.
    """
    scratch = open_scratch(limits)
    with closed_if_it_fails(scratch):
        _copy_schema(connection, scratch, tables)
        _copy_statistics(connection, scratch)
    return scratch


def _bound_growth(scratch: apsw.Connection) -> None:
    """What is tried may write: it must not fill the memory."""
    pages = int(scratch.pragma("page_count")) + _GROWS_BY // int(scratch.pragma("page_size"))
    scratch.execute(f"PRAGMA max_page_count = {pages}")


def _copy_schema(connection: apsw.Connection, scratch: apsw.Connection, tables: Sequence[str]) -> None:
    made = connection.execute(
        "SELECT type, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('table', 'index', 'view')"
        " ORDER BY type = 'index', rowid",
        can_cache=False,
    ).fetchall()
    for kind, table, sql in made:
        if kind == "view" or table in tables:
            scratch.execute(str(sql))


def _copy_statistics(connection: apsw.Connection, scratch: apsw.Connection) -> None:
    known = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'sqlite_stat1'", can_cache=False).fetchall()
    if not known:
        return
    rows = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1", can_cache=False).fetchall()
    scratch.execute("ANALYZE")
    scratch.execute("DELETE FROM sqlite_stat1")
    scratch.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", rows)
    scratch.execute("ANALYZE sqlite_schema")  # read them
