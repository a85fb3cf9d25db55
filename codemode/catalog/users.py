"""Users: the people and agents of a tenant. One that is deleted can do nothing, and is forgotten 90 days later.

Whoever is named by a token, takes part in a session or writes a message is a user: triggers see to it. What another
system calls a user is kept as a keyed hash, so that a stolen catalogue does not tell who he is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

from msgspec import UNSET

from codemode.catalog import dialect
from codemode.catalog.bound import BoundStore
from codemode.catalog.changes import Changes, Given
from codemode.catalog.fields import parse_choice, parse_name, parse_object, parse_text
from codemode.catalog.found import check_not_deleted, deleted_user, exists, no_record
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.participants import parse_user
from codemode.catalog.rows import columns, only, record
from codemode.catalog.seal import Seal
from codemode.errors import RecordExists, RecordNotFound, RequestInvalid, shown
from codemode.moments import moment, ulid_at
from codemode.values.records import User, UserKind

KINDS: tuple[UserKind, ...] = get_args(UserKind)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_EMAIL_CHARACTERS = 254
_OUTSIDE_BYTES = 1_024
_FIELDS = columns(User)


class Users:
    """The users of a tenant."""

    def __init__(self, store: BoundStore, seal: Seal) -> None:
        self._store, self._seal = store, seal

    def create(
        self,
        user_id: str | None = None,
        *,
        now: int,
        kind: str = "human",
        display_name: str = "",
        email: str | None = None,
        outside_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> User:
        """A new user, with a minted id unless it is given; raises RequestInvalid, SecretMissing, and RecordExists."""
        new_id = f"u_{ulid_at(now)}" if user_id is None else parse_user(user_id)
        hashed = self._hash(outside_id)
        rows = self._store.run(
            "INSERT INTO users (tenant, id, kind, display_name, email, outside_id_hash, metadata, created_at,"  # noqa: S608
            f" updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT DO NOTHING RETURNING {_FIELDS}",
            new_id, parse_choice(kind, "kind of user", KINDS), _display_name(display_name), _email(email),
            hashed, parse_object(metadata), moment(now),
        )  # fmt: skip
        if not rows:
            if self._store.run("SELECT 1 FROM users WHERE tenant = ?1 AND id = ?2", new_id):
                raise exists("user", new_id, "choose another id; deleted users keep theirs")
            raise self._taken(new_id, email)
        return record(User, rows[0])

    def get(self, user_id: str) -> User:
        """One user, deleted ones too; raises RecordNotFound."""
        return self._one("id = ?2", user_id, user_id)

    def by_email(self, email: str) -> User:
        """The user of an e-mail address, in whatever case; raises RecordNotFound."""
        where = f"{self._email_key('users')} = lower(?2) AND email IS NOT NULL AND deleted_at IS NULL"
        return self._one(where, email, email)

    def by_outside_id(self, outside_id: str) -> User:
        """The user whom another system calls so; raises RecordNotFound, and SecretMissing."""
        where = "outside_id_hash = ?2 AND outside_id_hash IS NOT NULL AND deleted_at IS NULL"
        return self._one(where, self._hash(outside_id), "with that outside id")

    def _known_by(self, email: str | None, outside_id: str | None) -> Iterator[User]:
        if email is not None and outside_id is not None:
            raise RequestInvalid("one user is looked for by e-mail or by outside id", hint="give one of them")
        with suppress(RecordNotFound):
            yield self.by_outside_id(str(outside_id)) if email is None else self.by_email(email)

    def _email_key(self, table: str) -> str:
        return dialect.EMAIL_KEY.of(self._store.dialect).format(table)

    def _one(self, where: str, value: str | None, name: str) -> User:
        rows = self._store.look(f"SELECT {_FIELDS} FROM users WHERE tenant = ?1 AND {where}", value)  # noqa: S608
        return only(User, rows, no_record("user", name))

    def page(
        self,
        *,
        kind: str | None = None,
        deleted: bool = False,
        email: str | None = None,
        outside_id: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[User]:
        """Users by id, all or of one kind, without those deleted unless they are asked for; raises RequestInvalid.

        With an `email` or an `outside_id` the one user whose that is; raises SecretMissing too then.
        """
        if email is not None or outside_id is not None:
            return Page([each for each in self._known_by(email, outside_id) if kind in (None, each.kind)], None)
        asked = Asked("tenant = ?1" if deleted else "tenant = ?1 AND deleted_at IS NULL")
        asked.that("kind = {}", None if kind is None else parse_choice(kind, "kind of user", KINDS))
        asked.that("id > {}", parse_after(after))
        return asked.page(self._store, User, f"{_FIELDS} FROM users", "id", limit)

    def update(
        self,
        user_id: str,
        *,
        now: int,
        kind: Given[str] = UNSET,
        display_name: Given[str] = UNSET,
        email: Given[str | None] = UNSET,
        outside_id: Given[str | None] = UNSET,
        metadata: Given[dict[str, Any]] = UNSET,
    ) -> User:
        """Change what is given of a user who is not deleted.

        Raises RequestInvalid, SecretMissing, RecordNotFound, and RecordExists for an e-mail or outside id of another.
        """
        hashed = UNSET if outside_id is UNSET else self._hash(outside_id)
        changes = Changes(user_id, email or None, hashed or None).to("updated_at", now, moment)
        changes.to("kind", kind, _kind).to("display_name", display_name, _display_name).to("email", email, _email)
        changes.to("outside_id_hash", hashed).to("metadata", metadata, parse_object)
        rows = self._store.run(
            f"UPDATE users SET {changes.text} WHERE tenant = ?1 AND id = ?2 AND deleted_at IS NULL"  # noqa: S608
            f" AND {self._both_free} RETURNING {_FIELDS}",
            *changes.params,
        )
        if rows:
            return record(User, rows[0])
        if self.get(user_id).deleted_at is not None:
            raise deleted_user(user_id)
        raise self._taken(user_id, email)

    @property
    def _both_free(self) -> str:
        """That no other user has the e-mail address ?3, and none the hash ?4."""
        others = "NOT EXISTS (SELECT 1 FROM users AS o WHERE o.tenant = ?1 AND o.id <> ?2 AND o.deleted_at IS NULL AND"
        return (
            f"{others} o.email IS NOT NULL AND {self._email_key('o')} = lower(?3)) AND"
            f" {others} o.outside_id_hash IS NOT NULL AND o.outside_id_hash = ?4)"
        )

    def _taken(self, user_id: str, email: Given[str | None]) -> RecordExists:
        """The error for an e-mail that another user has, else for an outside id."""
        sql = (
            "SELECT 1 FROM users AS o WHERE o.tenant = ?1 AND o.id <> ?2 AND o.deleted_at IS NULL"  # noqa: S608
            f" AND o.email IS NOT NULL AND {self._email_key('o')} = lower(?3)"
        )
        taken = email and self._store.run(sql, user_id, email)
        what = f"the e-mail address {shown(email, 140)}" if taken else "that outside id"
        return RecordExists(f"another user has {what} already", hint="choose another one, or change that user first")

    def remove(self, user_id: str, *, now: int) -> User:
        """Delete a user softly: he stays known, his tokens are revoked, he is in no session and no group.

        Raises RecordNotFound.
        """
        with self._store.at_once():
            rows = self._store.run(
                "UPDATE users SET deleted_at = ?3, updated_at = ?3"  # noqa: S608
                f" WHERE tenant = ?1 AND id = ?2 AND deleted_at IS NULL RETURNING {_FIELDS}",
                user_id, moment(now),
            )  # fmt: skip
            if not rows:
                check_not_deleted(self._store, user_id)
                raise no_record("user", user_id)
            whose = "WHERE tenant = ?1 AND user_id = ?2"
            self._store.run(f"UPDATE tokens SET revoked_at = coalesce(revoked_at, ?3) {whose}", user_id, now)  # noqa: S608
            self._store.run(f"UPDATE participants SET left_at = ?3 {whose} AND left_at IS NULL", user_id, now)  # noqa: S608
            self._store.run(f"DELETE FROM group_members {whose}", user_id)  # noqa: S608
            self._store.run(f"DELETE FROM subscriptions {whose}", user_id)  # noqa: S608
        return record(User, rows[0])

    def take_back(self, user_id: str, *, now: int) -> User:
        """Have a deleted user be one again, with new tokens and in no session and group yet.

        Raises RecordNotFound, and RecordExists where another user has his e-mail or outside id meanwhile.
        """
        with self._store.at_once():
            found = self.get(user_id)
            if found.deleted_at is None:
                return found
            rows = self._store.run(
                "UPDATE users SET deleted_at = NULL, updated_at = ?5 WHERE tenant = ?1 AND id = ?2"  # noqa: S608
                f" AND {self._both_free} RETURNING {_FIELDS}",
                user_id, found.email, found.outside_id_hash, moment(now),
            )  # fmt: skip
        if not rows:
            raise self._taken(user_id, found.email)
        return record(User, rows[0])

    def _hash(self, outside_id: str | None) -> str | None:
        if outside_id is None:
            return None
        text = parse_text(outside_id, "an outside id", _OUTSIDE_BYTES)
        return self._seal.hash(f"{self._store.tenant}\0{text}")


def _kind(value: Any) -> str:
    return parse_choice(value, "kind of user", KINDS)


def _display_name(value: Any) -> str:
    return parse_name(value, "a display name", least=0)


def _email(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= _EMAIL_CHARACTERS and value.isprintable() and _EMAIL.fullmatch(value):
        return value
    raise RequestInvalid(f"{shown(value)} is no e-mail address", hint=f"name@host, at most {_EMAIL_CHARACTERS}")
