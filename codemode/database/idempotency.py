"""`_codemode_idempotency`: what executions with an idempotency key answered, kept for 24 hours.

There are two tables of this form. In session.db a row commits together with the data that its execution wrote; in
log.db are the outcomes of executions that had nothing to commit at their end. Runs under the engine's rights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import msgspec

KEPT_MS = 24 * 3_600_000
KEPT_BYTES = 64 * 1024 * 1024  # of bodies in one file: some 50 of the largest, or any number of usual ones
_FIELDS = "request, execution_id, started_at, outcome, body"


class Kept(msgspec.Struct, frozen=True):
    """What is known under a key; `started_at` in milliseconds since 1970.

    `outcome` is None while the execution has committed a part of its work and not ended. `body`, with everything in
    the outcome that can be long, is None where it had to make room.
    """

    request: str
    execution_id: str
    started_at: int
    outcome: str | None = None
    body: str | None = None


def find(connection: apsw.Connection, key: str, now: int) -> Kept | None:
    """What is kept under `key`, unless it is older than 24 hours at `now`."""
    with _of_any_length(connection):
        row = connection.execute(
            f"SELECT {_FIELDS} FROM main._codemode_idempotency WHERE key = ? AND started_at > ?",  # noqa: S608
            (key, now - KEPT_MS),
            can_cache=False,
        ).fetchone()
    return None if row is None else Kept(*row)


def keep(connection: apsw.Connection, key: str, kept: Kept, now: int) -> None:
    """Keep an outcome, or the mark of an execution that has none yet, and forget what is older than 24 hours.

    A mark that is there already stays as it is: each commit of a long execution asks for it.
    """
    size = len(kept.body.encode()) if kept.body is not None else 0
    with _of_any_length(connection):
        connection.execute(
            f"INSERT INTO main._codemode_idempotency ({_FIELDS}, key, body_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT (key) DO UPDATE SET request = excluded.request, execution_id = excluded.execution_id,"
            " started_at = excluded.started_at, outcome = excluded.outcome, body = excluded.body,"
            " body_bytes = excluded.body_bytes"
            " WHERE excluded.outcome IS NOT NULL OR execution_id <> excluded.execution_id",
            (*msgspec.structs.astuple(kept), key, size),
            can_cache=False,
        )
        connection.execute(
            "DELETE FROM main._codemode_idempotency WHERE started_at <= ?", (now - KEPT_MS,), can_cache=False
        )
        if size and body_bytes(connection) > KEPT_BYTES:
            _make_room(connection, key)


def _make_room(connection: apsw.Connection, newest: str) -> None:
    """Let go of the oldest bodies beyond KEPT_BYTES. Their keys stay: a retry must not run again."""
    connection.execute(
        "UPDATE main._codemode_idempotency SET body = NULL, body_bytes = 0 WHERE body_bytes > 0 AND key <> ?"
        " AND started_at <= (SELECT max(started_at) FROM (SELECT started_at, sum(body_bytes)"
        " OVER (ORDER BY started_at DESC ROWS UNBOUNDED PRECEDING) AS total FROM main._codemode_idempotency)"
        " WHERE total > ?)",
        (newest, KEPT_BYTES),
        can_cache=False,
    )


def forget_beyond(connection: apsw.Connection, most: int) -> None:
    """Keep the newest `most` keys: only where forgetting one can do no harm."""
    connection.execute(
        "DELETE FROM main._codemode_idempotency WHERE rowid <= (SELECT max(rowid) FROM main._codemode_idempotency) - ?",
        (most,),
        can_cache=False,
    )


def body_bytes(connection: apsw.Connection) -> int:
    """The size of all bodies together."""
    sql = "SELECT coalesce(sum(body_bytes), 0) FROM main._codemode_idempotency"
    return int(connection.execute(sql, can_cache=False).get)


@contextmanager
def _of_any_length(connection: apsw.Connection) -> Iterator[None]:
    """Without the session's `value_bytes`: a stored outcome may be longer than the values of its snippets."""
    before = connection.limit(apsw.SQLITE_LIMIT_LENGTH, 2**31 - 1)
    try:
        yield
    finally:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, before)
