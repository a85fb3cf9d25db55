"""What the listeners of sessions are told: messages, signals, executions, who joins and leaves, panels that change.

Triggers write an event in the transaction of the row that it tells of; what has no row here is appended. They are
numbered by tenant in the order of their commits, so whoever has seen number n asks for what came after it, in whichever
process, and misses nothing. They are kept for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from codemode.asked import text_of
from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import METADATA_BYTES, parse_limit, parse_name, parse_object
from codemode.catalog.found import is_there, no_session
from codemode.catalog.pages import Asked
from codemode.catalog.rows import columns, record
from codemode.moments import moment
from codemode.values.records import Message, SessionEvent

_KIND_CHARACTERS = 64
_OWN = columns(SessionEvent, "e")
_LENGTH = len(SessionEvent.__struct_fields__)
_FROM = (
    "events AS e LEFT JOIN messages AS m ON e.kind = 'message' AND m.tenant = e.tenant"
    " AND m.session_id = e.session_id AND m.id = e.subject"
)


class Told(NamedTuple):
    """Something to tell that has no row of its own; `at` is milliseconds since 1970, UTC."""

    session_id: str
    kind: str
    at: int
    subject: str | None = None
    body: dict[str, Any] | None = None


class Events:
    """The events of a tenant's sessions."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def append(
        self, session_id: str, kind: str, *, now: int, subject: str | None = None, body: dict[str, Any] | None = None
    ) -> SessionEvent:
        """Tell the session's listeners; raises RequestInvalid and SessionNotFound."""
        rows = self._append([Told(session_id, kind, now, subject, body)])
        if not rows:
            raise no_session(session_id)
        return _event(rows[0])

    def append_all(self, told: Sequence[Told]) -> None:
        """Tell of all of it in one transaction; what is of sessions that are gone is told to nobody.

        Raises RequestInvalid.
        """
        self._append(told)

    def _append(self, told: Sequence[Told]) -> list[tuple[Any, ...]]:
        for each in told:
            text_of("session_id", each.session_id)
        with self._store.at_once():
            there = {each.session_id for each in told}
            there = {session_id for session_id in there if is_there(self._store, session_id)}
            told = [each for each in told if each.session_id in there]
            if not told:
                return []
            sql = "UPDATE counters SET events = events + CAST(?2 AS BIGINT) WHERE tenant = ?1 RETURNING events"
            newest = self._store.run(sql, len(told))[0][0]
            return [self._insert(newest - len(told) + n, each) for n, each in enumerate(told, 1)]

    def _insert(self, seq: int, told: Told) -> tuple[Any, ...]:
        return self._store.run(
            "INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)"  # noqa: S608
            f" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING {columns(SessionEvent)}",
            seq, told.session_id, parse_name(told.kind, "a kind of event", _KIND_CHARACTERS), told.subject,
            parse_object(told.body, "body", METADATA_BYTES), moment(told.at),
        )[0]  # fmt: skip

    def newest(self) -> int:
        """The number of the tenant's newest event: who begins to listen asks for what comes after it."""
        rows = self._store.look("SELECT events FROM counters WHERE tenant = ?1")
        return int(rows[0][0]) if rows else 0

    def forgotten(self) -> int:
        """Up to which number events may be gone: who asks for what came after a lower one may have missed some."""
        rows = self._store.look("SELECT coalesce((SELECT min(seq) FROM events WHERE tenant = ?1) - 1, events)"
                                " FROM counters WHERE tenant = ?1")  # fmt: skip
        return int(rows[0][0]) if rows else 0

    def since(self, session_id: str, seq: int, limit: int = 100) -> list[SessionEvent]:
        """What the session's listeners were told after number `seq`, the oldest first; raises RequestInvalid.

        The body of a message's event is the message, and empty where that was removed since.
        """
        asked = Asked("e.tenant = ?1").that("e.session_id = {}", session_id).that("e.seq > {}", seq)
        return self._first(asked, limit)

    def of_user(self, user_id: str, seq: int, limit: int = 100) -> list[SessionEvent]:
        """The same of the sessions and panels that a user has subscribed to, as long as he takes part in them."""
        asked = Asked("e.tenant = ?1").that("e.seq > {}", seq)
        who = asked.bind(user_id)
        asked.all(
            f"EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.tenant = ?1 AND s.user_id = {who}"  # noqa: S608
            " AND s.session_id = e.session_id AND (s.panel_id IS NULL OR e.kind = 'panel' AND s.panel_id = e.subject))"
            f" AND EXISTS (SELECT 1 FROM participants AS p WHERE p.tenant = ?1 AND p.user_id = {who}"
            " AND p.session_id = e.session_id AND p.left_at IS NULL)"
        )
        return self._first(asked, limit)

    def _first(self, asked: Asked, limit: int) -> list[SessionEvent]:
        sql = (
            f"SELECT {_OWN}, {columns(Message, 'm')} FROM {_FROM} WHERE {asked.where}"  # noqa: S608
            f" ORDER BY e.seq LIMIT {asked.bind(parse_limit(limit))}"
        )
        return [_event(row) for row in self._store.look(sql, *asked.params)]


def _event(row: tuple[Any, ...]) -> SessionEvent:
    event, message = record(SessionEvent, row), row[_LENGTH:]
    if not message or message[0] is None:
        return event
    return msgspec.structs.replace(event, body=msgspec.to_builtins(record(Message, message)))
