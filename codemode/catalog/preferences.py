"""What a user prefers: any JSON value, by category and key."""

from __future__ import annotations

from typing import Any

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import METADATA_BYTES, parse_json, parse_name
from codemode.catalog.found import check_not_deleted, no_record
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.rows import columns, only, record
from codemode.moments import moment
from codemode.values.records import Preference

_CATEGORY_CHARACTERS = 64
_FIELDS = columns(Preference)


class Preferences:
    """The preferences of a tenant's users."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def put(self, user_id: str, category: str, key: str, value: Any, *, now: int) -> Preference:
        """Keep a preference in the place of what it was; raises RequestInvalid, and RecordNotFound without the user."""
        rows = self._store.run(
            "INSERT INTO preferences (tenant, user_id, category, key, value, updated_at)"  # noqa: S608
            " SELECT u.tenant, u.id, ?3, ?4, ?5, ?6 FROM users AS u WHERE u.tenant = ?1 AND u.id = ?2"
            " AND u.deleted_at IS NULL ON CONFLICT (tenant, user_id, category, key)"
            f" DO UPDATE SET value = ?5, updated_at = ?6 RETURNING {_FIELDS}",
            user_id, parse_name(category, "a category", _CATEGORY_CHARACTERS), parse_name(key, "a preference's key"),
            parse_json(value, "a preference", METADATA_BYTES), moment(now),
        )  # fmt: skip
        if not rows:
            check_not_deleted(self._store, user_id)
            raise no_record("user", user_id)
        return record(Preference, rows[0])

    def get(self, user_id: str, category: str, key: str) -> Preference:
        """One of them; raises RecordNotFound."""
        sql = f"SELECT {_FIELDS} FROM preferences WHERE tenant = ?1 AND user_id = ?2 AND category = ?3 AND key = ?4"  # noqa: S608
        rows = self._store.look(sql, user_id, category, key)
        return only(Preference, rows, no_record("preference", f"{category} {key}"))

    def page(self, user_id: str, category: str, *, after: str | None = None, limit: int = 50) -> Page[Preference]:
        """A user's preferences of a category, by key; raises RequestInvalid."""
        asked = (
            Asked().that("user_id = {}", user_id).that("category = {}", category).that("key > {}", parse_after(after))
        )
        return asked.page(
            self._store,
            Preference,
            f"{_FIELDS} FROM preferences",
            "key",
            limit,
            key=("key",),
        )

    def categories(self, user_id: str) -> list[str]:
        """The categories in which a user has preferences."""
        sql = "SELECT DISTINCT category FROM preferences WHERE tenant = ?1 AND user_id = ?2 ORDER BY category"
        return [category for (category,) in self._store.look(sql, user_id)]

    def remove(self, user_id: str, category: str, key: str) -> None:
        """Forget it; raises RecordNotFound."""
        sql = "DELETE FROM preferences WHERE tenant = ?1 AND user_id = ?2 AND category = ?3 AND key = ?4 RETURNING 1"
        if not self._store.run(sql, user_id, category, key):
            raise no_record("preference", f"{category} {key}")
