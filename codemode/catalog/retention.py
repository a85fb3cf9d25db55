"""How long the catalogue keeps what nobody needs any more: rules as data, carried out a few rows at a time.

Sessions that expired are forgotten with all that was said and shown in them by `Ending.sweep`, which looks after
their files too; the audit log by its own retention. Every batch is a transaction, so that others wait for milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from codemode.catalog.store import Store

BATCH = 500  # rows of a transaction: some milliseconds, with what triggers do for each of them
_SHRINK_PAGES = 1_000  # given back after a sweep: 4 MB, some milliseconds
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


class Rule(msgspec.Struct, frozen=True):
    """Rows of `table` (by `key`) go `age_ms` after the time in `column`, where `also` holds."""

    what: str
    table: str
    key: str
    column: str
    age_ms: int
    also: str = ""

    @property
    def due(self) -> str:
        """Which rows: with the time before which they are due as ?1."""
        return f"{self.column} < ?1{self.also}"


RULES = (
    Rule("events", "events", "tenant, seq", "at", _DAY_MS),
    Rule("signals", "signals", "tenant, session_id, id", "expires_at", 10 * _MINUTE_MS),
    Rule("outcomes of background executions", "background", "id", "finished_at", 60 * _MINUTE_MS),
    Rule("participants who left", "participants", "tenant, session_id, user_id", "left_at", 90 * _DAY_MS),
    Rule("deleted users", "users", "tenant, id", "deleted_at", 90 * _DAY_MS),
    Rule(
        "deleted tenants", "tenants", "id", "deleted_at", 90 * _DAY_MS,
        " AND NOT EXISTS (SELECT 1 FROM sessions AS s WHERE s.tenant = tenants.id)",
    ),
)  # fmt: skip


class Retention:
    """Carries the rules out on a catalogue."""

    def __init__(self, store: Store, rules: tuple[Rule, ...] = RULES) -> None:
        self._store, self._rules = store, rules

    def due(self, now: int) -> dict[str, int]:
        """How many rows of each rule would go now."""
        return {rule.what: self._count(rule, now) for rule in self._rules}

    def _count(self, rule: Rule, now: int) -> int:
        [(found,)] = self._store.look(f"SELECT count(*) FROM {rule.table} WHERE {rule.due}", now - rule.age_ms)  # noqa: S608
        return int(found)

    def sweep(self, now: int) -> dict[str, int]:
        """Remove what is due, and give free space back; how many rows of each rule went."""
        gone = {rule.what: sum(self._batches(rule, now)) for rule in self._rules}
        self._store.shrink(_SHRINK_PAGES)
        return gone

    def _batches(self, rule: Rule, now: int) -> Iterator[int]:
        chosen = f"SELECT {rule.key} FROM {rule.table} WHERE {rule.due} ORDER BY {rule.column} LIMIT ?2"  # noqa: S608
        sql = f"DELETE FROM {rule.table} WHERE ({rule.key}) IN ({chosen}) RETURNING 1"  # noqa: S608
        while gone := len(self._store.run(sql, now - rule.age_ms, BATCH)):
            yield gone

    def empty(self, tenant: str, session_id: str, before: int) -> None:
        """Remove the messages of a session that expired before then, which is forgotten with the rest at once."""
        sql = (
            "DELETE FROM messages WHERE position IN (SELECT m.position FROM messages AS m JOIN sessions AS s"
            " ON s.tenant = m.tenant AND s.id = m.session_id WHERE m.tenant = ?1 AND m.session_id = ?2"
            " AND s.expired_at < ?3 LIMIT ?4) RETURNING 1"
        )
        while self._store.run(sql, tenant, session_id, before, BATCH):
            pass
