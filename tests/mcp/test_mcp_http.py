"""The tools at /mcp of the service: who may call them, which sessions he reaches, what the transport refuses."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError
from mcp_clients import ENVIRONMENT, MODERN, PROGRAM, over_http, run, serving, text
from patience import HANG_SECONDS

from codemode import Worker

HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LOOP = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('begun', flush=True)\nwhile True:\n    pass"


class Guarded:
    """A service with tokens of two tenants."""

    def __init__(self, address: str, data_dir: Path, tokens: dict[str, str]) -> None:
        self.address, self.data_dir, self.tokens = address, data_dir, tokens

    def client(self, name: str, mode: str = "legacy") -> Any:
        return over_http(self.address, mode, self.tokens[name])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    data_dir = tmp_path_factory.mktemp("guarded")
    with Worker(data_dir) as worker:
        tokens = {
            "acme": worker.create_token("acme")[0],
            "reader": worker.create_token("acme", scopes=("read",))[0],
            "ada": worker.create_token("acme", user="ada")[0],
            "other": worker.create_token("other")[0],
        }
    with serving(data_dir) as address:
        yield Guarded(address, data_dir, tokens)


def rpc(method: str, params: dict[str, Any] | None = None, number: int | None = 1) -> dict[str, Any]:
    identified = {} if number is None else {"id": number}
    return {"jsonrpc": "2.0", "method": method, "params": params or {}, **identified}


def call_of(name: str, number: int = 1, **arguments: Any) -> dict[str, Any]:
    return rpc("tools/call", {"name": name, "arguments": arguments}, number)


def posted(address: str, body: Any, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.post(f"{address}/mcp", content=content, headers=HEADERS | headers, timeout=HANG_SECONDS)


def answer_of(response: httpx2.Response) -> Any:
    """The JSON-RPC answer, from JSON or from the last event."""
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    return json.loads(lines[-1] if lines else response.text)


@pytest.mark.parametrize("token", [None, "cm_wrong", "cm_" + "x" * 5_000])
def test_who_has_no_token_gets_nowhere(token: str | None, guarded: Guarded):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    refused = posted(guarded.address, rpc("tools/list"), **headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.json()["code"] in ("auth.missing", "auth.invalid")


def test_a_token_sees_the_tools_that_it_may_call(guarded: Guarded):
    async def work():
        async with guarded.client("reader") as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert "query" in names
            assert "execute_code" not in names
            refused = await client.call_tool("execute_code", {"code": "return 1"})
            assert refused.is_error
            assert "auth.forbidden" in text(refused)
            missed = text(await client.call_tool("query", {"sql": "SELECT 1", "session_id": "not-there"}))
            assert "list_sessions" in missed
            assert "execute_code" not in missed

    run(work)


@pytest.mark.parametrize("mode", ["legacy", MODERN])
def test_another_tenants_session_and_another_users_is_one_that_there_is_not(mode: str, guarded: Guarded):
    session_id = f"private-{mode}"

    async def work():
        async with guarded.client("acme", mode) as client:
            await client.call_tool("create_session", {"session_id": session_id})
        for name in ("other", "ada"):
            async with guarded.client(name, mode) as client:
                for tool, arguments in (
                    ("query", {"sql": "SELECT 1"}),
                    ("execute_code", {"code": "return 1"}),
                    ("list_tables", {}),
                    ("describe_table", {"table": "t"}),
                    ("checkpoint_session", {"name": "a"}),
                    ("restore_session", {"name": "a"}),
                    ("fork_session", {}),
                ):
                    refused = await client.call_tool(tool, {"session_id": session_id, **arguments})
                    assert refused.is_error, tool
                    assert f"there is no session {session_id} [session.not_found]" in text(refused), tool
                listed = await client.call_tool("list_sessions", {})
                assert session_id not in text(listed)

    run(work)


def test_what_a_user_makes_and_forks_is_his_own(guarded: Guarded):
    async def work():
        async with guarded.client("ada") as client:
            made = await client.call_tool("execute_code", {"code": "return 1"})
            fork = await client.call_tool("fork_session", {"session_id": made.structured_content["session_id"]})
            used = await client.call_tool(
                "execute_code", {"session_id": fork.structured_content["id"], "code": "return 2"}
            )
            assert used.structured_content["result"] == 2

    run(work)


def test_another_tenants_execution_is_one_that_there_is_not(guarded: Guarded):
    async def work():
        async with guarded.client("acme") as client:
            begun = await client.call_tool("execute_code", {"code": "while True: pass", "background": True})
            execution = {"execution_id": begun.structured_content["execution_id"]}
            async with guarded.client("other") as stranger:
                for tool in ("get_execution", "cancel_execution"):
                    refused = await stranger.call_tool(tool, execution)
                    assert "execution.not_found" in text(refused)
            assert (await client.call_tool("cancel_execution", execution)).structured_content["status"] == "cancelled"

    run(work)


def test_the_audit_log_names_the_token_and_the_client(guarded: Guarded):
    async def work():
        async with guarded.client("other") as client:
            await client.call_tool("create_session", {"session_id": "noted"})

    run(work)
    with Worker(guarded.data_dir) as worker:
        (act,) = [act for act in worker.audit.read("other") if act.resource == "noted"]
    assert (act.action, act.outcome, act.address) == ("create_session", "ok", "127.0.0.1")
    assert act.actor.startswith("tok_")
    assert act.agent


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_nothing_to_get_and_nothing_to_delete(method: str, address: str):
    answer = httpx2.request(method, f"{address}/mcp", headers=HEADERS, timeout=HANG_SECONDS)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_web_pages_and_foreign_names_are_refused_as_everywhere(address: str):
    for header in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        refused = posted(address, rpc("tools/list"), **header)
        assert refused.status_code == 403
        assert refused.json()["code"] == "auth.forbidden"


@pytest.mark.parametrize("length", ["declared", "in pieces"])
def test_a_body_above_the_bound_is_refused(length: str, address: str):
    huge = b'{"x": "' + b"x" * (9 * 2**20) + b'"}'
    content = huge if length == "declared" else iter([huge[:100], huge[100:]])
    refused = httpx2.post(f"{address}/mcp", content=content, headers=HEADERS, timeout=HANG_SECONDS)
    assert refused.status_code == 413


@pytest.mark.parametrize("version", [None, MODERN])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b"null",
        b'{"jsonrpc": "2.0", "id": 1}',
        b'{"a": ' * 5_000,
        b"9" * 10_000,
    ],
    ids=["nothing", "cut", "no UTF-8", "deep", "a batch", "null", "no method", "deep and cut", "a huge number"],
)
def test_a_body_that_is_no_message_is_the_clients_fault(body: bytes, version: str | None, address: str):
    headers = {} if version is None else {"MCP-Protocol-Version": version}
    assert posted(address, body, **headers).status_code == 400


def test_an_unknown_protocol_version_is_refused(address: str):
    assert posted(address, rpc("tools/list"), **{"MCP-Protocol-Version": "1999-01-01"}).status_code == 400


def test_any_request_stands_for_itself(address: str):
    """No handshake, no session of the transport: so any process of a service can answer it."""
    made = answer_of(posted(address, call_of("execute_code", code="return 1")))["result"]["structuredContent"]
    found = answer_of(posted(address, call_of("query", session_id=made["session_id"], sql="SELECT 7 AS n")))
    assert found["result"]["structuredContent"]["rows"] == [[7]]


def test_an_address_may_end_in_a_slash(address: str):
    body = json.dumps(rpc("ping"))
    answer = httpx2.post(f"{address}/mcp/", content=body, headers=HEADERS, timeout=HANG_SECONDS, follow_redirects=False)
    assert answer_of(answer)["result"] == {}


def test_a_client_that_goes_away_ends_its_execution(address: str):
    made = answer_of(posted(address, call_of("execute_code", code="helpers.db.create_table('t', {'n': 'INTEGER'})")))
    session = {"session_id": made["result"]["structuredContent"]["session_id"]}
    params = {"name": "execute_code", "arguments": {**session, "code": LOOP}, "_meta": {"progressToken": "p"}}
    with (
        httpx2.Client(timeout=HANG_SECONDS) as http,
        http.stream("POST", f"{address}/mcp", json=rpc("tools/call", params), headers=HEADERS) as answer,
    ):
        assert any("begun" in line for line in answer.iter_lines())
    # Its turn comes when the execution is over: well before the minute that it may take.
    count = call_of("execute_code", **session, code="return helpers.db.value('SELECT count(*) FROM t')")
    with httpx2.Client(timeout=HANG_SECONDS / 2) as http:
        after = answer_of(http.post(f"{address}/mcp", json=count, headers=HEADERS))
    assert after["result"]["structuredContent"]["result"] == 0


def acts_of(guarded: Guarded, tenant: str, resource: str) -> list[tuple[str, str]]:
    with Worker(guarded.data_dir) as worker:
        return [(act.action, act.outcome) for act in worker.audit.read(tenant) if act.resource == resource]


def test_a_call_is_answered_by_a_service_that_is_told_to_end(tmp_path: Path):
    """The SDK's streams end by themselves when a server of uvicorn is told to, and would take the execution along."""
    words = [*PROGRAM, "--data-dir", str(tmp_path), "serve", "--port", "0", "--json"]
    environment = ENVIRONMENT | {"CODEMODE_SHUTDOWN_SECONDS": str(HANG_SECONDS)}
    code = "print('begun', flush=True)\nimport time\ntime.sleep(3)\nreturn 'whole'"
    body = call_of("execute_code", code=code)
    body["params"]["_meta"] = {"progressToken": 1}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["result"]["address"]
        with httpx2.stream("POST", f"{address}/mcp", json=body, headers=HEADERS, timeout=HANG_SECONDS) as response:
            lines = response.iter_lines()
            assert any("begun" in line for line in lines)
            process.terminate()
            last = [line for line in lines if line.startswith("data: ")][-1]
        assert process.wait(HANG_SECONDS) == 0
    assert json.loads(last.removeprefix("data: "))["result"]["structuredContent"]["result"] == "whole"


def test_what_became_of_a_call_that_nobody_waits_for_is_recorded(guarded: Guarded):
    async def work():
        async with guarded.client("acme") as client:
            await client.call_tool("create_session", {"session_id": "left"})
            await client.call_tool("execute_code", {"session_id": "left", "code": "return 1"})  # starts the sandbox
            loop = {"session_id": "left", "code": "while True: pass"}
            with pytest.raises(MCPError):
                await client.call_tool("execute_code", loop, read_timeout_seconds=2.0)
            await client.call_tool("execute_code", {"session_id": "left", "code": "return 1"})

    run(work)
    assert acts_of(guarded, "acme", "left") == [
        ("execute_code", "ok"), ("execute_code", "code.cancelled"), ("execute_code", "ok"), ("create_session", "ok"),
    ]  # fmt: skip


def test_a_cancellation_ends_the_call_of_its_own_client_alone(guarded: Guarded):
    """Every client counts its requests from one: the same number of another client, or tenant, is another call."""
    bearer = {name: {"Authorization": f"Bearer {guarded.tokens[name]}"} for name in ("acme", "other")}
    mine = bearer["acme"] | {"Mcp-Session-Id": "mine"}
    answers: list[Any] = []

    def call() -> None:
        answers.append(answer_of(posted(guarded.address, call_of("execute_code", 5, code="while True: pass"), **mine)))

    calling = threading.Thread(target=call)
    calling.start()
    cancelled = rpc("notifications/cancelled", {"requestId": 5}, None)
    for headers in (
        bearer["acme"] | {"Mcp-Session-Id": "yours"},
        bearer["other"] | {"Mcp-Session-Id": "mine"},
        bearer["acme"],
    ):
        assert posted(guarded.address, cancelled, **headers).status_code == 202
    calling.join(2)
    assert calling.is_alive()
    while calling.is_alive():  # until the call has arrived: a cancellation that overtakes it is for nobody
        assert posted(guarded.address, cancelled, **mine).status_code == 202
        calling.join(0.2)
    assert answers[0]["error"]["code"] == -32800


def test_quotas_hold_for_tools_too(tmp_path: Path):
    with Worker(tmp_path) as worker:
        token, _ = worker.create_token("small")

    async def work(address: str):
        async with over_http(address, "legacy", token) as client:
            for _ in range(2):
                assert not (await client.call_tool("execute_code", {"code": "return 1"})).is_error
            refused = await client.call_tool("execute_code", {"code": "return 1"})
            assert refused.is_error
            assert "quota.executions" in text(refused)
            assert "the next one may begin in" in text(refused)

    with serving(tmp_path, CODEMODE_TENANT_EXECUTIONS_PER_MINUTE="2") as address:
        run(work, address)


def test_a_client_that_asks_which_protocols_there_are_gets_the_newest(address: str):
    async def work():
        async with over_http(address, "auto") as client:
            assert client.protocol_version == MODERN
            with pytest.raises(MCPError):
                await client.call_tool("nonsense", {})

    run(work)
