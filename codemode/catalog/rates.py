"""How fast a tenant may begin executions: a bucket that fills by its quota a minute, shared by all processes.

Taking one is one statement, so that of two that come for the last one, in whichever processes, one is refused. Times
are milliseconds since the machine started: a clock that is set neither fills nor empties a bucket.
"""

from __future__ import annotations

from math import ceil

from codemode.catalog.store import Store

_MINUTE_MS = 60_000
# What is in the bucket now. Two processes may look at the clock in another order than they write: a little back is no
# time at all. Far back, the machine was started anew in between, and the bucket is full.
_PASSED = (
    "CASE WHEN rates.at - 60000 > ?3 THEN 60000 WHEN rates.at > ?3 THEN 0"
    " WHEN rates.at + 60000 < ?3 THEN 60000 ELSE ?3 - rates.at END"
)
_FILLED = f"rates.level + ?2 * ({_PASSED}) / 60000.0"
_LEVEL = f"CASE WHEN {_FILLED} > ?2 THEN ?2 ELSE {_FILLED} END"


class Rates:
    """The `rates` table of a catalogue."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def take(self, tenant: str, per_minute: int, now: int) -> int:
        """Take one: 0 where there was one, else the milliseconds until there will be."""
        taken = self._catalog.run(
            "INSERT INTO rates (tenant, level, at) VALUES (?1, ?2 - 1, ?3)"  # noqa: S608
            f" ON CONFLICT (tenant) DO UPDATE SET level = {_LEVEL} - 1, at = ?3 WHERE {_LEVEL} >= 1 RETURNING 1",
            tenant, per_minute, now,
        )  # fmt: skip
        return 0 if taken else max(1, ceil((1 - self.level(tenant, per_minute, now)) * _MINUTE_MS / per_minute))

    def level(self, tenant: str, per_minute: int, now: int) -> float:
        """How many could be taken now."""
        rows = self._catalog.run(f"SELECT {_LEVEL} FROM rates WHERE tenant = ?1", tenant, per_minute, now)  # noqa: S608
        return float(rows[0][0]) if rows else float(per_minute)
