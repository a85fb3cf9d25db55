"""What a token reaches: every operation is asked for what is somebody else's, and answers as if there were nothing.

Not only the answer is the same: the same functions are called and the same statements run in the same order, so that
time tells nobody either. An operation that is new has to say here how it is asked, or the tests fail.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import httpx2
import pytest
from patience import soon

import codemode
from codemode import Worker
from codemode.api.app import OPERATIONS, create_app
from codemode.api.operations import Operation
from codemode.database.clock import now_ms

PACKAGE = str(Path(codemode.__file__).parent)
BY_NAME = {each.name: each for each in OPERATIONS}
ASKS = {f"{store}.{how}" for store in ("SqliteStore", "_As") for how in ("run", "look")}  # the catalogue

# How an operation whose path names something is asked: its query and its body, where it takes any.
ASKED: dict[str, tuple[dict[str, Any], Any]] = {
    "list_sessions": ({}, None),  # and by a workspace, below
    "create_session": ({}, {"id": "put-nowhere", "workspace_id": "{workspace}"}),
    "get_session": ({}, None),
    "change_session": ({}, {"pinned": True, "workspace_id": "{workspace}"}),
    "delete_session": ({}, None),
    "execute": ({}, {"code": "1"}),
    "get_execution": ({}, None),
    "cancel_execution": ({}, None),
    "cancel": ({}, None),
    "query": ({}, {"sql": "select 1"}),
    "batch_insert": ({}, {"table": "t", "records": [{"a": 1}]}),
    "import_file": ({"table": "t", "format": "json"}, [{"a": 1}]),
    "export": ({"table": "t"}, None),
    "schema": ({}, None),
    "describe": ({"table": "t"}, None),
    "find_column": ({"table": "t", "meaning": "a"}, None),
    "describe_table": ({}, None),
    "has_column": ({"table": "t", "column": "a"}, None),
    "exec": ({}, {"sql": "delete from t"}),
    "batch": ({}, {"statements": [{"sql": "delete from t"}]}),
    "script": ({}, {"sql": "delete from t"}),
    "create_table": ({}, {"name": "u", "columns": "a"}),
    "explain": ({}, {"sql": "select 1"}),
    "rows": ({}, {"sql": "select 1"}),
    "list_state": ({}, None),
    "get_state": ({"key": "k"}, None),
    "save_state": ({"key": "k"}, {"value": 1}),
    "delete_state": ({"key": "k"}, None),
    "list_checkpoints": ({}, None),
    "make_checkpoint": ({}, {"name": "c2"}),
    "delete_checkpoint": ({"name": "c"}, None),
    "restore": ({}, {"name": "c"}),
    "fork": ({}, {"checkpoint": "c"}),
    "diff": ({}, None),
    "undo": ({}, None),
    "redo": ({}, None),
    "compact": ({}, None),
    "table_changes": ({}, None),
    "slow_statements": ({}, None),
    "session_usage": ({}, None),
    "session_sizes": ({}, None),
    "logs": ({}, None),
    "metrics": ({}, None),
    "list_participants": ({}, None),
    "add_participant": ({}, {"user_id": "eve"}),
    "remove_participant": ({"user_id": "eve"}, None),
    "revoke_token": ({}, None),
    "list_messages": ({"text": "treasure"}, None),
    "post_message": ({}, {"content": "stolen", "thread": "{message}"}),
    "get_message": ({}, None),
    "remove_message": ({}, None),
    "list_panels": ({}, None),
    "create_panel": ({}, {"title": "Stolen", "query": "select 1"}),
    "get_panel": ({}, None),
    "change_panel": ({}, {"title": "Stolen"}),
    "remove_panel": ({}, None),
    "list_mcp_sessions": ({}, None),
    "put_mcp_session": ({}, {"mcp_server_id": "server", "mcp_version": "2"}),
    "post_signal": ({}, {"signal_type": "ice", "signal_data": 1, "from_participant": None}),
    "take_signals": ({}, {"participant": None}),
    "session_events": ({"seconds": 1, "after": 0}, None),
    "get_user": ({}, None),
    "change_user": ({}, {"display_name": "Eve"}),
    "remove_user": ({}, None),
    "undelete_user": ({}, None),
    "get_workspace": ({}, None),
    "change_workspace": ({}, {"name": "Stolen"}),
    "remove_workspace": ({}, None),
    "get_group": ({}, None),
    "change_group": ({}, {"name": "Stolen"}),
    "remove_group": ({}, None),
    "list_members": ({}, None),
    "add_member": ({}, {"user_id": "{user}"}),
    "remove_member": ({"user_id": "{user}"}, None),
    "list_messages_alias": ({}, None),
    "post_message_alias": ({}, {"content": "stolen"}),
    "list_mcp_sessions_alias": ({}, None),
    "put_mcp_session_alias": ({}, {"mcp_server_id": "server", "mcp_version": "2"}),
    # Of what is asked for in the query or the body: where nobody's id is in the path.
    "events": ({"seconds": 1, "after": 0}, None),
    "list_users": ({"deleted": True}, None),
    "list_subscriptions": ({}, None),
    "subscribe": ({}, {"session_id": "{session}"}),
    "unsubscribe": ({"session_id": "{session}"}, None),
    "list_preferences": ({"category": "ui"}, None),
    "list_preference_categories": ({}, None),
    "set_preference": ({}, {"category": "ui", "key": "theme", "value": "stolen"}),
    "remove_preference": ({"category": "ui", "key": "theme"}, None),
    "remove_configuration": ({"key": "region"}, None),
}
# What else a path names, beside what belongs to somebody.
NAMES = {"table": "t"}
# How what there is in a tenant is named, below its own paths.
KINDS = {"/v1/tokens": "token", "/v1/executions": "execution", "/v1/users": "user", "/v1/groups": "group"} | {
    "/v1/workspaces": "workspace"
}


class Victim(NamedTuple):
    """What is somebody else's: a session with everything in it, an execution, a token, who and what a tenant has."""

    session: str
    execution: str
    token: str
    user: str
    group: str
    workspace: str
    message: str
    panel: str

    def named(self, operation: Operation) -> str:
        kind = next((kind for path, kind in KINDS.items() if operation.path.startswith(path)), "session")
        return str(getattr(self, kind))

    @property
    def missing(self) -> Victim:
        """Ids of the same form and length that nobody has."""
        return Victim(*(each[:-3] + "zzz" for each in self))


class Asking:
    """The application without a network, in this thread alone, so that everything it does can be seen."""

    def __init__(self, worker: Worker) -> None:
        self.app = create_app(worker, open_to_all=False)
        self.worker = worker

        async def call(function: Any, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        service = self.app.state.service
        service.call = service.look = service.aside = call
        service.background._look = service.background._aside = call

    def ask(self, secret: str, operation: Operation, named: str | None, ids: Victim) -> httpx2.Response:
        query, body = ASKED.get(operation.name, ({}, {}))
        query, body = ({} if each is None else _filled(each, ids) for each in (query, body))
        path = operation.path.format(id=named, **NAMES, message=ids.message, panel=ids.panel)

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app)
            headers = {"Authorization": f"Bearer {secret}"}
            async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
                return await http.request(operation.method, path, params=query, json=body or None)

        return asyncio.run(send())


def _filled(fields: Any, ids: Victim) -> Any:
    """The fields with the victim's ids in them."""
    if not isinstance(fields, dict):
        return fields
    return {
        name: value.format(**ids._asdict()) if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }


@pytest.fixture(scope="module")
def asking(worker: Worker) -> Asking:
    return Asking(worker)


def token(worker: Worker, tenant: str, user: str | None = None) -> tuple[str, str]:
    secret, made = worker.create_token(tenant, scopes=("read", "execute", "admin"), user=user)
    return secret, made.id


@pytest.fixture(scope="module")
def victim(worker: Worker, guarded: str) -> Victim:
    secret, made = token(worker, "victims", "ann")
    with httpx2.Client(base_url=guarded, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as http:
        http.post("/v1/sessions", json={"id": "secret-plans"})
        http.post("/v1/sessions/secret-plans/exec", json={"sql": "create table t (a)"})
        http.post("/v1/sessions/secret-plans/checkpoints", json={"name": "c"})
        body = {"code": "return 'hidden treasure'", "mode": "background"}
        begun = http.post("/v1/sessions/secret-plans/execute", json=body).json()
        http.get(f"/v1/executions/{begun['execution_id']}", params={"wait": 30})
        place = "/v1/sessions/secret-plans"
        message = http.post(f"{place}/messages", json={"content": "hidden treasure"}).json()
        panel = http.post(f"{place}/panels", json={"title": "hidden treasure", "query": "select 1"}).json()
        http.post(f"{place}/mcp", json={"mcp_server_id": "hidden treasure", "mcp_version": "1"})
        http.post(f"{place}/signals", json={"signal_type": "offer", "signal_data": "hidden treasure"})
        http.post("/v1/subscriptions", json={"session_id": "secret-plans"})
        http.put("/v1/preferences", json={"category": "ui", "key": "theme", "value": "hidden treasure"})
    secret, _ = token(worker, "victims")
    with httpx2.Client(base_url=guarded, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as http:
        http.patch("/v1/users/ann", json={"display_name": "hidden treasure", "email": "ann@treasure.example"})
        workspace = http.post("/v1/workspaces", json={"name": "hidden treasure"}).json()
        group = http.post("/v1/groups", json={"name": "hidden treasure"}).json()
        http.post(f"/v1/groups/{group['id']}/members", json={"user_id": "ann"})
        http.put("/v1/configuration", json={"key": "region", "value": "hidden treasure"})
    return Victim(
        "secret-plans", begun["execution_id"], made, "ann", group["id"], workspace["id"], message["id"], panel["id"]
    )


def is_noted(worker: Worker, token_id: str) -> bool:
    found = worker.tokens.get(token_id)
    return found is not None and found.last_used_at is not None


@contextmanager
def traced(worker: Worker) -> Iterator[list[str]]:
    """The functions of the package that are called, and the statements that the catalogue runs, in order."""
    seen: list[str] = []

    def look(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith((PACKAGE, "<string>")):  # dataclasses make their own
            seen.append(f"{code.co_filename.removeprefix(PACKAGE)}:{code.co_qualname}")
            if code.co_qualname in ASKS:
                seen.append(frame.f_locals["sql"])

    gc.disable()  # a collection ends what an earlier test left, and finalizers are functions of the package too
    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        gc.enable()


THIEVES = [("thieves", None), ("thieves", "tom"), ("victims", "bob")]
NAMING = [each for each in OPERATIONS if "{" in each.path]


@pytest.mark.parametrize("operation", NAMING, ids=lambda each: each.name)
@pytest.mark.parametrize(("tenant", "user"), THIEVES, ids=["another tenant", "its user", "another user"])
def test_what_is_somebody_else_s_is_what_there_is_not(
    asking: Asking, victim: Victim, operation: Operation, tenant: str, user: str | None
) -> None:
    assert operation.name in ASKED, "say in ASKED how this operation is asked"
    secret, made = token(asking.worker, tenant, user)
    # The first use of a token is noted, by a thread, and its first refusal of a minute.
    asking.ask(secret, operation, "never", victim.missing)
    assert soon(lambda: is_noted(asking.worker, made))
    answers, ways = [], []
    for ids in (victim, victim.missing):
        with traced(asking.worker) as seen:
            answers.append(asking.ask(secret, operation, ids.named(operation), ids))
        ways.append(seen)
    theirs, nobodys = answers
    assert theirs.status_code == nobodys.status_code == 404
    assert _as_nobodys(theirs.text, victim) == nobodys.text
    assert ways[0] == ways[1]
    assert any("SELECT" in step for step in ways[0])


@pytest.mark.parametrize("name", ["create_session", "change_session"])
def test_a_user_puts_his_session_into_no_workspace_that_he_does_not_reach(
    asking: Asking, victim: Victim, name: str
) -> None:
    secret, _ = token(asking.worker, "victims", "walt")
    asking.worker.session("of-walt", tenant="victims", owner="walt")
    theirs, nobodys = (asking.ask(secret, BY_NAME[name], "of-walt", ids) for ids in (victim, victim.missing))
    assert theirs.status_code == nobodys.status_code == 404
    assert _as_nobodys(theirs.text, victim) == nobodys.text


def test_a_bound_token_looks_up_no_other_user(asking: Asking, victim: Victim, guarded: str) -> None:
    secret, _ = token(asking.worker, "victims", "bob")
    with httpx2.Client(base_url=guarded, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as http:
        assert [each["id"] for each in http.get("/v1/users").json()["users"]] == ["bob"]
        assert http.get("/v1/users", params={"email": "ann@treasure.example"}).json()["users"] == []


@pytest.mark.parametrize(("tenant", "user"), THIEVES)
def test_a_workspace_lists_nobody_else_s_sessions(
    asking: Asking, victim: Victim, tenant: str, user: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ASKED, "list_sessions", ({"workspace_id": "{workspace}"}, None))
    place = asking.worker.of("victims").sessions.update(victim.session, now=now_ms(), workspace_id=victim.workspace)
    owner, _ = token(asking.worker, "victims", "ann")
    mine, theirs = (
        asking.ask(secret, BY_NAME["list_sessions"], None, victim).json()["sessions"]
        for secret in (owner, token(asking.worker, tenant, user)[0])
    )
    assert ([each["id"] for each in mine], theirs) == ([place.id], [])
    asking.worker.of("victims").sessions.update(victim.session, now=now_ms(), workspace_id=None)


def test_no_operation_takes_an_id_that_nobody_tries_to_steal_with() -> None:
    ids = {"session_id", "panel_id", "workspace_id", "user_id", "thread"}
    for each in OPERATIONS:
        fields = {} if each.body is None else each.body.__struct_fields__
        if ids & {*fields, *(parameter.name for parameter in each.parameters)}:
            assert each.name in ASKED


def _as_nobodys(text: str, victim: Victim) -> str:
    for there, missing in zip(victim, victim.missing, strict=True):
        text = text.replace(there, missing)
    return text


NESTED = [each for each in NAMING if "{message}" in each.path or "{panel}" in each.path]


@pytest.mark.parametrize("operation", NESTED, ids=lambda each: each.name)
@pytest.mark.parametrize("tenant", ["thieves", "victims"])
def test_what_is_in_a_session_is_not_in_another(
    asking: Asking, victim: Victim, operation: Operation, tenant: str
) -> None:
    secret, _ = token(asking.worker, tenant)
    asking.worker.session("own", tenant=tenant)
    theirs, nobodys = (asking.ask(secret, operation, "own", ids) for ids in (victim, victim.missing))
    assert theirs.status_code == nobodys.status_code == 404
    assert _as_nobodys(theirs.text, victim) == nobodys.text


def test_somebody_else_s_things_are_as_they_were(worker: Worker, victim: Victim) -> None:
    session = worker.session(victim.session, tenant="victims", create=False)
    assert session.get_tables() == ["t"]
    assert [each.name for each in session.checkpoints()] == ["c"]
    assert [each.user for each in worker.participants.all("victims", victim.session)] == ["ann"]
    found = worker.tokens.get(victim.token)
    assert found is not None
    assert found.revoked_at is None
    records = worker.of("victims")
    assert [each.content for each in records.messages.page(victim.session).rows] == ["hidden treasure"]
    assert [each.title for each in records.panels.page(victim.session).rows] == ["hidden treasure"]
    assert [each.mcp_version for each in records.mcp_sessions.page(victim.session).rows] == ["1"]
    assert len(records.signals.untaken(victim.session, now=0)) == 1
    assert [each.session_id for each in records.subscriptions.of_user("ann").rows] == [victim.session]
    assert records.preferences.get("ann", "ui", "theme").value == "hidden treasure"
    assert records.configuration.value("region") == "hidden treasure"
    assert records.users.get("ann").display_name == "hidden treasure"
    assert [each.name for each in records.groups.page().rows] == ["hidden treasure"]
    assert [each.user_id for each in records.groups.members(victim.group).rows] == ["ann"]
    assert [each.name for each in records.workspaces.page().rows] == ["hidden treasure"]


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if "{" not in each.path], ids=lambda each: each.name)
@pytest.mark.parametrize(("tenant", "user"), [("onlookers", None), ("onlookers", "tom"), ("victims", "bert")])
def test_no_list_and_no_figure_names_what_is_somebody_else_s(
    asking: Asking, victim: Victim, operation: Operation, tenant: str, user: str | None
) -> None:
    secret, _ = token(asking.worker, tenant, user)
    answer = asking.ask(secret, operation, None, victim)
    assert answer.status_code < 500
    asked = str(ASKED.get(operation.name))  # what was asked for may be named by the answer that there is none
    marks = [getattr(victim, name) for name in victim._fields if name != "user" and f"{{{name}}}" not in asked]
    for mark in (*marks, "hidden treasure", *(["victims"] if tenant != "victims" else [])):
        assert mark not in answer.text


def test_a_viewer_may_do_what_reads_and_nothing_else(asking: Asking, victim: Victim) -> None:
    secret, _ = asking.worker.create_token("victims", scopes=("read", "execute"), user="vera")
    before = asking.worker.participants.all("victims", victim.session)
    asking.worker.of("victims").participants.put(victim.session, "vera", role="viewer", now=0)
    in_sessions = [each for each in NAMING if each.path.startswith(("/v1/sessions/{id}", "/api/session/{id}"))]
    may = {each.name for each in in_sessions if asking.ask(secret, each, victim.session, victim).status_code != 403}
    asking.worker.participants.replace("victims", victim.session, before)  # as whoever asks next found it
    assert may == {each.name for each in in_sessions if each.scope == "read"}


def test_the_way_is_seen(asking: Asking, victim: Victim) -> None:
    """That the trace tells ways apart: a session that is there takes another one."""
    secret, _ = token(asking.worker, "victims")
    ways = []
    for ids in (victim, victim.missing):
        with traced(asking.worker) as seen:
            asking.ask(secret, BY_NAME["get_session"], ids.session, ids)
        ways.append(seen)
    assert ways[0] != ways[1]


def test_the_way_holds_nothing_that_a_collection_ends_meanwhile(worker: Worker) -> None:
    class Left:
        def __init__(self) -> None:
            self.itself = self
            weakref.finalize(self, worker.tokens.get, "tok_nobody")

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        with traced(worker) as seen:
            for _ in range(100):
                Left()
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert seen == []
