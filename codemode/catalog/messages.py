"""Messages of a session: chat between people and agents, what was asked of MCP servers and answered, and notices.

They are ordered by their ids, which begin with the time. A thread has one level: an answer to an answer belongs to the
message that began the thread.
"""

from __future__ import annotations

from typing import Any, get_args

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import CONTENT_BYTES, parse_choice, parse_limit, parse_object, parse_text
from codemode.catalog.found import check_not_deleted, check_session, no_record
from codemode.catalog.pages import Asked, Page, parse_after, parse_number_after, wrong_after
from codemode.catalog.participants import parse_user
from codemode.catalog.rows import columns, only, record
from codemode.catalog.search import Sought, parse_words, search
from codemode.moments import earliest_ulid, ulid_at
from codemode.values.records import Message, MessageType

MESSAGE_TYPES: tuple[MessageType, ...] = get_args(MessageType)
_PREFIX = "m_"
_FIELDS = columns(Message, "m")


class Messages:
    """The messages of a tenant's sessions."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def post(
        self,
        session_id: str,
        content: str,
        *,
        now: int,
        message_type: str = "chat",
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        thread: str | None = None,
    ) -> Message:
        """Add a message to a session that has not expired; `thread` is a message that it answers.

        A `user_id` that is new becomes a user. Raises RequestInvalid, SessionNotFound, and RecordNotFound for a
        `thread` that is none, or a user who was deleted.
        """
        rows = self._store.run(
            "INSERT INTO messages (tenant, session_id, id, user_id, message_type, content, metadata, thread,"  # noqa: S608
            " created_at) SELECT s.tenant, s.id, ?3, ?4, ?5, ?6, ?7, coalesce(t.thread, t.id), ?9 FROM sessions AS s"
            " LEFT JOIN messages AS t ON t.tenant = s.tenant AND t.session_id = s.id AND t.id = ?8"
            " WHERE s.tenant = ?1 AND s.id = ?2 AND s.expired_at IS NULL"
            " AND (CAST(?8 AS TEXT) IS NULL OR t.id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM users AS u"
            " WHERE u.tenant = ?1 AND u.id = ?4 AND u.deleted_at IS NOT NULL)"
            f" RETURNING {columns(Message)}",
            session_id, _PREFIX + ulid_at(now), None if user_id is None else parse_user(user_id),
            parse_choice(message_type, "type of message", MESSAGE_TYPES),
            parse_text(content, "the content of a message", CONTENT_BYTES), parse_object(metadata), thread, now,
        )  # fmt: skip
        if not rows:
            check_session(self._store, session_id)
            check_not_deleted(self._store, user_id)
            raise no_record("message", str(thread))
        return record(Message, rows[0])

    def get(self, session_id: str, message_id: str) -> Message:
        """One message; raises RecordNotFound."""
        sql = f"SELECT {_FIELDS} FROM messages AS m WHERE m.tenant = ?1 AND m.session_id = ?2 AND m.id = ?3"  # noqa: S608
        rows = self._store.look(sql, session_id, message_id)
        return only(Message, rows, no_record("message", message_id))

    def page(
        self,
        session_id: str | None = None,
        *,
        message_type: str | None = None,
        user_id: str | None = None,
        since: int | None = None,
        until: int | None = None,
        text: str | None = None,
        thread: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Message]:
        """The newest messages, of a session or of all of the tenant's, newest first.

        `since` is the first moment and `until` the first one after, in milliseconds since 1970; `text` are words that
        are all in the content, the beginning of one with `*`, several that follow each other in quotes; `thread` is the
        message that began a thread, which is answered with it. Raises RequestInvalid.
        """
        asked = Asked("m.tenant = ?1").that("m.session_id = {}", session_id).that("m.user_id = {}", user_id)
        if message_type is not None:
            asked.that("m.message_type = {}", parse_choice(message_type, "type of message", MESSAGE_TYPES))
        asked.that("m.id >= {}", None if since is None else _PREFIX + earliest_ulid(since))
        asked.that("m.id < {}", None if until is None else _PREFIX + earliest_ulid(until))
        if thread is not None:
            asked.that("(m.thread = {0} OR m.id = {0})", thread)
        if text is not None:
            sought = Sought(
                parse_words(text), session_id, message_type, user_id, since, until, parse_number_after(after)
            )
            return search(self._store, sought, asked, parse_limit(limit))
        if after is not None and not str(parse_after(after)).startswith(_PREFIX):
            raise wrong_after()  # one of another list would be read as the end of this one
        asked.that("m.id < {}", after)
        return asked.page(self._store, Message, f"{_FIELDS} FROM messages AS m", "m.id DESC", limit)

    def remove(self, session_id: str, message_id: str) -> None:
        """Remove a message, and with one that began a thread its answers; raises RecordNotFound."""
        sql = "DELETE FROM messages WHERE tenant = ?1 AND session_id = ?2 AND id = ?3 RETURNING 1"
        if not self._store.run(sql, session_id, message_id):
            raise no_record("message", message_id)
