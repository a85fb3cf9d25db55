"""`--limits` on the command line: what a session may use, as its people give and read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.amounts import bytes_of, count_of, seconds_of
from codemode.cli.output import note
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codemode.limits import Limits
    from codemode.worker import Worker

_AMOUNTS: dict[str, tuple[Callable[[str], float | None], str]] = {
    "bytes": (bytes_of, "a size: 500000, 64MiB or 2GB"),
    "seconds": (seconds_of, "a time: 30, 0.5, 250ms, 30s or 12h"),
}


def _parse(ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any] | None:
    """The limits that were given, None for `default`; raises RequestInvalid for what is none."""
    from codemode.limits import asked

    pairs = [pair.strip() for text in texts for pair in text.split(",")]
    given = dict(_pair(pair) for pair in pairs)
    if len(given) < len(pairs):
        raise RequestInvalid("--limits: the same limit is given twice", hint="give each once")
    asked(given)
    return given or None


def _pair(text: str) -> tuple[str, Any]:
    name, equals, amount = (part.strip() for part in text.partition("="))
    if not (name and equals and amount):
        raise RequestInvalid(f"--limits {text!r:.80} is no NAME=VALUE", hint="for example rows=500,memory_bytes=64MiB")
    return name, None if amount == "default" else _value(name, amount)


def _value(name: str, text: str) -> float:
    unit = name.rpartition("_")[2]
    read, example = _AMOUNTS.get(unit, (count_of, "a whole number"))
    found = read(text)
    if found is None:
        raise RequestInvalid(f"--limits: {name} cannot be {text!r:.80}", hint=f"{example}, or `default`")
    return found


limits_option = click.option(
    "--limits", multiple=True, callback=_parse, metavar="NAME=VALUE[,...]",
    help="What it may use, below what the worker allows: rows=500,memory_bytes=64MiB,execution_seconds=5s; `default` "
    "is the worker's own. `codemode settings` lists them.",
)  # fmt: skip


def tell_what_is_above(given: Mapping[str, Any], held: Limits) -> None:
    """Tell of limits that were given above the worker's, which hold instead."""
    for name, value in given.items():
        if value is not None and value > (holds := getattr(held, name)):
            note(f"{name} is {holds:,}: the worker allows no more")


def held(worker: Worker, session_id: str, tenant: str) -> tuple[Limits, str]:
    """The limits that hold for a session, and those of its own as one line."""
    record = worker.registry.catalog.get(tenant, session_id)
    if record is None:
        return worker.limits, ""
    limits = worker.registry.limits(record)
    own = (
        name
        for name in limits.__struct_fields__
        if name in record.limits or getattr(limits, name) < getattr(worker.limits, name)
    )
    return limits, ", ".join(f"{name}={getattr(limits, name)}" for name in own)
