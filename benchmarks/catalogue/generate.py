"""Make such a catalogue in minutes: rows are streamed into the file without its triggers, which come back afterwards.

What the triggers would have kept (the counters, the full-text index, in how many active sessions a user is) is worked
out once at the end; `tests/benchmarks` holds a small one against the same rows that came through the triggers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import apsw

from benchmarks.catalogue.rows import Row, made
from benchmarks.catalogue.shape import Shape
from codemode import Worker
from codemode.catalog.stores.sqlite import INDEX_ANEW

_AT_ONCE = 20_000  # rows that are held at once
_CACHE_KIB = 512 * 1024
Told = Callable[[str], None]

_KEPT = """
    UPDATE users SET active_in = (SELECT count(*) FROM participants AS p JOIN sessions AS s ON s.tenant = p.tenant
        AND s.id = p.session_id WHERE p.tenant = users.tenant AND p.user_id = users.id AND p.left_at IS NULL
        AND s.expired_at IS NULL AND s.closed_at IS NULL);
    INSERT OR IGNORE INTO counters (tenant) SELECT id FROM tenants;
    WITH u AS (SELECT tenant, sum(kind = 'agent') AS agents, sum(kind = 'agent' AND active_in > 0) AS active,
            sum(kind = 'human') AS people FROM users GROUP BY tenant),
        s AS (SELECT tenant, sum(expired_at IS NULL) AS sessions, sum(executions) AS executions, sum(bytes) AS bytes
            FROM sessions GROUP BY tenant),
        p AS (SELECT tenant, count(*) AS n FROM panels GROUP BY tenant),
        m AS (SELECT tenant, count(*) AS n FROM messages GROUP BY tenant),
        j AS (SELECT tenant, sum(left_at IS NULL) AS n FROM participants GROUP BY tenant),
        g AS (SELECT tenant, count(*) AS n FROM signals GROUP BY tenant)
    UPDATE counters SET agents = u.agents, active_agents = u.active, people = u.people, sessions = s.sessions,
        executions = s.executions, bytes = s.bytes, panels = coalesce(p.n, 0), messages = coalesce(m.n, 0),
        events = coalesce(p.n, 0) + coalesce(m.n, 0) + coalesce(j.n, 0) + coalesce(g.n, 0)
    FROM u JOIN s USING (tenant) LEFT JOIN p USING (tenant) LEFT JOIN m USING (tenant) LEFT JOIN j USING (tenant)
        LEFT JOIN g USING (tenant)
    WHERE counters.tenant = u.tenant;
"""


def generate(folder: Path, shape: Shape, told: Told = lambda _: None) -> None:
    """Make a catalogue of this shape in `folder`, which has none yet."""
    with Worker(folder):
        pass
    with closing(apsw.Connection(str(folder / "catalog.db"))) as connection:
        connection.pragma("foreign_keys", False)
        connection.pragma("synchronous", "off")
        connection.pragma("journal_mode", "off")  # made anew where it fails: it takes minutes, not a day
        connection.pragma("cache_size", -_CACHE_KIB)
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        fill(connection, shape, told)
        told("counters and full-text index")
        connection.execute(_KEPT)
        connection.execute(INDEX_ANEW)
        connection.execute("INSERT INTO messages_text (messages_text) VALUES ('optimize')")
        for _, sql in triggers:
            connection.execute(str(sql))
        connection.pragma("journal_mode", "wal")


def fill(connection: apsw.Connection, shape: Shape, told: Told = lambda _: None) -> None:
    """Insert all rows, as many at once as stay in memory."""
    for table, columns, rows in made(shape):
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        began, count = time.monotonic(), 0
        for chunk in _chunks(rows):
            with connection:
                connection.executemany(sql, chunk)
            count += len(chunk)
            told(f"{table}: {count:,} rows, {count / (time.monotonic() - began):,.0f}/s")


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _AT_ONCE)):
        yield chunk
