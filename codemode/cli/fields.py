"""The fields of a record on the command line: shown to people as lines, given as options and arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from codemode.cli.output import moment, standard_input
from codemode.cli.table import cell_text
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    import msgspec


tenant_option = click.option(
    "--tenant", default="local", metavar="TENANT", help="The tenant; `local`, this machine's own, unless said."
)
limit_option = click.option(
    "--limit", type=click.IntRange(1), default=1_000, show_default=True, metavar="N", help="At most so many."
)


def json_option(name: str, **attributes: Any) -> Callable[[Any], Any]:
    """An option that takes JSON; raises RequestInvalid, which does not repeat the text."""

    def json_text(text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            hint = """such as '{"team": "north"}', in quotes"""
            raise RequestInvalid(f"{name} is no JSON: {error}", hint=hint) from None

    return click.option(name, type=json_text, metavar="JSON", **attributes)


metadata_option = json_option("--metadata", help="An object of whatever belongs to it.")


def show_fields(record: msgspec.Struct) -> None:
    """Every field that has a value, a line each."""
    for name in record.__struct_fields__:
        if (value := cell(record, name)) != "":
            click.echo(f"{name.replace('_', ' '):<16} {cell_text(value)}")


def cell(record: msgspec.Struct, name: str) -> Any:
    """A field as people read it: nothing for what is empty, times to the second."""
    value = getattr(record, name)
    if value in (None, {}):
        return ""
    return moment(value) if name.endswith("_at") else value


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """Those options and arguments of this command that were given, be it as null."""
    ctx = click.get_current_context()
    return {name: fields[name] for name in fields if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def changed(fields: dict[str, Any]) -> dict[str, Any]:
    """The same of what an update sets; raises RequestInvalid where it is nothing."""
    found = given(fields)
    if not found:
        raise RequestInvalid("say what to change", hint="--help lists what there is")
    return found


def text_or_input(text: str) -> str:
    """An argument's text; `-` is what standard input has. Raises RequestInvalid for input that is none."""
    if text != "-":
        return text
    try:
        return standard_input().read()
    except UnicodeDecodeError:
        raise RequestInvalid("standard input is no text", hint="UTF-8 is taken") from None


def value_or_input(text: str) -> Any:
    """An argument's value, as `parse_value` has it; the end of the last line of standard input is no part of it."""
    return parse_value(text_or_input(text).removesuffix("\n"))


def text_or_none(text: str) -> str | None:
    """An option's text; an empty one takes away what was there."""
    return text or None


def parse_value(text: str) -> Any:
    """JSON where it is JSON, else the text itself: 7, true and null are values, 007 and abc are text."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(name: str) -> Any:
    raise ValueError(name)
