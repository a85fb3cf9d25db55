"""Regular expressions as GLOB, which SQLite has: only those that GLOB can say exactly."""

from __future__ import annotations

import re

from codemode.guard.mending.tokens import content, is_text

_PIECE = re.compile(r"\.\*|\.|\\([dws])|\\(\W)|\[\^?[\w-]+\]|\[\[:(?:alpha|digit):\]\]|[^\\\[\](){}|?*+^$.]")
_CLASSES = {"d": "[0-9]", "w": "[A-Za-z0-9_]", "s": "[ \t\n\r]"}
_SAME = {".*": "*", ".": "?", "[[:alpha:]]": "[A-Za-z]", "[[:digit:]]": "[0-9]"}
_ALTERNATIVES = re.compile(r"(\^?)\((?:\?:)?([^()\[\]\\]*)\)(\$?)|([^()\[\]\\]*)")


def matched(value: str, pattern: str, *, folded: bool = False, negated: bool = False) -> str | None:
    """A condition for `value` to match the regular expression in the text `pattern`; None where GLOB cannot say it."""
    if not is_text(pattern) or (folded and not pattern.isascii()):  # of which lower() folds none
        return None
    if kind := re.fullmatch(r"\^(?:\[([\w-]+)\]|\\(d|w))([+*])\$", content(pattern)):
        return _of_one_kind(f"lower({value})" if folded else value, kind, folded=folded, negated=negated)
    globs = [_glob(each) for each in _alternatives(content(pattern))]
    said = [glob.lower() if folded else glob for glob in globs if glob is not None]
    if len(said) < len(globs):
        return None
    value = f"lower({value})" if folded else value
    if len(said) == 1:
        return f"{value} {'NOT ' if negated else ''}GLOB '{said[0]}'"
    either = " OR ".join(f"{value} GLOB '{glob}'" for glob in said)
    return f"NOT ({either})" if negated else f"({either})"


def _of_one_kind(value: str, kind: re.Match[str], *, folded: bool, negated: bool) -> str:
    """`^[0-9]+$`: no character that is none of these."""
    inside = kind[1] or _CLASSES[kind[2]][1:-1]
    said = f"{value} NOT GLOB '*[^{inside.lower() if folded else inside}]*'"
    said = f"{value} <> '' AND {said}" if kind[3] == "+" else said
    return f"NOT ({said})" if negated else f"({said})"


def _alternatives(pattern: str) -> list[str]:
    """`^(a|b)`, `a|b$`: each by itself."""
    found = _ALTERNATIVES.fullmatch(pattern)
    if found is None or "|" not in pattern:
        return [pattern]
    if found[4] is not None:
        return found[4].split("|")
    return [f"{found[1]}{each}{found[3]}" for each in found[2].split("|")]


def _glob(pattern: str) -> str | None:
    from_start, to_end = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    inner = pattern[1 if from_start else 0 : len(pattern) - 1 if to_end else None]
    said, at = [] if from_start else ["*"], 0
    while at < len(inner):
        found = _PIECE.match(inner, at)
        if found is None:
            return None
        repeated = re.compile(r"\{(\d{1,2})\}").match(inner, found.end())
        piece = _said(found)
        if repeated and piece != "*":
            piece, at = piece * int(repeated[1]), repeated.end()
        else:
            at = found.end()
        if inner[at : at + 1] in ("?", "*", "+", "{"):
            return None
        said.append(piece)
    return "".join([*said, "" if to_end else "*"]).replace("**", "*").replace("'", "''")


def _said(found: re.Match[str]) -> str:
    text = found[0]
    if found[1]:
        return _CLASSES[found[1]]
    if found[2]:
        return f"[{text[1]}]" if text[1] in "*?[" else text[1]
    return _SAME.get(text, text)
