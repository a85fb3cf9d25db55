"""On whose behalf: a token that is bound to a user acts as that user and nobody else, another one says as whom."""

from __future__ import annotations

from codemode.errors import AuthForbidden, RequestInvalid
from codemode.service.callers import Caller


def author(caller: Caller, given: str | None) -> str | None:
    """The user in whose name something is done; None for nobody in particular. Raises AuthForbidden."""
    if caller.user is None or given in (None, caller.user):
        return caller.user or given
    raise AuthForbidden(f"this token acts as {caller.user} alone", hint="leave the user out")


def somebody(caller: Caller, given: str | None, name: str = "user_id") -> str:
    """The same where it has to be somebody; raises AuthForbidden, and RequestInvalid where nobody is named."""
    user = author(caller, given)
    if user is None:
        raise RequestInvalid(f"say whom it is about: this token is bound to no user, so {name} is needed")
    return user


def check_whole_tenant(caller: Caller, what: str) -> None:
    """Raise AuthForbidden for a token that is bound to a user."""
    if caller.user is not None:
        raise AuthForbidden(f"a token of one user may not {what}", hint="use one that is bound to nobody")
