"""What a session cost, in its log: totals of its life and by day, its slow statements, and how its size grew.

Everything here is bounded, and written in the transaction that writes the log entries anyway.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import apsw

from codemode.database.directory import staying
from codemode.values import KEPT_DAYS, Day, SizeAt, SlowStatement, Totals

KEPT_SIZES = 256
_KEPT_SLOW = 500
LIFE = ""  # the row of the whole life

_FIELDS = tuple(name for name in Totals.__struct_fields__ if name != "warnings")
_figures_of = attrgetter(*_FIELDS)
_GROW = ", ".join(
    f"{name} = max({name}, excluded.{name})" if name == "peak_memory_bytes" else f"{name} = {name} + excluded.{name}"
    for name in _FIELDS
)
_VALUES = f"({', '.join('?' * (len(_FIELDS) + 2))})"
_ADD = f"""
    INSERT INTO usage (day, size_bytes, {", ".join(_FIELDS)}) VALUES {_VALUES}, {_VALUES}
    ON CONFLICT (day) DO UPDATE SET size_bytes = excluded.size_bytes, {_GROW}
"""  # noqa: S608
_WARNED = (
    "UPDATE usage SET warnings = json_set(warnings, ?1, coalesce(json_extract(warnings, ?1), 0) + ?2)"
    " WHERE day IN ('', ?3)"
)
_SLOW = tuple(name for name in SlowStatement.__struct_fields__ if name != "plan")


def add(connection: apsw.Connection, day: str, more: Totals, size: int) -> None:
    """Add `more` to the totals of `day` and of the session's life; `size` is the database's after it."""
    figures = _figures_of(more)
    connection.execute(_ADD, [day, size, *figures, LIFE, size, *figures])
    for kind, number in more.warnings.items():
        connection.execute(_WARNED, (f'$."{kind}"', number, day))


def forget_old_days(connection: apsw.Connection, today: str) -> None:
    """Drop the days beyond those that are kept."""
    oldest = date.fromisoformat(today) - timedelta(days=KEPT_DAYS)
    connection.execute("DELETE FROM usage WHERE day > '' AND day <= ?", (oldest.isoformat(),))


def life(connection: apsw.Connection) -> Totals:
    """The totals of the session's whole life."""
    found = connection.execute(f"SELECT {', '.join(_FIELDS)}, warnings FROM usage WHERE day = ''").fetchone()  # noqa: S608
    return Totals() if found is None else Totals(**_figures(found))


def days(connection: apsw.Connection) -> list[Day]:
    """The days on which the session was used, oldest first."""
    rows = connection.execute(
        f"SELECT {', '.join(_FIELDS)}, warnings, day, size_bytes FROM usage WHERE day > '' ORDER BY day"  # noqa: S608
    )
    return [Day(day=day, size_bytes=size, **_figures(figures)) for *figures, day, size in rows]


def _figures(row: Iterable[Any]) -> dict[str, Any]:
    *figures, warnings = row
    return {**dict(zip(_FIELDS, figures, strict=True)), "warnings": dict(sorted(json.loads(warnings).items()))}


def days_of(log: Path) -> list[Day]:
    """The days in the log file `log`, read beside whoever writes it; none where it has none or cannot be read."""
    with staying(log.parent):
        try:
            connection = apsw.Connection(str(log), flags=apsw.SQLITE_OPEN_READONLY)
        except apsw.Error:
            return []
        try:
            return days(connection)
        except (apsw.Error, ValueError):
            return []
        finally:
            connection.close(True)


def note_size(connection: apsw.Connection, timestamp: str, size: int) -> None:
    """Keep `size` where it differs from the last one; when there are too many, half of them, evenly spread.

    So what is recent is known more exactly, no stretch is missing, and the first size stays.
    """
    connection.execute(
        "INSERT INTO sizes (timestamp, size_bytes) SELECT ?1, ?2"
        " WHERE ?2 IS NOT (SELECT size_bytes FROM sizes ORDER BY id DESC LIMIT 1)",
        (timestamp, size),
    )
    if connection.changes() and connection.execute("SELECT count(*) FROM sizes").get > KEPT_SIZES:
        first, last = connection.execute("SELECT min(id), max(id) FROM sizes").get
        connection.execute(
            "DELETE FROM sizes WHERE id < ?2 AND id NOT IN"
            " (SELECT min(id) FROM sizes GROUP BY (id - ?1) * ?3 / (?2 - ?1 + 1))",
            (first, last, KEPT_SIZES // 2),
        )


def sizes(connection: apsw.Connection) -> list[SizeAt]:
    """How the database's size changed, oldest first."""
    rows = connection.execute("SELECT timestamp, size_bytes FROM sizes ORDER BY id")
    return [SizeAt(timestamp=timestamp, size_bytes=size) for timestamp, size in rows]


def thinned(found: list[SizeAt], most: int) -> list[SizeAt]:
    """At most `most` (two or more) of `found`, evenly spread, the first and the last among them."""
    if len(found) <= most:
        return found
    return [found[place * (len(found) - 1) // (most - 1)] for place in range(most)]


def add_slow(connection: apsw.Connection, statements: Iterable[SlowStatement]) -> None:
    """Keep slow statements, the newest of all."""
    rows = [(*(getattr(each, name) for name in _SLOW), json.dumps(each.plan)) for each in statements]
    if rows:
        marks = ", ".join("?" * (len(_SLOW) + 1))
        connection.executemany(f"INSERT INTO slow_statements ({', '.join(_SLOW)}, plan) VALUES ({marks})", rows)  # noqa: S608
        newest = connection.last_insert_rowid()
        connection.execute("DELETE FROM slow_statements WHERE id <= ?", (newest - _KEPT_SLOW,))


def slow(connection: apsw.Connection, limit: int) -> list[SlowStatement]:
    """The newest `limit` slow statements, newest first."""
    sql = f"SELECT {', '.join(_SLOW)}, plan FROM slow_statements ORDER BY id DESC LIMIT ?"  # noqa: S608
    rows = connection.execute(sql, (limit,))
    return [
        SlowStatement(**dict(zip(_SLOW, figures, strict=True)), plan=tuple(json.loads(plan))) for *figures, plan in rows
    ]
