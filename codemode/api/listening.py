"""Events of sessions over HTTP, as server-sent events: of one session, or of all that a user has subscribed to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from codemode.api import queries
from codemode.api.events import EventStream, event
from codemode.api.operations import Operation, Parameter
from codemode.api.problems import problem_of
from codemode.api.requests import caller_of, service_of
from codemode.errors import CodemodeError, RequestInvalid
from codemode.service import ears
from codemode.service.listening import Beginning, Ears
from codemode.values.records import SessionEvent

_LONGEST_SECONDS = 86_400
_MOST = 2**53
_BEAT = b": nothing new\n\n"
_MEDIA = "text/event-stream"


async def of_session(request: Request) -> Response:
    """What happens in a session, as it happens: messages, signals, executions, who joins and leaves, panels.

    Each event has the number `seq` as its id. A client that lost its connection sends the last one as
    `Last-Event-ID` and hears what came meanwhile, with whichever worker; the first event, `listening`, says from where
    on it hears. A comment every 15 seconds keeps the stream alive.
    """
    return await _listened(request, ears.OfSession(service_of(request), caller_of(request), request.path_params["id"]))


async def of_user(request: Request) -> Response:
    """What happens in the sessions and panels that a user has subscribed to, as long as he takes part in them."""
    user_id = request.query_params.get("user_id")
    return await _listened(request, ears.of_user(service_of(request), caller_of(request), user_id))


async def _listened(request: Request, heard: Ears) -> Response:
    service = service_of(request)
    seconds = queries.whole(request, "seconds", _LONGEST_SECONDS, most=_LONGEST_SECONDS)
    beginning = await service.listeners.begin(heard, _last_heard(request))
    if request.method == "HEAD":
        return Response(media_type=_MEDIA)
    place = ExitStack()
    place.enter_context(service.listeners.place(heard.caller.tenant))

    async def over() -> None:
        place.close()

    return EventStream(_told(service.listeners.follow(heard, beginning.seq, seconds), beginning), over)


def _last_heard(request: Request) -> int | None:
    """What a browser sends when it comes again, else what a program says at first."""
    given = request.headers.get("last-event-id", "") or request.query_params.get("after", "")
    if not given:
        return None
    if given.isascii() and given.isdecimal() and len(given) < 17 and int(given) <= _MOST:
        return int(given)
    raise RequestInvalid(f"{given[:40]!r} is no event's id", hint="send the `id` of the event that came last, or none")


async def _told(events: AsyncIterator[SessionEvent | None], beginning: Beginning) -> AsyncIterator[bytes]:
    yield _numbered(beginning.seq, "listening", beginning)
    try:
        async for each in events:
            yield _BEAT if each is None else _numbered(each.seq, each.kind, each)
    except CodemodeError as error:
        yield event("problem", problem_of(error))


def _numbered(seq: int, kind: str, document: msgspec.Struct) -> bytes:
    return b"id: %d\n" % seq + event(kind, document)


_AFTER = (
    Parameter(name="after", about="Begin after the event of this number, as Last-Event-ID does.", kind=int),
    Parameter(name="seconds", about="End the stream after so many, a day at most and by default.", kind=int),
)
OPERATIONS = (
    Operation(
        method="GET", path="/v1/sessions/{id}/events", name="session_events", handler=of_session, scope="read",
        about="Listen to a session.", answers={200: SessionEvent}, media=_MEDIA, problems=(404, 429), parameters=_AFTER,
    ),
    Operation(
        method="GET", path="/v1/events", name="events", handler=of_user, scope="read",
        about="Listen to everything that a user has subscribed to.", answers={200: SessionEvent}, media=_MEDIA,
        problems=(429,),
        parameters=(Parameter(name="user_id", about="Whose, of a token that is bound to nobody."), *_AFTER),
    ),
)  # fmt: skip
