"""Panels: named views of a session, in an order that people give them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from codemode.catalog.bound import BoundStore
from codemode.catalog.changes import Changes, Given
from codemode.catalog.fields import CONTENT_BYTES, parse_id, parse_json, parse_name, parse_text
from codemode.catalog.found import check_session, exists, no_record
from codemode.catalog.pages import Asked, Page, parse_pair_after
from codemode.catalog.rows import columns, only, record
from codemode.errors import RequestInvalid, shown
from codemode.moments import moment, ulid_at
from codemode.values.records import Panel

_KIND_CHARACTERS = 64
_MOST_POSITION = 2**53  # what every reader of JSON keeps exact
_FIELDS = columns(Panel)


class Panels:
    """The panels of a tenant's sessions."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def create(
        self,
        session_id: str,
        title: str,
        *,
        now: int,
        kind: str = "table",
        query: str | None = None,
        document: Any = None,
        position: int | None = None,
        panel_id: str | None = None,
    ) -> Panel:
        """A new panel with a `query` or a `document`, the last one unless its `position` is given.

        Raises RequestInvalid, SessionNotFound, and RecordExists for an id or a title that is taken.
        """
        if (query is None) == (document is None):
            raise RequestInvalid("a panel has either a query or a document", hint="give one of them")
        new_id = f"p_{ulid_at(now)}" if panel_id is None else parse_id(panel_id, "a panel")
        rows = self._store.run(
            "INSERT INTO panels (tenant, session_id, id, title, kind, query, document, position, created_at,"  # noqa: S608
            " updated_at) SELECT s.tenant, s.id, ?3, ?4, ?5, ?6, ?7, coalesce(CAST(?8 AS BIGINT), (SELECT"
            " coalesce(max(p.position), -1) + 1 FROM panels AS p WHERE p.tenant = ?1 AND p.session_id = ?2)), ?9, ?9"
            " FROM sessions AS s WHERE s.tenant = ?1 AND s.id = ?2 AND s.expired_at IS NULL"
            f" ON CONFLICT DO NOTHING RETURNING {_FIELDS}",
            session_id, new_id, _title(title), _kind(kind), _query(query), _document(document),
            None if position is None else _position(position), moment(now),
        )  # fmt: skip
        if not rows:
            check_session(self._store, session_id)
            sql = "SELECT 1 FROM panels WHERE tenant = ?1 AND session_id = ?2 AND id = ?3"
            if self._store.run(sql, session_id, new_id):
                raise exists("panel", new_id, "choose another id")
            raise exists("panel", title, "choose another title")
        return record(Panel, rows[0])

    def get(self, session_id: str, panel_id: str) -> Panel:
        """One panel; raises RecordNotFound."""
        sql = f"SELECT {_FIELDS} FROM panels WHERE tenant = ?1 AND session_id = ?2 AND id = ?3"  # noqa: S608
        rows = self._store.look(sql, session_id, panel_id)
        return only(Panel, rows, no_record("panel", panel_id))

    def page(
        self, session_id: str, *, kind: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page[Panel]:
        """The panels of a session in their order, all or of one kind; raises RequestInvalid."""
        asked = Asked().that("session_id = {}", session_id).that("kind = {}", kind)
        asked.those("(position, id) > ({}, {})", parse_pair_after(after))
        return asked.page(self._store, Panel, f"{_FIELDS} FROM panels", "position, id", limit, key=("position", "id"))

    def update(
        self,
        session_id: str,
        panel_id: str,
        *,
        now: int,
        title: Given[str] = UNSET,
        kind: Given[str] = UNSET,
        query: Given[str] = UNSET,
        document: Given[Any] = UNSET,
        position: Given[int] = UNSET,
    ) -> Panel:
        """Change what is given; a query takes the place of a document, and the other way round.

        Raises RequestInvalid, RecordNotFound, and RecordExists for a title that is taken.
        """
        if query is None or document is None or (query is not UNSET and document is not UNSET):
            raise RequestInvalid("a panel has either a query or a document", hint="give one of them")
        changes = Changes(session_id, panel_id, None if title is UNSET else title).to("updated_at", now, moment)
        changes.to("title", title, _title).to("kind", kind, _kind).to("position", position, _position)
        changes.to("query", None if document is not UNSET else query, _query)
        changes.to("document", None if query is not UNSET else document, _document)
        rows = self._store.run(
            f"UPDATE panels SET {changes.text} WHERE tenant = ?1 AND session_id = ?2 AND id = ?3 AND NOT EXISTS ("  # noqa: S608
            "SELECT 1 FROM panels AS o WHERE o.tenant = ?1 AND o.session_id = ?2 AND o.title = ?4 AND o.id <> ?3)"
            f" RETURNING {_FIELDS}",
            *changes.params,
        )
        if rows:
            return record(Panel, rows[0])
        self.get(session_id, panel_id)
        raise exists("panel", str(title), "choose another title")

    def remove(self, session_id: str, panel_id: str) -> None:
        """Remove it; raises RecordNotFound."""
        sql = "DELETE FROM panels WHERE tenant = ?1 AND session_id = ?2 AND id = ?3 RETURNING 1"
        if not self._store.run(sql, session_id, panel_id):
            raise no_record("panel", panel_id)


def _title(value: Any) -> str:
    return parse_name(value, "the title of a panel")


def _kind(value: Any) -> str:
    return parse_name(value, "the kind of a panel", _KIND_CHARACTERS)


def _query(value: Any) -> str | None:
    return None if value is None else parse_text(value, "the query of a panel", CONTENT_BYTES)


def _document(value: Any) -> str | None:
    return None if value is None else parse_json(value, "the document of a panel", CONTENT_BYTES)


def _position(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_POSITION:
        return value
    raise RequestInvalid(f"{shown(value)} is no position", hint="a whole number, zero or more")
