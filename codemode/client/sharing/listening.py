"""Events of sessions as they come to a client, and how it asks for them again from the last one on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing

import msgspec

from codemode.client.ask import Ask, query_of
from codemode.client.connection import AsyncConnection, Connection
from codemode.client.lines import ServerEvents
from codemode.client.sharing.calls import path
from codemode.values.records import SessionEvent

_SECONDS = 30.0  # twice the time after which the service gives a sign of life


def of_session(session_id: str, after: int | None) -> Ask:
    """The events of a session."""
    where = path("sessions", session_id, "events")
    return Ask(method="GET", path=where, query=query_of(after=after), safe=True, seconds=_SECONDS)


def of_user(user_id: str | None, after: int | None) -> Ask:
    """The events of all that a user has subscribed to."""
    query = query_of(user_id=user_id, after=after)
    return Ask(method="GET", path="/v1/events", query=query, safe=True, seconds=_SECONDS)


def events(connection: Connection, ask: Ask) -> Iterator[SessionEvent]:
    """The events as they come, until the service ends the stream; closing the iterator ends it as well."""
    told = ServerEvents()
    with closing(connection.lines(ask)) as lines:
        for line in lines:
            yield from _read(told, line)


async def async_events(connection: AsyncConnection, ask: Ask) -> AsyncIterator[SessionEvent]:
    """The same without blocking."""
    told = ServerEvents()
    async with aclosing(connection.lines(ask)) as lines:
        async for line in lines:
            for each in _read(told, line):
                yield each


def _read(told: ServerEvents, line: bytes) -> Iterator[SessionEvent]:
    for name, data in told.feed(line):
        if name != "listening":
            yield msgspec.convert(data, SessionEvent)
