"""A session that is reached over HTTP gives the same answers as an embedded one."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codemode import Client, Session
from codemode.adapters import AnySession, dispatch, dispatch_async
from codemode.adapters.fastmcp import CodemodeSandboxProvider
from codemode.adapters.langchain import langchain_tools
from codemode.adapters.smolagents import CodemodeExecutor
from codemode.errors import RequestInvalid, SessionNotFound

ROWS = [{"a": n, "b": str(n)} for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = str(tmp_path_factory.mktemp("served"))
    command = [sys.executable, "-m", "codemode", "--data-dir", folder, "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as service:
        try:
            assert service.stdout is not None
            with Client(json.loads(service.stdout.readline())["result"]["address"]) as client:
                yield client
        finally:
            service.terminate()
            service.communicate(timeout=60)


@pytest.fixture
def pair(client: Client, session: Session) -> tuple[AnySession, AnySession]:
    remote = client.session()
    for each in (remote, session):
        each.create_table("t", "a INTEGER PRIMARY KEY, b TEXT")
        each.batch_insert("t", ROWS)
    return remote, session


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list_tables", None),
        ("query", {"sql": "SELECT a, b FROM t WHERE a > ?", "params": [1]}),
        ("query", {"sql": "SELECT x'00' AS b, NULL AS n, 1.5 AS f", "params": None}),
        ("query", {"sql": "SELECT a FROM t WHERE 0", "params": None}),
        ("query", {"sql": "SELECT nope FROM t", "params": None}),
        ("query", {"sql": "DELETE FROM t", "params": None}),
        ("query", {"sqll": "x"}),
        ("query", {"sql": "SELECT '\ud800'", "params": None}),
        ("query", {"sql": "SELECT ?", "params": ["\ud800"]}),
        ("query", {"sql": "SELECT ?", "params": [2**70]}),
        ("describe_table", {"table": "nope"}),
        ("execute_code", {"code": "print('x')\nreturn helpers.db.query('SELECT * FROM t')"}),
        ("execute_code", {"code": "helpers.db.exec('DELETE FROM t')\nreturn helpers.db.query('SELECT b FROM tt')"}),
        ("execute_code", {"code": "for in x"}),
        ("execute_code", {"code": "x" * 300_000}),
        ("execute_code", {"code": "return [2**70, None, {'b': b'1'}]"}),
    ],
)
def test_a_call_is_answered_in_the_same_words(pair: tuple[AnySession, AnySession], name: str, arguments: Any):
    remote, embedded = (dispatch(session, name, arguments) for session in pair)
    assert (remote.text, remote.is_error) == (embedded.text, embedded.is_error)
    later = asyncio.run(dispatch_async(pair[0], name, arguments))
    assert (later.text, later.is_error) == (embedded.text, embedded.is_error)


def test_a_framework_calls_a_remote_session(pair: tuple[AnySession, AnySession]):
    tools = {tool.name: tool for tool in langchain_tools(pair[0])}
    assert json.loads(tools["execute_code"].invoke({"code": "return helpers.db.value('SELECT sum(a) FROM t')"})) == {
        "result": 6
    }


def test_what_lends_functions_needs_an_embedded_session(client: Client):
    session = client.session(stateful=True)
    with pytest.raises(RequestInvalid, match="functions"):
        CodemodeExecutor(session)
    with pytest.raises(RequestInvalid, match="functions"):
        asyncio.run(CodemodeSandboxProvider(lambda: session).run("1", external_functions={"f": len}))
    with pytest.raises(RequestInvalid, match="functions"):
        dispatch(session, "execute_code", {"code": "1"}, functions={"f": len})


def test_a_session_that_is_gone_is_raised(client: Client):
    session = client.session()
    client.remove(session.id)
    for name, arguments in (("query", {"sql": "SELECT 1"}), ("execute_code", {"code": "1"})):
        with pytest.raises(SessionNotFound):
            dispatch(session, name, arguments)
