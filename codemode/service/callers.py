"""Who calls: a token names a tenant, what may be done for it, and perhaps one user whose sessions it reaches."""

from __future__ import annotations

from typing import Literal

import msgspec

from codemode.catalog.tenants import TENANT
from codemode.catalog.tokens import Token
from codemode.errors import AuthForbidden
from codemode.values import Quotas

Scope = Literal["read", "execute", "admin"]
Reach = Literal["read", "execute", "write", "manage"]  # in a session; `write` is `execute` that may add bytes
NO_QUOTAS = Quotas()


class Caller(msgspec.Struct, frozen=True):
    """Whoever sent a request; `token` is None on a loopback service without tokens."""

    tenant: str
    scopes: frozenset[str]
    token: str | None = None  # its id, never the secret
    user: str | None = None
    expires_at: int | None = None  # of the token, in milliseconds since 1970
    quotas: Quotas = NO_QUOTAS  # of the tenant; none for a loopback service without tokens

    def require(self, scope: Scope) -> None:
        """Raise AuthForbidden unless the caller may do what needs `scope`."""
        if scope not in self.scopes:
            raise AuthForbidden(
                f"this token lacks the scope {scope}", hint=f"`codemode token create --scope {scope}` makes one with it"
            )


LOCAL = Caller(TENANT, frozenset({"read", "execute", "admin"}))


def caller_with(token: Token, quotas: Quotas) -> Caller:
    """The caller that a token stands for, with what his tenant may use."""
    return Caller(token.tenant, frozenset(token.scopes), token.id, token.user, token.expires_at, quotas)
