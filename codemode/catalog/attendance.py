"""Who takes part in the sessions of a tenant, with what is known of it: the records behind `participants`.

Whether somebody may do something in a session is `codemode.catalog.participants`, which is asked at every request.
"""

from __future__ import annotations

from typing import Any

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import parse_choice, parse_object
from codemode.catalog.found import check_not_deleted, no_record, no_session
from codemode.catalog.pages import Asked, Page, parse_pair_after
from codemode.catalog.participants import ROLES, parse_user
from codemode.catalog.rows import columns, only, record
from codemode.moments import moment
from codemode.values.access import ParticipantInfo

_FIELDS = columns(ParticipantInfo)


class Attendance:
    """The participants of a tenant's sessions."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def put(
        self, session_id: str, user_id: str, *, now: int, role: str = "member", metadata: dict[str, Any] | None = None
    ) -> ParticipantInfo:
        """Let a user take part in a session, or change how: metadata that is not given stay. One who left joins anew.

        Raises RequestInvalid, SessionNotFound, and RecordNotFound for a user who was deleted.
        """
        rows = self._store.run(
            "INSERT INTO participants (tenant, session_id, user_id, role, joined_at, metadata)"  # noqa: S608
            " SELECT s.tenant, s.id, ?3, ?4, ?5, coalesce(?6, '{}') FROM sessions AS s"
            " WHERE s.tenant = ?1 AND s.id = ?2 AND s.expired_at IS NULL AND NOT EXISTS (SELECT 1 FROM users AS u"
            " WHERE u.tenant = ?1 AND u.id = ?3 AND u.deleted_at IS NOT NULL)"
            " ON CONFLICT (tenant, session_id, user_id) DO UPDATE SET role = ?4,"
            " joined_at = CASE WHEN participants.left_at IS NULL THEN participants.joined_at ELSE ?5 END,"
            f" metadata = coalesce(?6, participants.metadata), left_at = NULL RETURNING {_FIELDS}",
            session_id, parse_user(user_id), parse_choice(role, "role", ROLES), moment(now),
            None if metadata is None else parse_object(metadata),
        )  # fmt: skip
        if not rows:
            check_not_deleted(self._store, user_id)
            raise no_session(session_id)
        return record(ParticipantInfo, rows[0])

    def get(self, session_id: str, user_id: str) -> ParticipantInfo:
        """One who takes part, or did; raises RecordNotFound."""
        sql = f"SELECT {_FIELDS} FROM participants WHERE tenant = ?1 AND session_id = ?2 AND user_id = ?3"  # noqa: S608
        rows = self._store.look(sql, session_id, user_id)
        return only(ParticipantInfo, rows, no_record("participant", user_id))

    def page(
        self, session_id: str, *, left: bool = False, role: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page[ParticipantInfo]:
        """Who takes part in a session in the order in which they came, those who left too where `left` is asked for.

        Raises RequestInvalid.
        """
        asked = Asked("tenant = ?1" if left else "tenant = ?1 AND left_at IS NULL").that("session_id = {}", session_id)
        asked.that("role = {}", None if role is None else parse_choice(role, "role", ROLES))
        asked.those("(joined_at, user_id) > ({}, {})", parse_pair_after(after))
        return asked.page(
            self._store,
            ParticipantInfo,
            f"{_FIELDS} FROM participants",
            "joined_at, user_id",
            limit,
            key=("joined_at", "user_id"),
        )

    def leave(self, session_id: str, user_id: str, *, now: int) -> ParticipantInfo:
        """He takes part no more; raises RecordNotFound where he does not."""
        rows = self._store.run(
            "UPDATE participants SET left_at = ?4 WHERE tenant = ?1 AND session_id = ?2 AND user_id = ?3"  # noqa: S608
            f" AND left_at IS NULL RETURNING {_FIELDS}",
            session_id, user_id, moment(now),
        )  # fmt: skip
        return only(ParticipantInfo, rows, no_record("participant", user_id))
