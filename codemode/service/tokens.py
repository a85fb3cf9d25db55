"""Tokens that tokens make: within their own tenant, and never with more rights or a longer life than they have."""

from __future__ import annotations

from codemode.catalog.tokens import Token
from codemode.database.clock import iso, now_ms
from codemode.errors import AuthForbidden, TokenNotFound
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values import TokenInfo


def issue(
    service: Service,
    caller: Caller,
    *,
    name: str,
    scopes: tuple[str, ...],
    user: str | None,
    expires_in: float | None,
) -> tuple[str, TokenInfo]:
    """A new token of the caller's tenant: its secret, told only now, and what is known of it.

    `expires_in` is in seconds. A caller who is bound to a user makes tokens of this user alone, and one whose token
    expires makes none that outlive it. Raises AuthForbidden and RequestInvalid.
    """
    if caller.token is None:
        # Whoever reaches an open loopback service could otherwise let himself in after it was closed.
        raise AuthForbidden("a service without tokens makes none", hint="`codemode token create` makes the first one")
    more = [scope for scope in scopes if scope not in caller.scopes]
    if more:
        raise AuthForbidden(f"this token may not grant {' and '.join(more)}", hint="it grants what it has itself")
    if caller.user is not None and user not in (None, caller.user):
        raise AuthForbidden(f"this token makes tokens of {caller.user} alone", hint="leave the user out")
    expires_at = caller.expires_at if expires_in is None else now_ms() + int(expires_in * 1000)
    if caller.expires_at is not None and expires_at is not None and expires_at > caller.expires_at:
        raise AuthForbidden(
            f"this token ends at {iso(caller.expires_at)}, and what it makes does not outlive it",
            hint="leave `expires_in` out to have the new one end with it",
        )
    secret, made = service.worker.create_token(
        caller.tenant, name=name, scopes=scopes, user=user or caller.user, expires_at=expires_at
    )
    return secret, described(made)


def page(service: Service, caller: Caller, *, after: str | None, limit: int) -> tuple[list[TokenInfo], str | None]:
    """At most `limit` tokens of the caller's tenant, of his user alone where he is bound to one, newest first.

    Then the `after` of the next page. Revoked and expired ones are among them.
    """
    found = service.worker.tokens.page(caller.tenant, caller.user, after, limit + 1)
    return [described(each) for each in found[:limit]], found[limit - 1].id if len(found) > limit else None


def revoke(service: Service, caller: Caller, token_id: str) -> None:
    """Refuse a token of the caller's tenant from here on; one that was revoked stays so. Raises TokenNotFound."""
    if not service.worker.tokens.revoke_of(caller.tenant, caller.user, token_id, now_ms()):
        raise TokenNotFound(f"there is no token {token_id[:80]}", hint="GET /v1/tokens lists those there are")


def described(token: Token) -> TokenInfo:
    """What people and programs may know of a token."""
    return TokenInfo(
        id=token.id,
        tenant=token.tenant,
        name=token.name,
        scopes=token.scopes,
        user=token.user,
        created_at=iso(token.created_at),
        expires_at=_iso(token.expires_at),
        revoked_at=_iso(token.revoked_at),
        last_used_at=_iso(token.last_used_at),
    )


def _iso(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)
