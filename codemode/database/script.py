"""Cut a script into its statements, where SQLite itself would."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemode.patterns import pattern

# Quantifiers are possessive and every text is read once: asking SQLite at each semicolon whether a trigger is still
# open would read the trigger again each time, and a megabyte of semicolons would hold the worker for half an hour.
COMMENT = r"--[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|$)"
QUOTED = r"""'(?:[^']++|'')*+(?:'|$)|"(?:[^"]++|"")*+(?:"|$)|`(?:[^`]++|``)*+(?:`|$)|\[[^\]]*+(?:\]|$)"""
_BLANK = rf"(?:[ \t\n\f\r]++|{COMMENT})"
# Letters, digits, _, $ and all that is not ASCII, said by what is not in it: up to U+10FFFF it takes 8 ms to compile.
_LETTER = r"[^\x00-#%-/:-@\[-^`{-\x7f]"
_SEMICOLON = pattern(rf"(?:[^;'\"`\[/\-]++|{QUOTED}|{COMMENT}|/|-)*+(;|$)")
_EMPTY = pattern(rf"(?:;|{_BLANK})*+")
# The body of a trigger ends at `; END ;`, whatever stands between these three.
_TRIGGER = pattern(
    rf"(?:EXPLAIN{_BLANK}++(?:QUERY{_BLANK}++PLAN{_BLANK}++)?+)?+CREATE{_BLANK}++(?:TEMP(?:ORARY)?+{_BLANK}++)?+"
    rf"TRIGGER(?!{_LETTER})",
    re.IGNORECASE | re.ASCII,
)
_END = pattern(rf"(?:;|{_BLANK})*+END(?!{_LETTER}){_BLANK}*+(?:;|$)", re.IGNORECASE | re.ASCII)


def statements(script: str) -> Iterator[str]:
    """The statements of `script`, in order, without empty ones; the body of a trigger stays whole."""
    start = match_end(_EMPTY, script, 0)
    while start < len(script):
        is_trigger = _TRIGGER.match(script, start) is not None
        end = match_end(_SEMICOLON, script, start)
        while is_trigger and end < len(script):
            if closing := _END.match(script, end):
                end = closing.end()
                break
            # Semicolons that follow one another are looked at together: each by itself would be quadratic again.
            end = match_end(_SEMICOLON, script, match_end(_EMPTY, script, end))
        yield script[start:end].strip()
        start = match_end(_EMPTY, script, end)


def match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where in `text` a match at `at` ends; there itself where there is none."""
    found = pattern.match(text, at)
    return found.end() if found else at
