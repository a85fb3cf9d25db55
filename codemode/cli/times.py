"""Times as people give them on the command line: how long, and when."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from codemode.errors import RequestInvalid
from codemode.moments import milliseconds_of

_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"([0-9]{1,6})([mhd])")


def span(text: str, option: str) -> int:
    """How many milliseconds `30m`, `12h` or `90d` are; raises RequestInvalid."""
    found = _SPAN.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise RequestInvalid(f"{option} {text!r:.80} is no time", hint="for example 30m, 12h or 90d")
    return int(found[1]) * _SECONDS[found[2]] * 1_000


def moment_option(name: str, about: str) -> Callable[[Any], Any]:
    """An option that takes a moment, or how long ago it was: milliseconds since 1970; raises RequestInvalid."""

    def time(text: str) -> int:
        from codemode.database.clock import now_ms

        if _SPAN.fullmatch(text):
            return now_ms() - span(text, name)
        try:
            return milliseconds_of(text)
        except ValueError:
            hint = "for example 2h (two hours ago), 2026-11-29 or 2026-11-29T08:30:00Z"
            raise RequestInvalid(f"{name} {text!r:.80} is no moment", hint=hint) from None

    return click.option(name, type=time, metavar="TIME", help=about)
