"""What the generated regions of the documentation say, each by one function that reads the code."""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from faces import adapters, commands, http_operations, mcp_addresses, mcp_commands, mcp_tools, metrics
from scale import catalogue_beside, catalogue_questions, catalogue_run
from speed import speed_drawing, speed_guarded, speed_peers, speed_run, speed_table
from tables import catalogue_retention, catalogue_tables
from wording import ROOT, fields, sentence, table

from codemode import Limits, Session, Settings, Worker, errors, values
from codemode.catalog.views import VIEWS
from codemode.client.client import Client
from codemode.client.handles import BackgroundExecution
from codemode.client.session import RemoteSession
from codemode.guard import policy, refusals
from codemode.settings import BackupSettings, flat, variable
from sandbox import modules
from sandbox.facade import members
from sandbox.facades.listed import LISTED
from sandbox.helpers import Builders, Database, Schema
from sandbox.layers import OPTIONAL, REQUIRED
from sandbox.run import Run

_FIELD = re.compile(r"    (\w+): (.*?) = .*?  # (.*)")


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


_FIRST_MET = (
    "rows", "query_seconds", "execution_seconds", "memory_bytes", "result_bytes", "helper_calls", "database_bytes",
    "idle_seconds", "open_sessions",
)  # fmt: skip


def limits_at_a_glance() -> str:
    """Limit, default, reason, of those that somebody meets first."""
    why = reasons(Limits)
    rows = [[f"`{name}`", amount(name, getattr(Limits(), name)), why[name]] for name in _FIRST_MET]
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
    rows = [[f"`{field}`", f"`{text}`", default] for field, text, default in fields(getattr(values, name))]
    return table(["field", "type", "default"], rows)


def tree() -> str:
    """Every module of both packages with the first sentence of its docstring, below the package that it is in."""
    parts = []
    for package in ("codemode", "sandbox"):
        for place in sorted(path.parent for path in (ROOT / package).rglob("__init__.py")):
            modules = sorted(path for path in place.glob("*.py") if path.name != "__init__.py")
            lines = [f"- `{path.name}`: {_says(path)}" for path in modules]
            name = place.relative_to(ROOT)
            parts.append("\n".join([f"### {name}\n", f"{_says(place / '__init__.py')}\n", *lines]).strip())
    return "\n\n".join(parts)


def _says(path: Path) -> str:
    return sentence(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))


def import_rules() -> str:
    """The contracts that import-linter keeps."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = []
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            layers = " → ".join(f"`{layer}`".replace(" | ", "` | `") for layer in contract["layers"])
            parts.append(f"- {contract['name']}: {layers}.")
        elif contract["type"] == "protected":
            parts.append(f"- {contract['name']}: only {_named(contract['allowed_importers'])} imports it.")
        else:
            sources, banned = _named(contract["source_modules"]), _named(contract["forbidden_modules"])
            parts.append(f"- {contract['name']}: {sources} never import {banned}.")
    return "\n".join(parts)


def _named(modules: Iterable[str]) -> str:
    return ", ".join(f"`{module}`" for module in modules)


def decisions() -> str:
    """Every decision by its number, with its title."""
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    titles = [(page.name, page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")) for page in pages]
    return "\n".join(f"- [{title[:4]}]({name}) {title[5:]}" for name, title in titles)


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


def load_figures() -> str:
    """What the recorded run of `make load` came to, and what of the service grew."""
    run = json.loads((ROOT / "docs" / "figures" / "load.json").read_text(encoding="utf-8"))
    said = (
        f"From `make load RECORD=1` on {run['machine']}, {run['connections']} connections, {run['seconds']:.0f} s:"
        f" {run['per_second']:,.0f} executions/s, p50 {run['p50_ms']:,.0f} ms, p99 {run['p99_ms']:,.0f} ms;"
        f" {run['good']:,} good, {run['bad']:,} bad, {run['errors']:,} errors."
    )
    rows = [
        [each["part"], each["figure"], f"{each['first']:,.0f}", f"{each['last']:,.0f}", "yes" if each["grew"] else "no"]
        for each in run["courses"]
    ]
    return f"{said}\n\n{table(['part', 'figure', 'first third', 'last third', 'grew'], rows)}"


def catalogue_views() -> str:
    """Each view with its columns, as a question finds them."""
    parts = [
        f"### {view.name}\n\n{view.about}\n\n"
        + table(["column", "what it holds"], [[f"`{name}`", what] for name, what in view.columns.items()])
        for view in VIEWS
    ]
    return "\n\n".join(parts)


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
    "catalogue-views": catalogue_views,
    "catalogue-tables": catalogue_tables,
    "catalogue-retention": catalogue_retention,
    "catalogue-run": catalogue_run,
    "catalogue-questions": catalogue_questions,
    "catalogue-beside": catalogue_beside,
    "tree": tree,
    "import-rules": import_rules,
    "decisions": decisions,
    "layers": layers,
    "http-operations": http_operations,
    "mcp-tools": mcp_tools,
    "mcp-commands": mcp_commands,
    "mcp-addresses": mcp_addresses,
    "metrics": metrics,
    "security-figures": security_figures,
    "load-figures": load_figures,
    "speed-run": speed_run,
    "speed-table": speed_table,
    "speed-peers": speed_peers,
    "speed-guarded": speed_guarded,
}

FILES: dict[str, Callable[[], str]] = {"docs/figures/speed.svg": speed_drawing}
