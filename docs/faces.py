"""Regions about what people and programs reach Codemode by: commands, HTTP, MCP, adapters, metrics."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from textwrap import fill
from typing import Any

import click
from wording import ROOT, WIDTH, fields, paragraph, table

from codemode import Limits, Settings
from codemode import adapters as offered
from codemode.api.app import OPERATIONS
from codemode.api.series import SERIES
from codemode.cli import COMMANDS, main
from codemode.mcp.hosts import HOSTS
from codemode.mcp.server import TOOLS
from codemode.mcp.tool import Face


def commands() -> str:
    """Every command with its usage, help, arguments and options."""
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        found.append((f"codemode {name}", command))
        if isinstance(command, click.Group):
            found += [(f"codemode {name} {verb}", sub) for verb, sub in sorted(command.commands.items())]
    return "\n\n".join(_command(name, command) for name, command in found)


def _command(name: str, command: click.Command) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option)]
    usage = " ".join([name, "[OPTIONS]", *(_argument(each) for each in arguments)])
    if isinstance(command, click.Group):
        usage += " COMMAND [ARGS]..."
    own = [each for each in options if each.name not in ("as_json", "data_dir", "config")]
    rows = [
        [", ".join(f"`{_option(each, opt)}`" for opt in (*each.opts, *each.secondary_opts)), _option_help(each)]
        for each in own
    ]
    text = re.sub(r"\n(?!\n)", " ", inspect.cleandoc(command.help or "")).replace("\n ", "\n\n")
    parts = [f"## {name}", f"```text\n{usage}\n```", text]
    return "\n\n".join([*parts, table(["option", "meaning"], rows)] if rows else parts)


def _argument(argument: click.Argument) -> str:
    if argument.metavar:
        return argument.metavar
    name = (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _option(option: click.Option, opt: str) -> str:
    if option.is_flag:
        return opt
    return f"{opt} {option.metavar or (option.name or '').upper()}"


def _option_help(option: click.Option) -> str:
    text = option.help or ""
    if isinstance(option.type, click.Choice) and " One of " not in text:
        text = f"{text} One of {', '.join(option.type.choices)}.".strip()
    if option.default not in (None, "", False, (), []) and type(option.default) in (int, str) and not option.required:
        text = f"{text} Default: {option.default}."
    return f"{text} Required." if option.required else text


def adapters() -> str:
    """The public names of the adapters, read from their sources: the frameworks take seconds to import."""
    shared, frameworks = ("tools", "dispatch"), ("langchain", "pydantic_ai", "fastmcp", "smolagents")
    found = [("codemode.adapters", node) for name in shared for node in _defined(name) if node.name in offered.__all__]
    found += [(f"codemode.adapters.{name}", node) for name in frameworks for node in _defined(name)]
    return "\n".join(
        f"- `{module}`: `{node.name}({_taken(node)})` {_within(ast.get_docstring(node) or '')}"
        for module, node in found
    )


_Function = ast.FunctionDef | ast.AsyncFunctionDef

_Defined = _Function | ast.ClassDef


def _defined(adapter: str) -> Iterator[_Function | ast.ClassDef]:
    tree = ast.parse((ROOT / "codemode" / "adapters" / f"{adapter}.py").read_text(encoding="utf-8"))
    return (node for node in tree.body if isinstance(node, _Defined) and not node.name.startswith("_"))


def _taken(node: _Function | ast.ClassDef) -> str:
    """The parameters of a function, or of making one of a class, as the source has them."""
    if isinstance(node, _Function):
        return ast.unparse(node.args)
    makers = (each for each in node.body if isinstance(each, _Function) and each.name == "__init__")
    return next((ast.unparse(each.args).removeprefix("self, ") for each in makers), "")


def _within(doc: str) -> str:
    return doc.replace("\n", "\n  ").replace("\n  \n", "\n\n")


def http_operations() -> str:
    """Every operation of the service: method, path, scope, parameters, body, answers."""
    parts = []
    for each in OPERATIONS:
        scope = f"Scope: `{each.scope}`." if each.scope else "Needs no token."
        parts += [f"### {each.name}", f"`{each.method} {each.path}`", f"{paragraph(each.handler.__doc__)} {scope}"]
        rest = inspect.cleandoc(each.handler.__doc__ or "").partition("\n\n")[2]
        parts += [rest] if rest else []
        if each.body is not None:
            rows = [[f"`{name}`", f"`{kind}`", default] for name, kind, default in fields(each.body)]
            parts.append(table(["field of the body", "type", "default"], rows))
        if each.parameters:
            rows = [[f"`{p.name}`", p.about + (" Required." if p.required else "")] for p in each.parameters]
            parts.append(table(["query parameter", "meaning"], rows))
    return "\n\n".join(parts)


def metrics() -> str:
    """Every series of GET /metrics."""
    rows = [
        [f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.about] for each in SERIES
    ]
    return table(["series", "type", "labels", "meaning"], rows)


def mcp_tools() -> str:
    """Every tool as a model meets it: what it says of itself, its hints, arguments and answer."""
    parts = []
    for tool in TOOLS:
        listed = tool.listed(Face(), Limits(), Settings().mcp_result_bytes)
        hints = listed.annotations
        assert hints is not None
        given = {name: hint for name, hint in hints.model_dump(by_alias=True).items() if name != "title"}
        said = [f"`{name}` {str(hint).lower()}" for name, hint in given.items()]
        required = listed.input_schema["required"]
        rows = [
            [f"`{name}`{' (required)' if name in required else ''}", _schema_type(each), each["description"]]
            for name, each in listed.input_schema["properties"].items()
        ]
        answers = [
            [f"`{name}`", _schema_type(each)] for name, each in (listed.output_schema or {})["properties"].items()
        ]
        parts += [f"### {tool.name}", f"{tool.title}. Scope: `{tool.scope}`. Hints: {', '.join(said)}."]
        told = "\n".join(fill(line, WIDTH) for line in (listed.description or "").splitlines())
        parts += [f"```text\n{told}\n```", table(["argument", "type", "meaning"], rows)]
        parts.append(table(["field of the answer", "type"], answers))
    return "\n\n".join(parts)


def _schema_type(schema: dict[str, Any]) -> str:
    """The type of a JSON schema in words."""
    if "anyOf" in schema and len(schema["anyOf"]) > 4:
        return "any"
    if "anyOf" in schema:
        return " or ".join(_schema_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    return str(schema.get("type", "any"))


def mcp_commands() -> str:
    """What each host wants in its settings, for the command."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for host in HOSTS.values():
        key = host.language, host.command(["codemode", "mcp"])
        wanted.setdefault(key, []).append(f"- **{host.title}**: {host.file}")
    return "\n\n".join(
        "\n".join(hosts) + f"\n\n```{language}\n{text}\n```" for (language, text), hosts in wanted.items()
    )


def mcp_addresses() -> str:
    """What each host wants in its settings, for the address of a service with tokens."""
    parts = []
    for host in HOSTS.values():
        if host.address is not None:
            found = host.address("http://127.0.0.1:8400/mcp")
            note = f" {host.note}" if host.note else ""
            parts.append(f"**{host.title}**: {host.file}.{note}\n\n```{host.language}\n{found}\n```")
    return "\n\n".join(parts)
