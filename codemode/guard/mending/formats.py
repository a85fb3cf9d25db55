"""Formats of dates in other databases as strftime's; None where SQLite has no such code."""

from __future__ import annotations

import re

from codemode.database.names import literal
from codemode.guard.mending.tokens import content, is_text

_STRFTIME = {"i": "M", "s": "S"}
_SAME = frozenset("YmdHjwSTe")


def from_percent(text: str) -> str | None:
    """A format of MySQL's DATE_FORMAT as strftime's; None where SQLite has no such code."""
    codes = re.findall(r"%(.)|([^%]+)", content(text))
    if not is_text(text) or any(code and code not in _SAME and code not in _STRFTIME for code, _ in codes):
        return None
    return literal("".join(f"%{_STRFTIME.get(code, code)}" if code else plain for code, plain in codes))


def from_strftime(text: str) -> str | None:
    """A format that is strftime's already; None where SQLite lacks a code of it."""
    known = all(code in "YmdHMSjweFTRIpVGuU%" for code in re.findall(r"%(.)", text))
    return text if is_text(text) and known else None


_LETTERS = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S", "DDD": "%j", "IYYY": "%G", "IW": "%V",
}  # fmt: skip


def from_letters(text: str) -> str | None:
    """A format of TO_CHAR or TO_DATE as strftime's; None where it holds more than digits of a date."""
    if not is_text(text):
        return None
    pieces = re.findall(
        r"YYYY|IYYY|DDD|HH24|MM|DD|MI|SS|IW|[A-Za-z0-9]+|\"[^\"]*\"|[^A-Za-z0-9\"]+", content(text).upper()
    )
    if any(piece not in _LETTERS and piece[:1].isalnum() for piece in pieces if piece != "T"):
        return None
    return literal("".join(_LETTERS.get(piece, piece.strip('"')) for piece in pieces))
