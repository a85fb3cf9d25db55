"""Tokens: whoever holds one may act for a tenant. Only their SHA-256 is kept, so a stolen catalogue opens nothing.

A token is `cm_` and 43 characters of 256 random bits: so many that looking it up by its hash needs no salt, no slow
hash and no comparison in constant time (nobody can choose a token whose hash comes close to a stored one).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass

from codemode.catalog.catalog import Catalog
from codemode.errors import RequestInvalid

PREFIX = "cm_"
SCOPES = ("read", "execute", "admin")
_SECRET = re.compile(r"cm_[A-Za-z0-9_-]{43}")
_FIELDS = "id, tenant, name, scopes, user_id, created_at, expires_at, revoked_at, last_used_at"


@dataclass(frozen=True, slots=True)
class Token:
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

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def create(
        self, tenant: str, *, name: str, scopes: tuple[str, ...], user: str | None, now: int, expires_at: int | None
    ) -> tuple[str, Token]:
        """A new token: its secret, which nobody can be told again, and its record. Raises RequestInvalid."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise RequestInvalid("a token has one scope or more", available=SCOPES)
        if expires_at is not None and expires_at <= now:
            raise RequestInvalid("the token would have expired already")
        secret, token_id = PREFIX + secrets.token_urlsafe(32), f"tok_{secrets.token_hex(8)}"
        self._catalog.run(
            "INSERT INTO tokens (id, hash, tenant, name, scopes, user_id, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            token_id, _hash(secret), tenant, name, json.dumps(scopes), user, now, expires_at,
        )  # fmt: skip
        return secret, Token(token_id, tenant, name, scopes, user, now, expires_at, None, None)

    def find(self, secret: str, now: int) -> tuple[Token, dict[str, int]] | None:
        """The token of this secret, if it may be used at `now`, with its tenant's own quotas."""
        if not _SECRET.fullmatch(secret):
            return None
        sql = f"SELECT {_FIELDS}, (SELECT quotas FROM tenants WHERE id = tenant) FROM tokens WHERE hash = ?"  # noqa: S608
        for *fields, quotas in self._catalog.run(sql, _hash(secret)):
            token = _token(tuple(fields))
            return (token, json.loads(quotas)) if token.is_valid(now) else None
        return None

    def used(self, token_id: str, now: int) -> None:
        """It was used at `now`."""
        self._catalog.run("UPDATE tokens SET last_used_at = ? WHERE id = ?", now, token_id)

    def all(self, tenant: str | None = None) -> list[Token]:
        """Every token, of one tenant or of all, revoked ones too, newest first."""
        sql = f"SELECT {_FIELDS} FROM tokens WHERE ?1 IS NULL OR tenant = ?1 ORDER BY created_at DESC, id"  # noqa: S608
        return [_token(row) for row in self._catalog.run(sql, tenant)]

    def any_valid(self, now: int) -> bool:
        """Whether there is a token that may be used at `now`."""
        sql = "SELECT 1 FROM tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?) LIMIT 1"
        return bool(self._catalog.run(sql, now))

    def revoke(self, token_id: str, now: int) -> bool:
        """From here on it is refused; whether there is such a token that was not revoked before."""
        sql = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING 1"
        return bool(self._catalog.run(sql, now, token_id))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _token(row: tuple[object, ...]) -> Token:
    token_id, tenant, name, scopes, *rest = row
    return Token(token_id, tenant, name, tuple(json.loads(scopes)), *rest)  # type: ignore[arg-type]
