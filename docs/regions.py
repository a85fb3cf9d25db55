"""What the generated regions of the documentation say, each by one function that reads the code."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from codemode import Limits, Session, Settings, Worker, errors, values
from codemode import adapters as offered
from codemode.api.app import OPERATIONS
from codemode.api.series import SERIES
from codemode.cli import COMMANDS, main
from codemode.client.client import Client
from codemode.client.handles import BackgroundExecution
from codemode.client.session import RemoteSession
from codemode.guard import policy, refusals
from codemode.mcp.hosts import HOSTS
from codemode.mcp.server import TOOLS
from codemode.mcp.tool import Face
from codemode.settings import BackupSettings, flat, variable
from sandbox import modules
from sandbox.confine import OPTIONAL, REQUIRED
from sandbox.facade import members
from sandbox.facades.listed import LISTED
from sandbox.helpers import Builders, Database, Schema
from sandbox.run import Run

ROOT = Path(__file__).resolve().parent.parent
_FIELD = re.compile(r"    (\w+): (.*?) = .*?  # (.*)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def sentence(text: str | None) -> str:
    """The first sentence of a docstring, in one line."""
    first = " ".join((text or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", first + " ")[0].strip()


def paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


def reasons(struct: type) -> dict[str, str]:
    """Field → the comment beside it in the source."""
    found = map(_FIELD.match, inspect.getsource(struct).splitlines())
    return {field[1]: field[3] for field in found if field}


def amount(name: str, value: Any) -> str:
    """A default for people."""
    if name.endswith("_bytes"):
        for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("MB", 10**6)):
            if value >= factor and value % factor == 0:
                return f"{value // factor:,} {unit}"
    if name.endswith("_seconds"):
        return f"{value:,g} s" if value < 3_600 else f"{value / 3_600:g} hours"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"{value:,}" if isinstance(value, int) else ("none" if value in (None, "") else f"`{value}`")


def limits_at_a_glance() -> str:
    """Limit, default, reason."""
    why = reasons(Limits)
    rows = [[f"`{name}`", amount(name, getattr(Limits(), name)), why[name]] for name in Limits.__struct_fields__]
    return table(["limit", "default", "why this much"], rows)


def limits() -> str:
    """The same with the environment variable of each."""
    why = reasons(Limits)
    rows = [
        [f"[`{name}`](#{name})", amount(name, getattr(Limits(), name)), why[name], f"`{variable(f'limits.{name}')}`"]
        for name in Limits.__struct_fields__
    ]
    return table(["limit", "default", "why this much", "environment variable"], rows)


def settings() -> str:
    """The settings besides the limits."""
    why = reasons(Settings) | {f"backup.{name}": text for name, text in reasons(BackupSettings).items()}
    rows = [
        [f"`{name}`", amount(name, value), why[name], f"`{variable(name)}`"]
        for name, value in flat(Settings()).items()
        if not name.startswith("limits.")
    ]
    return table(["setting", "default", "meaning", "environment variable"], rows)


def signature(function: Any) -> str:
    """Parameters as the source has them, without `self`."""
    shown, starred = [], False
    for each in inspect.signature(inspect.unwrap(function)).parameters.values():
        if each.name == "self":
            continue
        if each.kind is each.KEYWORD_ONLY and not starred:
            shown.append("*")
        starred = starred or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        stars = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        default = "" if each.default is each.empty else f" = {each.default!r}"
        shown.append(f"{stars}{each.name}: {each.annotation}{default}")
    return f"({', '.join(shown)})"


def helpers(prefix: str, owner: type) -> str:
    """Every public call of a helpers class: its name, signature and docstring."""
    parts = []
    for name, member in vars(owner).items():
        if not name.startswith("_") and callable(getattr(owner, name)):
            plain = inspect.unwrap(getattr(owner, name))
            shown = ", ".join(
                p.name if p.default is p.empty else f"{p.name}={p.default!r}"
                for p in inspect.signature(plain).parameters.values()
                if p.name != "self"
            )
            parts.append(f"### {prefix}.{name}\n\n`{name}({shown})`\n\n{inspect.getdoc(member)}")
    return "\n\n".join(parts)


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
    rows = [[", ".join(f"`{_option(each, opt)}`" for opt in each.opts), _option_help(each)] for each in own]
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
    if isinstance(option.type, click.Choice):
        text = f"{text} One of {', '.join(option.type.choices)}.".strip()
    if option.default not in (None, "", False, (), []) and type(option.default) in (int, str) and not option.required:
        text = f"{text} Default: {option.default}."
    return f"{text} Required." if option.required else text


def available_modules() -> str:
    """What a snippet may import: every module with its names."""
    imports = modules.Imports(Run(lambda _: None))
    rows = []
    for name in modules.available():
        found = {*LISTED.get(name, "").split(), *members(imports.module(name))}
        rows.append([f"`{name}`", ", ".join(f"`{each}`" for each in sorted(found, key=lambda n: (n.lower(), n)))])
    return table(["module", "names"], rows)


def statement_kinds() -> str:
    """The kinds of statement that the policy has."""
    return ", ".join(f"`{kind.replace('_', ' ').upper()}`" for kind in policy.ACTIONS)


def functions() -> str:
    """The functions that the policy lists."""
    groups = {
        "text and values": policy._TEXT_AND_VALUES,
        "numbers": policy._MATH,
        "dates": policy._DATES,
        "aggregates and windows": policy._AGGREGATES_AND_WINDOWS,
        "JSON": policy._JSON,
        "full text": policy._FULL_TEXT,
    }
    return table(["group", "functions"], [[name, _listed(names)] for name, names in groups.items()])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def table_functions() -> str:
    """Virtual tables that a session may name or make."""
    rows = [
        ["table-valued functions", _listed(policy.TABLE_FUNCTIONS)],
        ["introspection", _listed(f"pragma_{name}" for name in policy.PRAGMA_FUNCTIONS)],
        ["modules for CREATE VIRTUAL TABLE", _listed(policy.MODULES)],
    ]
    return table(["what", "names"], rows)


def refused_statements() -> str:
    """The verbs that are refused, each with its way out."""
    rows = [[f"`{verb}`", found.message, found.hint or ""] for verb, found in refusals.REFUSED_VERBS.items()]
    return table(["statement", "message", "hint"], rows)


def refused_functions() -> str:
    """The functions that are refused by name."""
    rows = [[f"`{name}`", found.message, found.hint or ""] for name, found in refusals.REFUSED_FUNCTIONS.items()]
    return table(["function", "message", "hint"], rows)


def foreign_statements() -> str:
    """Verbs of other databases, and SQLite's way."""
    return table(["written", "hint"], [[f"`{verb}`", way] for verb, way in refusals.FOREIGN_VERBS.items()])


def reserved_names() -> str:
    """Names that the engine keeps."""
    return _listed([*policy.RESERVED_NAMES, *(f"{prefix}…" for prefix in policy.RESERVED_PREFIXES), "sqlite_…"])


def error_tree() -> str:
    """The tree as it is drawn in the code."""
    drawn = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    return "```text\n" + inspect.cleandoc("\n".join(drawn)) + "\n```"


def methods(owner: type, beside: type = object) -> str:
    """The public methods and properties of a class, inherited ones too; without those that `beside` has as well."""
    found: dict[str, Any] = {}
    for base in reversed(owner.__mro__[:-1]):
        found |= {name: member for name, member in vars(base).items() if not name.startswith("_")}
    parts = []
    for name, member in found.items():
        if hasattr(beside, name):
            continue
        if isinstance(member, property):
            parts.append(f"- `{name}` (property): {_indented(member)}")
        elif inspect.isfunction(member):
            parts.append(f"- `{name}{signature(member)}`: {_indented(member)}")
    return "\n".join(parts)


def _indented(member: Any) -> str:
    return "\n  ".join((inspect.getdoc(member) or "").splitlines()).replace("  \n", "\n")


def run_options() -> str:
    """The keyword arguments of Session.run, from the comments beside them."""
    from codemode.session.request import RunOptions

    lines = inspect.getsource(RunOptions).splitlines()
    found = filter(None, (re.match(r"    (\w+): (.*?)  # (.*)", line) for line in lines))
    rows = [[f"`{option[1]}`", f"`{option[2]}`", option[3]] for option in found]
    return table(["argument", "type", "meaning"], rows)


def struct(name: str) -> str:
    """The fields of a struct with their types and defaults."""
    rows = [[f"`{field}`", f"`{text}`", default] for field, text, default in _fields(getattr(values, name))]
    return table(["field", "type", "default"], rows)


def _annotations(kind: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    for line in body.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id, ast.unparse(line.annotation)


def tree() -> str:
    """Every module of both packages with the first sentence of its docstring."""
    lines = []
    for package in ("codemode", "sandbox"):
        for path in sorted((ROOT / package).rglob("*.py"), key=lambda path: (path.parent.parts, path.name)):
            place = path.relative_to(ROOT)
            text = sentence(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))
            if path.name == "__init__.py":
                lines.append(f"- `{place.parent}/` {text}")
            else:
                lines.append(f"{'  ' * (len(place.parts) - 1)}- `{place.name}` {text}")
    return "\n".join(lines)


def import_rules() -> str:
    """The contracts that import-linter keeps."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = []
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            layers = " → ".join(f"`{layer}`" for layer in contract["layers"])
            parts.append(f"- {contract['name']}: {layers}.")
        elif contract["type"] == "protected":
            parts.append(f"- {contract['name']}: only {_named(contract['allowed_importers'])} imports it.")
        else:
            sources, banned = _named(contract["source_modules"]), _named(contract["forbidden_modules"])
            parts.append(f"- {contract['name']}: {sources} never import {banned}.")
    return "\n".join(parts)


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


def _named(modules: Iterable[str]) -> str:
    return ", ".join(f"`{module}`" for module in modules)


def http_operations() -> str:
    """Every operation of the service: method, path, scope, parameters, body, answers."""
    parts = []
    for each in OPERATIONS:
        scope = f"Scope: `{each.scope}`." if each.scope else "Needs no token."
        parts += [f"### {each.name}", f"`{each.method} {each.path}`", f"{paragraph(each.handler.__doc__)} {scope}"]
        rest = inspect.cleandoc(each.handler.__doc__ or "").partition("\n\n")[2]
        parts += [rest] if rest else []
        if each.body is not None:
            rows = [[f"`{name}`", f"`{kind}`", default] for name, kind, default in _fields(each.body)]
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
        told = {name: hint for name, hint in hints.model_dump(by_alias=True).items() if name != "title"}
        said = [f"`{name}` {str(hint).lower()}" for name, hint in told.items()]
        required = listed.input_schema["required"]
        rows = [
            [f"`{name}`{' (required)' if name in required else ''}", _schema_type(each), each["description"]]
            for name, each in listed.input_schema["properties"].items()
        ]
        answers = [
            [f"`{name}`", _schema_type(each)] for name, each in (listed.output_schema or {})["properties"].items()
        ]
        parts += [f"### {tool.name}", f"{tool.title}. Scope: `{tool.scope}`. Hints: {', '.join(said)}."]
        parts += [f"```text\n{listed.description}\n```", table(["argument", "type", "meaning"], rows)]
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
    return "\n\n".join(
        f"**{host.title}**: {host.file}\n\n```{host.language}\n{host.command(['codemode', 'mcp'])}\n```"
        for host in HOSTS.values()
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


def _fields(kind: type) -> Iterator[tuple[str, str, str]]:
    default = inspect.signature(kind).parameters
    for name, text in _annotations(kind):
        value = default[name].default
        yield name, text, "" if value is inspect.Parameter.empty else f"`{value!r}`"


def layers() -> str:
    """The layers of confinement by whether untrusted code needs them."""
    return f"Required: {_listed(REQUIRED)}. Where the host offers them: {_listed(OPTIONAL)}."


def security_figures() -> str:
    """What the recorded run of `make security` tried and what held."""
    run = json.loads((ROOT / "docs" / "figures" / "security.json").read_text(encoding="utf-8"))
    rows = [
        [each["area"], each["what"], f"{each['tried']:,}", f"{each['held']:,}" if not each["absent"] else each["note"]]
        for each in run["lines"]
    ]
    said = f"From `make security RECORD=1` at commit `{run['commit']}` in {run['seconds']} s on {run['machine']}."
    return f"{said}\n\n{table(['area', 'what', 'tried', 'held'], rows)}"


REGIONS: dict[str, Callable[[], str]] = {
    "limits-at-a-glance": limits_at_a_glance,
    "limits": limits,
    "settings": settings,
    "helpers-db": partial(helpers, "helpers.db", Database),
    "helpers-schema": partial(helpers, "helpers.schema", Schema),
    "helpers-sql": partial(helpers, "helpers.sql", Builders),
    "adapters": adapters,
    "commands": commands,
    "modules": available_modules,
    "statement-kinds": statement_kinds,
    "functions": functions,
    "table-functions": table_functions,
    "refused-statements": refused_statements,
    "refused-functions": refused_functions,
    "foreign-statements": foreign_statements,
    "reserved-names": reserved_names,
    "error-tree": error_tree,
    "worker-methods": partial(methods, Worker),
    "session-methods": partial(methods, Session),
    "client-methods": partial(methods, Client),
    "remote-session-methods": partial(methods, RemoteSession, beside=Session),
    "background-methods": partial(methods, BackgroundExecution),
    "run-options": run_options,
    "session-info": partial(struct, "SessionInfo"),
    "log-entry": partial(struct, "LogEntry"),
    "tree": tree,
    "import-rules": import_rules,
    "layers": layers,
    "http-operations": http_operations,
    "mcp-tools": mcp_tools,
    "mcp-commands": mcp_commands,
    "mcp-addresses": mcp_addresses,
    "metrics": metrics,
    "security-figures": security_figures,
}
