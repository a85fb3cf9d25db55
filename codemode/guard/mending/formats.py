"""Formats of dates in other databases as strftime's, names of months and days among them; None where there is none."""

from __future__ import annotations

import re

from codemode.database.names import literal
from codemode.guard.mending.tokens import content, is_text

_STRFTIME = {"i": "M", "s": "S", "M": "B", "W": "A"}
_SAME = frozenset("YmdHjwSTba")  # not e: " 5", where MySQL has "5"


def from_percent(text: str) -> str | None:
    """A format of MySQL's DATE_FORMAT as strftime's; None where SQLite has no such code."""
    codes = re.findall(r"%(.)|([^%]+)", content(text))
    if not is_text(text) or any(code and code not in _SAME and code not in _STRFTIME for code, _ in codes):
        return None
    return literal("".join(f"%{_STRFTIME.get(code, code)}" if code else plain for code, plain in codes))


def from_strftime(text: str) -> str | None:
    """A format that is strftime's already; None where SQLite lacks a code of it."""
    known = all(code in "YmdHMSjweFTRIpVGuU%bBaA" for code in re.findall(r"%(.)", text))
    return text if is_text(text) and known else None


_LETTERS = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S", "DDD": "%j", "IYYY": "%G", "IW": "%V",
}  # fmt: skip
_NAMES = {"Mon": "%b", "FMMonth": "%B", "Dy": "%a", "FMDay": "%A"}  # in other letters, or without FM, written otherwise


def from_letters(text: str) -> str | None:
    """A format of TO_CHAR or TO_DATE as strftime's; None where it holds more than digits of a date."""
    if not is_text(text):
        return None
    pieces = re.findall(
        r"FMMonth|FMDay|Mon|Dy|(?i:YYYY|IYYY|DDD|HH24|MM|DD|MI|SS(?!S)|IW)|[A-Za-z0-9]+|\"[^\"]*\"|[^A-Za-z0-9\"]+",
        content(text),
    )
    codes = [_NAMES.get(piece) or _LETTERS.get(piece.upper()) for piece in pieces]
    if any(code is None and piece[:1].isalnum() and piece != "T" for code, piece in zip(codes, pieces, strict=True)):
        return None
    return literal("".join(code or piece.strip('"') for code, piece in zip(codes, pieces, strict=True)))


_DOTNET = {"yyyy": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dddd": "%A", "ddd": "%a", "dd": "%d", "HH": "%H",
    "mm": "%M", "ss": "%S"}  # fmt: skip


def from_dotnet(text: str) -> str | None:
    """A format of T-SQL's FORMAT(x, 'yyyy-MM') as strftime's."""
    pieces = re.findall(r"y+|M+|d+|H+|m+|s+|[A-Za-z]|[^A-Za-z]+", content(text)) if is_text(text) else []
    if not any(piece in _DOTNET for piece in pieces) or any(p[:1].isalpha() and p not in _DOTNET for p in pieces):
        return None
    return literal("".join(_DOTNET.get(piece, piece) for piece in pieces))


def _cases(code: str, names: str, first: int, width: int) -> str:
    cases = " ".join(f"WHEN '{at:0{width}}' THEN '{name}'" for at, name in enumerate(names.split(), first))
    return f"CASE strftime('{code}', {{0}}) {cases} END"


_MONTHS = "January February March April May June July August September October November December"
_DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday"
_OF_NAMES = {
    "%B": _cases("%m", _MONTHS, 1, 2),
    "%b": "substr('JanFebMarAprMayJunJulAugSepOctNovDec', strftime('%m', {0}) * 3 - 2, 3)",
    "%A": _cases("%w", _DAYS, 0, 1),
    "%a": "substr('SunMonTueWedThuFriSat', strftime('%w', {0}) * 3 + 1, 3)",
}


def formatted(form: str, value: str) -> str:
    """`value` in the format of the literal `form`, which may have names that SQLite's strftime has not."""
    pieces = [piece for piece in re.split(r"(%[bBaA])", content(form)) if piece]
    return " || ".join(_piece(piece, value) for piece in pieces)


def _piece(piece: str, value: str) -> str:
    if piece in _OF_NAMES:
        return _OF_NAMES[piece].format(value)
    return f"strftime({literal(piece)}, {value})" if "%" in piece else literal(piece)
