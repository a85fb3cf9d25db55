"""Calls on the service as a whole, as requests: sessions made, found, pinned and removed, its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from codemode.asked import parse_session_id, text_or_none, truth
from codemode.client.ask import Ask, Call, converted, document, query_of
from codemode.client.calls import Place
from codemode.errors import SessionExpired, SessionNotFound
from codemode.limits import Limits, asked
from codemode.values import Day, Layer, SessionInfo

_MOST = 1_000  # sessions a page, as many as the service takes
_LONG = 60.0  # removing a session and sweeping wait for what runs


class Made(NamedTuple):
    """A session that was found or made."""

    tenant: str
    place: Place


def session(
    session_id: str | None, limits: Limits | Mapping[str, Any] | None, renew: bool, create: bool, stateful: bool | None
) -> Call[Made]:
    """The session of this id, or a new one."""
    anew, makes = truth("renew", renew), truth("create", create)
    if session_id is not None:
        parse_session_id(session_id)
    elif not makes:
        raise SessionNotFound("there is no session without an id", hint="name the session that is looked for")
    if not (makes or anew or stateful is not None or limits is not None):
        # Looking for a session changes nothing, so that a token that may only read is enough for it.
        return Call(Ask(method="GET", path=_path(str(session_id)), safe=True, seconds=_LONG), _found)
    if limits is not None:
        asked(limits)
    body = document(
        id=session_id, limits=msgspec.to_builtins(limits), renew=anew, create=makes,
        stateful=None if stateful is None else truth("stateful", stateful),
    )  # fmt: skip
    # With an id of the caller's own, a second time finds what the first has made; renewing twice would lose data.
    safe = session_id is not None and not anew
    return Call(Ask(method="POST", path="/v1/sessions", body=body, safe=safe, seconds=_LONG), _made)


def page(after: str | None, **only: str | None) -> Call[tuple[list[SessionInfo], str | None]]:
    """Sessions, latest use first, and where the next page begins; `only` are the filters of `Client.sessions`."""
    those = {name: text_or_none(name, value) for name, value in only.items()}
    ask = Ask(method="GET", path="/v1/sessions", query=query_of(limit=_MOST, after=after, **those), safe=True)
    return Call(ask, lambda found: (converted(list[SessionInfo])(found["sessions"]), found["next"]))


def info(session_id: str) -> Call[SessionInfo]:
    """One session."""
    return Call(Ask(method="GET", path=_path(session_id), safe=True), converted(SessionInfo))


def remove(session_id: str) -> Call[None]:
    """Delete one with everything in it."""
    return Call(Ask(method="DELETE", path=_path(session_id), seconds=_LONG), lambda _: None)


def pin(session_id: str, pinned: bool) -> Call[None]:
    """Keep one from expiring, or let it."""
    body = document(pinned=truth("pinned", pinned))
    return Call(Ask(method="PATCH", path=_path(session_id), body=body, safe=True, seconds=_LONG), lambda _: None)


def metrics() -> Call[dict[str, Any]]:
    """What the tenant's sessions hold and have cost."""
    query = query_of(usage=True)
    return Call(Ask(method="GET", path="/v1/stats", query=query, safe=True, seconds=_LONG), dict)


def usage_by_day() -> Call[list[Day]]:
    """What the tenant's sessions cost, by day."""
    return Call(Ask(method="GET", path="/v1/usage", safe=True, seconds=_LONG), converted(list[Day]))


def layers() -> Call[tuple[Layer, ...]]:
    """The layers of confinement."""
    return Call(Ask(method="GET", path="/v1/layers", safe=True, seconds=_LONG), converted(tuple[Layer, ...]))


def sweep() -> Call[list[str]]:
    """Expire what is over."""
    return Call(Ask(method="POST", path="/v1/sweep", seconds=_LONG), lambda found: list(found["expired"]))


def _path(session_id: str) -> str:
    return f"/v1/sessions/{parse_session_id(session_id)}"


def _found(found: dict[str, Any]) -> Made:
    if found["state"] == "expired":
        raise SessionExpired(
            f"session {found['id']} expired {found['expires_at']}; its data is gone",
            hint="make it anew on purpose with renew=True, or use another id",
        )
    return _made(found)


def _made(found: dict[str, Any]) -> Made:
    limits = msgspec.convert({name: found["limits"][name] for name in _LIMITS if name in found["limits"]}, Limits)
    return Made(found["tenant"], Place(found["id"], limits))


_LIMITS = Limits.__struct_fields__  # those of a newer service are its own affair
