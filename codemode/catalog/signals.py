"""Signals of calls between participants: offers, answers, candidates. Each is taken once, or expires within minutes."""

from __future__ import annotations

from typing import Any, get_args

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import SIGNAL_BYTES, parse_choice, parse_json, parse_limit
from codemode.catalog.found import no_session
from codemode.catalog.pages import Asked
from codemode.catalog.participants import parse_user
from codemode.catalog.rows import columns, only, record
from codemode.errors import RequestInvalid, shown
from codemode.moments import moment, ulid_at
from codemode.values.records import Signal, SignalType

SIGNAL_TYPES: tuple[SignalType, ...] = get_args(SignalType)
KEPT_MS = 60_000  # a call that is not taken within a minute is over
_MOST_KEPT_MS = 600_000
_FIELDS = columns(Signal)


class Signals:
    """The signals of a tenant's sessions."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def post(
        self,
        session_id: str,
        signal_type: str,
        from_participant: str,
        signal_data: Any,
        *,
        now: int,
        to_participant: str | None = None,
        kept_ms: int = KEPT_MS,
    ) -> Signal:
        """Leave a signal for a participant, or for whoever else takes it first.

        Raises RequestInvalid and SessionNotFound.
        """
        if type(kept_ms) is not int or not 0 < kept_ms <= _MOST_KEPT_MS:
            raise RequestInvalid(f"a signal is kept 1 to {_MOST_KEPT_MS:,} ms, not {shown(kept_ms)}")
        rows = self._store.run(
            "INSERT INTO signals (tenant, session_id, id, signal_type, from_participant, to_participant, signal_data,"  # noqa: S608
            " created_at, expires_at) SELECT s.tenant, s.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM sessions AS s"
            f" WHERE s.tenant = ?1 AND s.id = ?2 AND s.expired_at IS NULL RETURNING {_FIELDS}",
            session_id, f"sig_{ulid_at(now)}", parse_choice(signal_type, "type of signal", SIGNAL_TYPES),
            parse_user(from_participant), None if to_participant is None else parse_user(to_participant),
            parse_json(signal_data, "signal_data", SIGNAL_BYTES), now, now + kept_ms,
        )  # fmt: skip
        return only(Signal, rows, no_session(session_id))

    def take(
        self, session_id: str, participant: str, *, now: int, signal_type: str | None = None, limit: int = 50
    ) -> list[Signal]:
        """Take what is there for a participant, the oldest first: nobody gets it again. Raises RequestInvalid."""
        asked = self._waiting(session_id, signal_type, now)
        who = asked.bind(participant)
        asked.all(f"(to_participant = {who} OR (to_participant IS NULL AND from_participant <> {who}))")
        chosen = f"SELECT id FROM signals WHERE {asked.where} ORDER BY id LIMIT {asked.bind(parse_limit(limit))}"  # noqa: S608
        # Asked again outside: of two that come at once, one finds it taken.
        rows = self._store.run(
            f"UPDATE signals SET taken_at = {asked.bind(now)} WHERE tenant = ?1 AND session_id = ?2"  # noqa: S608
            f" AND taken_at IS NULL AND id IN ({chosen}) RETURNING {_FIELDS}",
            *asked.params,
        )
        return [record(Signal, row) for row in sorted(rows)]

    def untaken(self, session_id: str, *, now: int, signal_type: str | None = None, limit: int = 50) -> list[Signal]:
        """What waits to be taken, the oldest first, all or of one type; raises RequestInvalid."""
        asked = self._waiting(session_id, signal_type, now)
        sql = f"SELECT {_FIELDS} FROM signals WHERE {asked.where} ORDER BY id LIMIT {asked.bind(parse_limit(limit))}"  # noqa: S608
        return [record(Signal, row) for row in self._store.look(sql, *asked.params)]

    def _waiting(self, session_id: str, signal_type: str | None, now: int) -> Asked:
        kind = None if signal_type is None else parse_choice(signal_type, "type of signal", SIGNAL_TYPES)
        asked = Asked("tenant = ?1 AND taken_at IS NULL").that("session_id = {}", session_id)
        return asked.that("signal_type = {}", kind).that("expires_at > {}", moment(now))
