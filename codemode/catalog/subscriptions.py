"""Subscriptions: which sessions and panels a user is told of. Only who takes part in a session may be told of it."""

from __future__ import annotations

from codemode.catalog.bound import BoundStore
from codemode.catalog.found import no_record
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.rows import columns, record
from codemode.errors import RecordNotFound, shown
from codemode.moments import moment
from codemode.values.records import Subscription

_FIELDS = columns(Subscription)
_KEY = "session_id || '~' || coalesce(panel_id, '')"  # `~` is in no id of a session


class Subscriptions:
    """The subscriptions of a tenant's users."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def add(self, user_id: str, session_id: str, *, now: int, panel_id: str | None = None) -> Subscription:
        """Have a user told of a session, or of one of its panels; he may be already.

        Raises RecordNotFound where he takes no part in it, or there is no such panel.
        """
        rows = self._store.run(
            "INSERT INTO subscriptions (tenant, user_id, session_id, panel_id, created_at)"  # noqa: S608
            " SELECT p.tenant, p.user_id, p.session_id, v.id, ?5 FROM participants AS p JOIN sessions AS s"
            " ON s.tenant = p.tenant AND s.id = p.session_id LEFT JOIN panels AS v ON v.tenant = p.tenant"
            " AND v.session_id = p.session_id AND v.id = ?4 WHERE p.tenant = ?1 AND p.user_id = ?2"
            " AND p.session_id = ?3 AND p.left_at IS NULL AND s.expired_at IS NULL AND (CAST(?4 AS TEXT) IS NULL OR"
            " v.id IS NOT NULL) ON CONFLICT (tenant, user_id, session_id, coalesce(panel_id, ''))"
            f" DO UPDATE SET created_at = subscriptions.created_at RETURNING {_FIELDS}",
            user_id, session_id, panel_id, moment(now),
        )  # fmt: skip
        if not rows:
            raise self._not_there(user_id, session_id, panel_id)
        return record(Subscription, rows[0])

    def _not_there(self, user_id: str, session_id: str, panel_id: str | None) -> RecordNotFound:
        sql = "SELECT 1 FROM participants WHERE tenant = ?1 AND user_id = ?2 AND session_id = ?3 AND left_at IS NULL"
        if panel_id is not None and self._store.run(sql, user_id, session_id):
            return no_record("panel", panel_id)
        return no_record(f"session that the user {shown(user_id, 140)} takes part in:", session_id)

    def of_user(self, user_id: str, *, after: str | None = None, limit: int = 50) -> Page[Subscription]:
        """What a user is told of, by session and panel; raises RequestInvalid."""
        asked = Asked().that("user_id = {}", user_id)
        if after is not None:
            session_id, _, panel_id = str(parse_after(after)).partition("~")
            asked.those("(session_id, coalesce(panel_id, '')) > ({}, {})", (session_id, panel_id))
        return asked.page(
            self._store,
            Subscription,
            f"{_FIELDS}, {_KEY} FROM subscriptions",
            "session_id, coalesce(panel_id, '')",
            limit,
            key=("place",),
        )

    def of_session(self, session_id: str, *, after: str | None = None, limit: int = 50) -> Page[Subscription]:
        """Who is told of all of a session, by user; raises RequestInvalid."""
        asked = Asked("tenant = ?1 AND panel_id IS NULL").that("session_id = {}", session_id)
        asked.that("user_id > {}", parse_after(after))
        return asked.page(
            self._store, Subscription, f"{_FIELDS} FROM subscriptions", "user_id", limit, key=("user_id",)
        )

    def remove(self, user_id: str, session_id: str, *, panel_id: str | None = None) -> None:
        """Have him told no more; raises RecordNotFound."""
        sql = (
            "DELETE FROM subscriptions WHERE tenant = ?1 AND user_id = ?2 AND session_id = ?3"
            " AND coalesce(panel_id, '') = ?4 RETURNING 1"
        )
        if not self._store.run(sql, user_id, session_id, panel_id or ""):
            raise no_record("subscription", f"{session_id} {panel_id or ''}".strip())
