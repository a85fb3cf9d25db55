"""`client.records`: every door that `worker.of()` has, with the same arguments and the same answers."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import Any
from unittest.mock import Mock

import pytest

from codemode import AsyncClient, Client
from codemode.catalog.tenant import TenantRecords
from codemode.client.sharing.async_doors import AsyncRecords
from codemode.client.sharing.doors import RemoteRecords
from codemode.database.clock import now_ms
from codemode.errors import RecordExists, RecordNotFound, RequestInvalid, SessionNotFound
from tests.client.conftest import Served

LEFT_OUT = {"now"}  # the service has its own clock


def doors(records: object) -> dict[str, type]:
    return {name: type(door) for name, door in vars(records).items() if name != "store"}


def arguments(call: Any) -> dict[str, tuple[Any, Any]]:
    parameters = inspect.signature(call).parameters.values()
    return {each.name: (each.kind, each.default) for each in parameters if each.name not in {"self", "door", *LEFT_OUT}}


@pytest.mark.parametrize("kind", [RemoteRecords, AsyncRecords])
def test_a_client_has_the_doors_of_a_worker_with_their_arguments(kind: type) -> None:
    embedded, remote = doors(TenantRecords(Mock(), "acme")), doors(kind(Mock()))
    assert set(embedded) == set(remote)
    for noun, door in remote.items():
        for name, call in inspect.getmembers(door, inspect.isfunction):
            if name.startswith("_") or noun == "events":
                continue
            expected = arguments(getattr(embedded[noun], name))
            for argument, what in arguments(call).items():
                optional = (noun, argument) == ("messages", "session_id")  # a worker lists those of all sessions
                assert optional or expected[argument] == what, (noun, name, argument)


def shared(records: Any, session: str, clock: dict[str, int]) -> list[Any]:
    """What people do, through whatever records: the answers without what differs from one time to the next."""
    users, groups = records.users, records.groups
    answers = [
        users.create(f"ann-{session}", kind="agent", email=f"ann@{session}.example", metadata={"n": 1}, **clock),
        users.update(f"ann-{session}", display_name="Ann", **clock),
        users.by_email(f"ANN@{session}.example"),
        records.workspaces.create(f"North {session}", record_id=f"w-{session}", **clock),
        groups.create(f"Crew {session}", record_id=f"g-{session}", **clock),
        groups.add(f"g-{session}", f"ann-{session}", **clock),
        groups.members(f"g-{session}"),
        records.sessions.update(session, workspace_id=f"w-{session}", type="plan", metadata={"a": 1}, **clock),
        records.sessions.close(session, **clock),
        records.sessions.reopen(session, **clock),
        records.sessions.get(session),
        records.participants.put(session, f"ann-{session}", role="member", metadata={"a": "b"}, **clock),
        records.messages.post(session, "the disk is full", user_id=f"ann-{session}", **clock),
        records.messages.page(session, text="disk"),
        records.panels.create(session, "Trips", query="SELECT 1", panel_id="trips", **clock),
        records.panels.update(session, "trips", document={"a": [1, None]}, **clock),
        records.panels.page(session),
        records.mcp_sessions.put(session, "github", "1", context_data={"tools": []}, **clock),
        records.signals.post(session, "ice", f"ann-{session}", {"c": 1}, to_participant="bob", **clock),
        records.signals.take(session, "bob", **clock),
        records.subscriptions.add(f"ann-{session}", session, panel_id="trips", **clock),
        records.subscriptions.of_user(f"ann-{session}"),
        records.preferences.put(f"ann-{session}", "ui", "theme", "dark", **clock),
        records.preferences.categories(f"ann-{session}"),
        records.configuration.put(f"region-{session}", ["eu"], **clock),
        records.configuration.remove(f"region-{session}"),
        users.take_back(f"ann-{session}", **clock),
    ]
    for refused, call in (
        (RecordNotFound, lambda: users.get(f"nobody-{session}")),
        (RecordNotFound, lambda: users.by_email(f"nobody@{session}.example")),
        (RecordNotFound, lambda: users.by_email(None)),
        (RecordNotFound, lambda: users.by_outside_id(None)),
        (RecordExists, lambda: users.create(f"ann-{session}", **clock)),
        (RecordNotFound, lambda: records.sessions.update(session, workspace_id="nowhere", **clock)),
        (SessionNotFound, lambda: records.messages.post(f"no-{session}", "x", **clock)),
    ):
        with pytest.raises(refused):
            call()
    return answers


def plain(answer: Any, session: str) -> str:
    text = re.sub(r"'\d{4}-\d\d-\d\dT[^']*'|\b[a-z]+_[0-9A-Z]{26}\b", "…", repr(answer))
    return text.replace(session, "SESSION")


def test_the_answers_are_the_same_from_afar(served: Served, client: Client) -> None:
    found = {}
    for session, records, clock in (
        ("near-1", served.worker.of(), {"now": now_ms()}),
        ("far-1", client.records, {}),
    ):
        served.worker.session(session)
        found[session] = [plain(each, session) for each in shared(records, session, clock)]
    assert found["near-1"] == found["far-1"]


@pytest.mark.parametrize("record_id", ["\ud800", "x" * 70_000, "é" * 30_000])
def test_an_id_that_no_path_can_hold_is_refused(client: Client, record_id: str) -> None:
    with pytest.raises(RequestInvalid, match="an id"):
        client.records.groups.get(record_id)


@pytest.mark.parametrize("name", ["message_type", "since", "until", "limit"])
@pytest.mark.parametrize("value", [10**5000, "20261130", 1.5], ids=["5001 digits", "text", "float"])
def test_what_no_list_of_messages_takes_is_refused_near_and_far(
    served: Served, client: Client, name: str, value: Any
) -> None:
    served.worker.session("asked")
    for records in (served.worker.of(), client.records):
        with pytest.raises(RequestInvalid):
            records.messages.page("asked", **{name: value})


@pytest.mark.parametrize("record_id", ["", ".", ".."])
def test_an_id_that_an_address_gives_a_meaning_reaches_nothing_else(client: Client, record_id: str) -> None:
    session = client.session("stays")
    for door in (client.records.messages, client.records.panels):
        with pytest.raises(RequestInvalid, match="no address can hold the id"):
            door.remove(session.id, record_id)
    assert session.value("SELECT 1") == 1


def test_sessions_are_found_by_where_they_belong_and_what_they_are(served: Served, client: Client) -> None:
    client.records.workspaces.create("Lab", record_id="lab")
    for session in ("in-lab", "of-kind", "both"):
        served.worker.session(session)
        change = {"workspace_id": "lab"} if session == "in-lab" else {"type": "probe"}
        client.records.sessions.update(session, **change)
    client.records.sessions.update("both", workspace_id="lab")
    client.records.sessions.close("both")
    for only, found in (
        ({"workspace_id": "lab"}, ["both", "in-lab"]),
        ({"type": "probe"}, ["both", "of-kind"]),
        ({"type": "probe", "status": "active"}, ["of-kind"]),
        ({"workspace_id": "lab", "type": "probe", "status": "closed"}, ["both"]),
        ({"workspace_id": "none"}, []),
    ):
        told = client.sessions(**only)
        assert sorted(info.id for info in told) == found, only
        assert told == served.worker.sessions(**only)
    (closed,) = client.sessions(type="probe", status="closed")
    assert (closed.type, closed.workspace_id, closed.status) == ("probe", "lab", "closed")


def test_events_are_heard_from_afar(served: Served, client: Client) -> None:
    served.worker.session("told")
    client.records.messages.post("told", "one")
    first = next(client.records.events.of_session("told", after=0))
    client.records.messages.post("told", "two")
    second = next(client.records.events.of_session("told", after=first.seq))
    assert [each.body["content"] for each in (first, second)] == ["one", "two"]

    async def there() -> Any:
        async with AsyncClient(served.url, served.token) as remote:
            await remote.records.messages.post("told", "three")
            heard = await anext(aiter(remote.records.events.of_session("told", after=second.seq)))
            return heard.body["content"], (await remote.records.statistics.get()).messages > 2

    assert asyncio.run(there()) == ("three", True)
    with pytest.raises(SessionNotFound):
        next(client.records.events.of_session("untold"))
