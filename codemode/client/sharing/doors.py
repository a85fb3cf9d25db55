"""The doors to what a tenant's people share, each call waits for its answer: one class for each kind of record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from codemode.client.ask import Call
from codemode.client.connection import Connection
from codemode.client.sharing import listening, people, places
from codemode.values.records import SessionEvent

Asked = ParamSpec("Asked")
T = TypeVar("T")


class RemoteDoor:
    """One kind of record, by way of a service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


def sent(make: Callable[Asked, Call[T]]) -> Callable[Concatenate[RemoteDoor, Asked], T]:
    """The method that makes this call and waits for its answer."""

    @wraps(make)
    def method(door: RemoteDoor, /, *args: Asked.args, **kwargs: Asked.kwargs) -> T:
        return door._connection.send(make(*args, **kwargs))

    return method


class RemoteUsers(RemoteDoor):
    """The people and agents of the tenant."""

    create = sent(people.create_user)
    get = sent(people.get_user)
    by_email = sent(people.user_by_email)
    by_outside_id = sent(people.user_by_outside_id)
    page = sent(people.users)
    update = sent(people.update_user)
    remove = sent(people.remove_user)
    take_back = sent(people.undelete_user)


class RemoteWorkspaces(RemoteDoor):
    """Where its sessions belong."""

    create = sent(people.create_workspace)
    get = sent(people.get_workspace)
    page = sent(people.workspaces)
    update = sent(people.update_workspace)
    remove = sent(people.remove_workspace)


class RemoteGroups(RemoteDoor):
    """Which of its users belong together."""

    create = sent(people.create_group)
    get = sent(people.get_group)
    page = sent(people.groups)
    update = sent(people.update_group)
    remove = sent(people.remove_group)
    add = sent(people.add_member)
    members = sent(people.members)
    remove_member = sent(people.remove_member)


class RemotePlaces(RemoteDoor):
    """Its sessions, as places that are shared; they are listed and made by the client itself."""

    get = sent(places.get_place)
    update = sent(places.update_place)
    close = sent(places.close_place)
    reopen = sent(places.reopen_place)


class RemoteParticipants(RemoteDoor):
    """Who takes part in its sessions."""

    put = sent(places.put_participant)
    page = sent(places.participants)
    leave = sent(places.remove_participant)


class RemoteMessages(RemoteDoor):
    """What is said in them."""

    post = sent(places.post_message)
    get = sent(places.get_message)
    page = sent(places.messages)
    remove = sent(places.remove_message)


class RemotePanels(RemoteDoor):
    """What they show."""

    create = sent(places.create_panel)
    get = sent(places.get_panel)
    page = sent(places.panels)
    update = sent(places.update_panel)
    remove = sent(places.remove_panel)


class RemoteMcpSessions(RemoteDoor):
    """Which MCP servers they are connected to."""

    put = sent(places.put_mcp_session)
    page = sent(places.mcp_sessions)


class RemoteSignals(RemoteDoor):
    """The calls between their participants."""

    post = sent(places.post_signal)
    take = sent(places.take_signals)


class RemoteSubscriptions(RemoteDoor):
    """Which of them its users are told of."""

    add = sent(people.subscribe)
    of_user = sent(people.subscriptions)
    remove = sent(people.unsubscribe)


class RemotePreferences(RemoteDoor):
    """What its users prefer."""

    put = sent(people.prefer)
    page = sent(people.preferences)
    categories = sent(people.preference_categories)
    remove = sent(people.forget_preference)


class RemoteConfiguration(RemoteDoor):
    """How the tenant is set up."""

    put = sent(people.configure)
    page = sent(people.configuration)
    remove = sent(people.unconfigure)


class RemoteStatistics(RemoteDoor):
    """How many there are of what."""

    get = sent(people.statistics)


class RemoteEvents(RemoteDoor):
    """What their listeners are told."""

    def of_session(self, session_id: str, *, after: int | None = None) -> Iterator[SessionEvent]:
        """What happens in a session after event number `after`, else from now on; raises what ends the stream.

        A connection that is lost raises WorkerUnreachable: ask again, after the `seq` of the event that came last.
        """
        return listening.events(self._connection, listening.of_session(session_id, after))

    def of_user(self, user_id: str | None = None, *, after: int | None = None) -> Iterator[SessionEvent]:
        """The same of all that a user has subscribed to; None is whom the token is bound to."""
        return listening.events(self._connection, listening.of_user(user_id, after))


class RemoteRecords:
    """Everything that the service keeps of the token's tenant: one door for each kind of record; as `Worker.of`."""

    def __init__(self, connection: Connection) -> None:
        self.users = RemoteUsers(connection)
        self.workspaces = RemoteWorkspaces(connection)
        self.groups = RemoteGroups(connection)
        self.sessions = RemotePlaces(connection)
        self.participants = RemoteParticipants(connection)
        self.messages = RemoteMessages(connection)
        self.panels = RemotePanels(connection)
        self.mcp_sessions = RemoteMcpSessions(connection)
        self.signals = RemoteSignals(connection)
        self.subscriptions = RemoteSubscriptions(connection)
        self.preferences = RemotePreferences(connection)
        self.configuration = RemoteConfiguration(connection)
        self.statistics = RemoteStatistics(connection)
        self.events = RemoteEvents(connection)
