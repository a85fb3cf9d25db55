"""Tokens: whoever holds one may act for a tenant. Only their SHA-256 is kept, so a stolen catalogue opens nothing.

A token is `cm_` and 43 characters of 256 random bits: so many that looking it up by its hash needs no salt, no slow
hash and no comparison in constant time (nobody can choose a token whose hash comes close to a stored one).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from codemode.catalog.bound import BoundStore
from codemode.catalog.found import check_not_deleted
from codemode.catalog.participants import parse_user
from codemode.catalog.store import Store
from codemode.errors import RequestInvalid, shown
from codemode.moments import moment
from codemode.patterns import pattern

PREFIX = "cm_"
_LONGEST_NAME = 200
SCOPES = ("read", "execute", "admin")
SECRET = pattern(r"cm_[A-Za-z0-9_-]{43}")
FIELDS = "id, tenant, name, scopes, user_id, created_at, expires_at, revoked_at, last_used_at"
OWN_QUOTAS = "(SELECT quotas FROM tenants WHERE tenants.id = tokens.tenant)"
_FIND = f"SELECT {FIELDS}, {OWN_QUOTAS} FROM tokens WHERE hash = ?1"  # noqa: S608


class Token(msgspec.Struct, frozen=True):
    """One token without its secret; times are milliseconds since 1970, UTC."""

    id: str
    tenant: str
    name: str
    scopes: tuple[str, ...]
    user: str | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None

    def is_valid(self, now: int) -> bool:
        """Whether it may be used at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Tokens:
    """The `tokens` table of a catalogue."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def create(
        self, tenant: str, *, name: str, scopes: tuple[str, ...], user: str | None, now: int, expires_at: int | None
    ) -> tuple[str, Token]:
        """A new token: its secret, which nobody can be told again, and its record.

        Raises RequestInvalid, and RecordNotFound for a user who was deleted: his tokens were revoked for good.
        """
        if not isinstance(scopes, (tuple, list)) or not scopes or any(scope not in SCOPES for scope in scopes):
            raise RequestInvalid(f"a token has one scope or more, of {', '.join(SCOPES)}", available=SCOPES)
        if expires_at is not None and moment(expires_at) <= now:
            raise RequestInvalid("the token would have expired already")
        if not (isinstance(name, str) and len(name) <= _LONGEST_NAME and name.isprintable()):
            raise RequestInvalid(
                f"{shown(name)} cannot name a token", hint=f"at most {_LONGEST_NAME} printable characters"
            )
        if user is not None and not self._catalog.behind:
            check_not_deleted(BoundStore(self._catalog, tenant), parse_user(user))
        import secrets  # 5 ms, which a process that makes no token does without

        secret, token_id = PREFIX + secrets.token_urlsafe(32), f"tok_{secrets.token_hex(8)}"
        self._catalog.run(
            "INSERT INTO tokens (id, hash, tenant, name, scopes, user_id, created_at, expires_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            token_id, hashed(secret), tenant, name, json.dumps(scopes), None if user is None else parse_user(user),
            now, expires_at,
        )  # fmt: skip
        return secret, Token(token_id, tenant, name, scopes, user, now, expires_at, None, None)

    def find(self, secret: str, now: int) -> tuple[Token, dict[str, int]] | None:
        """The token of this secret, if it may be used at `now`, with its tenant's own quotas."""
        if not SECRET.fullmatch(secret):
            return None
        for row in self._catalog.look(_FIND, hashed(secret)):
            return found_of(row, now)
        return None

    def used(self, token_id: str, now: int) -> None:
        """It was used at `now`."""
        self._catalog.run("UPDATE tokens SET last_used_at = ?1 WHERE id = ?2", now, token_id)

    def all(self, tenant: str | None = None) -> list[Token]:
        """Every token, of one tenant or of all, revoked ones too, newest first."""
        sql = f"SELECT {FIELDS} FROM tokens WHERE CAST(?1 AS TEXT) IS NULL OR tenant = ?1 ORDER BY created_at DESC, id"  # noqa: S608
        return [_token(row) for row in self._catalog.run(sql, tenant)]

    def get(self, token_id: str) -> Token | None:
        """One token, revoked or not."""
        rows = self._catalog.run(f"SELECT {FIELDS} FROM tokens WHERE id = ?1", token_id)  # noqa: S608
        return _token(rows[0]) if rows else None

    def page(self, tenant: str, user: str | None, after: str | None, limit: int) -> list[Token]:
        """The tokens of a tenant, all or those of one user, newest first, from the one after `after` on."""
        sql = (
            f"SELECT {FIELDS} FROM tokens WHERE tenant = ?1 AND (CAST(?2 AS TEXT) IS NULL OR user_id = ?2)"  # noqa: S608
            " AND (CAST(?3 AS TEXT) IS NULL OR"
            " (-created_at, id) > (SELECT -created_at, id FROM tokens WHERE id = ?3 AND tenant = ?1))"
            " ORDER BY created_at DESC, id LIMIT ?4"
        )
        return [_token(row) for row in self._catalog.run(sql, tenant, user, after, limit)]

    def any_made(self) -> bool:
        """Whether there ever was a token, valid or not."""
        return bool(self._catalog.look("SELECT 1 FROM tokens LIMIT 1"))

    def any_valid(self, now: int) -> bool:
        """Whether there is a token that may be used at `now`."""
        sql = "SELECT 1 FROM tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1) LIMIT 1"
        return bool(self._catalog.run(sql, now))

    def revoke(self, token_id: str, now: int) -> bool:
        """From here on it is refused; whether there is such a token that was not revoked before."""
        sql = "UPDATE tokens SET revoked_at = ?1 WHERE id = ?2 AND revoked_at IS NULL RETURNING 1"
        return bool(self._catalog.run(sql, now, token_id))

    def revoke_of(self, tenant: str, user: str | None, token_id: str, now: int) -> bool:
        """The same for a token of a tenant, or of one user of it; whether there is such a token, revoked before or not.

        One statement whatever is found: another tenant's token takes no other way than one that there is not.
        """
        sql = (
            "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?4)"
            " WHERE id = ?3 AND tenant = ?1 AND (CAST(?2 AS TEXT) IS NULL OR user_id = ?2) RETURNING 1"
        )
        return bool(self._catalog.run(sql, tenant, user, token_id, now))


def found_of(row: Sequence[Any], now: int) -> tuple[Token, dict[str, int]] | None:
    """The token of a row of its fields and its tenant's own quotas, and these, if it may be used at `now`."""
    token = _token(row[:-1])
    return (token, msgspec.json.decode(row[-1])) if token.is_valid(now) else None


def hashed(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def _token(row: Sequence[Any]) -> Token:
    token_id, tenant, name, scopes, *rest = row
    return Token(token_id, tenant, name, tuple(msgspec.json.decode(scopes)), *rest)
