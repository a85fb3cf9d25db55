"""Times as people give them on the command line: how long, and when."""

from __future__ import annotations

import re

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


def moment_given(text: str | None, option: str, now: int) -> int | None:
    """A moment, or so long before `now`, in milliseconds since 1970; raises RequestInvalid."""
    if text is None or _SPAN.fullmatch(text):
        return None if text is None else now - span(text, option)
    try:
        return milliseconds_of(text)
    except ValueError:
        hint = "for example 2h (two hours ago), 2026-11-29 or 2026-11-29T08:30:00Z"
        raise RequestInvalid(f"{option} {text!r:.80} is no moment", hint=hint) from None
