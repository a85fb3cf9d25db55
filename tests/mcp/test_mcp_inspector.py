"""A client that is not written in Python: the inspector of the protocol's makers, in its command-line mode.

It comes from npm, so it is tried where NPM_TESTS=1 says that npm may be asked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp_clients import ENVIRONMENT, PROGRAM, serving
from patience import HANG_SECONDS

from codemode import Worker
from codemode.mcp.server import TOOLS

pytestmark = [
    pytest.mark.skipif(os.environ.get("NPM_TESTS") != "1", reason="NPM_TESTS=1 lets it fetch the inspector from npm"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm"),
]
Inspect = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("npm")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "@modelcontextprotocol/inspector@2"]
    subprocess.run(install, cwd=place, check=True, capture_output=True, timeout=600)
    return place / "node_modules" / ".bin" / "mcp-inspector"


@pytest.fixture(scope="module", params=["stdio", "http"])
def inspect(request: pytest.FixtureRequest, inspector: Path) -> Iterator[Inspect]:
    """The inspector on a server of its own, over each transport."""
    data_dir = inspector.parents[2] / f"data-{request.param}"

    def asked(target: list[str], words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        line = [str(inspector), "--cli", *target, *words]
        return subprocess.run(line, capture_output=True, text=True, env=ENVIRONMENT, timeout=HANG_SECONDS)

    if request.param == "stdio":
        yield lambda *words: asked([*PROGRAM, "--data-dir", str(data_dir), "mcp"], words)
        return
    with Worker(data_dir) as worker:
        token, _ = worker.create_token("acme")
    with serving(data_dir) as address:
        yield lambda *words: asked([f"{address}/mcp", "--header", f"Authorization: Bearer {token}"], words)


def called(inspect: Inspect, tool: str, **arguments: str) -> Any:
    pairs = [word for name, value in arguments.items() for word in ("--tool-arg", f"{name}={value}")]
    return json.loads(inspect("--method", "tools/call", "--tool-name", tool, *pairs).stdout)


def test_it_lists_the_tools_and_finds_nothing_wrong_with_their_schemas(inspect: Inspect):
    done = inspect("--method", "tools/list", "--strict")
    assert done.returncode == 0
    assert [tool["name"] for tool in json.loads(done.stdout)["tools"]] == [tool.name for tool in TOOLS]
    assert "Issue:" not in done.stderr


def test_it_runs_a_snippet_and_queries_what_that_made(inspect: Inspect):
    code = "helpers.db.batch_insert('t', [{'n': 1}, {'n': 2}], create=True)\nprint('done')\nreturn {'é': 2}"
    made = called(inspect, "execute_code", code=code)
    assert made["structuredContent"]["result"] == {"é": 2}
    assert made["structuredContent"]["stdout"] == "done\n"
    found = called(inspect, "query", session_id=made["structuredContent"]["session_id"], sql="SELECT n FROM t")
    assert found["structuredContent"]["rows"] == [[1], [2]]


def test_it_tells_what_went_wrong(inspect: Inspect):
    refused = called(inspect, "query", session_id="nobody", sql="SELECT 1")
    assert refused["isError"]
    assert "session.not_found" in refused["content"][0]["text"]


def test_it_gets_the_guide(inspect: Inspect):
    done = inspect("--method", "prompts/get", "--prompt-name", "guide")
    assert "helpers.db" in json.loads(done.stdout)["messages"][0]["content"]["text"]
