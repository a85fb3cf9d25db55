"""What the common MCP hosts want in their settings: for a command that they start, or for a service that they reach."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "codemode"
TOKEN = "CODEMODE_TOKEN"  # noqa: S105 - the environment variable that hosts read a token from, not a token


@dataclass(frozen=True, slots=True)
class Host:
    """One host: where its settings stand, and what they are for a command and for an address."""

    title: str
    file: str
    command: Callable[[Sequence[str]], str]
    address: Callable[[str], str] | None  # None for one that cannot send a token
    language: str = "json"
    note: str = ""


def _below(key: str, entry: dict[str, Any]) -> str:
    return json.dumps({key: {NAME: entry}}, indent=2, ensure_ascii=False)


def _started(words: Sequence[str]) -> dict[str, Any]:
    return {"command": words[0], "args": list(words[1:])}


def _bearer(variable: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {variable}"}


def _usual(words: Sequence[str]) -> str:
    return _below("mcpServers", _started(words))


def _toml(words: Sequence[str]) -> str:
    found = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in _started(words).items()]
    return "\n".join([f"[mcp_servers.{NAME}]", *found])


def _codex(url: str) -> str:
    return f'[mcp_servers.{NAME}]\nurl = {json.dumps(url)}\nbearer_token_env_var = "{TOKEN}"'


HOSTS: dict[str, Host] = {
    "claude-desktop": Host("Claude Desktop", "claude_desktop_config.json, by Settings → Developer", _usual, None),
    "claude-code": Host(
        "Claude Code",
        ".mcp.json in the project",
        lambda words: _below("mcpServers", {"type": "stdio", **_started(words)}),
        lambda url: _below("mcpServers", {"type": "http", "url": url, "headers": _bearer(f"${{{TOKEN}}}")}),
    ),
    "cursor": Host(
        "Cursor",
        "~/.cursor/mcp.json, or .cursor/mcp.json in the project",
        _usual,
        lambda url: _below("mcpServers", {"url": url, "headers": _bearer(f"${{env:{TOKEN}}}")}),
    ),
    "vscode": Host(
        "VS Code",
        ".vscode/mcp.json in the workspace, or `MCP: Open User Configuration`",
        lambda words: _below("servers", {"type": "stdio", **_started(words)}),
        lambda url: _below("servers", {"type": "http", "url": url, "headers": _bearer(f"${{env:{TOKEN}}}")}),
    ),
    "windsurf": Host(
        "Windsurf",
        "~/.codeium/windsurf/mcp_config.json",
        _usual,
        lambda url: _below("mcpServers", {"serverUrl": url, "headers": _bearer(f"${{env:{TOKEN}}}")}),
    ),
    "zed": Host(
        "Zed",
        "settings.json, by `zed: open settings`",
        lambda words: _below("context_servers", _started(words)),
        lambda url: _below("context_servers", {"url": url, "headers": _bearer("cm_…")}),
        note="Zed takes no variable here: put the token in the place of cm_….",
    ),
    "codex": Host("Codex CLI", "~/.codex/config.toml", _toml, _codex, language="toml"),
    "gemini": Host(
        "Gemini CLI",
        "~/.gemini/settings.json, or .gemini/settings.json in the project",
        _usual,
        lambda url: _below("mcpServers", {"httpUrl": url, "headers": _bearer(f"${TOKEN}")}),
    ),
}  # fmt: skip
