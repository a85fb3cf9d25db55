"""The fields of a record on the command line: shown to people as lines, given as options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.output import moment, printable
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    import msgspec

tenant_option = click.option("--tenant", default="local", metavar="TENANT", help="Whose they are.")
metadata_option = click.option("--metadata", metavar="JSON", help="An object of whatever belongs to it.")
limit_option = click.option(
    "--limit", type=click.IntRange(1), default=1_000, show_default=True, metavar="N", help="At most so many."
)


def show_fields(record: msgspec.Struct) -> None:
    """Every field that has a value, a line each."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if value not in (None, "", {}):
            click.echo(f"{name.replace('_', ' '):<16} {_text(name, value)}")


def _text(name: str, value: Any) -> str:
    if name.endswith("_at"):
        return moment(value)
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def from_json(text: str | None, what: str) -> Any:
    """The value of an option that takes JSON, None where it is not given; raises RequestInvalid."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise RequestInvalid(f"{what} is no JSON: {error}", hint="""such as '{"team": "north"}', in quotes""") from None


def changed(**options: Any) -> dict[str, Any]:
    """What of an update was given; raises RequestInvalid where nothing was."""
    given = {name: value for name, value in options.items() if value is not None}
    if not given:
        raise RequestInvalid("say what to change", hint="--help lists what there is")
    return given
