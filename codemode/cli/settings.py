"""`codemode settings`: what is in force and where it comes from, and a sample file to start from."""

from __future__ import annotations

import inspect
import re
from typing import Any

import click

from codemode.cli.app import App, command
from codemode.cli.output import note
from codemode.cli.table import cell_text, show

_FIELD = re.compile(r"    (\w+): .* = .*?  # (.*)")


@command("settings", short_help="Show the settings in force.")
@click.option("--sample", is_flag=True, help="Print a settings file with every key, its default and its reason.")
def settings(app: App, sample: bool) -> None:
    """Show every setting, its value, and where that comes from."""
    if sample:
        app.answer({"sample": sample_file()}) if app.as_json else click.echo(sample_file(), nl=False)
        return
    from codemode.service.logs import masked
    from codemode.settings import flat

    resolved = app.resolved()
    shown = flat(resolved.settings).items()
    values = {key: masked(value) if isinstance(value, str) else value for key, value in shown}
    if app.as_json:
        result = {key: {"value": value, "source": resolved.sources[key]} for key, value in values.items()}
        app.answer(result, warnings=resolved.warnings)
        return
    rows = [[key, cell_text(value), resolved.sources[key]] for key, value in values.items()]
    show(["setting", "value", "source"], rows, whole=["setting"])
    note("change them with --config FILE (see --sample) or with variables: limits.rows is CODEMODE_LIMITS_ROWS")


def sample_file() -> str:
    """A settings file that changes nothing: every key commented out, with its default and the reason for it."""
    from codemode.limits import Limits
    from codemode.settings import BackupSettings, Settings

    lines = ["# Settings of codemode: name this file with --config or CODEMODE_CONFIG."]
    lines += ["# Every line shows a default; remove the # before a key to change it.", ""]
    lines += _lines(Settings)
    lines += ["", "[limits]  # of every session; a session's own only go downwards", ""]
    lines += _lines(Limits)
    lines += ["", "[backup]  # what `codemode serve` makes by itself; `codemode backup` makes one at any time", ""]
    lines += _lines(BackupSettings)
    return "\n".join(lines) + "\n"


def _lines(struct: Any) -> list[str]:
    from codemode.settings import TABLES

    fields = filter(None, map(_FIELD.match, inspect.getsource(struct).splitlines()))
    reasons = {field[1]: field[2] for field in fields}
    default = struct()
    lines = []
    for key in struct.__struct_fields__:
        if key not in TABLES:
            lines += [f"# {reasons[key]}", f"# {key} = {_toml(key, getattr(default, key))}"]
    return lines


def _toml(key: str, value: Any) -> str:
    if key == "data_dir":
        return '"~/.local/share/codemode"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:_}" if isinstance(value, int) else repr(value)
