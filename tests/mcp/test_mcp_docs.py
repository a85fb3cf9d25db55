"""The documentation of the tools: none is missing, and what is there to be pasted works."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_clients import over_stdio, run, serving
from patience import HANG_SECONDS

from codemode import Worker
from codemode.mcp.hosts import HOSTS
from codemode.mcp.server import PROMPT, TOOLS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "connect-mcp.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "mcp.md").read_text(encoding="utf-8")
PARSERS = {"json": json.loads, "toml": tomllib.loads}


def pasted() -> list[Any]:
    """The server that each block of settings on the page names: a command to start, or an address."""
    found = []
    for language, text in re.findall(r"^```(json|toml)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        (servers,) = PARSERS[language](text).values()
        found.append(servers["codemode"])
    return found


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS])
def test_each_tool_has_a_section(tool: str):
    assert f"\n### {tool}\n" in REFERENCE
    assert set(re.findall(r"^### (\w+)$", REFERENCE, re.MULTILINE)) == {tool.name for tool in TOOLS}


def test_the_prompt_is_named():
    assert f"The prompt `{PROMPT}`" in REFERENCE


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_has_its_settings(host: str):
    ways = 1 if HOSTS[host].address is None else 2
    assert PAGE.count(f"**{HOSTS[host].title}**") == ways


def test_the_commands_of_the_page_start_a_server(tmp_path: Path):
    words = {(server["command"], *server["args"]) for server in pasted() if "command" in server}
    assert words == {("codemode", "mcp")}

    async def work():
        async with over_stdio(tmp_path) as client:  # the same, by the interpreter of these tests
            assert len((await client.list_tools()).tools) == len(TOOLS)

    run(work)


def test_the_addresses_of_the_page_are_reached_with_a_token(tmp_path: Path):
    with Worker(tmp_path) as worker:
        token, _ = worker.create_token("acme")
    servers = [server for server in pasted() if "command" not in server]
    assert len(servers) == sum(host.address is not None for host in HOSTS.values())

    async def work(address: str):
        for server in servers:
            (url,) = [value for name, value in server.items() if name in ("url", "serverUrl", "httpUrl")]
            given = server.get("headers") or {"Authorization": f"Bearer {server['bearer_token_env_var']}"}
            headers = {"Authorization": re.sub(r"\$?\{?(env:)?CODEMODE_TOKEN\}?|cm_…", token, given["Authorization"])}
            assert headers["Authorization"] == f"Bearer {token}"
            there = url.replace("http://127.0.0.1:8400", address)
            async with (
                httpx2.AsyncClient(headers=headers, timeout=HANG_SECONDS) as http,
                Client(streamable_http_client(there, http_client=http), mode="legacy") as client,
            ):
                assert (await client.list_tools()).tools

    with serving(tmp_path) as address:
        run(work, address)
