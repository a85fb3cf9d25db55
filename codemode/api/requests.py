"""What a request carries beside its body: the service it came to, whoever sent it, what the audit log says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api.heads import header, headers_of
from codemode.asked import SESSION_ID
from codemode.errors import AuthForbidden, AuthInvalid, AuthMissing, CodemodeError
from codemode.plain import encode
from codemode.service.auditing import Change
from codemode.service.callers import LOCAL, Caller, Reach
from codemode.service.service import Service
from codemode.session.session import Session
from codemode.settings import Settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SCHEME = "bearer "
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.scope["app"].state.service
    return service


def caller_of(request: Request) -> Caller:
    """Whoever sent the request, as found before its handler ran."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def session_of(request: Request, to: Reach | None = None) -> Session:
    """The session that the path names, for what its operation does there, or `to`; called in a thread."""
    return service_of(request).session(caller_of(request), request.path_params["id"], to or request.state.reach)


async def served(
    request: Request, call: Callable[Concatenate[Service, Caller, Arguments], Result],
    *args: Arguments.args, **kwargs: Arguments.kwargs,
) -> Result:  # fmt: skip
    """What a function of the service answers this caller, in a thread."""
    service = service_of(request)
    return await service.call(call, service, caller_of(request), *args, **kwargs)


async def in_session(request: Request, call: Callable[[Session], Result], to: Reach | None = None) -> Result:
    """What `call` answers for the session that the path names, in a thread; raises SessionNotFound and the like."""
    return await service_of(request).call(lambda: call(session_of(request, to)))


async def identify(request: Request, *, enters: bool = False) -> Caller:
    """Whoever sent the request; raises AuthMissing, AuthInvalid, AuthForbidden.

    With `enters` the session that its path names may be found at once: `session_entered` takes it.
    """
    service = service_of(request)
    if await service.openness.lasts():
        _check_no_web_page(request, origins(service.settings))
        return LOCAL
    secret = _secret_of(request)
    if enters and service.can_enter:
        state, named = request.scope["state"], request.scope["path_params"]["id"]
        # What is found is good for this step of the loop, and a body that is still to come would end it.
        if state.get("body_is_here") and SESSION_ID.fullmatch(named):
            caller, state["reached"] = service.entering(secret, named)
            return caller
    return await service.look(service.caller, secret)


async def session_entered(request: Request) -> Session:
    """The session that the path names, to run something in; raises SessionNotFound and the like."""
    service, state, named = service_of(request), request.scope["state"], request.scope["path_params"]["id"]
    if "reached" in state:
        return await service.session_entered(state["caller"], named, state.pop("reached"))
    return await service.session_to_run_in(state["caller"], named)


def _secret_of(request: Request) -> str:
    found = headers_of(request.scope, b"authorization")
    if not found:
        raise AuthMissing("this service needs a token", hint="send it as `Authorization: Bearer cm_…`")
    if len(found) > 1:  # what stands in front may have looked at another one of them than this would
        raise AuthInvalid("a request has one Authorization header", hint="send one token")
    given = found[0]
    if not given.lower().startswith(_SCHEME):
        raise AuthInvalid("only bearer tokens are taken", hint="send it as `Authorization: Bearer cm_…`")
    return given[len(_SCHEME) :].strip(" \t")


def _check_no_web_page(request: Request, allowed: list[str]) -> None:
    """Refuse what a web page sends to a service that asks nobody who he is.

    A page of any origin can make its visitor's browser send a request to loopback, or reach it under a name of
    its own that resolves to 127.0.0.1. The browser says so: in Origin, and in Host.
    """
    origin, host = request.headers.get("origin"), (request.url.hostname or "").lower()
    if origin is not None and origin not in allowed:
        raise AuthForbidden(
            f"web pages of {origin[:100]} may not call this service", hint="name the origin in cors_origins"
        )
    if host not in _LOOPBACK:
        raise AuthForbidden(
            f"a service without tokens is called as localhost, not {host[:100]!r}",
            hint="make a token with `codemode token create`, and send it",
        )


def origins(settings: Settings) -> list[str]:
    """The origins of web pages that may call the service."""
    return [each.strip() for each in settings.cors_origins.split(",") if each.strip()]


def record(request: Request, action: str, outcome: str) -> None:
    """Add what the request did to the audit log, with "ok" or an error's code.

    Its state says what it was about where a session alone does not.
    """
    state, client = request.scope["state"], request.scope.get("client")
    state["outcome"] = outcome
    service_of(request).auditing.record(
        caller_of(request),
        action,
        state.get("about") or state.get("resource") or request.scope["path_params"].get("id", ""),
        outcome,
        address=client[0] if client else None,
        agent=header(request.scope, b"user-agent"),
        change=state.get("change") if outcome == "ok" else None,
    )


async def recorded(request: Request, action: str, outcome: str) -> None:
    """The same from the event loop."""
    await service_of(request).aside(record, request, action, outcome)


async def on_record(
    request: Request, action: str, result: Awaitable[Result], code: Callable[[Result], str] = lambda _: "ok"
) -> Result:
    """`result`, once the audit log knows how it ended: with the error's code, or with what `code` says of it."""
    try:
        found = await result
    except CodemodeError as error:
        await recorded(request, action, error.code)
        raise
    await recorded(request, action, code(found))
    return found


def added(request: Request, made: msgspec.Struct, about: str, headers: dict[str, str] | None = None) -> Response:
    """201 with what was added, which the audit log has too: `about` says there where it is."""
    request.state.about, request.state.change = about, Change(None, made)
    return answer(made, 201, headers)


def answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(encode(document), status_code=status, headers=headers, media_type="application/json")
