"""The caller's tenant over HTTP: its quotas and use, its tokens, its audit log."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import bodies, lists, queries
from codemode.api.operations import Operation, Parameter
from codemode.api.requests import answer, caller_of, served, service_of
from codemode.service import tenants, tokens
from codemode.service.callers import Scope
from codemode.values import AuditEntry, TenantInfo, TokenInfo

PAGE = 100
_LONGEST_SECONDS = 100 * 365 * 86_400


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make; it has no scope that its maker lacks, and `expires_in` seconds to live, else as long as that."""

    name: str = ""
    scopes: tuple[Scope, ...] = ("read", "execute")
    user: str | None = None
    expires_in: Annotated[float, msgspec.Meta(gt=0, le=_LONGEST_SECONDS)] | None = None


class MadeToken(TokenInfo, frozen=True, kw_only=True):
    """A new token with its secret, which cannot be shown again."""

    token: str


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of tokens, newest first; `next` is the `after` of the page that follows."""

    tokens: list[TokenInfo]
    next: str | None = None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the audit log, newest first; `next` is the `before` of the page that follows."""

    acts: list[AuditEntry]
    next: int | None = None


async def tenant(request: Request) -> Response:
    """The tenant of the token: what it may use, and what it uses now."""
    return answer(await served(request, tenants.of_caller))


async def list_tokens(request: Request) -> Response:
    """The tokens of the tenant without their secrets, revoked and expired ones too; of its user where one is bound."""
    found, after = await served(request, tokens.page, **lists.asked(request, page=PAGE))
    return answer(TokenList(tokens=found, next=after))


async def create_token(request: Request) -> Response:
    """Make a token of the tenant; never one that may do more, or lives longer, than the one that asks."""
    body = await bodies.decode(request, NewToken)
    secret, made = await served(request, tokens.issue, **msgspec.structs.asdict(body))
    request.state.about = made.id
    return answer(MadeToken(**msgspec.structs.asdict(made), token=secret), 201, {"Cache-Control": "no-store"})


async def revoke_token(request: Request) -> Response:
    """Refuse a token from here on; what runs under it runs to its end."""
    await served(request, tokens.revoke, request.path_params["id"])
    return Response(status_code=204)


async def audit(request: Request) -> Response:
    """Who did what in the tenant, newest first."""
    service, caller = service_of(request), caller_of(request)
    limit = queries.whole(request, "limit", PAGE, most=lists.MOST)
    before = queries.whole(request, "before", 0, most=2**53) or None
    found, before = await service.call(service.auditing.page, caller, before=before, limit=limit)
    return answer(AuditPage(acts=found, next=before))


_LIMIT, _AFTER = lists.parameters(PAGE)
OPERATIONS = (
    Operation(
        method="GET", path="/v1/tenant", name="get_tenant", handler=tenant, scope="read",
        about="The quotas of the tenant, and what it uses.", answers={200: TenantInfo},
    ),
    Operation(
        method="GET", path="/v1/tokens", name="list_tokens", handler=list_tokens, scope="admin",
        about="The tokens of the tenant.", answers={200: TokenList},
        parameters=(_LIMIT, _AFTER),
    ),
    Operation(
        method="POST", path="/v1/tokens", name="create_token", handler=create_token, scope="admin",
        about="Make a token of the tenant.", body=NewToken, answers={201: MadeToken},
    ),
    Operation(
        method="DELETE", path="/v1/tokens/{id}", name="revoke_token", handler=revoke_token, scope="admin",
        about="Refuse a token of the tenant from here on.", answers={204: None}, problems=(404,),
    ),
    Operation(
        method="GET", path="/v1/audit", name="read_audit", handler=audit, scope="admin",
        about="Who did what in the tenant.", answers={200: AuditPage},
        parameters=(_LIMIT, Parameter(name="before", about="The `next` of the page before.", kind=int)),
    ),
)  # fmt: skip
