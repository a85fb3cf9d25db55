"""The doors to what a tenant's people share, for programs that do not block: one class for each kind of record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from codemode.client.ask import Call
from codemode.client.connection import AsyncConnection
from codemode.client.sharing import listening, people, places
from codemode.values.records import SessionEvent

Asked = ParamSpec("Asked")
T = TypeVar("T")


class AsyncDoor:
    """One kind of record, by way of a service."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection


def awaited(
    make: Callable[Asked, Call[T]],
) -> Callable[Concatenate[AsyncDoor, Asked], Coroutine[Any, Any, T]]:
    """The method that makes this call and awaits its answer."""

    @wraps(make)
    async def method(door: AsyncDoor, /, *args: Asked.args, **kwargs: Asked.kwargs) -> T:
        return await door._connection.send(make(*args, **kwargs))

    return method


class AsyncUsers(AsyncDoor):
    """The people and agents of the tenant."""

    create = awaited(people.create_user)
    get = awaited(people.get_user)
    by_email = awaited(people.user_by_email)
    by_outside_id = awaited(people.user_by_outside_id)
    page = awaited(people.users)
    update = awaited(people.update_user)
    remove = awaited(people.remove_user)
    take_back = awaited(people.undelete_user)


class AsyncWorkspaces(AsyncDoor):
    """Where its sessions belong."""

    create = awaited(people.create_workspace)
    get = awaited(people.get_workspace)
    page = awaited(people.workspaces)
    update = awaited(people.update_workspace)
    remove = awaited(people.remove_workspace)


class AsyncGroups(AsyncDoor):
    """Which of its users belong together."""

    create = awaited(people.create_group)
    get = awaited(people.get_group)
    page = awaited(people.groups)
    update = awaited(people.update_group)
    remove = awaited(people.remove_group)
    add = awaited(people.add_member)
    members = awaited(people.members)
    remove_member = awaited(people.remove_member)


class AsyncPlaces(AsyncDoor):
    """Its sessions, as places that are shared; they are listed and made by the client itself."""

    get = awaited(places.get_place)
    update = awaited(places.update_place)
    close = awaited(places.close_place)
    reopen = awaited(places.reopen_place)


class AsyncParticipants(AsyncDoor):
    """Who takes part in its sessions."""

    put = awaited(places.put_participant)
    page = awaited(places.participants)
    leave = awaited(places.remove_participant)


class AsyncMessages(AsyncDoor):
    """What is said in them."""

    post = awaited(places.post_message)
    get = awaited(places.get_message)
    page = awaited(places.messages)
    remove = awaited(places.remove_message)


class AsyncPanels(AsyncDoor):
    """What they show."""

    create = awaited(places.create_panel)
    get = awaited(places.get_panel)
    page = awaited(places.panels)
    update = awaited(places.update_panel)
    remove = awaited(places.remove_panel)


class AsyncMcpSessions(AsyncDoor):
    """Which MCP servers they are connected to."""

    put = awaited(places.put_mcp_session)
    page = awaited(places.mcp_sessions)


class AsyncSignals(AsyncDoor):
    """The calls between their participants."""

    post = awaited(places.post_signal)
    take = awaited(places.take_signals)


class AsyncSubscriptions(AsyncDoor):
    """Which of them its users are told of."""

    add = awaited(people.subscribe)
    of_user = awaited(people.subscriptions)
    remove = awaited(people.unsubscribe)


class AsyncPreferences(AsyncDoor):
    """What its users prefer."""

    put = awaited(people.prefer)
    page = awaited(people.preferences)
    categories = awaited(people.preference_categories)
    remove = awaited(people.forget_preference)


class AsyncConfiguration(AsyncDoor):
    """How the tenant is set up."""

    put = awaited(people.configure)
    page = awaited(people.configuration)
    remove = awaited(people.unconfigure)


class AsyncStatistics(AsyncDoor):
    """How many there are of what."""

    get = awaited(people.statistics)


class AsyncEvents(AsyncDoor):
    """What their listeners are told."""

    def of_session(self, session_id: str, *, after: int | None = None) -> AsyncIterator[SessionEvent]:
        """What happens in a session after event number `after`, else from now on; raises what ends the stream.

        A connection that is lost raises WorkerUnreachable: ask again, after the `seq` of the event that came last.
        """
        return listening.async_events(self._connection, listening.of_session(session_id, after))

    def of_user(self, user_id: str | None = None, *, after: int | None = None) -> AsyncIterator[SessionEvent]:
        """The same of all that a user has subscribed to; None is whom the token is bound to."""
        return listening.async_events(self._connection, listening.of_user(user_id, after))


class AsyncRecords:
    """Everything that the service keeps of the token's tenant: one door for each kind of record; as `Worker.of`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.users = AsyncUsers(connection)
        self.workspaces = AsyncWorkspaces(connection)
        self.groups = AsyncGroups(connection)
        self.sessions = AsyncPlaces(connection)
        self.participants = AsyncParticipants(connection)
        self.messages = AsyncMessages(connection)
        self.panels = AsyncPanels(connection)
        self.mcp_sessions = AsyncMcpSessions(connection)
        self.signals = AsyncSignals(connection)
        self.subscriptions = AsyncSubscriptions(connection)
        self.preferences = AsyncPreferences(connection)
        self.configuration = AsyncConfiguration(connection)
        self.statistics = AsyncStatistics(connection)
        self.events = AsyncEvents(connection)
